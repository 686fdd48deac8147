"""SQL of transactions (uploads and deletes) and of the turns in which they are worked off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from waybill.db.tx import Tx


class Circumstances(NamedTuple):
    """What a request meets: everything that decides whether it is accepted, in one look.

    `customer` is None for an unknown or closed customer; `vendor` and `aliases` are about the ones
    that the request names.
    """

    customer: int | None
    associated: bool
    vendor: bool
    used: bool
    removes: int | None
    aliases: set[str]


def circumstances(
    tx: Tx,
    reseller: int,
    *,
    customer_id: str,
    vendor_id: str | None,
    transaction_id: str | None,
    removes: str | None = None,
) -> Circumstances:
    """Looks up what a request of this reseller names; `removes` is an upload's transaction ID.

    None names nothing, so nothing is found.
    """
    row = tx.execute(
        "select c.no, a.no is not null,"
        " exists (select from vendor v where v.reseller = %(reseller)s and v.id = %(vendor)s),"
        " exists (select from transaction t where t.reseller = %(reseller)s and t.id = %(id)s),"
        " (select t.seq from transaction t where t.reseller = %(reseller)s and t.id = %(removes)s"
        "  and t.operation = 'UPLOAD' and t.customer = c.no),"
        " array(select p.alias from profile_alias p"
        "  where p.reseller = %(reseller)s and p.customer = c.no)"
        " from (select 1) as one"
        " left join customer c on c.id = %(customer)s and c.state = 'active'"
        " left join association a on a.reseller = %(reseller)s and a.customer = c.no",
        {
            "reseller": reseller,
            "customer": customer_id,
            "vendor": vendor_id,
            "id": transaction_id,
            "removes": removes,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - the FROM clause always gives one row
    return Circumstances(*row[:5], aliases=set(row[5]))


class Request(NamedTuple):
    """A request as it is stored: the columns of `_INSERT` after the first two."""

    id: str
    operation: str
    customer: int
    vendor: str | None
    type: str | None
    removes: int | None
    order_no: str | None
    order_time: int | None
    profile_aliases: list[str]
    target_service: str | None
    performed_by: str
    identifiers: bytes
    chunk_starts: list[int]
    device_count: int


_INSERT = """
insert into transaction
  (reseller, accepted_at, id, operation, customer, vendor, type, removes, order_no, order_time,
   profile_aliases, target_service, performed_by, identifiers, chunk_starts, device_count)
