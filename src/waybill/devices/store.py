"""SQL of devices. Batches are sets: one statement a batch, keys sorted so that no two deadlock."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg.errors import UniqueViolation

from waybill.db.tx import Tx
from waybill.devices.rules import BLOCK

_INSERT = """
insert into device (reseller, seq, customer, upload, registered_at, verified_at, kind, key, odd)
select %(reseller)s, t.seq, (%(customers)s::int[])[coalesce(t.piece, 1)],
       (%(uploads)s::bigint[])[coalesce(t.piece, 1)], %(at)s,
       case when (%(approved)s::boolean[])[coalesce(t.piece, 1)] then %(at)s end,
       coalesce(nullif(t.kind, 0), (%(kinds)s::smallint[])[coalesce(t.piece, 1)]), t.key, t.odd
from unnest(string_to_array(%(keys)s, E'\\n'), %(seqs)s::bigint[], %(pieces)s::int[],
            string_to_array(%(odds)s, E'\\n', ''), %(other_kinds)s::smallint[])
     as t(key, seq, piece, odd, kind)
"""


class Rows(NamedTuple):
    """Devices to insert, a column each, sorted by key.

    Args:
        pieces: whose customer, upload and kind each has, counting from 1; empty for all the first.
        odds: canonical forms that do not follow from kind and key; empty for none.
        kinds: kinds that differ from the piece's, else 0; empty for none.
    """

    keys: Sequence[str]
    seqs: Sequence[int]
    pieces: Sequence[int]
    odds: Sequence[str]
    kinds: Sequence[int]


class Holder(NamedTuple):
    """Who holds a device: reseller and customer by number, the upload, and the device's seq."""

    reseller: int
    customer: int
    upload: int
    seq: int


def hold_links_still(tx: Tx) -> None:
    """Waits for an import of the manufacturing list to end, and bars it until this `tx` ends.

    What a key names must not change between looking it up and writing it.
    """
    tx.execute("lock table device in row exclusive mode")


def take_seqs(tx: Tx, reseller: int, count: int) -> int:
    """Gives the reseller's next `count` sequence numbers; returns the first. Needs its turn."""
    row = tx.execute(
        "update turn set next_device_seq = next_device_seq + %s where reseller = %s"
        " returning next_device_seq",
        (count, reseller),
    ).fetchone()
    assert row is not None  # noqa: S101 - every reseller has its row in `turn`
    return row[0] - count


def insert(
    tx: Tx,
    reseller: int,
    rows: Rows,
    *,
    customers: Sequence[int],
    uploads: Sequence[int],
    kinds: Sequence[int],
    approved: Sequence[bool],
    at: datetime,
) -> set[int] | None:
    """Registers the devices that nobody holds.

    Nearly all batches hold no duplicate, so a plain insert is tried first: with ON CONFLICT each
    row costs about twice as much.

    Returns:
        The seqs that were inserted, or None when all were.
    """
    values = {
        "reseller": reseller,
        "customers": list(customers),
        "uploads": list(uploads),
        "approved": list(approved),
        "kinds": list(kinds),
        "at": at,
        "keys": "\n".join(rows.keys),
        "seqs": _ints(rows.seqs),
        "pieces": _ints(rows.pieces),
        "odds": "\n".join(rows.odds),
        "other_kinds": _ints(rows.kinds),
    }
    try:
        with tx.transaction():
            tx.execute(_INSERT, values)
        return None
    except UniqueViolation:
        found = tx.execute(
            _INSERT + " on conflict on constraint device_holder do nothing returning seq", values
        )
        return {seq for (seq,) in found}


def holders(tx: Tx, keys: Collection[str]) -> dict[str, Holder]:
    """Who holds each of these devices now; a device that nobody holds is left out."""
    found = tx.execute(
        "select key, reseller, customer, upload, seq from device"
        " where removed_by is null and key = any(string_to_array(%s, E'\\n'))",
        ("\n".join(keys),),
    )
    return {key: Holder(*holder) for key, *holder in found}


