"""Order and truth: what several workers give is what one after another would have given."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from support.invented import many
from support.model import TEST_IMEI, WRONG, Model, Operation, Step
from support.processes import until
from support.world import World
from waybill.config import Settings
from waybill.db.connect import connect
from waybill.transactions import actions
from waybill.wire.identifiers import Kind, generate
from waybill.worker import loop
from waybill.worker.loop import Worker


@contextmanager
def workers(settings: Settings, count: int) -> Iterator[None]:
    """So many workers at work."""
    stopping = threading.Event()
    threads = [
        threading.Thread(target=Worker(settings, stopping).run, daemon=True) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join(20)
    assert not any(thread.is_alive() for thread in threads)


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What workers had to say of failures; nothing, if all went well."""
    said: list[tuple[str, dict[str, Any]]] = []

    class Log:
        def debug(self, *_: object, **__: object) -> None:
            pass

        def error(self, event: str, **more: object) -> None:
            said.append((event, more))

        warning = error

    monkeypatch.setattr(loop, "_LOG", Log())
    return said


def deadlocks(world: World) -> int:
    """How many the database has had to end by force."""
    found = world.sql("select deadlocks from pg_stat_database where datname = current_database()")
    return found[0][0]


def complete(world: World) -> bool:
    """Whether nothing of the reseller's is waiting."""
    waiting = "select count(*) from transaction where reseller = %s and state = 'Progress'"
    return world.sql(waiting, world.number) == [(0,)]


def send(world: World, step: Step) -> None:
    """Sends one step of a history."""
    if step.operation == "upload":
        answer = world.upload(
            [*step.devices], transactionId=step.transaction, customerId=step.customer
        )
    elif step.operation == "delete":
        answer = world.delete(
            [*step.devices], transactionId=step.transaction, customerId=step.customer
        )
    else:
        answer = world.delete(
            transactionId=step.transaction,
            customerId=step.customer,
            removeTransactionId=step.removes,
        )
    assert answer.status_code == 200, answer.text


def assert_as_modelled(world: World, history: list[Step]) -> None:
    """Asserts that each step ended, and in what a model gives that runs them one by one."""
    model = Model()
    for step in history:
        failed = model.run(step)
        status = world.status(transactionId=step.transaction).json()
        told = [(each["imei"], each["code"]) for each in status.get("devices", [])]
        assert (status["state"], told) == ("Complete", failed), step
    assert world.held() == [*model.held]
    for customer in {step.customer for step in history}:
        mine = [device for device, (whose, _) in model.held.items() if whose == customer]
        assert world.held(customerId=customer) == mine
    assert_ended_once(world)


def assert_ended_once(world: World) -> None:
    """Asserts that each transaction ended once, its counts are whole, and blocks count right."""
    assert (
        world.sql(
            "select id from transaction where reseller = %s and (state <> 'Complete'"
            " or ok + failed + skipped <> device_count or chunk <> cardinality(chunk_starts) - 1"
            " or length(outcomes) <> device_count)",
            world.number,
        )
        == []
    )
    assert counted_blocks(world) == live_blocks(world)
    entries = Counter(entry.transaction_id for entry in world.entries() if entry.transaction_id)
    assert set(entries.values()) <= {1}


def counted_blocks(world: World) -> set[tuple[int, int, int]]:
    """What the counts of blocks say: customer (0 for all), block and how many live."""
    rows = world.sql(
        "select customer, block, live from device_block where reseller = %s and live > 0",
        world.number,
    )
    return {(customer, block, live) for customer, block, live in rows}


