"""`waybill aliases`: profiles of a customer that a reseller's uploads may ask for."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from waybill import clock
from waybill.cli import given, named
from waybill.cli.database import opened
from waybill.cli.failure import Conflict, NotFound
from waybill.cli.given import BY
from waybill.cli.output import one, show
from waybill.cli.where import HERE, Json, Where
from waybill.customers import actions, store
from waybill.customers.actions import ALIASES_MAX, TooManyAliases
from waybill.customers.store import Alias

app = App(
    name="aliases",
    help="""Profile aliases: what an upload may ask for.

    A customer shares at most ten with each of its resellers. As JSON, an alias has the members
    `profileAlias`, `profileId`, `customerId`, `resellerId`, `state` (active or closed),
    `createdAt` and `closedAt`.
    """,
)


@app.command
def create(
    alias: str,
    /,
    *,
    customer: str,
    reseller: str,
    profile: str | None = None,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Share a profile of a customer with a reseller under an alias.

    An alias that was closed is shared again.

        waybill aliases create Drivers --customer "Alder Logistics" --reseller 3811947052

    Args:
        alias: What uploads call the profile.
        customer: The customer: ID or name.
        reseller: The reseller, which must serve the customer: ID or name.
        profile: The profile's ID; by default one is made up.
    """
    called = given.name(alias, "The alias")
    profile_id = clock.identifier() if profile is None else given.name(profile, "--profile")
    with opened(where.settings()) as tx:
        of, whom = named.reseller(tx, reseller), named.open_customer(tx, customer)
        try:
            made = actions.share_alias(
                tx, of.no, whom.no, called, profile_id, by=BY, at=clock.now()
            )
        except TooManyAliases:
            raise Conflict(
                f"{whom.id} shares {ALIASES_MAX} aliases with {of.id} already: close one first."
            ) from None
        if not made:
            raise Conflict(f"{whom.id} shares the alias {called} with {of.id} already.")
        found = store.all_aliases(
            tx, reseller=of.no, customer=whom.no, closed=False, limit=ALIASES_MAX
        )
    one(next(_row(each) for each in found if each.alias == called), json=json)


@app.command(name="list")
def list_(
    *,
    customer: str | None = None,
    reseller: str | None = None,
    closed: given.Flag = False,
    limit: given.Limit = 1_000,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """List profile aliases, the oldest first.

    Args:
        customer: Only of this customer: ID or name.
        reseller: Only those that it shares with this reseller: ID or name.
        closed: Those that were closed too.
    """
    with opened(where.settings()) as tx:
        of = named.reseller(tx, reseller) if reseller else None
        whom = named.customer(tx, customer) if customer else None
        found = store.all_aliases(
            tx,
            reseller=of and of.no,
            customer=whom and whom.no,
            closed=closed,
            limit=given.limit(limit) + 1,
        )
    show([_row(each) for each in found], json=json, limit=limit, empty="No alias is shared.")


@app.command
def close(
    alias: str,
    /,
    *,
    customer: str,
    reseller: str,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Stop sharing an alias: uploads that ask for it are refused with 40000000.

    Args:
        alias: The alias.
        customer: The customer: ID or name.
        reseller: The reseller: ID or name.
    """
    with opened(where.settings()) as tx:
        of, whom = named.reseller(tx, reseller), named.customer(tx, customer)
        if not actions.close_alias(tx, of.no, whom.no, alias, by=BY, at=clock.now()):
            shared = [(each, "") for each, _ in store.aliases(tx, of.no, whom.no)]
            near = named.did_you_mean(alias, shared)
            raise NotFound(f"{whom.id} shares no alias {alias} with {of.id}.{near}")
        found = store.all_aliases(tx, reseller=of.no, customer=whom.no, closed=True, limit=None)
    one(next(_row(each) for each in found if each.alias == alias), json=json)


def _row(each: Alias) -> dict[str, Any]:
    return {
        "profileAlias": each.alias,
        "profileId": each.profile_id,
        "customerId": each.customer_id,
        "resellerId": each.reseller_id,
        "state": "closed" if each.closed_at else "active",
        "createdAt": each.created_at,
        "closedAt": each.closed_at,
    }
