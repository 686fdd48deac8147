"""Who may do what: callers, and the scopes that a token is given."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from waybill.wire.scopes import Scope, expand

TOKEN_LIFE_S = 599
TOKEN_LIFE_MAX_S = 3600


@dataclass(frozen=True)
class Caller:
    """Who stands behind a request.

    Args:
        client: its client ID: who "performed" what it does.
        reseller: the number of the one reseller that it acts for; None: the operator.
        reseller_id: that reseller's ID; None: the operator.
        state: that reseller's state; `active` for the operator.
        scopes: what the token allows, implied scopes included.
    """

    client: str
    reseller: int | None
    reseller_id: str | None
    state: str
    scopes: frozenset[Scope]


def fingerprint(secret: str) -> bytes:
    """How tokens and client secrets are kept: they are random, so a plain hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def granted(asked: str | None, registered: list[str]) -> list[str] | None:
    """The scopes to grant, as the client or its registration names them; None: more than it may.

    Args:
        asked: the `scope` parameter (space separated); None or empty asks for all.
        registered: what the client may have.
    """
    names = (asked or "").split()
    if not names:
        return registered
    try:
        return list(dict.fromkeys(names)) if expand(names) <= expand(registered) else None
    except ValueError:
        return None
