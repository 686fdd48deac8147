"""SQL that proves promises (rules.py), range by range, all in one snapshot; it only reads.

A statement of `_BROKEN…` gives a row for each breach: which rows as JSON, what is expected, what
was found. Rows that belong together are one breach, with how many they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import sql

from waybill.db.tx import Tx, snapshot
from waybill.devices.rules import BLOCK
from waybill.integrity.rules import Breach, Kept, Promise
from waybill.wire.events import Event

# Of one promise in one range.
_MOST = 20


def begin(tx: Tx) -> datetime:
    """Makes a snapshot of `tx`, which must have done nothing yet; the moment that it shows."""
    snapshot(tx)
    # All is asked for by key. Without this, a table that grew since its statistics were gathered
    # is read whole for every range.
    for plan in ("seqscan", "hashjoin", "mergejoin"):
        tx.execute(f"set local enable_{plan} = off".encode())
    row = tx.execute("select now()").fetchone()
    assert row is not None  # noqa: S101 - a select without FROM always gives a row
    return row[0]


class Place(NamedTuple):
    """Where a range of devices begins or ends: the number of a reseller, and device.seq."""

    reseller: int
    seq: int


FIRST = Place(-(2**31), -(2**63))
_LAST = Place(2**31 - 1, 2**63 - 1)


def device_places(tx: Tx, size: int) -> tuple[list[Place], int]:
    """Where ranges of about `size` devices end, all at ends of blocks; and how many there are."""
    places: list[Place] = []
    given = held = 0
    with tx.cursor(name="turns") as turns:
        turns.execute("select reseller, next_device_seq from turn order by reseller")
        for reseller, count in turns:
            given += count
            if held and held + count > size:
                places.append(Place(reseller, 0))
                held = 0
            places += [Place(reseller, seq) for seq in range(size, count, size)]
            held = held + count if count <= size else count % size
    return [*places, _LAST], given


_SPAN = """(d.reseller, d.seq) >= (%(reseller)s, %(seq)s)
      and (d.reseller, d.seq) < (%(end_reseller)s, %(end_seq)s)"""

# What {words} in the statements below stand for.
_WORDS = {
    "span": _SPAN,
    "block": BLOCK,
    "reseller": "'resellerId', coalesce(r.id, '(number ' || b.reseller || ')')",
    "customer": "coalesce(c.id, '(number ' || b.customer || ')')",
    "transaction": "'resellerId', r.id, 'transactionId', t.id",
    "uploaded": Event.DEVICES_UPLOADED,
    "deleted": Event.DEVICES_DELETED,
}

_TOUCHED_BY = """
select json_build_object({reseller}, 'transactionId', t.id, 'firstDevice', b.first,
                          'devices', b.devices),
       '{operation} of this reseller for customer ' || {customer},
       case when t.seq is null then 'no transaction ' || b.{column}
            else t.operation || ' ' || t.id || ' of reseller ' || o.id || ' for customer ' || k.id
       end
from (select d.reseller, d.{column}, d.customer, count(*) as devices, min(d.seq) as first
      from device d where {span} and d.{column} is not null group by 1, 2, 3) as b
left join transaction t on t.seq = b.{column}
left join reseller r on r.no = b.reseller
left join customer c on c.no = b.customer
left join reseller o on o.no = t.reseller
left join customer k on k.no = t.customer
where t.seq is null or t.operation <> '{operation}' or t.reseller <> b.reseller
   or t.customer <> b.customer"""

_BROKEN_DEVICES: dict[Promise, str] = {
    Promise.UPLOAD_OF_DEVICE: _TOUCHED_BY.format(column="upload", operation="UPLOAD", **_WORDS),
    Promise.END_OF_DEVICE: _TOUCHED_BY.format(column="removed_by", operation="DELETE", **_WORDS),
    Promise.DEVICE_NUMBERS: """
select json_build_object({reseller}),
       'numbers from 0 to ' || coalesce(u.next_device_seq - 1 || '', '(it has no turn)'),
       'numbers from ' || b.first || ' to ' || b.last
from (select d.reseller, min(d.seq) as first, max(d.seq) as last
      from device d where {span} group by 1) as b
left join turn u on u.reseller = b.reseller
left join reseller r on r.no = b.reseller
where u.reseller is null or b.first < 0 or b.last >= u.next_device_seq""",
    Promise.UPLOAD_RANGE: """
