"""`waybill customers`: whom devices are for, and which resellers serve them."""

from __future__ import annotations

from typing import Any, Literal

from cyclopts import App

from waybill import clock
from waybill.cli import given, named
from waybill.cli.database import opened
from waybill.cli.failure import Conflict
from waybill.cli.given import BY, Id
from waybill.cli.output import note, one, show
from waybill.cli.where import HERE, Json, Where
from waybill.customers import actions, store
from waybill.customers.store import Association, Customer, Overview
from waybill.db.tx import Tx
from waybill.resellers.rules import Verb

app = App(
    name="customers",
    help="""Customers: whom devices are for.

    As JSON, one customer has the members `customerId`, `name`, `state` (active or closed),
    `createdAt`, `devices` (how many are held for it), `lastRequestAt` and `resellers`, each with
    `resellerId`, `name`, `autoApprove`, `aliases` and `devices` (how many) and `since`. In a list
    `resellers` is how many there are. An association has `customerId`, `resellerId`,
    `autoApprove` and `since`.
    """,
)


@app.command
def create(
    name: str, /, *, customer_id: Id = None, json: Json = False, where: Where = HERE
) -> None:
    """Create a customer. A reseller's first upload to it associates the two.

        waybill customers create "Alder Logistics"

    Args:
        name: What people call it.
        customer_id: Its ID: letters, digits, `.`, `_`, `-`. By default ten digits are made up.
    """
    chosen, called = given.new_id(customer_id), given.name(name)
    with opened(where.settings()) as tx:
        no = actions.create(tx, chosen, called, by=BY, at=clock.now())
        if no is None:
            raise Conflict(f"There is a customer {chosen} already: choose another --id.")
        shown = _shown(tx, no)
    one(shown, json=json)


@app.command(name="list")
def list_(
    *,
    reseller: str | None = None,
    state: Literal["active", "closed"] | None = None,
    limit: given.Limit = 1_000,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """List customers, the newest first.

    With --reseller, devices and last request are what that reseller does for each.

    Args:
        reseller: Only those that this reseller serves: ID or name.
        state: Only those in this state.
    """
    with opened(where.settings()) as tx:
        of = named.reseller(tx, reseller) if reseller else None
        found = store.overviews(
            tx, reseller=of and of.no, state=state, limit=given.limit(limit) + 1
        )
    show(
        [_row(each) for each in found],
        json=json,
        limit=limit,
        empty="No customer fits."
        if reseller or state
        else "There is no customer yet: waybill customers create NAME",
    )


@app.command(name="show")
def show_(customer: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """Show one customer and the resellers that serve it.

    Args:
        customer: Its ID, or its name where no other has it.
    """
    with opened(where.settings()) as tx:
        shown = _shown(tx, named.customer(tx, customer).no)
    one(shown, json=json)


@app.command
def change(customer: str, /, *, name: str, json: Json = False, where: Where = HERE) -> None:
    """Change a customer's name.

    Args:
        customer: Its ID, or its name where no other has it.
        name: What people call it.
    """
    called = given.name(name)
    with opened(where.settings()) as tx:
        old = named.customer(tx, customer, to_change=True)
        if not actions.change(tx, old, old._replace(name=called), by=BY, at=clock.now()):
            note("It is so already: nothing was changed.")
        shown = _shown(tx, old.no)
    one(shown, json=json)


@app.command
def close(customer: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """Close a customer: to resellers it does not exist any more.

    Uploads to it are refused with 40000011, deletes and filters with 40400002; what was accepted
    before is worked off. Its history stays, and so do its devices: nobody can upload them for
    another customer. `waybill customers reopen` takes it back.

    Args:
        customer: Its ID, or its name where no other has it.
    """
    _stand(customer, "close", json=json, where=where)


@app.command
def reopen(customer: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """Open a closed customer again, with the resellers and devices that it had.

    Args:
        customer: Its ID, or its name where no other has it.
    """
    _stand(customer, "reopen", json=json, where=where)


@app.command
def associate(
    customer: str,
    /,
    *,
    reseller: str,
    auto_approve: given.Flag = False,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Let a reseller serve a customer before its first upload.

    Where they are associated already this is 40000012, with exit code 4.

        waybill customers associate "Alder Logistics" --reseller 3811947052 --auto-approve

    Args:
        customer: The customer: ID or name.
        reseller: The reseller: ID or name.
        auto_approve: Its devices need no approval by the customer.
    """
    with opened(where.settings()) as tx:
        of, whom = named.reseller(tx, reseller), named.open_customer(tx, customer)
        at = clock.now()
        actions.associate(tx, of.no, whom.no, auto_approve=auto_approve, by=BY, at=at)
        shown = _association(tx, whom, of.id)
    one(shown, json=json)


@app.command(name="auto-approve")
def auto_approve(
    customer: str,
    choice: Literal["on", "off"],
    /,
    *,
    reseller: str,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Decide whether a reseller's devices need the customer's approval.

    It decides for devices that are registered from now on. `waybill approve` is for those that
    wait already.

        waybill customers auto-approve "Alder Logistics" on --reseller 3811947052

    Args:
        customer: The customer: ID or name.
        choice: on: devices are Verified at once; off: they are Pending until approved.
        reseller: The reseller: ID or name.
    """
    with opened(where.settings()) as tx:
        of, whom = named.reseller(tx, reseller), named.open_customer(tx, customer)
        on = choice == "on"
        if not actions.set_auto_approve(tx, of.no, whom.no, on=on, by=BY, at=clock.now()):
            note(f"It is {choice} already: nothing was changed.")
        shown = _association(tx, whom, of.id)
    one(shown, json=json)


def _stand(customer: str, verb: Verb, *, json: bool, where: Where) -> None:
    with opened(where.settings()) as tx:
        old = named.customer(tx, customer, to_change=True)
        if actions.stand(tx, old, verb, by=BY, at=clock.now()) == old:
            note(f"It is {old.state} already: nothing was changed.")
        shown = _shown(tx, old.no)
    if verb == "close" and shown["devices"]:
        note(
            f"{shown['devices']} devices are still held for it: nobody can upload them for another"
            " customer. Reopen it to delete them."
        )
    one(shown, json=json)


def _row(each: Overview) -> dict[str, Any]:
    return {
        "customerId": each.id,
        "name": each.name,
        "state": each.state,
        "resellers": each.resellers,
        "devices": each.devices,
        "lastRequestAt": each.last_request_at,
    }


def _shown(tx: Tx, no: int) -> dict[str, Any]:
    (each,) = store.overviews(tx, no=no)
    return {
        "customerId": each.id,
        "name": each.name,
        "state": each.state,
        "createdAt": each.created_at,
        "devices": each.devices,
        "lastRequestAt": each.last_request_at,
        "resellers": [_served(serving) for serving in store.associations(tx, no)],
    }


def _served(each: Association) -> dict[str, Any]:
    return {
        "resellerId": each.reseller_id,
        "name": each.reseller_name,
        "autoApprove": each.auto_approve,
        "aliases": each.aliases,
        "devices": each.devices,
        "since": each.created_at,
    }


def _association(tx: Tx, customer: Customer, reseller_id: str) -> dict[str, Any]:
    found = {each.reseller_id: each for each in store.associations(tx, customer.no)}
    each = found[reseller_id]
    return {
        "customerId": customer.id,
        "resellerId": reseller_id,
        "autoApprove": each.auto_approve,
        "since": each.created_at,
    }
