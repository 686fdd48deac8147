"""What the database itself refuses, whatever a mistake above it asks for."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

from support.world import World, fresh
from waybill.db.connect import connect
from waybill.wire.identifiers import Kind, generate


@pytest.fixture
def tx(world: World) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A database transaction that leaves nothing behind."""
    with connect(world.settings.database_url) as tx:
        yield tx
        tx.rollback()


def add(tx: Any, table: str, **columns: Any) -> None:
    """Inserts a row."""
    names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
    tx.execute(f"insert into {table} ({names}) values ({places})", list(columns.values()))


def device(world: World, **changed: Any) -> dict[str, Any]:
    """The columns of a device that is in order."""
    return {
        "reseller": world.number,
        "seq": secrets.randbelow(2**40),
        "customer": world.customer,
        "upload": 1,
        "registered_at": "2026-01-01T00:00Z",
        "kind": 1,
        "key": generate(Kind.IMEI, 1)[0][:14],
    } | changed


def transaction(world: World, **changed: Any) -> dict[str, Any]:
    """The columns of a transaction of two devices that is in order."""
    return {
        "reseller": world.number,
        "id": fresh("T"),
        "operation": "UPLOAD",
        "customer": world.customer,
        "type": "IMEI",
        "performed_by": "test",
        "identifiers": b"1\n2\n",
        "chunk_starts": [0, 4],
        "device_count": 2,
        "accepted_at": "2026-01-01T00:00Z",
    } | changed


COMPLETE = {
    "state": "Complete",
    "completed_at": "2026-01-01T00:00Z",
    "number": 1,
    "customer_number": 1,
    "ok": 2,
}


def test_what_is_in_order_is_taken(world: World, tx: Any) -> None:
    add(tx, "device", **device(world))
    add(tx, "transaction", **transaction(world))
    add(tx, "transaction", **transaction(world, **COMPLETE, outcomes=b"\0\0"))


def test_a_device_has_one_holder_at_a_time(world: World, tx: Any) -> None:
    neighbour = world.neighbour()
    first = device(world)
    add(tx, "device", **first)
    for other in (device(world, key=first["key"]), device(neighbour, key=first["key"])):
        with pytest.raises(errors.UniqueViolation), tx.transaction():
            add(tx, "device", **other)
    # Once it is given back somebody else may have it; and its history stays.
    tx.execute("update device set removed_by = 5 where key = %s", (first["key"],))
    add(tx, "device", **device(neighbour, key=first["key"]))
    tx.execute(
        "update device set removed_by = 6 where key = %s and removed_by is null", (first["key"],)
    )
    add(tx, "device", **device(world, key=first["key"]))
    count = tx.execute("select count(*) from device where key = %s", (first["key"],)).fetchone()
    assert count == (3,)


def test_one_delete_closes_a_device_once(world: World, tx: Any) -> None:
    first = device(world, removed_by=5)
    add(tx, "device", **first)
    with pytest.raises(errors.UniqueViolation), tx.transaction():
        add(tx, "device", **device(world, key=first["key"], removed_by=5))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": 0},
        {"kind": 4},
        {"key": None},
        {"customer": None},
        {"registered_at": None},
        {"upload": None},
    ],
    ids=str,
)
def test_a_device_that_is_not_whole_is_refused(
    world: World, tx: Any, wrong: dict[str, Any]
) -> None:
    with pytest.raises(psycopg.IntegrityError):
        add(tx, "device", **device(world, **wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "Done"},
        {"state": "Complete"},
        COMPLETE | {"completed_at": None},
        COMPLETE | {"number": None},
        COMPLETE | {"customer_number": None},
        {"number": 1, "customer_number": 1},
        {"completed_at": "2026-01-01T00:00Z"},
        COMPLETE | {"ok": 1},
        COMPLETE | {"failed": 1},
        {"ok": 3},
        {"ok": 1, "failed": 1, "skipped": 1},
        {"device_count": -1},
        COMPLETE | {"outcomes": b"\0"},
        COMPLETE | {"outcomes": b"\0\0\0"},
        {"outcomes": b"\0\0"},
        {"operation": "PUT"},
        {"type": "ESN"},
        {"removes": 1},
        {"reseller": -1},
        {"customer": -1},
        {"accepted_at": None},
    ],
    ids=str,
)
def test_a_transaction_in_an_impossible_state_is_refused(
    world: World, tx: Any, wrong: dict[str, Any]
) -> None:
    with pytest.raises(psycopg.IntegrityError):
        add(tx, "transaction", **transaction(world, **wrong))


def test_a_transaction_id_is_a_resellers_once(world: World, tx: Any) -> None:
    neighbour = world.neighbour()
    add(tx, "transaction", **transaction(world, id="T"))
    add(tx, "transaction", **transaction(neighbour, id="T"))
    with pytest.raises(errors.UniqueViolation):
        add(tx, "transaction", **transaction(world, id="T"))


def test_a_number_among_finished_transactions_is_given_once(world: World, tx: Any) -> None:
    add(tx, "transaction", **transaction(world, **COMPLETE))
    for other in ({"number": 2}, {"customer_number": 2}):
        with pytest.raises(errors.UniqueViolation), tx.transaction():
            add(tx, "transaction", **transaction(world, **COMPLETE | other))


def test_a_transaction_has_one_entry_in_the_activity_log(world: World, tx: Any) -> None:
    add(tx, "transaction", **transaction(world, id="T"))
    row = tx.execute(
        "select seq from transaction where reseller = %s and id = 'T'", (world.number,)
    ).fetchone()
    entry = {"at": "2026-01-01T00:00Z", "event": "Device uploaded", "performed_by": "test"}
    add(tx, "activity", **entry, transaction=row[0])
    with pytest.raises(errors.UniqueViolation), tx.transaction():
        add(tx, "activity", **entry, transaction=row[0])
    # An entry has a state of its own or a transaction that tells it, never both and never neither.
    for wrong in ({"transaction": row[0], "status": "OK"}, {}, {"status": "Fine"}):
        with pytest.raises(psycopg.IntegrityError), tx.transaction():
            add(tx, "activity", **entry, **wrong)


@pytest.mark.parametrize("wrong", ["", "a b", "ä", "x" * 65, "a/b"])
def test_ids_have_an_ids_form(world: World, tx: Any, wrong: str) -> None:
    columns = {"name": "x", "created_at": "2026-01-01T00:00Z"}
    for table, more in (("reseller", {}), ("customer", {}), ("vendor", {"reseller": world.number})):
        with pytest.raises(errors.CheckViolation), tx.transaction():
            add(tx, table, id=wrong, **columns, **more)


@pytest.mark.parametrize(
    ("column", "wrong"),
    [("state", "gone"), ("kdp_release", "24.1"), ("status_shape", "bare"), ("name", "")],
)
def test_a_reseller_has_one_of_the_states_and_settings_there_are(
    world: World, tx: Any, column: str, wrong: str
) -> None:
    with pytest.raises(errors.CheckViolation):
        tx.execute(
            f"update reseller set {column} = %s where no = %s".encode(), (wrong, world.number)
        )


def test_counts_of_blocks_are_never_less_than_nothing(world: World, tx: Any) -> None:
    with pytest.raises(errors.CheckViolation):
        add(tx, "device_block", reseller=world.number, customer=0, block=0, live=-1)


def test_what_has_a_history_cannot_be_deleted(world: World, tx: Any) -> None:
    world.uploaded()
    for table, number in (("reseller", world.number), ("customer", world.customer)):
        with pytest.raises(errors.ForeignKeyViolation), tx.transaction():
            tx.execute(f"delete from {table} where no = %s".encode(), (number,))