select json_build_object({reseller}, 'transactionId', t.id),
       'numbers ' || coalesce('from ' || t.first_device_seq || ' to ' || t.last_device_seq,
                              '(none given)'),
       'numbers from ' || b.first || ' to ' || b.last
from (select d.reseller, d.upload, min(d.seq) as first, max(d.seq) as last
      from device d where {span} group by 1, 2) as b
join transaction t on t.seq = b.upload and t.reseller = b.reseller and t.operation = 'UPLOAD'
left join reseller r on r.no = b.reseller
where (b.first >= t.first_device_seq and b.last <= t.last_device_seq) is not true""",
    Promise.LIVE_COUNTS: """
select json_build_object({reseller}, 'customerId',
                          case when b.customer = 0 then 'all' else {customer} end,
                          'firstDevice', b.block * {block}),
       b.counted || ' live devices', coalesce(b.live || '', 'no count')
from (select reseller, customer, block, coalesce(counted, 0) as counted, live
      from (select d.reseller, coalesce(d.customer, 0) as customer, d.seq / {block} as block,
                   count(*) as counted
            from device d where {span} and d.removed_by is null
            group by grouping sets ((d.reseller, d.seq / {block}),
                                    (d.reseller, d.customer, d.seq / {block}))) as devices
      full join
           (select d.reseller, d.customer, d.block, d.live
            from (select reseller, customer, block, live, block * {block} as seq
                  from device_block where reseller between %(reseller)s and %(end_reseller)s) as d
            where {span}) as blocks using (reseller, customer, block)
      where coalesce(counted, 0) <> coalesce(live, 0)) as b
left join reseller r on r.no = b.reseller
left join customer c on c.no = b.customer""",
    Promise.APPROVED: """
select json_build_object({reseller}, 'transactionId', t.id, 'firstDevice', b.first,
                         'devices', b.devices), 'Verified', 'Pending'
from (select d.reseller, d.upload, count(*) as devices, min(d.seq) as first from device d
      where {span} and d.removed_by is null and d.verified_at is null group by 1, 2) as b
join transaction t on t.seq = b.upload and t.approved_at is not null
left join reseller r on r.no = b.reseller""",
    # While there is no list, this finds nothing to look for.
    Promise.NO_ALIAS_AS_KEY: """
select json_build_object({reseller}, 'device', b.seq, 'identifier', b.key),
       'kept under ' || l.key, 'kept under ' || b.key
from (select d.reseller, d.seq, d.key from device d
      where {span} and exists (select from identifier_link)) as b
