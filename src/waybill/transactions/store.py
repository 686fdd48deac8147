"""SQL of transactions (uploads and deletes) and of the turns in which they are worked off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

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
        " exists (select from vendor v where v.reseller = %(reseller)s and v.id = %(vendor)s"
        "  and v.state = 'active'),"
        " exists (select from transaction t where t.reseller = %(reseller)s and t.id = %(id)s),"
        " (select t.seq from transaction t where t.reseller = %(reseller)s and t.id = %(removes)s"
        "  and t.operation = 'UPLOAD' and t.customer = c.no),"
        " array(select p.alias from profile_alias p"
        "  where p.reseller = %(reseller)s and p.customer = c.no and p.closed_at is null)"
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
with stored as (
  insert into transaction
    (reseller, accepted_at, id, operation, customer, vendor, type, removes, order_no, order_time,
     profile_aliases, target_service, performed_by, identifiers, chunk_starts, device_count)
  values
    (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
  on conflict (reseller, id) do nothing returning seq)
select seq, pg_notify('turn', '') from stored
"""


def insert(tx: Tx, reseller: int, request: Request, at: datetime) -> int | None:
    """Stores a request and wakes a worker; None when its ID was used meanwhile."""
    row = tx.execute(_INSERT, (reseller, at, *request)).fetchone()
    return row[0] if row else None


class Turn(NamedTuple):
    """The reseller whose turn it is."""

    reseller: int
    kdp_release: str | None
    enforce_manufactured: bool | None


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
        " returning turn.reseller, r.kdp_release, r.enforce_manufactured",
        row,
    ).fetchone()
    assert served is not None  # noqa: S101 - the row is locked by us
    return Turn(*served)


def await_turn(tx: Tx, reseller: int) -> None:
    """Takes the turn of this reseller: no worker does anything for it until `tx` ends."""
    tx.execute("select from turn where reseller = %s for no key update", (reseller,))


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
        "  or t.approved_at is not null"
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


def advance(tx: Tx, results: Sequence[Result]) -> None:
    """Adds a chunk's outcome to each transaction."""
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
        " last_device_seq = greatest(t.last_device_seq, r.last_seq)"
        " from unnest(%s::bigint[], %s::int[], %s::int[], %s::int[], %s::bytea[], %s::bytea[],"
        "  %s::bigint[], %s::bigint[])"
        "  as r(seq, ok, failed, skipped, outcomes, failures, first_seq, last_seq)"
        " where t.seq = r.seq",
        columns,
    )


def advance_removal(tx: Tx, seq: int, removed: bytes, count: int) -> None:
    """Adds removed devices to a delete that names an upload."""
    tx.execute(
        "update transaction set identifiers = identifiers || %(removed)s,"
        " device_count = device_count + %(count)s, ok = ok + %(count)s,"
        " chunk_starts = chunk_starts || (length(identifiers) + length(%(removed)s)),"
        " chunk = chunk + 1 where seq = %(seq)s",
        {"removed": removed, "count": count, "seq": seq},
    )


def complete(tx: Tx, reseller: int, seqs: Sequence[int], at: datetime) -> None:
    """Ends transactions whose last chunk is done, numbering them in this order. Needs the turn."""
    tx.execute(
        "with ended as ("
        " select t.seq, t.customer, row_number() over (order by e.place) as nth,"
        " row_number() over (partition by t.customer order by e.place) as customer_nth"
        " from unnest(%(seqs)s::bigint[]) with ordinality as e(seq, place)"
        " join transaction t on t.seq = e.seq),"
        " everyone as (update turn set finished = finished + (select count(*) from ended)"
        "  where reseller = %(reseller)s returning finished - (select count(*) from ended) as had),"
        " each as (update association a set finished = a.finished + n.count"
        "  from (select customer, count(*) from ended group by customer) as n"
        "  where a.reseller = %(reseller)s and a.customer = n.customer"
        "  returning a.customer, a.finished - n.count as had)"
        " update transaction t set state = 'Complete', completed_at = %(at)s,"
        "  number = everyone.had + ended.nth, customer_number = each.had + ended.customer_nth"
        " from ended join each on each.customer = ended.customer, everyone"
        " where t.seq = ended.seq",
        {"seqs": list(seqs), "reseller": reseller, "at": at},
    )


