"""Time and chance: the only place that asks the machine for either."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


def now() -> datetime:
    """The current moment, always with its zone (UTC)."""
    return datetime.now(UTC)


def error_id() -> str:
    """A fresh `errorId`: 32 upper-case hexadecimal digits (contract §3)."""
    return secrets.token_hex(16).upper()


def secret() -> str:
    """256 random bits for a token or a client secret, safe in a URL and in a form."""
    return secrets.token_urlsafe(32)


def identifier() -> str:
    """A fresh ID for what we name ourselves: 128 random bits, 32 hexadecimal digits."""
    return secrets.token_hex(16)


def number() -> str:
    """A fresh ID as Samsung gives them to resellers and customers: ten digits."""
    return str(secrets.randbelow(9 * 10**9) + 10**9)
