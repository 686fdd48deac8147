"""Commands for resellers, customers and OAuth clients."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from waybill import clock
from waybill.auth import actions as auth
from waybill.cli.database import Failed, opened
from waybill.cli.output import one
from waybill.cli.where import HERE, Json, Where
from waybill.customers import actions as customers
from waybill.db.tx import Tx
from waybill.resellers import actions as resellers
from waybill.resellers import store as reseller_store
from waybill.resellers.store import Reseller
from waybill.wire.gen2 import is_id
from waybill.wire.scopes import Scope

BY = "operator (command line)"

Id = Annotated[str | None, Parameter(name="--id")]

resellers_app = App(name="resellers", help="Resellers: who uploads devices.")
customers_app = App(name="customers", help="Customers: whom devices are for.")
clients_app = App(name="clients", help="OAuth clients: how a reseller's software signs in.")


@resellers_app.command(name="create")
def create_reseller(
    name: str, *, reseller_id: Id = None, json: Json = False, where: Where = HERE
) -> None:
    """Create a reseller.

    Args:
        name: What people call it.
        reseller_id: Its ID: letters, digits, `.`, `_`, `-`. By default ten digits are made up.
        json: JSON, for scripts.
        where: Which installation.
    """
    chosen = _checked(reseller_id)
    with opened(where.settings()) as tx:
        if resellers.create(tx, chosen, name, by=BY, at=clock.now()) is None:
            raise Failed(f"There is a reseller {chosen} already: choose another --id.")
    one({"resellerId": chosen, "name": name}, json=json)


@customers_app.command(name="create")
def create_customer(
    name: str, *, customer_id: Id = None, json: Json = False, where: Where = HERE
) -> None:
    """Create a customer. A reseller's first upload to it associates the two.

    Args:
        name: What people call it.
        customer_id: Its ID: letters, digits, `.`, `_`, `-`. By default ten digits are made up.
        json: JSON, for scripts.
        where: Which installation.
    """
    chosen = _checked(customer_id)
    with opened(where.settings()) as tx:
        if customers.create(tx, chosen, name, by=BY, at=clock.now()) is None:
            raise Failed(f"There is a customer {chosen} already: choose another --id.")
    one({"customerId": chosen, "name": name}, json=json)


@clients_app.command(name="create")
def create_client(
    *,
    reseller: str | None = None,
    operator: Annotated[bool, Parameter(negative=())] = False,
    name: str | None = None,
    scope: Annotated[list[Scope] | None, Parameter(negative=())] = None,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Create an OAuth client and print its secret, which is shown this once.

    Args:
        reseller: The ID of the reseller that it acts for.
        operator: The operator's own client, which may name any reseller.
        name: What people call it; by default the reseller's name.
        scope: What it may do; may be given several times. By default everything (`kdp`).
        json: JSON, for scripts.
        where: Which installation.
    """
    if (reseller is None) == (not operator):
        raise Failed("Say for whom: --reseller ID, or --operator.")
    scopes = [each.value for each in scope or [Scope.ALL]]
    with opened(where.settings()) as tx:
        found = named_reseller(tx, reseller) if reseller else None
        made = auth.create_client(
            tx,
            reseller=found and found.no,
            name=name or (found.name if found else "Operator"),
            scopes=scopes,
            by=BY,
            at=clock.now(),
        )
    one(
        {
            "clientId": made.client_id,
            "clientSecret": made.client_secret,
            "resellerId": reseller,
            "scopes": scopes,
        },
        json=json,
    )


def named_reseller(tx: Tx, reseller_id: str) -> Reseller:
    """The reseller that a command names.

    Raises:
        Failed: there is none.
    """
    found = reseller_store.find(tx, reseller_id) if is_id(reseller_id) else None
    if found is None:
        raise Failed(f"There is no reseller {reseller_id}.")
    return found


def _checked(chosen: str | None) -> str:
    if chosen is None:
        return clock.number()
    if not is_id(chosen):
        raise Failed("--id must be 1 to 64 letters, digits, `.`, `_` or `-`.")
    return chosen