def remove(tx: Tx, reseller: int, closed_by: dict[int, int]) -> None:
    """Ends the reseller's holding of devices.

    Args:
        closed_by: the transaction that ends it, by the device's seq.
    """
    # By the primary key: whatever the statistics say, no other plan looks better.
    tx.execute(
        "update device d set removed_by = t.closer"
        " from unnest(%s::bigint[], %s::bigint[]) as t(seq, closer)"
        " where d.reseller = %s and d.seq = t.seq",
        (_ints(list(closed_by)), _ints(list(closed_by.values())), reseller),
    )


def upload_left(tx: Tx, reseller: int, customer: int, upload: int, limit: int) -> list[Left]:
    """The first devices that an upload registered and that are still there, oldest first."""
    found = tx.execute(
        "select d.seq, d.kind, d.key, d.odd from device d join transaction t on t.seq = %(upload)s"
        " where d.reseller = %(reseller)s and d.seq >= t.first_device_seq"
        " and d.seq <= t.last_device_seq"
        " and d.upload = %(upload)s and d.customer = %(customer)s and d.removed_by is null"
        " order by d.seq limit %(limit)s",
        {"upload": upload, "reseller": reseller, "customer": customer, "limit": limit},
    )
    return [Left(*row) for row in found]


class Left(NamedTuple):
    """A device that an upload registered."""

    seq: int
    kind: int
    key: str
    odd: str | None


def count(tx: Tx, reseller: int, changes: dict[tuple[int, int], int]) -> None:
    """Adds to the live counts: `changes` by (customer, block); customer 0 is all of them."""
    ordered = sorted(changes.items())
    tx.execute(
        "merge into device_block b"
        " using unnest(%s::int[], %s::bigint[], %s::int[]) as c(customer, block, change)"
        " on b.reseller = %s and b.customer = c.customer and b.block = c.block"
        " when matched then update set live = b.live + c.change"
        " when not matched then insert (reseller, customer, block, live)"
        " values (%s, c.customer, c.block, c.change)",
        (
            [customer for (customer, _), _ in ordered],
            [block for (_, block), _ in ordered],
            [change for _, change in ordered],
            reseller,
            reseller,
        ),
    )


class Block(NamedTuple):
    """Where a page begins: `skip` live devices into the run of sequence numbers from `seq` on."""

    total: int
    seq: int
    skip: int


