"""`waybill resellers`: who uploads devices."""

from __future__ import annotations

from typing import Any, Literal

from cyclopts import App

from waybill import clock
from waybill.cli import given, named
from waybill.cli.database import opened
from waybill.cli.failure import Conflict, Senseless
from waybill.cli.given import BY, Choice, Id, Release, Shape
from waybill.cli.output import note, one, plain, show
from waybill.cli.where import HERE, Json, Where
from waybill.db.tx import Tx
from waybill.resellers import actions, store
from waybill.resellers.rules import Verb
from waybill.resellers.store import Overview, Reseller

app = App(
    name="resellers",
    help="""Resellers: who uploads devices.

    As JSON, one reseller has the members `resellerId`, `name`, `state` (active, blocked or
    closed), `kdpRelease`, `statusShape` and `enforceManufactured` (null: as the installation),
    `createdAt`, `customers`, `vendors`, `clients` (how many of each), `devices` (how many it
    holds), `waiting` (transactions in progress) and `lastRequestAt`. A list leaves some out.
    """,
)


@app.command
def create(
    name: str,
    /,
    *,
    reseller_id: Id = None,
    kdp_release: Release | None = None,
    status_shape: Shape | None = None,
    enforce_list: Choice | None = None,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Create a reseller. `waybill clients create` then lets its software sign in.

        waybill resellers create "Harbour Mobile"
        waybill resellers create "Harbour Mobile" --id 3811947052 --json

    Args:
        name: What people call it.
        reseller_id: Its ID: letters, digits, `.`, `_`, `-`. By default ten digits are made up.
        kdp_release: The KDP release whose way with duplicates it is shown.
        status_shape: How its status calls answer: see `status_shape` in `waybill config`.
        enforce_list: Refuse devices that the manufacturing list does not know.
    """
    chosen, called = given.new_id(reseller_id), given.name(name)
    at = clock.now()
    with opened(where.settings()) as tx:
        if actions.create(tx, chosen, called, by=BY, at=at) is None:
            raise Conflict(f"There is a reseller {chosen} already: choose another --id.")
        made = named.reseller(tx, chosen, to_change=True)
        changed = _chosen(made, kdp_release, status_shape, enforce_list)
        actions.change(tx, made, changed, by=BY, at=at)
        shown = _shown(tx, made)
    _print(shown, where, json=json)


@app.command(name="list")
def list_(
    *,
    state: Literal["active", "blocked", "closed"] | None = None,
    limit: given.Limit = 1_000,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """List resellers, the newest first.

    Args:
        state: Only those in this state.
    """
    with opened(where.settings()) as tx:
        found = store.overviews(tx, state=state, limit=given.limit(limit) + 1)
    show(
        [_row(each) for each in found],
        json=json,
        limit=limit,
        empty="No reseller is in this state."
        if state
        else "There is no reseller yet: waybill resellers create NAME",
    )


@app.command(name="show")
def show_(reseller: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """Show one reseller with its settings, and how much there is of it.

        waybill resellers show 3811947052
        waybill resellers show "Harbour Mobile"

    Args:
        reseller: Its ID, or its name where no other has it.
    """
    with opened(where.settings()) as tx:
        shown = _shown(tx, named.reseller(tx, reseller))
    _print(shown, where, json=json)


@app.command
def change(
    reseller: str,
    /,
    *,
    name: str | None = None,
    kdp_release: Release | None = None,
    status_shape: Shape | None = None,
    enforce_list: Choice | None = None,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Change a reseller's name or its own settings. What its calls meet changes at once.

    A setting of its own wins over the installation's; `installation` gives it up again.

        waybill resellers change 3811947052 --kdp-release 23.12
        waybill resellers change 3811947052 --enforce-list installation

    Args:
        reseller: Its ID, or its name where no other has it.
        name: What people call it.
        kdp_release: The KDP release whose way with duplicates it is shown.
        status_shape: How its status calls answer: see `status_shape` in `waybill config`.
        enforce_list: Refuse devices that the manufacturing list does not know.
    """
    if (name, kdp_release, status_shape, enforce_list) == (None,) * 4:
        raise Senseless("Say what to change: see `waybill resellers change --help`.")
    with opened(where.settings()) as tx:
        old = named.reseller(tx, reseller, to_change=True)
        new = _chosen(old, kdp_release, status_shape, enforce_list)
        new = new._replace(name=old.name if name is None else given.name(name))
        if not actions.change(tx, old, new, by=BY, at=clock.now()):
            note("It is so already: nothing was changed.")
        shown = _shown(tx, new)
    _print(shown, where, json=json)


@app.command
def block(reseller: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """Block a reseller: within a second its calls answer 40300000 and it gets no token.

    What was accepted from it before is worked off. `waybill resellers unblock` takes it back.

    Args:
        reseller: Its ID, or its name where no other has it.
    """
    _stand(reseller, "block", json=json, where=where)


@app.command
def unblock(reseller: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """Let a blocked reseller sign in again. Tokens that have not expired work again.

    Args:
        reseller: Its ID, or its name where no other has it.
    """
    _stand(reseller, "unblock", json=json, where=where)


@app.command
def close(reseller: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """Close a reseller: within a second its calls answer 40400001 and it gets no token.

    What was accepted from it before is worked off. Its history stays, and so do the devices that
    it holds: nobody else can upload them. `waybill resellers reopen` takes it back.

    Args:
        reseller: Its ID, or its name where no other has it.
    """
    _stand(reseller, "close", json=json, where=where)


@app.command
def reopen(reseller: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """Open a closed reseller again, as it was: its clients, vendors, customers and devices.

    Args:
        reseller: Its ID, or its name where no other has it.
    """
    _stand(reseller, "reopen", json=json, where=where)


def _stand(reseller: str, verb: Verb, *, json: bool, where: Where) -> None:
    with opened(where.settings()) as tx:
        old = named.reseller(tx, reseller, to_change=True)
        new = actions.stand(tx, old, verb, by=BY, at=clock.now())
        if new is None:
            raise Conflict(f"Reseller {old.id} {old.name} is {old.state}: it cannot {verb}.")
        if new == old:
            note(f"It is {old.state} already: nothing was changed.")
        shown = _shown(tx, new)
    if verb == "close" and shown["devices"]:
        note(
            f"It still holds {shown['devices']} devices: nobody else can upload them. Reopen it to"
            " delete them."
        )
    _print(shown, where, json=json)


def _print(shown: dict[str, Any], where: Where, *, json: bool) -> None:
    settings = where.settings()
    falls_back = {
        "kdpRelease": settings.kdp_release,
        "statusShape": settings.status_shape,
        "enforceManufactured": settings.enforce_manufactured,
    }
    people = {
        name: f"{plain(value)} (as the installation)"
        for name, value in falls_back.items()
        if shown[name] is None
    }
    one(shown, json=json, people=people)


def _chosen(old: Reseller, release: str | None, shape: str | None, enforce: str | None) -> Reseller:
    enforced = old.enforce_manufactured
    if enforce is not None:
        enforced = {"yes": True, "no": False, "installation": None}[enforce]
    return old._replace(
        kdp_release=given.own(release, old.kdp_release),
        status_shape=given.own(shape, old.status_shape),
        enforce_manufactured=enforced,
    )


def _row(each: Overview) -> dict[str, Any]:
    return {
        "resellerId": each.id,
        "name": each.name,
        "state": each.state,
        "customers": each.customers,
        "devices": each.devices,
        "waiting": each.waiting,
        "lastRequestAt": each.last_request_at,
    }


def _shown(tx: Tx, reseller: Reseller) -> dict[str, Any]:
    (each,) = store.overviews(tx, no=reseller.no)
    return {
        "resellerId": each.id,
        "name": each.name,
        "state": each.state,
        "kdpRelease": each.kdp_release,
        "statusShape": each.status_shape,
        "enforceManufactured": each.enforce_manufactured,
        "createdAt": each.created_at,
        "customers": each.customers,
        "vendors": each.vendors,
        "clients": each.clients,
        "devices": each.devices,
        "waiting": each.waiting,
        "lastRequestAt": each.last_request_at,
    }
