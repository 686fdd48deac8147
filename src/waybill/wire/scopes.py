"""What a credential may do (contract §4): the scopes and what each implies."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    """A scope as clients name it."""

    ALL = "kdp"
    DEVICES = "kdp.devices"
    DEVICES_VIEW = "kdp.devices:view"
    DEVICES_MANAGE = "kdp.devices:manage"
    PROFILE_ALIAS = "kdp.profilealias"
    CUSTOMERS = "kdp.customers"


MEANING: dict[Scope, str] = {
    Scope.ALL: "Everything.",
    Scope.DEVICES: "Everything about devices.",
    Scope.DEVICES_VIEW: "Ask for devices and for the status of uploads and deletes.",
    Scope.DEVICES_MANAGE: "Upload and delete devices.",
    Scope.PROFILE_ALIAS: "List the profiles that customers share.",
    Scope.CUSTOMERS: "List the customers that the reseller serves.",
}

_IMPLIED: dict[Scope, frozenset[Scope]] = {
    Scope.ALL: frozenset(Scope),
    Scope.DEVICES: frozenset({Scope.DEVICES, Scope.DEVICES_VIEW, Scope.DEVICES_MANAGE}),
}


def expand(scopes: Iterable[str]) -> frozenset[Scope]:
    """All that the named scopes allow.

    Raises:
        ValueError: a name is no scope.
    """
    allowed: set[Scope] = set()
    for name in scopes:
        scope = Scope(name)
        allowed |= _IMPLIED.get(scope, frozenset({scope}))
    return frozenset(allowed)