join identifier_link l on l.alias = b.key
left join reseller r on r.no = b.reseller""",
}

DEVICE_PROMISES = frozenset(_BROKEN_DEVICES)


def broken_devices(tx: Tx, start: Place, end: Place) -> Iterator[Breach]:
    """What devices from one place up to another break."""
    span = _span(start, end)
    for promise, statement in _BROKEN_DEVICES.items():
        yield from _found(tx, promise, statement.format(**_WORDS), span)


class Touched(NamedTuple):
    """How many devices a transaction (by seq) registered, or removed."""

    transaction: int
    registered: int
    removed: int


def touched(tx: Tx, start: Place, end: Place) -> Iterator[Touched]:
    """What transactions did to the devices of a range."""
    found = tx.execute(
        f"select d.upload, count(*), 0 from device d where {_SPAN} group by 1"  # noqa: S608
        " union all select d.removed_by, 0, count(*) from device d"
        f" where {_SPAN} and d.removed_by is not null group by 1",
        _span(start, end),
    )
    yield from (Touched(*row) for row in found)


def end_of_range(tx: Tx, table: str, after: str, size: int) -> str | None:
    """The key that ends a range of about `size` rows which begins behind `after`."""
    column, place = sql.Identifier(_ORDERED_BY[table]), sql.Identifier(table)
    row = tx.execute(
        sql.SQL(
            "select max(k) from (select {0} as k from {1} where {0} > %s order by k limit %s) as r"
        ).format(column, place),
        (after, size),
    ).fetchone()
    return row[0] if row else None


# Tables that are gone through in the order of a text.
_ORDERED_BY = {"device": "key", "manufactured": "key", "identifier_link": "alias"}


def held_twice(tx: Tx, after: str, last: str) -> tuple[int, list[Breach]]:
    """How many devices have keys behind `after` up to `last`; and those held more than once."""
    found = tx.execute(
        "with run as ("
        "  select key, count(*) as n, count(*) filter (where removed_by is null) as live"
        "  from device where key > %(after)s and key <= %(last)s group by key)"
        " select (select sum(n)::bigint from run), b.key, b.live,"
        "  (select string_agg('reseller ' || coalesce(r.id, d.reseller || '') || ' (device '"
        "    || d.seq || ')', ', ' order by d.reseller, d.seq)"
        "   from device d left join reseller r on r.no = d.reseller"
        "   where d.key = b.key and d.removed_by is null)"
        " from (select 1) as one left join"
        "  (select key, live from run where live > 1 order by key limit %(most)s) as b on true",
        {"after": after, "last": last, "most": _MOST},
    ).fetchall()
    return found[0][0] or 0, [
        Breach(Promise.ONE_HOLDER, {"device": key}, "one holder", f"{live}: {who}")
        for _, key, live, who in found
        if key is not None
    ]


def newest(tx: Tx, table: str, column: str) -> int:
    """The largest number that rows of a table have; 0 without any."""
    row = tx.execute(
        sql.SQL("select coalesce(max({}), 0) from {}").format(
            sql.Identifier(column), sql.Identifier(table)
        )
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    return row[0]


def guessed_rows(tx: Tx, table: str) -> int:
    """About how many rows a table has, without counting them."""
    row = tx.execute(
        "select reltuples::bigint from pg_class where oid = %s::regclass", (table,)
    ).fetchone()
    return max(row[0], 0) if row else 0


class Run(NamedTuple):
    """Transactions next to each other, by seq, both included."""

    first: int
    last: int


def next_transactions(tx: Tx, after: int, most: int, most_bytes: int | None) -> Run | None:
    """The transactions behind `after`: so many at most, and so many bytes, but at least one."""
    row = tx.execute(
        "select min(seq), max(seq) from ("
        " select seq, row_number() over w as place, sum(size) over w as bytes from ("
        "  select seq, length(identifiers) + coalesce(length(outcomes), 0)"
        "   + coalesce(length(failures), 0) as size"
        "  from transaction where seq > %s order by seq limit %s) as t"
        " window w as (order by seq)) as t where place = 1 or bytes <= coalesce(%s, bytes)",
        (after, most, most_bytes),
    ).fetchone()
    return Run(*row) if row and row[0] is not None else None


def transactions(tx: Tx, run: Run) -> Iterator[Kept]:
    """The transactions of a run."""
    found = tx.execute(
        "select t.seq, r.id, t.id, t.removes is not null, t.identifiers, t.chunk_starts,"
        " t.device_count, t.chunk, t.ok, t.failed, t.skipped, t.outcomes, t.failures, t.state"
        " from transaction t join reseller r on r.no = t.reseller"
        " where t.seq between %s and %s",
        run,
        binary=True,
    )
    yield from (Kept(*row) for row in found)


_BROKEN_TRANSACTIONS: dict[Promise, str] = {
    Promise.WORK_LEFT: """
select json_build_object({transaction}), 'a row in turn', 'none'
from transaction t join reseller r on r.no = t.reseller
left join turn u on u.reseller = t.reseller
where t.seq between %(first)s and %(last)s and u.reseller is null""",
    Promise.FINISHED_NUMBERED: """
select json_build_object({transaction}),
       'numbers up to ' || coalesce(u.finished, 0) || ', for its customer up to '
       || coalesce(a.finished, 0),
       'number ' || t.number || ', for its customer ' || t.customer_number
from transaction t join reseller r on r.no = t.reseller
left join turn u on u.reseller = t.reseller
left join association a on a.reseller = t.reseller and a.customer = t.customer
where t.seq between %(first)s and %(last)s and t.state = 'Complete'
  and (t.number between 1 and u.finished and t.customer_number between 1 and a.finished)
      is not true""",
    Promise.ASSOCIATED: """
select json_build_object({transaction}, 'customerId', c.id), 'an association', 'none'
from transaction t join reseller r on r.no = t.reseller
join customer c on c.no = t.customer
left join association a on a.reseller = t.reseller and a.customer = t.customer
where t.seq between %(first)s and %(last)s and a.reseller is null""",
    Promise.REMOVAL_NAMES_UPLOAD: """
