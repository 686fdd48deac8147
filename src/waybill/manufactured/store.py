"""SQL of the manufacturing list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import LiteralString, NamedTuple

from psycopg.errors import UniqueViolation

from waybill.db.tx import Tx
from waybill.manufactured.rules import Change, Phone
from waybill.wire.identifiers import Kind, Rules, parse_all

# As devices/rules.py numbers them, which stands above.
KIND_NUMBER = {Kind.IMEI: 1, Kind.MEID: 2, Kind.SN: 3}

# Any number, the same in every version: imports take turns, portion by portion.
_LOCK = 0x57414D4C

_COLUMNS = (
    "coalesce(m.imei, ''), coalesce(m.imei2, ''), coalesce(m.meid, ''), coalesce(m.serial, ''),"
    " coalesce(m.model, '')"
)


class Lookup(NamedTuple):
    """What the list says to names, each spelled as `device.key` is.

    Args:
        keys: the phone's key, for each name that is not the key itself but names a listed phone.
        kinds: what kind of identifier each of these keys is.
        odd: its canonical form, where that does not follow from kind and key.
        unlisted: names of which the list knows nothing; asked for only where it is enforced.
    """

    keys: dict[str, str]
    kinds: dict[str, Kind]
    odd: dict[str, str]
    unlisted: set[str]


def look_up(tx: Tx, names: Iterable[str], *, enforced: bool) -> Lookup:
    """Finds the phones that names mean; costs nothing to speak of while there is no list."""
    # Where the list is not enforced, an identifier that names its phone by itself is as good as
    # one that it does not know: links are all there is to look at.
    rows = tx.execute(_ALL if enforced else _LINKED, ("\n".join(names),)).fetchall()
    unlisted = {name for name, key, _, _ in rows if key is None} if enforced else set()
    if len(unlisted) == len(rows):
        return Lookup({}, {}, {}, unlisted)
    imeis = {key: imei for _, key, imei, _ in rows if imei}
    others = {
        key: Kind.MEID if meid else Kind.SN for _, key, imei, meid in rows if key and not imei
    }
    wrong = parse_all(Kind.IMEI, list(imeis.values()), Rules(allow_test_ids=True)).refused
    return Lookup(
        keys={name: key for name, key, _, _ in rows if key is not None},
        kinds=dict.fromkeys(imeis, Kind.IMEI) | others,
        odd={key: imei for at, (key, imei) in enumerate(imeis.items()) if at in wrong},
        unlisted=unlisted,
    )


_LINKED = (
    "select a.name, l.key, m.imei, m.meid is not null"
    " from unnest(string_to_array(%s, E'\\n')) as a(name)"
    " join identifier_link l on l.alias = a.name join manufactured m on m.key = l.key"
    " where exists (select from identifier_link)"
)
_ALL = (
    "select a.name, m.key, m.imei, m.meid is not null"
    " from unnest(string_to_array(%s, E'\\n')) as a(name)"
    " left join identifier_link l on l.alias = a.name"
    " left join manufactured m on m.key = coalesce(l.key, a.name)"
    " where a.name <> '' and (l.alias is not null or m.key is null)"
)


def begin(tx: Tx) -> None:
    """Prepares a connection for the import of one file."""
    # All that an import asks for, it asks for by key: statistics of a table that grows while it
    # runs would only mislead.
    for setting in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin"):
        tx.execute("select set_config(%s, 'off', false)", (setting,))
    # A turn of a worker is over in less.
    tx.execute("select set_config('lock_timeout', '20s', false)")
    tx.execute("select set_config('temp_buffers', '64MB', false)")
    tx.execute("drop table if exists pg_temp.told")
    tx.execute('create temp table told (name text collate "C" primary key, row int not null)')


def take_turn(tx: Tx) -> None:
    """Waits until no other import is at it, and bars them until this `tx` ends."""
    tx.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))


def told(tx: Tx, names: Iterable[str]) -> dict[str, int]:
    """Which row of the file told of these names before; names that are new are left out."""
    found = tx.execute(
        "select t.name, t.row from unnest(string_to_array(%s, E'\\n')) as a(name)"
        " join pg_temp.told t on t.name = a.name",
        ("\n".join(names),),
    )
    return dict(found.fetchall())


def remember(tx: Tx, told: dict[str, int]) -> bool:
    """Notes which row of the file tells of each name; False, and nothing noted, if one did before.

    Nearly all files tell of each phone once: so nothing is looked up first.
    """
    try:
        with (
            tx.transaction(),
            tx.cursor().copy("copy pg_temp.told (name, row) from stdin") as copy,
        ):
            copy.write("".join([f"{name}\t{row}\n" for name, row in told.items()]))
        return True
    except UniqueViolation:
        return False


def known(tx: Tx, names: Iterable[str]) -> dict[str, Phone]:
    """The listed phones that names mean; names that the list does not have are left out."""
    keys = dict(
        tx.execute(
            "select a.name, coalesce(l.key, m.key)"
            " from unnest(string_to_array(%s, E'\\n')) as a(name)"
            " left join identifier_link l on l.alias = a.name"
            " left join manufactured m on m.key = a.name"
            " where l.alias is not null or m.key is not null",
            ("\n".join(names),),
        ).fetchall()
    )
    phones = _phones(tx, set(keys.values()))
    return {name: phones[key] for name, key in keys.items()}


def _phones(tx: Tx, keys: set[str]) -> dict[str, Phone]:
    if not keys:
        return {}
    found = tx.execute(
        f"select m.key, {_COLUMNS} from manufactured m"  # noqa: S608
        " where m.key = any(string_to_array(%s, E'\\n'))",
        ("\n".join(keys),),
    )
    return {key: Phone(*phone) for key, *phone in found}


def hold_devices_still(tx: Tx) -> None:
    """Waits until no device is being registered or let go of, and bars that until `tx` ends."""
    tx.execute("lock table device in share row exclusive mode")


def periods(tx: Tx, names: Iterable[str]) -> list[tuple[str, int | None]]:
    """What was registered under names: of each period of ownership the name and what ended it."""
    return tx.execute(
        "select d.key, d.removed_by from unnest(string_to_array(%s, E'\\n')) as a(name)"
        " join device d on d.key = a.name",
        ("\n".join(names),),
    ).fetchall()


def keep(tx: Tx, changes: Sequence[Change], at: datetime) -> None:
    """Lists phones, in place of what was known of them."""
    if olds := [change.old for change in changes if change.old]:
        tx.execute(
            "delete from manufactured where key = any(string_to_array(%s, E'\\n'))",
            ("\n".join([old.key for old in olds]),),
        )
        tx.execute(
            "delete from identifier_link where alias = any(string_to_array(%s, E'\\n'))",
            ("\n".join([alias for old in olds for alias in old.names[1:]]),),
        )
    when = at.isoformat()
    listed = [
        (names[0], f"{imei}\t{imei2}\t{meid}\t{serial}\t{_escaped(model)}\t{when}")
        for _, _, (imei, imei2, meid, serial, model), names in changes
    ]
    _copy(tx, "copy manufactured (key, imei, imei2, meid, serial, model, imported_at)", listed)
    links = [(alias, change.names[0]) for change in changes for alias in change.names[1:]]
    _copy(tx, "copy identifier_link (alias, key)", links)


def _copy(tx: Tx, into: LiteralString, rows: list[tuple[str, str]]) -> None:
    # In the order of the primary key: that is how its index likes them best.
    rows.sort(key=itemgetter(0))
    with tx.cursor().copy(f"{into} from stdin (null '')") as copy:
        copy.write("".join([f"{key}\t{rest}\n" for key, rest in rows]))


def _escaped(model: str) -> str:
    return model.replace("\\", "\\\\")


def rename_devices(tx: Tx, phones: Sequence[Phone]) -> int:
    """Gives what was registered under another name of a phone the phone's key.

    Returns:
        How many periods of ownership got another key.
    """
    named = [(alias, phone) for phone in phones for alias in phone.names[1:]]
    done = tx.execute(
        "update device d set key = n.key, kind = n.kind, odd = n.odd"
        " from unnest(string_to_array(%s, E'\\n'), string_to_array(%s, E'\\n'), %s::smallint[],"
        "  string_to_array(%s, E'\\n', '')) as n(alias, key, kind, odd)"
        " where d.key = n.alias",
        (
            "\n".join([alias for alias, _ in named]),
            "\n".join([phone.key for _, phone in named]),
            [KIND_NUMBER[phone.kind] for _, phone in named],
            "\n".join([phone.odd for _, phone in named]),
        ),
    )
    return done.rowcount


def find(tx: Tx, name: str) -> tuple[Phone, datetime] | None:
    """The listed phone that this names, spelled as `device.key` is, and when it was told of."""
    row = tx.execute(
        f"select {_COLUMNS}, m.imported_at from manufactured m"  # noqa: S608
        " where m.key = coalesce((select l.key from identifier_link l where l.alias = %s), %s)",
        (name, name),
    ).fetchone()
    return (Phone(*row[:-1]), row[-1]) if row else None


def count(tx: Tx) -> int:
    """How many phones are listed."""
    row = tx.execute("select count(*) from manufactured").fetchone()
    assert row is not None  # noqa: S101 - count always gives a row
    return row[0]