class Status(NamedTuple):
    """A transaction as its status call needs it."""

    id: str
    operation: str
    type: str | None
    order_no: str | None
    state: str
    failures: bytes | None


def status(tx: Tx, reseller: int, transaction_id: str, customer: int | None) -> Status | None:
    """The status of one of the reseller's transactions, of one customer or any; None if unknown."""
    row = tx.execute(
        "select id, operation, type, order_no, state, failures from transaction"
        " where reseller = %s and id = %s and (%s::int is null or customer = %s)",
        (reseller, transaction_id, customer, customer),
    ).fetchone()
    return Status(*row) if row else None


class Totals(NamedTuple):
    """How many transactions a reseller has, of one customer or all: waiting and finished ones."""

    waiting: int
    finished: int


def totals(tx: Tx, reseller: int, customer: int | None) -> Totals:
    """Counts the few that wait and reads the counter of the others."""
    row = tx.execute(
        "select (select count(*) from transaction where reseller = %(reseller)s"
        "  and state = 'Progress' and (%(customer)s::int is null or customer = %(customer)s)),"
        " case when %(customer)s::int is null"
        "  then (select finished from turn where reseller = %(reseller)s)"
        "  else (select finished from association"
        "   where reseller = %(reseller)s and customer = %(customer)s) end",
        {"reseller": reseller, "customer": customer},
    ).fetchone()
    assert row is not None  # noqa: S101 - a select without FROM always gives a row
    return Totals(row[0], row[1] or 0)


_NEWEST_FIRST = """
select seq, size from (
  (select 1 as part, seq, seq as place, 0 as size from transaction
    where reseller = %(reseller)s and state = 'Progress'
      and (%(customer)s::int is null or customer = %(customer)s)
    order by seq desc offset %(skip)s limit %(limit)s)
  union all
  (select 2, seq, number, coalesce(length(failures), 0) from transaction
    where reseller = %(reseller)s and %(customer)s::int is null and number <= %(last)s
    order by number desc limit %(rest)s)
  union all
  (select 2, seq, customer_number, coalesce(length(failures), 0) from transaction
    where reseller = %(reseller)s and customer = %(customer)s and customer_number <= %(last)s
    order by customer_number desc limit %(rest)s)
) as page order by part, place desc
"""


def listed(
    tx: Tx, reseller: int, customer: int | None, counted: Totals, offset: int, limit: int
) -> Iterator[list[Status]]:
    """Transactions from `offset` on, newest first, in portions of bounded size.

    Those that wait come first: what is accepted later also waits longer.
    """
    skip = min(offset, counted.waiting)
    shown = min(limit, counted.waiting - skip)
    with tx.cursor(name="newest_first") as cursor:
        cursor.execute(
            _NEWEST_FIRST,
            {
                "reseller": reseller,
                "customer": customer,
                "skip": skip,
                "limit": shown,
                "last": counted.finished - (offset - skip),
                "rest": limit - shown,
            },
        )
        while rows := cursor.fetchmany(_PORTION_ROWS):
            for portion in _portions(rows):
                yield _statuses(tx, portion)


_PORTION_ROWS = 1_000
_PORTION_BYTES = 4 * 1024 * 1024