select json_build_object({transaction}),
       'an earlier upload of reseller ' || r.id || ' for customer ' || c.id,
       u.operation || ' ' || u.id || ' of reseller ' || o.id || ' for customer ' || k.id
from transaction t join reseller r on r.no = t.reseller
join customer c on c.no = t.customer
join transaction u on u.seq = t.removes
join reseller o on o.no = u.reseller
join customer k on k.no = u.customer
where t.seq between %(first)s and %(last)s
  and (u.operation <> 'UPLOAD' or u.reseller <> t.reseller or u.customer <> t.customer
       or u.seq >= t.seq)""",
    Promise.ONE_ENTRY: """
select json_build_object({transaction}),
       'one entry, ' || e.event || ', by ' || t.performed_by,
       e.entries || ' entries, ' || e.fit || ' of them with its reseller, customer, ID and event'
from transaction t join reseller r on r.no = t.reseller
cross join lateral (
  select w.event, count(a.id) as entries,
         count(*) filter (where (a.event, a.reseller, a.customer, a.transaction_id, a.performed_by)
                              = (w.event, t.reseller, t.customer, t.id, t.performed_by)) as fit
  from (select case t.operation when 'UPLOAD' then '{uploaded}'
               else '{deleted}' end as event) as w
  left join activity a on a.transaction = t.seq group by w.event) as e
where t.seq between %(first)s and %(last)s and (e.entries, e.fit) <> (1, 1)""",
}

TRANSACTION_PROMISES = frozenset(
    {
        *_BROKEN_TRANSACTIONS,
        Promise.REQUEST_WHOLE,
        Promise.OUTCOMES_ALIGNED,
        Promise.FAILURES_LISTED,
    }
)


def broken_transactions(tx: Tx, run: Run) -> Iterator[Breach]:
    """What transactions of a run break together with other rows."""
    for promise, statement in _BROKEN_TRANSACTIONS.items():
        yield from _found(tx, promise, statement.format(**_WORDS), run._asdict())


class Finished(NamedTuple):
    """How many transactions of a reseller are finished, for one customer or for all (0)."""

    reseller: int
    customer: int
    finished: int


def finished(tx: Tx, run: Run) -> list[Finished]:
    """How many transactions of a run are finished, over all and by customer."""
    found = tx.execute(
        "select reseller, coalesce(customer, 0), count(*) from transaction"
        " where seq between %s and %s and state = 'Complete'"
        " group by grouping sets ((reseller), (reseller, customer))",
        run,
    )
    return [Finished(*row) for row in found]


def finished_counters(tx: Tx) -> Iterator[tuple[Finished, dict[str, Any]]]:
    """The counters of finished transactions, each with the IDs that it belongs to."""
    with tx.cursor(name="counters") as counters:
        counters.execute(
            "select t.reseller, 0, t.finished, json_build_object('resellerId', r.id)"
            " from turn t join reseller r on r.no = t.reseller"
            " union all"
            " select a.reseller, a.customer, a.finished,"
            "  json_build_object('resellerId', r.id, 'customerId', c.id)"
            " from association a join reseller r on r.no = a.reseller"
            " join customer c on c.no = a.customer"
        )
        for *counter, where in counters:
            yield Finished(*counter), where


class Succeeded(NamedTuple):
    """How many devices a transaction says that it registered or removed."""

    seq: int
    ok: int
    where: dict[str, Any]


def succeeded(tx: Tx, run: Run) -> Iterator[Succeeded]:
    """What the transactions of a run say of themselves."""
    found = tx.execute(
        "select t.seq, t.ok, json_build_object('resellerId', r.id, 'transactionId', t.id)"
        " from transaction t join reseller r on r.no = t.reseller where t.seq between %s and %s",
        run,
    )
    yield from (Succeeded(*row) for row in found)


class Thing(NamedTuple):
    """What an entry tells the creation of: the event, and the numbers or the ID that it has."""

    event: str
    reseller: int | None
    customer: int | None
    vendor: str | None


_CREATION = {
    "reseller": Event.RESELLER_CREATED,
    "customer": Event.CUSTOMER_CREATED,
    "vendor": Event.VENDOR_CREATED,
    "association": Event.RESELLER_REGISTERED,
}


def creations(tx: Tx, first: int, last: int) -> Iterator[Thing]:
    """The creations that entries of a range tell of."""
    found = tx.execute(
        "select event, case when event <> %(customer)s then reseller end, customer,"
        " case when event = %(vendor)s then detail ->> 'vendorId' end from activity"
        " where id between %(first)s and %(last)s"
        " and event in (%(reseller)s, %(customer)s, %(vendor)s, %(association)s)",
        {"first": first, "last": last, **_CREATION},
    )
    yield from (Thing(*row) for row in found)


def broken_entries(tx: Tx, first: int, last: int) -> Iterator[Breach]:
    """Entries of a range that tell of an upload or a delete, and of no transaction."""
    found = tx.execute(
        "select json_build_object('resellerId', r.id, 'transactionId', a.transaction_id,"
        "  'entry', a.id, 'time', to_char(a.at, 'YYYY-MM-DD HH24:MI:SS')),"
        " 'the transaction that it tells of', 'none'"
        " from activity a left join reseller r on r.no = a.reseller"
        " where a.id between %s and %s and a.event = any(%s) and a.transaction is null limit %s",
        (first, last, [Event.DEVICES_UPLOADED, Event.DEVICES_DELETED], _MOST),
    )
    yield from (Breach(Promise.ONE_ENTRY, *row) for row in found)


def created(tx: Tx) -> Iterator[tuple[Thing, dict[str, Any]]]:
    """All that has an entry of its creation, with the IDs by which people know it."""
    with tx.cursor(name="created") as things:
        things.execute(
            "select %(reseller)s, no, null::int, null, json_build_object('resellerId', id)"
            " from reseller"
            " union all"
            " select %(customer)s, null, no, null, json_build_object('customerId', id)"
            " from customer"
            " union all"
            " select %(vendor)s, v.reseller, null, v.id,"
            "  json_build_object('resellerId', r.id, 'vendorId', v.id)"
            " from vendor v join reseller r on r.no = v.reseller"
            " union all"
            " select %(association)s, a.reseller, a.customer, null,"
            "  json_build_object('resellerId', r.id, 'customerId', c.id)"
            " from association a join reseller r on r.no = a.reseller"
            " join customer c on c.no = a.customer",
            _CREATION,
        )
        for *thing, where in things:
            yield Thing(*thing), where


_UNLINKED = """
select json_build_object('phone', m.key, 'identifier', n.name),
       case when n.name = m.key then 'no link: it names the phone itself'
            else 'a link to ' || m.key end,
       coalesce('a link to ' || l.key, 'none')