def live_blocks(world: World) -> set[tuple[int, int, int]]:
    """The same, counted device by device."""
    live: Counter[tuple[int, int]] = Counter()
    for customer, seq in world.sql(
        "select customer, seq from device where reseller = %s and removed_by is null", world.number
    ):
        live[customer, seq // 10_000] += 1
        live[0, seq // 10_000] += 1
    return {(customer, block, count) for (customer, block), count in live.items()}


OPERATIONS: list[Operation] = ["upload", "delete", "remove"]


def history(world: World, length: int, large: tuple[str, ...] = ()) -> list[Step]:
    """A random history of a few devices and two customers, each step with an ID of its own."""
    pool = generate(Kind.IMEI, 6)
    customers = [world.customer_id, world.another_customer()]
    # The first uploads let the reseller serve both customers.
    steps = [
        Step(f"T{number}", "upload", customer, (random.choice(pool),))
        for number, customer in enumerate(customers)
    ]
    for number in range(2, length):
        operation = random.choices(OPERATIONS, [5, 4, 2])[0]
        customer = random.choice(customers)
        uploads = [each for each in steps if each.operation == "upload"]
        devices = tuple(random.choices([*pool, WRONG, TEST_IMEI], k=random.randint(1, 8)))
        if operation == "remove":
            removed = random.choice(uploads)
            steps.append(
                Step(f"T{number}", "remove", removed.customer, removes=removed.transaction)
            )
        elif large and random.random() < 0.2:
            steps.append(Step(f"T{number}", operation, customer, devices + large + devices))
        else:
            steps.append(Step(f"T{number}", operation, customer, devices))
    return steps


def test_many_resellers_and_two_workers_give_what_one_after_another_gives(
    world: World, complaints: list[Any]
) -> None:
    resellers = [world, *(world.neighbour() for _ in range(7))]
    histories = [history(each, 25) for each in resellers]
    # Two of them with transactions that take several turns each.
    for at in (0, 1):
        histories[at] = history(resellers[at], 12, tuple(many(Kind.IMEI, 10_050)))
    before = deadlocks(world)

    def send_all(at: int) -> None:
        for step in histories[at]:
            send(resellers[at], step)

    with workers(world.settings, 2), ThreadPoolExecutor(4) as threads:
        list(threads.map(send_all, range(len(resellers))))
        for each in resellers:
            until(lambda each=each: complete(each), f"the end of {each.reseller_id}", 60)
    for each, steps in zip(resellers, histories, strict=True):
        assert_as_modelled(each, steps)
    assert complaints == []
    assert deadlocks(world) == before


def test_what_was_sent_before_any_worker_came_is_worked_off_in_order(
    world: World, complaints: list[Any]
) -> None:
    resellers = [world, *(world.neighbour() for _ in range(3))]
    histories = [history(each, 40) for each in resellers]
    for at in range(40):
        for each, steps in zip(resellers, histories, strict=True):
            send(each, steps[at])
    with workers(world.settings, 2):
        for each in resellers:
            until(lambda each=each: complete(each), f"the end of {each.reseller_id}")
    for each, steps in zip(resellers, histories, strict=True):
        assert_as_modelled(each, steps)
    assert complaints == []


steps = st.lists(
    st.tuples(
        st.sampled_from(["upload", "upload", "delete", "delete", "remove"]),
        st.integers(0, 1),
        st.lists(st.integers(0, 4), min_size=1, max_size=6),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=12,
)


@hypothesis(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=steps)
def test_any_history_gives_what_one_after_another_gives(world: World, drawn: list[Any]) -> None:
    # Each example is a reseller's own: the fixture lends only its server.
    alone = world.neighbour()
    customers = [alone.customer_id, alone.another_customer()]
    for customer in customers:
        alone.associated(customer)
    pool = [*generate(Kind.IMEI, 3), WRONG, TEST_IMEI]
    made: list[Step] = []
    for number, (operation, whose, devices, earlier) in enumerate(drawn):
        uploads = [each for each in made if each.operation == "upload"]
        if operation == "remove" and uploads:
            removed = uploads[earlier % len(uploads)]
            step = Step(f"T{number}", "remove", removed.customer, removes=removed.transaction)
        else:
            chosen = tuple(pool[at] for at in devices)
            does = "delete" if operation == "delete" else "upload"
            step = Step(f"T{number}", does, customers[whose], chosen)
        made.append(step)
        send(alone, step)
    alone.work()
    assert_as_modelled(alone, made)


# --- between resellers --------------------------------------------------------------------------


def test_of_two_resellers_that_want_the_same_devices_each_device_has_one_winner(
    world: World, complaints: list[Any]
) -> None:
    rivals = [world, world.neighbour()]
    devices = many(Kind.IMEI, 6_000)
    before = deadlocks(world)

    def send_all(rival: World) -> list[str]:
        mine = devices.copy()
        random.Random(rival.reseller_id).shuffle(mine)
        sent = []
        for at in range(0, len(mine), 500):
            answer = rival.upload(mine[at : at + 500])
            assert answer.status_code == 200
            sent.append(answer.json()["transactionId"])
        return sent

    with workers(world.settings, 2), ThreadPoolExecutor(2) as threads:
        sent = list(threads.map(send_all, rivals))
        for each in rivals:
            until(lambda each=each: complete(each), f"the end of {each.reseller_id}")
    held = [set(each.held()) for each in rivals]
    assert held[0] | held[1] == set(devices)
    assert not held[0] & held[1]
    for rival, mine, transactions in zip(rivals, held, sent, strict=True):
        failed = [
            each["imei"]
            for transaction in transactions
            for each in rival.status(transactionId=transaction).json().get("devices", [])
        ]
        # One outcome for each: who has it was told so, and who has it not was told so once.
        assert len(failed) == len(set(failed)) == 6_000 - len(mine)
        assert not set(failed) & mine
        assert_ended_once(rival)
    assert complaints == []
    assert deadlocks(world) == before


def test_a_device_that_changes_hands_under_way_has_one_holder_at_any_time(
    world: World, complaints: list[Any]
) -> None:
    rivals = [world, *(world.neighbour() for _ in range(2))]
    devices = many(Kind.IMEI, 40)

    def quarrel(rival: World) -> None:
        order = random.Random(rival.reseller_id)
        for _ in range(15):
            some = order.sample(devices, 15)
            assert rival.upload(some).status_code == 200
            assert rival.delete(some).status_code == 200

    with workers(world.settings, 2), ThreadPoolExecutor(3) as threads:
        list(threads.map(quarrel, rivals))
        for each in rivals:
            until(lambda each=each: complete(each), f"the end of {each.reseller_id}")
    for rival in rivals:
        # What it got it gave back: nothing is left, and nothing was given back that it had not.
        assert rival.held() == []
        registered = rival.sql(
            "select coalesce(sum(ok) filter (where operation = 'UPLOAD'), 0)"
            " = coalesce(sum(ok) filter (where operation = 'DELETE'), 0)"
            " from transaction where reseller = %s",
            rival.number,
        )
        assert registered == [(True,)]
        assert_ended_once(rival)
    assert complaints == []


def test_a_reseller_with_much_work_delays_no_other(world: World, complaints: list[Any]) -> None:
    busy, quick = world, world.neighbour()
    for _ in range(4):
        busy.upload(many(Kind.SN, 30_000), type="SN")
    quick.upload(transactionId="T")
    with workers(world.settings, 1):
        until(lambda: complete(quick), "the end of the small one")
        assert not complete(busy)
        until(lambda: complete(busy), "the end of the large ones", 60)
    assert complaints == []


def test_a_turn_that_takes_its_time_holds_up_no_other_reseller(
    world: World, complaints: list[Any]
) -> None:
    slow, other = world, world.neighbour()
    for each in (slow, other, slow, other):
        each.upload()
    with connect(world.settings.database_url) as tx:
        # As a worker does whose turn goes on and on.
        tx.execute("select from turn where reseller = %s for no key update", (slow.number,))
        with workers(world.settings, 1):
            until(lambda: complete(other), "the end of the other's")
            assert not complete(slow)
            tx.rollback()
            until(lambda: complete(slow), "the end of the slow one's")
    assert complaints == []


def test_a_turn_that_fails_is_tried_again_and_holds_up_no_other_reseller(
    world: World, complaints: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    unlucky, other = world, world.neighbour()
    devices = generate(Kind.IMEI, 3)
    for at, device in enumerate(devices):
        unlucky.upload([device], transactionId=f"T{at}")
    other.upload(transactionId="T")
    register = actions.devices.register
    failing = threading.Event()
    failing.set()

    def sometimes(tx: Any, reseller: int, *args: Any, **more: Any) -> None:
        register(tx, reseller, *args, **more)
        if reseller == unlucky.number and failing.is_set():
            raise ZeroDivisionError

    monkeypatch.setattr(actions.devices, "register", sometimes)
    monkeypatch.setattr(loop, "_PAUSE_S", 0.1)
    with workers(world.settings, 2):
        until(lambda: complete(other), "the end of the other's")
        until(lambda: len(complaints) > 1, "the turn to be tried again")
        assert not complete(unlucky)
        assert unlucky.held() == []
        failing.clear()
        until(lambda: complete(unlucky), "the end of the unlucky one's")
    assert unlucky.held() == devices
    assert_ended_once(unlucky)
    assert {event for event, _ in complaints} == {"turn failed"}


# --- killed -------------------------------------------------------------------------------------


def worker_process(settings: Settings) -> subprocess.Popen[bytes]:
    """A worker of its own process."""
    return subprocess.Popen(
        [sys.executable, "-m", "waybill.worker"],
        env={name: value for name, value in os.environ.items() if "WAYBILL" not in name}
        | settings.environment(),
        stdin=subprocess.DEVNULL,
    )


def test_a_worker_that_is_killed_leaves_its_work_to_the_next_which_ends_it_once(
    world: World,
) -> None:
    devices = many(Kind.SN, 100_000)
    # Some of them fail, early and late.
    devices[7] = devices[99_990] = "nothing"
    devices[50_000] = devices[3]
    assert world.upload(devices, type="SN", transactionId="T").status_code == 200

    def progress() -> tuple[int, int]:
        ((chunks, registered),) = world.sql(
            "select chunk, (select count(*) from device d where d.reseller = t.reseller)"
            " from transaction t where reseller = %s and id = 'T'",
            world.number,
        )
        return chunks, registered

    for after in (0, 3):
        process = worker_process(world.settings)
        try:
            until(lambda after=after: progress()[0] > after, "a part of the work", 60)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        # Nothing that was begun is half there.
        chunks, registered = progress()
        assert chunks * 10_000 - 3 <= registered <= chunks * 10_000
    with workers(world.settings, 2):
        until(lambda: complete(world), "the end of the work", 60)
    status = world.status(transactionId="T").json()
    assert [(each["serialNumber"], each["code"]) for each in status["devices"]] == [
        ("nothing", 40000009),
        (devices[3], 40000005),
        ("nothing", 40000009),
    ]
    counts = "select ok, failed, device_count from transaction where reseller = %s"
    assert world.sql(counts, world.number) == [(99_997, 3, 100_000)]
    assert world.held() == [
        each for at, each in enumerate(devices) if at not in (7, 50_000, 99_990)
    ]
    assert_ended_once(world)


def test_a_worker_that_is_told_to_stop_ends_its_turn_first(world: World) -> None:
    world.upload(many(Kind.SN, 50_000), type="SN", transactionId="T")
    process = worker_process(world.settings)
    progress = "select chunk from transaction where reseller = %s and id = 'T'"
    until(lambda: world.sql(progress, world.number)[0][0] > 0, "a part of the work", 60)
    process.terminate()
    assert process.wait(20) == 0
    assert counted_blocks(world) == live_blocks(world)
    world.work()
    assert world.devices(pageSize=1).json()["totalCount"] == 50_000