def _portions(rows: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    portion, held = [], 0
    for seq, size in rows:
        if portion and held + size > _PORTION_BYTES:
            yield portion
            portion, held = [], 0
        portion.append(seq)
        held += size
    yield portion


def _statuses(tx: Tx, seqs: list[int]) -> list[Status]:
    found = tx.execute(
        "select t.id, t.operation, t.type, t.order_no, t.state, t.failures"
        " from unnest(%s::bigint[]) with ordinality as wanted(seq, place)"
        " join transaction t on t.seq = wanted.seq order by wanted.place",
        (seqs,),
    )
    return [Status(*row) for row in found]


def approve(tx: Tx, reseller: int, customer: int, upload: int | None, at: datetime) -> int:
    """Approves an upload, or all of the customer's that are in progress.

    Returns:
        How many of them will go on to register devices.
    """
    row = tx.execute(
        "with approved as (update transaction set approved_at = %(at)s"
        " where reseller = %(reseller)s and customer = %(customer)s and operation = 'UPLOAD'"
        " and approved_at is null"
        " and (seq = %(upload)s or (%(upload)s::bigint is null and state = 'Progress'))"
        " returning state) select count(*) from approved where state = 'Progress'",
        {"at": at, "reseller": reseller, "customer": customer, "upload": upload},
    ).fetchone()
    assert row is not None  # noqa: S101 - count always gives a row
    return row[0]


# --- For the operator: all resellers' transactions ----------------------------------------------


class Summary(NamedTuple):
    """A transaction in one line; `customer` is its customer's number."""

    seq: int
    customer: int
    id: str
    reseller_id: str
    reseller_name: str
    customer_id: str
    customer_name: str
    operation: str
    type: str | None
    state: str
    devices: int
    ok: int
    failed: int
    skipped: int
    order_no: str | None
    performed_by: str
    accepted_at: datetime
    completed_at: datetime | None


_SUMMARY = (
    "t.seq, t.customer, t.id, r.id, r.name, c.id, c.name, t.operation, t.type, t.state,"
    " t.device_count, t.ok, t.failed, t.skipped, t.order_no, t.performed_by, t.accepted_at,"
    " t.completed_at"
)
_JOINED = (
    "from transaction t join reseller r on r.no = t.reseller join customer c on c.no = t.customer"
)


@dataclass(frozen=True)
class Filter:
    """Which transactions are wanted; None leaves a column open."""

    id: str | None = None
    reseller: int | None = None
    customer: int | None = None
    state: str | None = None
    operation: str | None = None
    with_errors: bool = False
    since: datetime | None = None


def summaries(tx: Tx, wanted: Filter, limit: int) -> list[Summary]:
    """The newest transactions that fit, newest first."""
    # Of one reseller, those that wait are newer than all that are numbered.
    order = "t.number desc nulls first, t.seq desc" if wanted.reseller else "t.seq desc"
    found = tx.execute(
        f"select {_SUMMARY} {_JOINED}"  # noqa: S608
        # Each reseller may use an ID, and the index that has it begins with the reseller.
        " where (%(id)s::text is null"
        "  or t.id = %(id)s and t.reseller = any (array(select no from reseller)))"
        " and (%(reseller)s::int is null or t.reseller = %(reseller)s)"
        " and (%(customer)s::int is null or t.customer = %(customer)s)"
        " and (%(state)s::text is null or t.state = %(state)s)"
        " and (%(operation)s::text is null or t.operation = %(operation)s)"
        " and (not %(with_errors)s or t.failed > 0)"
        " and (%(since)s::timestamptz is null or t.accepted_at >= %(since)s)"
        f" order by {order} limit %(limit)s",
        {**vars(wanted), "limit": limit},
    )
    return [Summary(*row) for row in found]


class Content(NamedTuple):
    """What a transaction asked for and what came of it, packed as `rules.judged` reads it."""

    upload_id: UUID
    vendor: str | None
    order_time: int | None
    profile_aliases: list[str]
    target_service: str | None
    approved_at: datetime | None
    removes: str | None
    identifiers: bytes
    outcomes: bytes | None


def content(tx: Tx, seq: int) -> Content:
    """The rest of a transaction."""
    row = tx.execute(
        "select t.upload_id, t.vendor, t.order_time, t.profile_aliases, t.target_service,"
        " t.approved_at, u.id, t.identifiers, t.outcomes"
        " from transaction t left join transaction u on u.seq = t.removes where t.seq = %s",
        (seq,),
    ).fetchone()
    assert row is not None  # noqa: S101 - transactions are never deleted
    return Content(*row)


def refusals(tx: Tx, spellings: Sequence[str], last: int) -> Iterator[tuple[Summary, bytes | None]]:
    """Of the `last` transactions those that failed, newest first.

    Args:
        spellings: a device as it may have been sent; failures that hold none of them come as None.
    """
    with tx.cursor(name="refusals") as cursor:
        cursor.itersize = 100
        cursor.execute(
            f"select {_SUMMARY},"  # noqa: S608
            " case when (select bool_or(position(sent in t.failures) > 0)"
            f" from unnest(%(sent)s::bytea[]) as sent) then t.failures end {_JOINED}"
            " where t.failures is not null"
            " and t.seq > (select max(seq) from transaction) - %(last)s order by t.seq desc",
            {"sent": [each.encode() for each in spellings], "last": last},
        )
        for *summary, failures in cursor:
            yield Summary(*summary), failures