from manufactured m
cross join lateral (values (m.key), (left(m.imei2, 14)), (m.meid), (m.serial)) as n(name)
left join identifier_link l on l.alias = n.name
where m.key > %(after)s and m.key <= %(last)s and n.name is not null
  and l.key is distinct from nullif(m.key, n.name)
"""


_ASTRAY = """
select json_build_object('identifier', l.alias), 'a link to the phone that has it',
       case when m.key is null then 'a link to ' || l.key || ', which is not listed'
            else 'a link to ' || l.key || ', which does not have it' end
from identifier_link l left join manufactured m on m.key = l.key
where l.alias > %(after)s and l.alias <= %(last)s
  and (l.alias in (left(m.imei2, 14), m.meid, m.serial)) is not true
"""


# By the table that is gone through: phones without their links, links without their phone.
_BROKEN_LINKS = {"manufactured": _UNLINKED, "identifier_link": _ASTRAY}


def broken_links(tx: Tx, table: str, after: str, last: str) -> Iterator[Breach]:
    """What a range of the manufacturing list, or of its links, breaks."""
    span = {"after": after, "last": last}
    return _found(tx, Promise.LINKS_LEAD_HOME, _BROKEN_LINKS[table], span)


def _span(start: Place, end: Place) -> dict[str, int]:
    return {**start._asdict(), "end_reseller": end.reseller, "end_seq": end.seq}


def _found(
    tx: Tx, promise: Promise, statement: str, parameters: dict[str, Any]
) -> Iterator[Breach]:
    found = tx.execute(f"{statement} limit {_MOST}".encode(), parameters)
    yield from (Breach(promise, *row) for row in found)
