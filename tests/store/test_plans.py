"""How the database finds what calls ask for: by an index, however much there is beside it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from support.invented import many
from support.world import World, fresh
from waybill.db.connect import connect
from waybill.devices import store
from waybill.transactions import store as transactions
from waybill.wire.identifiers import Kind, generate
from waybill.worker.loop import PLANS


class Watched:
    """A database transaction, or a cursor of it, that keeps what it is asked."""

    def __init__(self, inner: Any, asked: list[tuple[Any, Any]] | None = None) -> None:
        self.inner = inner
        self.asked = [] if asked is None else asked

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Keeps a statement and runs it."""
        self.asked.append((query, params))
        return self.inner.execute(query, params, **options)

    @contextmanager
    def cursor(self, **options: Any) -> Iterator[Watched]:
        """A cursor whose statement is kept as well."""
        with self.inner.cursor(**options) as made:
            yield Watched(made, self.asked)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.fixture(scope="module")
def crowded(settings: Any, http: Any) -> World:
    """60,000 devices of one reseller and half as many of another."""
    world = World(settings, http)
    neighbour = world.neighbour()
    another = world.another_customer()
    world.uploaded(many(Kind.SN, 30_000), type="SN")
    world.uploaded(many(Kind.SN, 30_000), type="SN", customerId=another)
    neighbour.uploaded(many(Kind.SN, 30_000), type="SN")
    with connect(settings.database_url) as tx:
        tx.execute("analyze device; analyze transaction; analyze device_block")
    return world


@pytest.fixture
def tx(settings: Any) -> Iterator[psycopg.Connection[Any]]:
    """A database transaction that leaves nothing behind."""
    with connect(settings.database_url) as tx:
        yield tx
        tx.rollback()


def nodes(tx: Any, query: Any, params: Any) -> list[dict[str, Any]]:
    """The parts of a statement's plan, run for real."""
    text = query if isinstance(query, str) else query.as_string(tx)
    explain = f"explain (analyze, buffers, format json) {text}"
    (plan,) = tx.execute(explain.encode(), params).fetchone()
    found: list[dict[str, Any]] = []

    def collect(node: dict[str, Any]) -> None:
        found.append(node)
        for each in node.get("Plans", []):
            collect(each)

    collect(plan[0]["Plan"])
    return found


def assert_by_index(plan: list[dict[str, Any]], table: str) -> None:
    """Asserts that a table is never read whole."""
    scans = [node for node in plan if node.get("Relation Name") == table]
    assert scans
    assert not [node for node in scans if node["Node Type"] == "Seq Scan"], scans


def read(plan: list[dict[str, Any]]) -> int:
    """How many pages of 8 KiB a statement looked at."""
    return plan[0]["Shared Hit Blocks"] + plan[0].get("Shared Read Blocks", 0)


@pytest.mark.parametrize("offset", [0, 9_999, 10_000, 55_000])
@pytest.mark.parametrize("filtered", [False, True])
def test_any_page_of_devices_is_found_by_an_index_and_costs_what_the_first_costs(
    crowded: World, tx: Any, offset: int, filtered: bool
) -> None:
    customer = (crowded.customer or 0) if filtered else 0
    offset //= 1 + filtered
    watched: Any = Watched(tx)
    start = store.locate(watched, crowded.number, customer, offset)
    assert start.total >= (30_000 if filtered else 60_000)
    (page,) = store.listed(watched, crowded.number, customer, start, 100)
    assert len(page) == 100
    for query, params in watched.asked:
        plan = nodes(tx, query, params)
        if "device" in {node.get("Relation Name") for node in plan}:
            assert_by_index(plan, "device")
        # One block of 10,000 devices may be looked through; there are nine.
        assert read(plan) < 1_000, (read(plan), query)


def test_holders_are_looked_up_by_an_index(crowded: World, tx: Any) -> None:
    for name, value in PLANS.items():
        tx.execute(f"set local {name} = {value}".encode())
    watched: Any = Watched(tx)
    some = "select key from device where removed_by is null limit 500"
    keys = [key for (key,) in tx.execute(some)]
    found = store.holders(watched, keys)
    assert len(found) == len(set(keys))
    ((query, params),) = watched.asked
    assert_by_index(nodes(tx, query, params), "device")


def test_the_next_turn_is_found_by_an_index_though_much_is_finished(
    crowded: World, tx: Any
) -> None:
    for name, value in PLANS.items():
        tx.execute(f"set local {name} = {value}".encode())
    crowded.upload(transactionId=fresh("T"))
    watched: Any = Watched(tx)
    assert transactions.take_turn(watched, [])
    for query, params in watched.asked:
        with tx.transaction(force_rollback=True):
            plan = nodes(tx, query, params)
        if "transaction" in {node.get("Relation Name") for node in plan}:
            assert_by_index(plan, "transaction")
    tx.rollback()
    crowded.work()


# --- counts -------------------------------------------------------------------------------------


def test_counts_of_blocks_equal_live_devices_after_a_random_history(world: World) -> None:
    another = world.another_customer()
    customers = [world.customer_id, another]
    pool = many(Kind.IMEI, 24_000)
    uploads: list[tuple[str, str]] = []
    for customer in customers:
        world.associated(customer)
    for _ in range(14):
        customer = random.choice(customers)
        some = random.sample(pool, random.choice([1, 50, 3_000, 11_000]))
        what = random.random()
        if what < 0.5 or not uploads:
            uploads.append((fresh("U"), customer))
            world.upload(some, transactionId=uploads[-1][0], customerId=customer)
        elif what < 0.8:
            world.delete(some, customerId=customer)
        else:
            upload, whose = random.choice(uploads)
            world.delete(removeTransactionId=upload, customerId=whose)
    world.work()
    live: Counter[tuple[int, int]] = Counter()
    for customer, seq in world.sql(
        "select customer, seq from device where reseller = %s and removed_by is null", world.number
    ):
        live[customer, seq // 10_000] += 1
        live[0, seq // 10_000] += 1
    counted = world.sql(
        "select customer, block, live from device_block where reseller = %s", world.number
    )
    assert {(customer, block): count for customer, block, count in counted if count} == live
    assert world.devices(pageSize=1).json()["totalCount"] == sum(
        count for (customer, _), count in live.items() if customer == 0
    )
    assert len(world.held()) == world.devices(pageSize=1).json()["totalCount"]


def test_a_device_number_is_given_once(world: World) -> None:
    for _ in range(3):
        devices = generate(Kind.SN, 4)
        world.uploaded([*devices, devices[0]], type="SN")
        world.deleted(devices[:2], type="SN")
    numbers = [
        seq for (seq,) in world.sql("select seq from device where reseller = %s", world.number)
    ]
    assert len(numbers) == len(set(numbers)) == 12
