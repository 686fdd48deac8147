"""`waybill verify`: silent about what is right, also while it changes; each breach by its name."""

from __future__ import annotations

import io
import json
import random
import threading
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import pytest
from litestar.testing import TestClient

from support.database import postgres
from support.world import World, fresh
from waybill import clock, log
from waybill.api.app import build
from waybill.cli.main import main
from waybill.config import Settings, load
from waybill.customers import store
from waybill.db.connect import connect
from waybill.integrity.rules import Promise
from waybill.manufactured.rules import Phone
from waybill.transactions import actions
from waybill.transactions.actions import Conduct
from waybill.wire.identifiers import Kind, generate
from waybill.worker.loop import Worker

HOLDS, BROKEN, UNFINISHED = 0, 1, 5


@pytest.fixture
def own(tmp_path: Any) -> Iterator[World]:
    """A world on a database of its own."""
    with postgres() as url:
        yield from _world(load(database_url=url, data_dir=tmp_path, log_level="error"))


def _world(settings: Settings) -> Iterator[World]:
    log.configure(settings)
    with TestClient(build(settings), raise_server_exceptions=False) as http:
        yield World(settings, http)


def verify(world: World, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and what the command told."""
    told = io.StringIO()
    with redirect_stdout(told), pytest.raises(SystemExit) as ended:
        main(["verify", "--json", "--database-url", world.settings.database_url, *options])
    assert isinstance(ended.value.code, int)
    return ended.value.code, json.loads(told.getvalue())


# --- what is right --------------------------------------------------------------------------------


def test_an_empty_database_holds_every_promise(own: World) -> None:
    code, told = verify(own)
    assert (code, told["breaches"], told["complete"]) == (HOLDS, [], True)
    assert [each["promise"] for each in told["promises"]] == [each.slug for each in Promise]
    assert all(each["holds"] for each in told["promises"])


def test_a_random_history_holds_every_promise(own: World) -> None:
    own.settings = own.settings.model_copy(update={"kdp_release": "23.12"})
    worlds = [own, own.neighbour()]
    phones = generate(Kind.IMEI, 60)
    chance = random.Random(7)
    for step in range(60):
        _act(chance.choice(worlds), chance, phones)
        if step % 7 == 0:
            own.work()
    # Some of it waits.
    code, told = verify(own)
    assert (code, told["breaches"]) == (HOLDS, [])
    own.work()
    assert verify(own)[0] == HOLDS
    assert own.sql("select count(*) from transaction where skipped > 0") != [(0,)]
    assert own.sql("select count(*) from device where removed_by is not null") != [(0,)]


def test_no_false_alarm_while_workers_run(own: World) -> None:
    worlds = [own, *(own.neighbour() for _ in range(3))]
    phones = generate(Kind.IMEI, 5_000)
    over = threading.Event()
    workers = [threading.Thread(target=Worker(own.settings, over).run) for _ in range(2)]

    def busy(seed: int, world: World) -> None:
        chance = random.Random(seed)
        while not over.is_set():
            _act(world, chance, chance.sample(phones, 300))

    callers = [threading.Thread(target=busy, args=each) for each in enumerate(worlds)]
    for thread in (*workers, *callers):
        thread.start()
    try:
        found = [verify(own) for _ in range(8)]
    finally:
        over.set()
        for thread in (*callers, *workers):
            thread.join()
    assert [(code, told["breaches"]) for code, told in found] == [(HOLDS, [])] * 8
    assert own.sql("select sum(finished) > 20 from turn") == [(True,)]


def test_a_transaction_in_many_chunks_holds_every_promise_at_each(own: World) -> None:
    phones = generate(Kind.IMEI, 20_001)
    upload = own.upload([*phones, phones[0], "no phone"])
    own.delete(removeTransactionId=upload.json()["transactionId"])
    with connect(own.settings.database_url) as tx:
        while actions.run(tx, Conduct.of(own.settings), clock.now()) is not None:
            tx.commit()
            code, told = verify(own)
            assert (code, told["breaches"]) == (HOLDS, [])
    assert own.held() == []


def _act(world: World, chance: random.Random, phones: list[str]) -> None:
    some = chance.sample(phones, chance.randrange(1, 8 + len(phones) // 2))
    customer = chance.choice([world.customer_id, *_others(world)])
    match chance.randrange(6):
        case 0:
            done = world.sql(
                "select t.id, c.id from transaction t join customer c on c.no = t.customer"
                " where t.reseller = %s and operation = 'UPLOAD' order by random() limit 1",
                world.number,
            )
            for name, customer_id in done:
                world.delete(removeTransactionId=name, customerId=customer_id)
        case 1:
            with world.tx() as tx:
                found = store.find(tx, customer)
                assert found is not None
                actions.approve(tx, world.number, found.no, by="test", at=clock.now())
        case 2:
            world.delete(some, customerId=customer)
        case _:
            world.upload([*some, some[0], "35", "x\ny\\"], customerId=customer)


def _others(world: World) -> list[str]:
    if not hasattr(world, "others"):
        world.others = [world.another_customer()]  # type: ignore[attr-defined]
    return world.others  # type: ignore[attr-defined]


# --- time -----------------------------------------------------------------------------------------


def test_time_that_is_over_too_soon_is_no_proof(own: World) -> None:
    own.uploaded()
    code, told = verify(own, "--time", "0")
    assert (code, told["complete"], told["breaches"]) == (UNFINISHED, False, [])
    assert {each["holds"] for each in told["promises"]} == {None}
    assert {each["looked"] for each in told["promises"]} == {0}


def test_people_read_sentences(own: World, capsys: pytest.CaptureFixture[str]) -> None:
    own.uploaded()
    own.sql("update device_block set live = live + 1 where customer = 0")
    arguments = ["verify", "--database-url", own.settings.database_url]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    told = capsys.readouterr().out
    assert ended.value.code == BROKEN
    assert f"holds  {Promise.ONE_HOLDER.says}" in told.splitlines()
    assert f"BROKEN {Promise.LIVE_COUNTS.says}" in told.splitlines()
    assert "customerId all, firstDevice 0: expected 1 live devices; found 2" in told
    with pytest.raises(SystemExit):
        main([*arguments, "--time", "0"])
    assert "The time was over before all was looked at." in capsys.readouterr().out


# --- what is wrong --------------------------------------------------------------------------------


@dataclass
class Planted:
    """A breach to plant in a world that has an upload of three devices, one with a bad form.

    Args:
        promise: what it breaks.
        sql: the statements; {names} are those of `_facts`.
        also: what it cannot but break as well.
        place: where it is told of, if by none of the world's own IDs.
    """

    promise: Promise
    sql: list[str]
    also: set[Promise] = field(default_factory=set)
    place: str = ""


_T = "update transaction set"
_UPLOAD = "where seq = {upload}"
_DEVICE = "where reseller = {reseller} and seq = {device}"

PLANTED: dict[str, Planted] = {
    "held by two": Planted(
        Promise.ONE_HOLDER,
        [
            f"insert into device select reseller, seq - 1000000, customer, upload, removed_by,"
            f" registered_at, verified_at, kind, key, odd from device {_DEVICE}"
        ],
        {
            Promise.DEVICE_NUMBERS,
            Promise.UPLOAD_RANGE,
            Promise.LIVE_COUNTS,
            Promise.DEVICES_COUNTED,
        },
    ),
    "a key that is none": Planted(
        Promise.KEY_INDEX, [f"update device set key = '' {_DEVICE}"], place="device_holder"
    ),
    "another reseller's upload": Planted(
        Promise.UPLOAD_OF_DEVICE,
        [f"update device set upload = {{foreign}} {_DEVICE}"],
        {Promise.DEVICES_COUNTED},
    ),
    "no upload": Planted(
        Promise.UPLOAD_OF_DEVICE,
        [f"update device set upload = 999999999 {_DEVICE}"],
        {Promise.DEVICES_COUNTED},
    ),
    "a delete as upload": Planted(
        Promise.UPLOAD_OF_DEVICE,
        [f"update device set upload = {{delete}} {_DEVICE}"],
        {Promise.DEVICES_COUNTED},
    ),
    "another customer than the upload's": Planted(
        Promise.UPLOAD_OF_DEVICE,
        [f"update device set customer = {{stranger}} {_DEVICE}"],
        {Promise.LIVE_COUNTS},
    ),
    "removed by an upload": Planted(
        Promise.END_OF_DEVICE,
        ["update device set removed_by = {upload} where removed_by = {delete}"],
        {Promise.DEVICES_COUNTED},
    ),
    "removed by another reseller": Planted(
        Promise.END_OF_DEVICE,
        ["update device set removed_by = {foreign_delete} where removed_by = {delete}"],
        {Promise.DEVICES_COUNTED},
    ),
    "a number not given yet": Planted(
        Promise.DEVICE_NUMBERS,
        ["update turn set next_device_seq = {device} where reseller = {reseller}"],
    ),
    "a device without a reseller": Planted(
        Promise.DEVICE_NUMBERS,
        [
            "insert into device select 123456, seq, customer, upload, removed_by, registered_at,"
            f" verified_at, kind, 'orphan', odd from device {_DEVICE}"
        ],
        {Promise.UPLOAD_OF_DEVICE, Promise.LIVE_COUNTS, Promise.DEVICES_COUNTED},
        place="(number 123456)",
    ),
    "a range too narrow": Planted(
        Promise.UPLOAD_RANGE, [f"{_T} first_device_seq = last_device_seq + 1 {_UPLOAD}"]
    ),
    "no range": Planted(
        Promise.UPLOAD_RANGE,
        [f"{_T} first_device_seq = null, last_device_seq = null {_UPLOAD}"],
    ),
    "a count too high": Planted(
        Promise.LIVE_COUNTS,
        ["update device_block set live = live + 1 where reseller = {reseller} and customer > 0"],
    ),
    "no count": Planted(
        Promise.LIVE_COUNTS, ["delete from device_block where reseller = {reseller}"]
    ),
    "a count of nothing": Planted(
        Promise.LIVE_COUNTS, ["insert into device_block values ({reseller}, 0, 77, 1)"]
    ),
    "a device that was lost": Planted(
        Promise.DEVICES_COUNTED, [f"delete from device {_DEVICE}"], {Promise.LIVE_COUNTS}
    ),
    "an identifier too few": Planted(
        Promise.REQUEST_WHOLE,
        [f"{_T} identifiers = substr(identifiers, 17) {_UPLOAD}"],
        {Promise.FAILURES_LISTED},
    ),
    "a line cut off": Planted(
        Promise.REQUEST_WHOLE,
        [f"{_T} identifiers = substr(identifiers, 1, length(identifiers) - 1) {_UPLOAD}"],
        {Promise.FAILURES_LISTED},
    ),
    "no text": Planted(
        Promise.REQUEST_WHOLE,
        [f"{_T} identifiers = set_byte(identifiers, 0, 255) {_UPLOAD}"],
        {Promise.FAILURES_LISTED},
    ),
    "a chunk that begins elsewhere": Planted(
        Promise.REQUEST_WHOLE, [f"{_T} chunk_starts[2] = chunk_starts[2] - 1 {_UPLOAD}"]
    ),
    "outcomes too few": Planted(
        Promise.OUTCOMES_ALIGNED,
        [f"{_T} ok = ok - 1, outcomes = substr(outcomes, 2) {_UPLOAD}"],
        {Promise.DEVICES_COUNTED, Promise.FAILURES_LISTED},
    ),
    "counts that are not the outcomes'": Planted(
        Promise.OUTCOMES_ALIGNED,
        [f"{_T} failed = failed - 1, skipped = skipped + 1 {_UPLOAD}"],
    ),
    "an outcome of no meaning": Planted(
        Promise.OUTCOMES_ALIGNED,
        [f"{_T} outcomes = set_byte(outcomes, 2, 250) {_UPLOAD}"],
        {Promise.FAILURES_LISTED},
    ),
    "no outcomes": Planted(
        Promise.OUTCOMES_ALIGNED,
        [f"{_T} outcomes = null {_UPLOAD}"],
        {Promise.FAILURES_LISTED},
    ),
    "no failures": Planted(Promise.FAILURES_LISTED, [f"{_T} failures = null {_UPLOAD}"]),
    "a failure misspelt": Planted(
        Promise.FAILURES_LISTED,
        [f"{_T} failures = convert_to('[2,4,\"other\"],', 'UTF8') {_UPLOAD}"],
    ),
    "failures that cannot be read": Planted(
        Promise.FAILURES_LISTED, [f"{_T} failures = 'rubbish' {_UPLOAD}"]
    ),
    "finished with work left": Planted(
        Promise.WORK_LEFT,
        [f"{_T} chunk = 0 {_UPLOAD}"],
        {Promise.OUTCOMES_ALIGNED},
    ),
    "unfinished without work left": Planted(
        Promise.WORK_LEFT,
        [
            f"{_T} state = 'Progress', completed_at = null, number = null, customer_number = null"
            f" {_UPLOAD}"
        ],
        {Promise.FINISHED_NUMBERED},
    ),
    "no turn": Planted(
        Promise.WORK_LEFT,
        ["delete from turn where reseller = {reseller}"],
        {Promise.DEVICE_NUMBERS, Promise.FINISHED_NUMBERED},
    ),
    "a counter of finished ones too high": Planted(
        Promise.FINISHED_NUMBERED,
        ["update turn set finished = finished + 1 where reseller = {reseller}"],
    ),
    "a customer's counter too low": Planted(
        Promise.FINISHED_NUMBERED,
        ["update association set finished = finished - 1 where reseller = {reseller}"],
    ),
    "no association": Planted(
        Promise.ASSOCIATED,
        ["delete from association where reseller = {reseller}"],
        {Promise.FINISHED_NUMBERED},
    ),
    "a removal of a foreign upload": Planted(
        Promise.REMOVAL_NAMES_UPLOAD, [f"{_T} removes = {{foreign}} where seq = {{removal}}"]
    ),
    "approved and pending": Planted(Promise.APPROVED, [f"{_T} approved_at = now() {_UPLOAD}"]),
    "no entry": Planted(Promise.ONE_ENTRY, ["delete from activity where transaction = {upload}"]),
    "an entry of another event": Planted(
        Promise.ONE_ENTRY,
        ["update activity set event = 'Devices deleted' where transaction = {upload}"],
    ),
    "an entry without its transaction": Planted(
        Promise.ONE_ENTRY,
        [
            "insert into activity (at, reseller, event, performed_by, status)"
            " values (now(), {reseller}, 'Device uploaded', 'x', 'OK')"
        ],
    ),
    "a reseller that nobody made": Planted(
        Promise.CREATION_TOLD,
        ["delete from activity where event = 'Reseller created' and reseller = {reseller}"],
    ),
    "an association made twice": Planted(
        Promise.CREATION_TOLD,
        [
            "insert into activity (at, reseller, customer, event, performed_by, status) select at,"
            " reseller, customer, event, performed_by, status from activity"
            " where event = 'Reseller registered' and reseller = {reseller}"
        ],
    ),
}


@dataclass
class Broken:
    """A database with all that is planted, each in a world of its own, and what was told of it."""

    told: dict[str, Any]
    places: dict[str, set[str]]

    def promises(self, name: str) -> set[Promise]:
        """What was told of the world in which this was planted."""
        return {
            Promise[each["promise"].upper().replace("-", "_")]
            for each in self.told["breaches"]
            if self.places[name] & set(map(str, each["where"].values()))
        }


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    """All of `PLANTED`, found in one run."""
    with postgres() as url:
        data_dir = tmp_path_factory.mktemp("data")
        settings = load(database_url=url, data_dir=data_dir, log_level="error")
        for first in _world(settings):
            foreign = _facts(first)
            worlds = {name: first.neighbour() for name in PLANTED}
            facts = {name: _facts(world) for name, world in worlds.items()}
            assert verify(first)[0] == HOLDS
            _drop_constraints(first)
            for name, planted in PLANTED.items():
                known = facts[name] | {
                    "foreign": foreign["upload"],
                    "foreign_delete": foreign["delete"],
                    "stranger": first.customer,
                }
                for statement in planted.sql:
                    first.sql(statement.format(**known))
            code, told = verify(first)
            assert (code, told["complete"]) == (BROKEN, True)
            places = {
                name: {
                    world.reseller_id,
                    world.customer_id,
                    PLANTED[name].place,
                    *facts[name]["keys"],
                }
                for name, world in worlds.items()
            }
            yield Broken(told, places)


def _facts(world: World) -> dict[str, Any]:
    """A history to break: an upload with a bad device, a delete and a removal, by their seqs."""
    phones = generate(Kind.IMEI, 3)
    names = {name: fresh("T") for name in ("upload", "delete", "removal")}
    world.uploaded([*phones[:2], "bad"], transactionId=names["upload"])
    world.deleted([phones[0]], transactionId=names["delete"])
    world.uploaded([phones[2]], transactionId=(other := fresh("T")))
    world.deleted(transactionId=names["removal"], removeTransactionId=other)
    seqs = dict(world.sql("select id, seq from transaction where reseller = %s", world.number))
    devices = world.sql(
        "select key, seq from device where reseller = %s order by removed_by nulls first",
        world.number,
    )
    return {
        "reseller": world.number,
        "device": devices[0][1],
        "keys": [key for key, _ in devices],
        **{name: seqs[id_] for name, id_ in names.items()},
    }


def _drop_constraints(world: World) -> None:
    """Lets everything be planted that no constraint should have to catch."""
    world.sql(
        "do $$ declare found record; begin for found in"
        " select conrelid::regclass as place, conname from pg_constraint"
        " where connamespace = 'public'::regnamespace and contype in ('c', 'f', 'u')"
        " order by contype = 'u' loop"
        " execute format('alter table %%s drop constraint %%I', found.place, found.conname);"
        " end loop; end $$"
    )


@pytest.mark.parametrize("name", PLANTED)
def test_a_breach_is_named_and_nothing_else(broken: Broken, name: str) -> None:
    planted = PLANTED[name]
    assert broken.promises(name) == {planted.promise, *planted.also}


def test_every_breach_says_where_and_what_to_do(broken: Broken) -> None:
    for each in broken.told["breaches"]:
        assert each["expected"] != each["found"]
        assert each["remedy"].endswith(".")


# --- the manufacturing list -----------------------------------------------------------------------


def test_links_that_lead_astray_are_named(own: World) -> None:
    one, two = (Phone(*generate(Kind.IMEI, 2), serial=generate(Kind.SN, 1)[0]) for _ in range(2))
    for phone in (one, two):
        _list(own, phone)
    own.uploaded([one.imei])
    assert verify(own)[0] == HOLDS
    own.sql("delete from identifier_link where alias = %s", one.serial)
    assert _found(own) == {(Promise.LINKS_LEAD_HOME, one.serial)}
    own.sql("insert into identifier_link values (%s, %s)", one.serial, two.key)
    assert _found(own) == {(Promise.LINKS_LEAD_HOME, one.serial)}
    own.sql("update identifier_link set key = %s where alias = %s", one.key, one.serial)
    own.sql("update device set key = %s", one.imei2[:14])
    assert _found(own) == {(Promise.NO_ALIAS_AS_KEY, one.imei2[:14])}
    own.sql("update device set key = %s", one.key)
    own.sql("insert into identifier_link values (%s, %s)", one.key, two.key)
    assert _found(own) == {
        (Promise.NO_ALIAS_AS_KEY, one.key),
        (Promise.LINKS_LEAD_HOME, one.key),
    }


def _list(world: World, phone: Phone) -> None:
    world.sql(
        "insert into manufactured (key, imei, imei2, serial, imported_at)"
        " values (%s, %s, %s, %s, now())",
        phone.key,
        phone.imei,
        phone.imei2,
        phone.serial,
    )
    for alias in phone.names[1:]:
        world.sql("insert into identifier_link values (%s, %s)", alias, phone.key)


def _found(world: World) -> set[tuple[Promise, str]]:
    code, told = verify(world)
    assert code == BROKEN
    return {
        (Promise[each["promise"].upper().replace("-", "_")], each["where"]["identifier"])
        for each in told["breaches"]
    }
