"""SQL of the activity log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from waybill.db.tx import Tx
from waybill.wire.events import Event


def add(
    tx: Tx,
    event: Event,
    *,
    by: str,
    at: datetime,
    reseller: int | None = None,
    customer: int | None = None,
    transaction: int | None = None,
    transaction_id: str | None = None,
    detail: dict[str, Any] | None = None,
) -> int:
    """One entry for one change, in the `tx` of the change; returns the entry's number.

    An entry of an upload or delete has no status of its own: what became of the transaction is
    read from it, so that the two can never disagree.
    """
    row = tx.execute(
        "insert into activity (at, event, performed_by, status, reseller, customer, transaction,"
        " transaction_id, detail) values (%s, %s, %s, %s, %s, %s, %s, %s, %s) returning id",
        (
            at,
            event.value,
            by,
            None if transaction is not None else "OK",
            reseller,
            customer,
            transaction,
            transaction_id,
            Jsonb(detail or {}),
        ),
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return row[0]


def amend(tx: Tx, entry: int, detail: dict[str, Any]) -> None:
    """Replaces the details of an entry about a change that goes on in several `tx`."""
    tx.execute("update activity set detail = %s where id = %s", (Jsonb(detail), entry))


class Refusal(NamedTuple):
    """A refused call of a known reseller."""

    reseller: int
    at: datetime
    call: str
    by: str
    error_id: str
    code: int
    data: str
    transaction_id: str | None


def add_refusals(tx: Tx, refusals: Sequence[Refusal], per_minute: int) -> None:
    """Adds refused calls: of each reseller and minute the first `per_minute`, the rest counted."""
    for refusal in refusals:
        row = tx.execute(
            "insert into refusal_minute (reseller, minute, seen)"
            " values (%s, date_trunc('minute', %s::timestamptz), 1)"
            " on conflict (reseller, minute) do update set seen = refusal_minute.seen + 1"
            " returning seen",
            (refusal.reseller, refusal.at),
        ).fetchone()
        assert row is not None  # noqa: S101 - an upsert always returns its row
        if row[0] <= per_minute:
            tx.execute(
                "insert into activity (at, event, performed_by, status, reseller, transaction_id,"
                " error_id, code, detail) values (%s, %s, %s, 'Error', %s, %s, %s, %s, %s)",
                (
                    refusal.at,
                    Event.REQUEST_REFUSED.value,
                    refusal.by,
                    refusal.reseller,
                    refusal.transaction_id,
                    refusal.error_id,
                    refusal.code,
                    Jsonb({"call": refusal.call, "data": refusal.data}),
                ),
            )


class Entry(NamedTuple):
    """An entry of the log as it is shown; `status` tells of its transaction where it has one."""

    at: datetime
    event: str
    status: str
    performed_by: str
    reseller_id: str | None
    customer_id: str | None
    transaction_id: str | None
    error_id: str | None
    code: int | None
    detail: dict[str, Any]


@dataclass(frozen=True)
class Filter:
    """Which entries are wanted; None leaves a column open."""

    reseller: str | None = None
    customer: str | None = None
    event: str | None = None
    status: str | None = None
    transaction: str | None = None
    error: str | None = None
    since: datetime | None = None
    by: str | None = None


_ENTRIES = """
select * from (
  select a.at, a.event,
         coalesce(a.status, case when t.state = 'Progress' then 'In progress'
                                 when t.failed > 0 then 'Completed with error'
                                 else 'Completed' end) as status,
         a.performed_by, r.id as reseller_id, c.id as customer_id, a.transaction_id, a.error_id,
         a.code,
         case when t.seq is null then a.detail
              else a.detail || jsonb_build_object('devices', t.device_count, 'ok', t.ok,
                                                  'failed', t.failed, 'skipped', t.skipped) end,
         a.id
  from activity a
  left join transaction t on t.seq = a.transaction
  left join reseller r on r.no = a.reseller
  left join customer c on c.no = a.customer
  where (%(reseller)s::text is null or r.id = %(reseller)s)
    and (%(customer)s::text is null or c.id = %(customer)s)
    and (%(event)s::text is null or a.event = %(event)s)
    and (%(transaction)s::text is null or a.transaction_id = %(transaction)s)
    and (%(error)s::text is null or a.error_id = %(error)s)
    and (%(since)s::timestamptz is null or a.at >= %(since)s)
    and (%(by)s::text is null or a.performed_by = %(by)s)
) as entry
where %(status)s::text is null or status = %(status)s
order by id desc limit %(limit)s
"""


def entries(tx: Tx, wanted: Filter, limit: int) -> Iterator[Entry]:
    """The newest entries first, at most `limit`."""
    for row in tx.execute(_ENTRIES, {**vars(wanted), "limit": limit}):
        yield Entry(*row[:-1])


def uncounted(tx: Tx, reseller: str | None, per_minute: int) -> list[tuple[str, datetime, int]]:
    """Refused calls that no entry tells of: reseller, minute and how many, the newest first."""
    return tx.execute(
        "select r.id, m.minute, m.seen - %(most)s from refusal_minute m"
        " join reseller r on r.no = m.reseller"
        " where m.seen > %(most)s and (%(reseller)s::text is null or r.id = %(reseller)s)"
        " order by m.minute desc limit 100",
        {"most": per_minute, "reseller": reseller},
    ).fetchall()
