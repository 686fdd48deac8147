"""Imports, uploads and deletes at the same time: a listed phone has one key and one holder."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg

from support.manufactured import import_into, imported, invented
from support.world import World
from waybill import clock
from waybill.db.connect import connect
from waybill.manufactured import actions
from waybill.manufactured.actions import Tally
from waybill.manufactured.rules import Phone, Portion, Row
from waybill.transactions.actions import Conduct, run
from waybill.worker.loop import PLANS, Worker

PATIENCE_S = 60


def broken(world: World, phones: list[Phone]) -> list[tuple[str, int]]:
    """Listed phones of these that are registered under several keys, or held more than once."""
    named = [(phone.key, name) for phone in phones for name in phone.names]
    return world.sql(  # type: ignore[return-value]
        "select m.key, count(*) from unnest(%s::text[], %s::text[]) as n(key, name)"
        " join manufactured m on m.key = n.key join device d on d.key = n.name"
        " group by m.key having count(distinct d.key) > 1 or min(d.key) <> m.key"
        " or count(*) filter (where d.removed_by is null) > 1",
        [key for key, _ in named],
        [name for _, name in named],
    )


def test_uploads_deletes_and_imports_at_once_leave_one_key_and_one_holder(world: World) -> None:
    phones = [invented() for _ in range(300)]
    worlds = [world, world.neighbour(), world.neighbour()]
    for each in worlds:
        each.associated()
    stopping = threading.Event()
    workers = [Worker(world.settings, stopping) for _ in range(3)]

    def send(each: World) -> None:
        for _ in range(12):
            some = random.sample(phones, 40)
            how = random.choice(("imei", "imei2", "serial"))
            sent = [getattr(phone, how) for phone in some]
            kind = "SN" if how == "serial" else "IMEI"
            act = random.choice((each.upload, each.upload, each.delete))
            assert act(sent, type=kind).status_code == 200

    def list_them(_: int) -> None:
        for _ in range(4):
            import_into(world.settings.database_url, random.sample(phones, 200), 30)

    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        with ThreadPoolExecutor(5) as pool:
            done = [pool.submit(send, each) for each in worlds]
            done += [pool.submit(list_them, number) for number in range(2)]
            for each in done:
                each.result(PATIENCE_S)
    finally:
        stopping.set()
        for thread in threads:
            thread.join(PATIENCE_S)
    world.work()
    assert broken(world, phones) == []
    # Whoever could not be listed was held twice: listed phones are by far the most.
    assert world.sql(
        "select count(*) > 100 from manufactured where key = any(%s)", [p.key for p in phones]
    ) == [(True,)]
    for each in worlds:
        blocks, devices = each.sql(
            "select coalesce((select sum(live) from device_block"
            "  where reseller = %s and customer = 0), 0)::int,"
            " (select count(*) from device where reseller = %s and removed_by is null)::int",
            each.number,
            each.number,
        )[0]
        assert blocks == devices == len(each.held())
        assert {t["state"] for t in states(each)} == {"Complete"}


def states(world: World) -> list[dict[str, str]]:
    """All transactions of a reseller."""
    return world.status(pageSize=1000).json()["devices"]["transactions"]


def in_the_middle(tx: psycopg.Connection, phone: Phone) -> None:
    """An import of the phone that has done everything but commit."""
    actions.begin(tx)
    tx.commit()
    actions.take_in(
        tx, Portion([Row(2, phone)]), Tally(), file="list.csv", by="test", at=clock.now()
    )


def waiting(world: World, doing: Callable[[], object]) -> ThreadPoolExecutor:
    """Starts something that must wait for a lock, and returns once it does."""
    pool = ThreadPoolExecutor(1)
    pool.submit(doing)
    for _ in range(PATIENCE_S * 100):
        ((count,),) = world.sql("select count(*) from pg_locks where not granted")
        if count:
            return pool
        threading.Event().wait(0.01)
    raise AssertionError("nothing waited")


def test_a_turn_waits_for_an_import_and_then_goes_by_it(world: World) -> None:
    phone = invented()
    world.uploaded([phone.imei])
    neighbour = world.neighbour()
    assert neighbour.upload([phone.imei2], transactionId="T").status_code == 200
    with connect(world.settings.database_url) as tx:
        in_the_middle(tx, phone)
        with waiting(world, neighbour.work):
            tx.commit()
    assert neighbour.held() == []
    failed = neighbour.status(transactionId="T").json()["devices"]
    assert [(each["imei"], each["code"]) for each in failed] == [(phone.imei2, 40000005)]


def test_an_import_waits_for_a_turn_and_then_goes_by_it(world: World) -> None:
    phone = invented()
    assert world.upload([phone.imei, phone.imei2]).status_code == 200
    found: list[object] = []
    with connect(world.settings.database_url, **PLANS) as tx:
        # The turn is taken and worked off, and not committed yet.
        assert run(tx, Conduct.of(world.settings), clock.now()) is not None
        with waiting(world, lambda: found.extend(imported(world, [phone]))):
            tx.commit()
    assert found
    assert world.held() == [phone.imei, phone.imei2]


def test_two_imports_at_once_list_a_phone_once(world: World) -> None:
    phone = invented()
    found: list[Tally] = []
    with connect(world.settings.database_url) as tx:
        in_the_middle(tx, phone)
        url = world.settings.database_url
        with waiting(world, lambda: found.append(import_into(url, [phone])[0])):
            tx.commit()
    assert [(each.added, each.unchanged) for each in found] == [(0, 1)]
