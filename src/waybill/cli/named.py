"""Finds what a command names, by ID or by a name that only one has; else says what is near."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import TypeVar

from waybill.auth import store as clients
from waybill.cli.failure import Conflict, NotFound, Senseless
from waybill.customers import store as customers
from waybill.db.tx import Tx
from waybill.resellers import store as resellers
from waybill.wire.gen2 import is_id

Found = TypeVar("Found")
Near = Sequence[tuple[str, str]]


def reseller(tx: Tx, text: str, *, to_change: bool = False) -> resellers.Reseller:
    """The reseller with this ID or name.

    Raises:
        NotFound: there is none.
        Senseless: several have this name.
    """
    return _one(
        "reseller",
        text,
        lambda each: resellers.find(tx, each, to_change=to_change),
        lambda: resellers.named(tx, text),
        lambda: resellers.similar(tx, text),
    )


def customer(
    tx: Tx, text: str, *, of: int | None = None, to_change: bool = False
) -> customers.Customer:
    """The customer with this ID or name; raises as `reseller` does. `of`: the reseller."""
    return _one(
        "customer",
        text,
        lambda each: customers.find(tx, each, of, to_change=to_change),
        lambda: customers.named(tx, text),
        lambda: customers.similar(tx, text),
    )


def open_customer(tx: Tx, text: str) -> customers.Customer:
    """The customer with this ID or name; raises as `reseller` does.

    Raises:
        Conflict: it is closed.
    """
    found = customer(tx, text)
    if found.state == "closed":
        raise Conflict(
            f"Customer {found.id} {found.name} is closed: `waybill customers reopen {found.id}`."
        )
    return found


def vendor(tx: Tx, of: resellers.Reseller, text: str) -> resellers.Vendor:
    """The vendor of a reseller with this ID or name; raises as `reseller` does."""
    known = [each for _, each, _ in resellers.vendors(tx, of.no)]
    return _one(
        f"vendor of {of.id}",
        text,
        lambda each: resellers.find_vendor(tx, of.no, each),
        lambda: [each.id for each in known if each.name.casefold() == text.casefold()],
        lambda: [(each.id, each.name) for each in known],
    )


def client(tx: Tx, text: str) -> clients.Registered:
    """The client with this ID or name; raises as `reseller` does."""
    return _one(
        "client",
        text,
        lambda each: clients.registered(tx, each),
        lambda: clients.named(tx, text),
        lambda: clients.similar(tx, text),
    )


def _one(
    what: str,
    text: str,
    find: Callable[[str], Found | None],
    named: Callable[[], list[str]],
    similar: Callable[[], Near],
) -> Found:
    found = find(text) if is_id(text) else None
    if found is not None:
        return found
    of_this_name = named()
    if len(of_this_name) > 1:
        ids = ", ".join(of_this_name)
        raise Senseless(f"Several have the name {text}: say which by its ID ({ids}).")
    found = find(of_this_name[0]) if of_this_name else None
    if found is None:
        raise NotFound(f"There is no {what} {text}.{did_you_mean(text, similar())}")
    return found


def did_you_mean(text: str, near: Near) -> str:
    """A question that names the nearest by ID or name, with a space before it; "" if none is."""
    spelled: dict[str, tuple[str, str]] = {}
    for each, name in near:
        spelled.setdefault(name.casefold(), (each, name))
        spelled.setdefault(each.casefold(), (each, name))
    nearest = difflib.get_close_matches(text.casefold(), spelled, n=1)
    return f" Did you mean {' '.join(spelled[nearest[0]]).strip()}?" if nearest else ""
