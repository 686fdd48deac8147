"""The bodies of client management (contract §9; its members are ours, for none are documented)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from waybill.wire.codes import Code, Refused
from waybill.wire.scopes import Scope
from waybill.wire.sources import Source, told

LIFE_MAX_S = 3600
OVERLAP_MAX_H = 24 * 30
NAME_MAX = 200


class ExpirationTimes(msgspec.Struct):
    """How long what a client is given lives."""

    accessToken: Annotated[
        int,
        told(
            "Seconds that a token lives when its request does not say.",
            Source.OURS,
            599,
            schema={"minimum": 1, "maximum": LIFE_MAX_S},
        ),
    ]


class Client(msgspec.Struct, kw_only=True):
    """A client. Its secret is told once: when it is made, and when it is renewed."""

    clientId: Annotated[
        str, told("What it signs in as.", Source.OURS, "9f1c1f5be3f74c4d8f7f0d3f5a2b6c7d")
    ]
    clientSecret: (
        Annotated[str, told("Its secret, this once.", Source.OURS, "YOUR-CLIENT-SECRET")]
        | UnsetType
    ) = UNSET
    name: Annotated[str, told("What people call it.", Source.OURS, "Warehouse")]
    resellerId: (
        Annotated[
            str, told("Whom it acts for; absent for the operator's own.", Source.OURS, "3811947052")
        ]
        | UnsetType
    ) = UNSET
    scopes: Annotated[list[str], told("What it may do.", Source.OURS, ["kdp.devices"])]
    expirationTimes: Annotated[ExpirationTimes, told("How long its tokens live.", Source.OURS)]


class Clients(msgspec.Struct):
    """The clients that the caller may manage, the newest first."""

    clients: Annotated[list[Client], told("Without their secrets.", Source.OURS)]


@dataclass(frozen=True)
class Wish:
    """What a client shall be; None leaves a member as it is, or to its default."""

    name: str | None = None
    scopes: list[str] | None = None
    life_s: int | None = None
    reseller_id: str | None = None
    renew_secret: bool = False
    overlap_h: int = 24


def parse(body: Mapping[str, Any]) -> Wish:
    """Reads the members of a new or changed client.

    Raises:
        Refused: 40000000 naming the first member that does not fit.
    """
    return Wish(
        name=_name(body.get("name")),
        scopes=_scopes(body.get("scopes")),
        life_s=_life(body.get("expirationTimes")),
        reseller_id=_text(body.get("resellerId"), "resellerId"),
        renew_secret=_flag(body.get("renewSecret"), "renewSecret"),
        overlap_h=_number(body.get("overlapHours"), "overlapHours", 0, OVERLAP_MAX_H, 24),
    )


def parse_times(body: Mapping[str, Any]) -> int:
    """Reads `{"accessToken": seconds}`; 40000000 names what does not fit."""
    life_s = _life(body)
    if life_s is None:
        raise Refused(Code.RESOURCE_INVALID_PARAM, "accessToken")
    return life_s


def _text(value: object, name: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refused(Code.RESOURCE_INVALID_PARAM, name)
    return value


def _name(value: object) -> str | None:
    name = _text(value, "name")
    if name is not None and (len(name) > NAME_MAX or not name.isprintable()):
        raise Refused(Code.RESOURCE_INVALID_PARAM, "name")
    return name


def _scopes(value: object) -> list[str] | None:
    if value is None:
        return None
    known = [scope.value for scope in Scope]
    if not isinstance(value, list) or not value or not all(each in known for each in value):
        raise Refused(Code.RESOURCE_INVALID_PARAM, "scopes")
    return list(dict.fromkeys(value))


def _life(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("accessToken") is None:
        raise Refused(Code.RESOURCE_INVALID_PARAM, "accessToken")
    return _number(value["accessToken"], "accessToken", 1, LIFE_MAX_S, 0)


def _flag(value: object, name: str) -> bool:
    if value is not None and not isinstance(value, bool):
        raise Refused(Code.RESOURCE_INVALID_PARAM, name)
    return bool(value)


def _number(value: object, name: str, low: int, high: int, default: int) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Refused(Code.RESOURCE_INVALID_PARAM, name)
    return value
