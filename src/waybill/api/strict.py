"""JSON as strictly as the contract wants it (contract §2)."""

from __future__ import annotations

import json
from typing import Any

from waybill.wire.codes import Code, Refused


def decode(body: bytes) -> dict[str, Any]:
    """The members of a JSON object.

    The standard decoder, since it alone shows members that come twice; msgspec would spare 2 ms of
    a request of 100,000 devices (docs/decisions/0005).

    Raises:
        Refused: 40000000 `body` for what is no JSON object: bad UTF-8, a duplicate member, NaN, a
            lone surrogate, too deep; 40000000 `devices` when a member of it is no string.
    """
    if body.count(b"[") + body.count(b"{") > _BRACKETS_MAX:
        # 8 MB of `[]` would become 250 MB of lists.
        raise Refused(Code.RESOURCE_INVALID_PARAM, "body")
    try:
        value = _DECODER.decode(body.decode("utf-8"))
        if b"\\u" in body:
            # Only an escape can smuggle in a surrogate; encoding finds those without a partner.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise Refused(Code.RESOURCE_INVALID_PARAM, "body") from None
    if not isinstance(value, dict):
        raise Refused(Code.RESOURCE_INVALID_PARAM, "body")
    devices = value.get("devices")
    if isinstance(devices, list) and not set(map(type, devices)) <= {str}:
        raise Refused(Code.RESOURCE_INVALID_PARAM, "devices")
    return value


# Far more than any call has; strange identifiers may hold some of their own.
_BRACKETS_MAX = 250_000


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member comes twice")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_constant)
