"""`waybill vendors`: for whom a distributor uploads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cyclopts import App

from waybill import clock
from waybill.cli import given, named
from waybill.cli.database import opened
from waybill.cli.failure import Conflict
from waybill.cli.given import BY, Id
from waybill.cli.output import note, one, show
from waybill.cli.where import HERE, Json, Where
from waybill.db.tx import Tx
from waybill.resellers import actions, store
from waybill.resellers.rules import Verb
from waybill.resellers.store import Reseller

app = App(
    name="vendors",
    help="""Vendors: for whom a distributor uploads.

    An upload names one by its ID. As JSON, a vendor has the members `vendorId`, `name`,
    `resellerId`, `state` (active or closed) and `createdAt`.
    """,
)


@app.command
def create(
    name: str,
    /,
    *,
    reseller: str,
    vendor_id: Id = None,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Create a vendor of a reseller.

        waybill vendors create "Quayside Phones" --reseller "Meridian Distribution"

    Args:
        name: What people call it.
        reseller: The reseller that uploads for it: ID or name.
        vendor_id: Its ID: letters, digits, `.`, `_`, `-`. By default ten digits are made up.
    """
    chosen, called = given.new_id(vendor_id), given.name(name)
    with opened(where.settings()) as tx:
        of = named.reseller(tx, reseller)
        if not actions.create_vendor(tx, of.no, chosen, called, by=BY, at=clock.now()):
            raise Conflict(f"{of.id} has a vendor {chosen} already: choose another --id.")
        shown = _shown(tx, of, chosen)
    one(shown, json=json)


@app.command(name="list")
def list_(*, reseller: str | None = None, json: Json = False, where: Where = HERE) -> None:
    """List vendors, closed ones too.

    Args:
        reseller: Only of this reseller: ID or name.
    """
    with opened(where.settings()) as tx:
        of = named.reseller(tx, reseller) if reseller else None
        found = store.vendors(tx, of and of.no)
    show(
        [_row(reseller_id, each, at) for reseller_id, each, at in found],
        json=json,
        empty="There is no vendor yet: waybill vendors create NAME --reseller RESELLER",
    )


@app.command(name="show")
def show_(vendor: str, /, *, reseller: str, json: Json = False, where: Where = HERE) -> None:
    """Show one vendor.

    Args:
        vendor: Its ID, or its name where no other has it.
        reseller: The reseller that uploads for it: ID or name.
    """
    with opened(where.settings()) as tx:
        of = named.reseller(tx, reseller)
        shown = _shown(tx, of, named.vendor(tx, of, vendor).id)
    one(shown, json=json)


@app.command
def change(
    vendor: str,
    /,
    *,
    reseller: str,
    name: str,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Change a vendor's name.

    Args:
        vendor: Its ID, or its name where no other has it.
        reseller: The reseller that uploads for it: ID or name.
        name: What people call it.
    """
    called = given.name(name)
    with opened(where.settings()) as tx:
        of = named.reseller(tx, reseller)
        old = named.vendor(tx, of, vendor)
        if not actions.change_vendor(tx, old, old._replace(name=called), by=BY, at=clock.now()):
            note("It is so already: nothing was changed.")
        shown = _shown(tx, of, old.id)
    one(shown, json=json)


@app.command
def close(vendor: str, /, *, reseller: str, json: Json = False, where: Where = HERE) -> None:
    """Close a vendor: uploads that name it are refused with 40400003.

    What was uploaded for it stays as it is. `waybill vendors reopen` takes it back.

    Args:
        vendor: Its ID, or its name where no other has it.
        reseller: The reseller that uploads for it: ID or name.
    """
    _stand(vendor, reseller, "close", json=json, where=where)


@app.command
def reopen(vendor: str, /, *, reseller: str, json: Json = False, where: Where = HERE) -> None:
    """Open a closed vendor again.

    Args:
        vendor: Its ID, or its name where no other has it.
        reseller: The reseller that uploads for it: ID or name.
    """
    _stand(vendor, reseller, "reopen", json=json, where=where)


def _stand(vendor: str, reseller: str, verb: Verb, *, json: bool, where: Where) -> None:
    with opened(where.settings()) as tx:
        of = named.reseller(tx, reseller)
        old = named.vendor(tx, of, vendor)
        if actions.stand_vendor(tx, old, verb, by=BY, at=clock.now()) == old:
            note(f"It is {old.state} already: nothing was changed.")
        shown = _shown(tx, of, old.id)
    one(shown, json=json)


def _row(reseller_id: str, vendor: store.Vendor, at: datetime) -> dict[str, Any]:
    return {
        "vendorId": vendor.id,
        "name": vendor.name,
        "resellerId": reseller_id,
        "state": vendor.state,
        "createdAt": at,
    }


def _shown(tx: Tx, of: Reseller, vendor_id: str) -> dict[str, Any]:
    return next(
        _row(reseller_id, each, at)
        for reseller_id, each, at in store.vendors(tx, of.no)
        if each.id == vendor_id
    )
