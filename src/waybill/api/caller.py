"""Finds out who calls: exactly one credential (contract §2, §3), then its scope."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

from waybill import clock
from waybill.auth import store
from waybill.auth.rules import Caller, fingerprint
from waybill.db.tx import Tx
from waybill.wire.codes import Code, Refused

# A token that was revoked, or whose reseller was closed, may live on this long on any node.
_REMEMBERED_S = 0.5
_REMEMBERED_MAX = 10_000

Headers = Sequence[tuple[bytes, bytes]]


class Shape(NamedTuple):
    """An answer of its own shape."""

    status: int
    body: dict[str, object]
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Unauthenticated(Exception):  # noqa: N818 - a refusal is an outcome that we foresee
    """A refusal whose body is no error object: one of Samsung's other shapes (contract §3)."""

    shape: Shape


# Samsung: three shapes of 401, and a 400, that carry no errorId.
INVALID_TOKEN = Shape(
    401,
    {"error": "Invalid authentication token"},
    (("WWW-Authenticate", 'Bearer realm="waybill", error="invalid_token"'),),
)
INVALID_JWT = Shape(
    401,
    {"code": 4012250, "message": "ACCESS_TOKEN_BAD_REQUEST", "data": "ACCESS_TOKEN_BAD_REQUEST"},
)
EMPTY_JWT = Shape(
    400,
    {
        "code": 4000000,
        "message": "RESOURCE_INVALID_PARAM",
        "data": "The specified request parameters are not valid. x-knox-apitoken",
    },
)
INVALID_API_KEY = Shape(
    401, {"code": 4010000, "message": "AUTHORIZATION_FAIL", "data": "Invalid Api Key"}
)


def bearer_of(headers: Headers) -> str:
    """The bearer token of a request that carries exactly one credential.

    Raises:
        Refused: 40000001 for two credentials, 40100000 for none.
        Unauthenticated: for a credential of another kind that is not valid.
    """
    bearers, knox, api_keys = [], [], []
    for name, value in headers:
        match name.lower():
            case b"authorization":
                scheme, _, token = value.partition(b" ")
                # Samsung: `Authorization: Basic` is meant for a gateway and means nothing here.
                if scheme.lower() == b"bearer":
                    bearers.append(token.strip().decode("latin-1"))
            case b"x-knox-apitoken":
                knox.append(value.strip())
            case b"x-wsm-api-token":
                api_keys.append(value)
    if len(bearers) + len(knox) > 1:
        raise Refused(Code.RESOURCE_DUPLICATE_PARAM, "Authorization, x-knox-apitoken")
    if bearers:
        return bearers[0]
    if knox:
        raise Unauthenticated(INVALID_JWT if knox[0] else EMPTY_JWT)
    if api_keys:
        raise Unauthenticated(INVALID_API_KEY)
    raise Refused(Code.AUTHENTICATION_MISSING)


@dataclass
class Callers:
    """Who stands behind a token, remembered for a moment."""

    _known: OrderedDict[bytes, tuple[float, Caller]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def remembered(self, token: str) -> Caller | None:
        """The caller, if it was looked up a moment ago."""
        with self._lock:
            known = self._known.get(fingerprint(token))
        return known[1] if known and known[0] > time.monotonic() else None

    def look_up(self, tx: Tx, token: str) -> Caller:
        """The caller, from the database.

        Raises:
            Unauthenticated: the token is unknown, expired or revoked.
        """
        sha256 = fingerprint(token)
        caller = store.caller(tx, sha256, clock.now())
        if caller is None:
            raise Unauthenticated(INVALID_TOKEN)
        with self._lock:
            self._known[sha256] = (time.monotonic() + _REMEMBERED_S, caller)
            self._known.move_to_end(sha256)
            while len(self._known) > _REMEMBERED_MAX:
                self._known.popitem(last=False)
        return caller

    def forget(self, token: str) -> None:
        """Forgets a token that was revoked here."""
        with self._lock:
            self._known.pop(fingerprint(token), None)


def refuse_standing(caller: Caller) -> None:
    """Refuses a caller whose reseller was closed (40400001) or blocked (40300000)."""
    if caller.state == "closed":
        raise Refused(Code.RESELLER_NOT_FOUND)
    if caller.state == "blocked":
        raise Refused(Code.AUTHORIZATION_FAIL)
