"""`waybill activity`: who did what, and what was refused."""

from __future__ import annotations

from typing import Literal

from waybill.activity import store
from waybill.activity.store import Filter
from waybill.cli import given, named
from waybill.cli.database import opened
from waybill.cli.failure import Senseless
from waybill.cli.output import show
from waybill.cli.where import HERE, Json, Where
from waybill.wire.events import Event

Status = Literal["OK", "Error", "In progress", "Completed", "Completed with error"]


def activity(
    *,
    reseller: str | None = None,
    customer: str | None = None,
    event: str | None = None,
    status: Status | None = None,
    transaction: str | None = None,
    error: str | None = None,
    by: str | None = None,
    days: int | None = None,
    limit: given.Limit = 50,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Show the activity log, the newest entry first.

    Every change is one entry, and so is every refused call of a reseller: an `errorId` from an
    answer finds the call that it belongs to.

        waybill activity -n 10
        waybill activity --error 0A1B2C…      the call that was answered with this errorId
        waybill activity --status Error --days 1

    As JSON, an array: `time`, `event`, `status`, `resellerId`, `customerId`, `performedBy`,
    `transactionId`, `errorId`, `code`, `details`.

    Args:
        reseller: Only of this reseller: ID or name.
        customer: Only about this customer: ID or name.
        event: Only this event, e.g. "Device uploaded".
        status: Only entries of this status.
        transaction: Only of this transaction ID.
        error: Only the refused call with this errorId.
        by: Only what this client or person did.
        days: Only of the last so many days.
    """
    settings = where.settings()
    chosen = event and _event(event)
    with opened(settings) as tx:
        wanted = Filter(
            reseller=named.reseller(tx, reseller).id if reseller else None,
            customer=named.customer(tx, customer).id if customer else None,
            event=chosen,
            status=status,
            transaction=transaction,
            error=error and error.upper(),
            by=by,
            since=given.ago(days),
        )
        entries = list(store.entries(tx, wanted, given.limit(limit) + 1))
        untold = store.uncounted(tx, wanted.reseller, settings.refusals_per_minute)
    show(
        [_entry(each) for each in entries],
        json=json,
        limit=limit,
        empty="No entry fits." if any(vars(wanted).values()) else "Nothing has happened yet.",
    )
    if not json:
        for reseller_id, minute, count in untold:
            print(f"… and {count} more refused calls of {reseller_id} at {minute:%Y-%m-%d %H:%M}")


def _event(text: str) -> str:
    for each in Event:
        if each.value.casefold() == text.casefold():
            return each.value
    near = named.did_you_mean(text, [(each.value, "") for each in Event])
    raise Senseless(f"There is no event {text}.{near} docs/reference/events.md lists all.")


def _entry(entry: store.Entry) -> dict[str, object]:
    return {
        "time": entry.at,
        "event": entry.event,
        "status": entry.status,
        "resellerId": entry.reseller_id,
        "customerId": entry.customer_id,
        "performedBy": entry.performed_by,
        "transactionId": entry.transaction_id,
        "errorId": entry.error_id,
        "code": entry.code,
        "details": entry.detail,
    }