values
  (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (reseller, id) do nothing returning seq
"""


def insert(tx: Tx, reseller: int, request: Request, at: datetime) -> int | None:
    """Stores a request and wakes a worker; None when its ID was used meanwhile."""
    row = tx.execute(_INSERT, (reseller, at, *request)).fetchone()
    if row is None:
        return None
    tx.execute("select pg_notify('turn', '')")
    return row[0]


class Turn(NamedTuple):
    """The reseller whose turn it is."""

    reseller: int
    kdp_release: str | None


def take_turn(tx: Tx, passing_over: Sequence[int]) -> Turn | None:
    """Locks the turn of a reseller that has work and that no other worker serves now.

    Of several, the one that waits longest since its last turn: none delays another. The lock is
    the claim; it ends with `tx`, also when the worker is killed.
    """
    row = tx.execute(
        "with recursive waiting as ("
        " (select reseller from transaction where state = 'Progress' order by reseller limit 1)"
        " union all"
        " select (select t.reseller from transaction t"
        "   where t.state = 'Progress' and t.reseller > w.reseller order by t.reseller limit 1)"
        " from waiting w where w.reseller is not null)"
        " select turn.reseller from turn"
        " where turn.reseller in (select reseller from waiting)"
        " and turn.reseller <> all(%s::int[])"
        " order by turn.served for no key update skip locked limit 1",
        (list(passing_over),),
    ).fetchone()
    if row is None:
        return None
    served = tx.execute(
        "update turn set served = nextval('turn_served') from reseller r"
        " where turn.reseller = %s and r.no = turn.reseller"
        " returning turn.reseller, r.kdp_release",
        row,
    ).fetchone()
    assert served is not None  # noqa: S101 - the row is locked by us
    return Turn(*served)


class Waiting(NamedTuple):
    """A transaction with work left."""

    seq: int
    operation: str
    customer: int
    type: str | None
    removes: int | None
    device_count: int
    chunk: int
    chunks: int
    auto_approve: bool


def waiting(tx: Tx, reseller: int, limit: int) -> list[Waiting]:
    """The reseller's next transactions in the order of acceptance. Needs its turn."""
    found = tx.execute(
        "select t.seq, t.operation, t.customer, t.type, t.removes, t.device_count, t.chunk,"
        " cardinality(t.chunk_starts) - 1, coalesce(a.auto_approve, false)"
        " from transaction t"
        " left join association a on a.reseller = t.reseller and a.customer = t.customer"
        " where t.reseller = %s and t.state = 'Progress' order by t.seq limit %s",
        (reseller, limit),
    )
    return [Waiting(*row) for row in found]


def next_chunks(tx: Tx, seqs: Sequence[int]) -> dict[int, bytes]:
    """The packed identifiers of the next chunk of each transaction, by seq."""
    found = tx.execute(
        "select seq, substr(identifiers, chunk_starts[chunk + 1] + 1,"
        " chunk_starts[chunk + 2] - chunk_starts[chunk + 1])"
        " from transaction where seq = any(%s)",
        (list(seqs),),
    )
    return dict(found.fetchall())


class Result(NamedTuple):
    """What a turn did to one transaction: counts and outcomes of the chunk that it worked off.

    `outcomes` is None when every device of the chunk succeeded.
    """

    seq: int
    ok: int
    failed: int
    skipped: int
    outcomes: bytes | None
    failures: bytes | None
    first_device_seq: int | None
    last_device_seq: int | None


def advance(tx: Tx, results: Sequence[Result], at: datetime) -> None:
    """Adds a chunk's outcome to each transaction and completes those that were on their last."""
    columns: list[list[object]] = [list(column) for column in zip(*results, strict=True)]
    tx.execute(
        "update transaction t set chunk = t.chunk + 1, ok = t.ok + r.ok,"
        " failed = t.failed + r.failed, skipped = t.skipped + r.skipped,"
        " outcomes = case when t.outcomes is null and r.outcomes is null then null"
        "  else coalesce(t.outcomes, decode(repeat('00', t.ok), 'hex'))"
        "   || coalesce(r.outcomes, decode(repeat('00', r.ok), 'hex')) end,"
        " failures = case when r.failures is null then t.failures"
        "  else coalesce(t.failures, '') || r.failures end,"
        " first_device_seq = least(t.first_device_seq, r.first_seq),"
        " last_device_seq = greatest(t.last_device_seq, r.last_seq),"
        " state = case when t.chunk + 2 = cardinality(t.chunk_starts)"
        "  then 'Complete' else 'Progress' end,"
        " completed_at = case when t.chunk + 2 = cardinality(t.chunk_starts)"
        "  then %s::timestamptz end"
        " from unnest(%s::bigint[], %s::int[], %s::int[], %s::int[], %s::bytea[], %s::bytea[],"
        "  %s::bigint[], %s::bigint[])"
        "  as r(seq, ok, failed, skipped, outcomes, failures, first_seq, last_seq)"
        " where t.seq = r.seq",
        (at, *columns),
    )


def advance_removal(
    tx: Tx, seq: int, removed: bytes, count: int, *, ends: bool, at: datetime
) -> None:
    """Adds removed devices to a delete that names an upload, and completes it when `ends`."""
    tx.execute(
        "update transaction set identifiers = identifiers || %(removed)s,"
        " device_count = device_count + %(count)s, ok = ok + %(count)s,"
        " chunk_starts = chunk_starts || (length(identifiers) + length(%(removed)s)),"
        " chunk = chunk + 1, state = case when %(ends)s then 'Complete' else 'Progress' end,"
        " completed_at = case when %(ends)s then %(at)s::timestamptz end"
        " where seq = %(seq)s",
        {"removed": removed, "count": count, "ends": ends, "at": at, "seq": seq},
    )


class Status(NamedTuple):
    """A transaction as its status call needs it."""

    id: str
    operation: str
    type: str | None
    order_no: str | None
    state: str
    failures: bytes | None


_STATUS = "t.id, t.operation, t.type, t.order_no, t.state, t.failures"


def status(tx: Tx, reseller: int, transaction_id: str, customer: int | None) -> Status | None:
    """The status of one of the reseller's transactions, of one customer or any; None if unknown."""
    row = tx.execute(
        f"select {_STATUS} from transaction t where t.reseller = %s and t.id = %s"  # noqa: S608
        " and (%s::int is null or t.customer = %s)",
        (reseller, transaction_id, customer, customer),
    ).fetchone()
    return Status(*row) if row else None


def count(tx: Tx, reseller: int, customer: int | None) -> int:
    """How many transactions the reseller has, for one customer or for all."""
    row = tx.execute(
        "select count(*) from transaction where reseller = %s"
        " and (%s::int is null or customer = %s)",
        (reseller, customer, customer),
    ).fetchone()
    assert row is not None  # noqa: S101 - count always gives a row
    return row[0]


def page(tx: Tx, reseller: int, customer: int | None, num: int, size: int) -> list[Status]:
    """A page of the reseller's transactions, the newest first."""
    found = tx.execute(
        f"select {_STATUS} from transaction t where t.reseller = %s"  # noqa: S608
        " and (%s::int is null or t.customer = %s) order by t.seq desc limit %s offset %s",
        (reseller, customer, customer, size, num * size),
    )
    return [Status(*row) for row in found]
