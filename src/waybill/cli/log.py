"""`waybill activity`: who did what, and what was refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from cyclopts import Parameter

from waybill import clock
from waybill.activity import store
from waybill.activity.store import Filter
from waybill.cli.database import opened
from waybill.cli.output import show
from waybill.cli.where import HERE, Json, Where


def activity(
    *,
    reseller: str | None = None,
    customer: str | None = None,
    event: str | None = None,
    status: str | None = None,
    transaction: str | None = None,
    error: str | None = None,
    by: str | None = None,
    days: int | None = None,
    limit: Annotated[int, Parameter(name=["--limit", "-n"])] = 50,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Show the activity log, the newest entry first.

    Every change is one entry, and so is every refused call of a reseller: an `errorId` from an
    answer finds the call that it belongs to.

        waybill activity -n 10
        waybill activity --error 0A1B2C…      the call that was answered with this errorId
        waybill activity --status Error --days 1

    Args:
        reseller: Only of this reseller (ID).
        customer: Only about this customer (ID).
        event: Only this event, e.g. "Device uploaded".
        status: OK, Error, "In progress", Completed or "Completed with error".
        transaction: Only of this transaction ID.
        error: Only the refused call with this errorId.
        by: Only what this client or person did.
        days: Only of the last so many days.
        limit: At most so many entries.
        json: JSON, for scripts.
        where: Which installation.
    """
    settings = where.settings()
    since = _ago(days)
    wanted = Filter(
        reseller=reseller,
        customer=customer,
        event=event,
        status=status,
        transaction=transaction,
        error=error and error.upper(),
        by=by,
        since=since,
    )
    with opened(settings) as tx:
        entries = list(store.entries(tx, wanted, limit))
        untold = store.uncounted(tx, reseller, settings.refusals_per_minute)
    show(
        [_entry(each) for each in entries],
        json=json,
        empty="No entry fits." if any(vars(wanted).values()) else "Nothing has happened yet.",
    )
    if not json:
        for reseller_id, minute, count in untold:
            print(f"… and {count} more refused calls of {reseller_id} at {minute:%Y-%m-%d %H:%M}")


def _ago(days: int | None) -> datetime | None:
    return None if days is None else clock.now() - timedelta(days=days)


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