def locate(tx: Tx, reseller: int, customer: int, offset: int) -> Block:
    """Finds the live device number `offset` by the counts of blocks alone.

    Args:
        customer: the customer's number, or 0 for all.
        offset: from 0; at or past the end gives a `seq` that no device has.
    """
    row = tx.execute(
        "with counted as ("
        " select block, live, sum(live) over (order by block) - live as before"
        " from device_block where reseller = %s and customer = %s)"
        " select coalesce(sum(live), 0)::bigint,"
        " coalesce(min(block) filter (where before + live > %s), 0),"
        " coalesce(min(before) filter (where before + live > %s), 0)::bigint from counted",
        (reseller, customer, offset, offset),
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    total, block, before = row
    return Block(total, block * BLOCK, offset - before)


class Listed(NamedTuple):
    """A device as it is listed; the last four are what the manufacturing list says of it."""

    seq: int
    kind: int
    key: str
    odd: str | None
    registered_at: datetime
    verified: bool
    customer_name: str
    customer_id: str
    upload_id: UUID
    imei: str | None
    meid: str | None
    serial: str | None
    model: str | None


def listed(
    tx: Tx, reseller: int, customer: int, start: Block, limit: int
) -> Iterator[list[Listed]]:
    """The reseller's live devices from a block on, oldest first, some thousands at a time.

    Memory stays the same however many there are. What is read later still belongs to the snapshot
    of `tx` if that is repeatable read.
    """
    with tx.cursor(name="listed") as cursor:
        cursor.itersize = 5_000
        cursor.execute(
            "select d.seq, d.kind, d.key, d.odd, d.registered_at, d.verified_at is not null,"
            " c.name, c.id, t.upload_id, m.imei, m.meid, m.serial, m.model"
            # Devices that are passed over are not looked up in the other tables.
            " from (select seq, kind, key, odd, registered_at, verified_at, customer, upload"
            "  from device"
            "  where reseller = %(reseller)s and seq >= %(seq)s and removed_by is null"
            "  and (%(customer)s = 0 or customer = %(customer)s)"
            "  order by seq offset %(skip)s limit %(limit)s) d"
            " join customer c on c.no = d.customer"
            " join transaction t on t.seq = d.upload"
            " left join manufactured m on m.key = d.key"
            " order by d.seq",
            {
                "reseller": reseller,
                "customer": customer,
                "seq": start.seq,
                "skip": start.skip,
                "limit": limit,
            },
        )
        while rows := cursor.fetchmany(5_000):
            yield [Listed(*row) for row in rows]


def verify_next(
    tx: Tx, reseller: int, customer: int, at: datetime, *, after: int, upload: int | None = None
) -> tuple[int, int]:
    """Verifies the customer's next devices from the reseller that are pending, some thousands.

    Args:
        after: the seq after which to go on; -1 at first.
        upload: only of this upload.

    Returns:
        How many, and the last one's seq; (0, `after`) when none is left.
    """
    row = tx.execute(
        "with pending as ("
        " select seq from device where reseller = %(reseller)s and customer = %(customer)s"
        # As subqueries, both are bounds to begin and end at; joined, they would only filter.
        "  and seq > greatest(%(after)s,"
        "   (select first_device_seq - 1 from transaction where seq = %(upload)s))"
        "  and seq <= coalesce("
        "   (select last_device_seq from transaction where seq = %(upload)s), %(last)s)"
        "  and (%(upload)s::bigint is null or upload = %(upload)s)"
        "  and removed_by is null and verified_at is null order by seq limit 20000),"
        " verified as (update device d set verified_at = %(at)s from pending"
        "  where d.reseller = %(reseller)s and d.seq = pending.seq returning d.seq)"
        " select count(*), coalesce(max(seq), %(after)s) from verified",
        {
            "reseller": reseller,
            "customer": customer,
            "at": at,
            "after": after,
            "upload": upload,
            "last": _SEQ_MAX,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    return row


_SEQ_MAX = 2**63 - 1


def verify(tx: Tx, reseller: int, seqs: Sequence[int], at: datetime) -> int:
    """Verifies those of these devices of the reseller that are held and pending; how many."""
    done = tx.execute(
        "update device set verified_at = %s where reseller = %s and seq = any(%s::bigint[])"
        " and removed_by is null and verified_at is null",
        (at, reseller, _ints(seqs)),
    )
    return done.rowcount


class Period(NamedTuple):
    """One ownership period: who held a device, from when to when, and what began and ended it.

    `removed_at` is when the removing transaction ended, or came in while it is in progress.
    """

    reseller: int
    seq: int
    customer: int
    kind: int
    key: str
    odd: str | None
    reseller_id: str
    reseller_name: str
    customer_id: str
    customer_name: str
    transaction_id: str
    upload_id: UUID
    order_no: str | None
    vendor_id: str | None
    registered_at: datetime
    verified_at: datetime | None
    removed_by: str | None
    removed_at: datetime | None


def periods(tx: Tx, reseller: int | None, keys: Sequence[str]) -> list[Period]:
    """The whole history of devices, the newest period first: one reseller's, or the operator's."""
    found = tx.execute(
        "select d.reseller, d.seq, d.customer, d.kind, d.key, d.odd, r.id, r.name, c.id, c.name,"
        " up.id, up.upload_id, up.order_no, up.vendor, d.registered_at, d.verified_at,"
        " down.id, coalesce(down.completed_at, down.accepted_at)"
        " from device d join reseller r on r.no = d.reseller join customer c on c.no = d.customer"
        " join transaction up on up.seq = d.upload"
        " left join transaction down on down.seq = d.removed_by"
        " where d.key = any(%(keys)s) and (%(reseller)s::int is null or d.reseller = %(reseller)s)"
        " order by d.removed_by desc nulls first, d.upload desc",
        {"keys": list(keys), "reseller": reseller},
    )
    return [Period(*row) for row in found]


def _ints(numbers: Sequence[int]) -> str:
    # An array literal: PostgreSQL reads it faster than the driver writes a list.
    return "{" + ",".join(map(str, numbers)) + "}"
