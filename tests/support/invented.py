"""Identifiers by the thousand that no other test has: random ones would meet by chance."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

from waybill.wire.identifiers import Kind, canonical

_LETTERS = "0123456789ABCDEFGHJKLMNPQRSTVWXYZ"
_LOCK = threading.Lock()
# Test runs begin somewhere: what one of them leaves behind must not matter to the next.
_next = 10**11 + secrets.randbelow(8 * 10**11)


def many(kind: Kind, count: int) -> list[str]:
    """Identifiers that come once in a test run, unlike any that `generate` makes up."""
    global _next
    with _LOCK:
        first, _next = _next, _next + count
    return [_WRITTEN[kind](number) for number in range(first, first + count)]


def _imei(number: int) -> str:
    return canonical(Kind.IMEI, f"86{number:012}")


def _meid(number: int) -> str:
    return f"9F{number:012X}"


def _serial(number: int) -> str:
    digits = ""
    for _ in range(9):
        number, digit = divmod(number, len(_LETTERS))
        digits = _LETTERS[digit] + digits
    return f"RZ{digits}"


_WRITTEN: dict[Kind, Callable[[int], str]] = {
    Kind.IMEI: _imei,
    Kind.MEID: _meid,
    Kind.SN: _serial,
}
