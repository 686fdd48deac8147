"""The bodies of client management (contract §9; its members are ours, for none are documented)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from waybill.wire.codes import Code, Refused
from waybill.wire.scopes import Scope

LIFE_MAX_S = 3600
OVERLAP_MAX_H = 24 * 30
_NAME_MAX = 200


class ExpirationTimes(msgspec.Struct):
    """How long what a client is given lives, in seconds."""

    accessToken: int


class Client(msgspec.Struct, kw_only=True):
    """A client. Its secret is told once: when it is made, and when it is renewed."""

    clientId: str
    clientSecret: str | UnsetType = UNSET
    name: str
    resellerId: str | UnsetType = UNSET
    scopes: list[str]
    expirationTimes: ExpirationTimes


class Clients(msgspec.Struct):
    """The clients that the caller may manage, the newest first."""

    clients: list[Client]


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
    if name is not None and (len(name) > _NAME_MAX or not name.isprintable()):
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
