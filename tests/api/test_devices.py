"""`GET /devices`: the list of what a reseller holds."""

from __future__ import annotations

import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from support.answers import assert_refused
from support.invented import many
from support.processes import PATIENCE_S
from support.world import World
from waybill.wire.identifiers import Kind, generate, meid_decimal

UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def decimal(body: str) -> str:
    """The MEID of 14 characters in its decimal form."""
    found = meid_decimal(body)
    assert found
    return found


def row(world: World, names: bytes, state: bytes = b"Pending") -> bytes:
    """A pattern for one device of the list; `names` are the members that name it, in order."""
    mei, serial, meid = names.split(b"|")
    return (
        rb'\{"id":"[0-9a-f]{24}","createTime":[0-9]{13},'
        + mei
        + rb'"customerName":"Customer","customerId":"%s",' % re.escape(world.customer_id.encode())
        + serial
        + meid
        + rb'"state":"%s","uploadId":"%s"\}' % (state, UUID)
    )


def head(total: int, pages: int, size: int, num: int = 0, page_size: int = 100) -> bytes:
    """The members before the devices, byte by byte."""
    return (
        b'{"code":"2000000","message":"SUCCESS","pageNum":%d,"pageSize":%d,"totalCount":%d,'
        b'"totalPages":%d,"size":%d,"devices":[' % (num, page_size, total, pages, size)
    )


def test_it_works(world: World) -> None:
    imei, meid, serial = (generate(kind, 1)[0] for kind in Kind)
    world.uploaded([imei])
    world.uploaded([meid], type="MEID")
    world.uploaded([serial], type="SN")
    answer = world.devices()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    rows = [
        row(world, b'"mei":"%s",||"meid":"%s",' % (imei.encode(), decimal(imei[:14]).encode())),
        row(world, b'||"meid":"%s",' % decimal(meid).encode()),
        row(world, b'|"serialNumber":"%s",|' % serial.encode()),
    ]
    wanted = re.escape(head(3, 1, 3)) + b",".join(rows) + rb"\]\}"
    assert re.fullmatch(wanted, answer.content), answer.text


def test_nothing_is_an_empty_page(world: World) -> None:
    assert world.devices().content == head(0, 0, 0) + b"]}"
    assert world.devices(pageSize=1_000_000).content == head(0, 0, 0, 0, 1_000_000) + b"]}"
    assert_refused(world.devices(pageNum=1), 40000002)
    world.associated()
    assert world.devices(customerId=world.customer_id).content == head(0, 0, 0) + b"]}"


def test_the_meid_of_an_imei_device_is_derived_as_in_the_sample(world: World) -> None:
    # Samsung's sample: an IMEI that begins with 35163899 is shown with 0890648729….
    assert decimal("35163899" + "123456")[:10] == "0890648729"
    # And 089077500000423280 is the MEID of the body 351825D8067570.
    assert decimal("351825D8067570") == "089077500000423280"
    imei = generate(Kind.IMEI, 1)[0]
    world.uploaded([imei])
    shown = world.devices().json()["devices"][0]["meid"]
    assert shown == f"{int(imei[:8], 16):010}{int(imei[8:14], 16):08}"


def test_the_time_and_the_upload_of_a_device_are_told(world: World) -> None:
    before = int(time.time() * 1000)
    world.uploaded(generate(Kind.IMEI, 2))
    world.uploaded(generate(Kind.IMEI, 1))
    after = int(time.time() * 1000)
    first, second, third = world.devices().json()["devices"]
    assert before <= first["createTime"] <= third["createTime"] <= after
    assert first["uploadId"] == second["uploadId"] != third["uploadId"]
    assert len({each["id"] for each in (first, second, third)}) == 3
    # Asked again, a device has the same ID.
    assert world.devices(pageSize=1).json()["devices"][0] == first


def test_identifiers_are_shown_in_one_form_however_they_were_sent(world: World) -> None:
    imei, meid, serial = (generate(kind, 1)[0] for kind in Kind)
    world.uploaded([f" {imei[:8]}-{imei[8:14]}-{imei[14]} "])
    world.uploaded([meid.lower()], type="MEID")
    world.uploaded([f" {serial.lower()}"], type="SN")
    assert world.held() == [imei, decimal(meid), serial]


def test_pages_come_oldest_first_and_cover_everything_once(world: World) -> None:
    devices = generate(Kind.IMEI, 7)
    for each in (devices[:3], devices[3:4], devices[4:]):
        world.uploaded(each)
    for size in (1, 2, 3, 6, 7, 8):
        pages = -(-7 // size)
        found: list[str] = []
        for num in range(pages):
            answer = world.devices(pageNum=num, pageSize=size)
            held = [each["mei"] for each in answer.json()["devices"]]
            assert answer.content.startswith(head(7, pages, len(held), num, size))
            found += held
        assert found == devices
        assert_refused(world.devices(pageNum=pages, pageSize=size), 40000002)
    assert_refused(world.devices(pageNum=999_999_999, pageSize=1_000_000), 40000002)


def test_a_page_has_100_unless_told_otherwise(world: World) -> None:
    devices = generate(Kind.IMEI, 101)
    world.uploaded(devices)
    assert len(world.devices().json()["devices"]) == 100
    last = world.devices(pageNum=1).json()
    assert [each["mei"] for each in last["devices"]] == devices[100:]
    assert (last["totalCount"], last["totalPages"], last["size"]) == (101, 2, 1)
    assert len(world.held()) == 101


def test_who_pages_while_others_upload_misses_nothing(world: World) -> None:
    devices = generate(Kind.IMEI, 40)
    world.uploaded(devices[:20])
    found: list[str] = []
    for num in range(8):
        answer = world.devices(pageNum=num, pageSize=5).json()
        found += [each["mei"] for each in answer["devices"]]
        if num < 2:
            world.uploaded(devices[20 + 10 * num : 30 + 10 * num])
    assert found == devices


def test_pages_hold_across_many_thousands_with_holes(world: World) -> None:
    devices = many(Kind.IMEI, 25_000)
    another = world.another_customer()
    world.uploaded(devices[:9_999])
    world.uploaded(devices[9_999:15_000], customerId=another)
    world.uploaded(devices[15_000:])
    gone = set(devices[5:10_050:3] + devices[19_000:24_999])
    for customer in (world.customer_id, another):
        world.deleted(sorted(gone), customerId=customer)
    left = [each for each in devices if each not in gone]
    assert world.held() == left
    theirs = [each for each in devices[9_999:15_000] if each not in gone]
    assert world.held(customerId=another) == theirs
    for size in (1, 997, 4_000):
        for num in sorted({0, 1, len(left) // size // 2, (len(left) - 1) // size}):
            page = world.devices(pageNum=num, pageSize=size).json()
            assert page["totalCount"] == len(left)
            assert [each["mei"] for each in page["devices"]] == left[num * size :][:size]
        for num in {0, (len(theirs) - 1) // size}:
            page = world.devices(pageNum=num, pageSize=size, customerId=another).json()
            assert page["totalCount"] == len(theirs)
            assert [each["mei"] for each in page["devices"]] == theirs[num * size :][:size]
    assert_refused(world.devices(pageNum=len(left), pageSize=1), 40000002)


def test_a_customer_filters_devices_and_totals(world: World) -> None:
    another = world.another_customer()
    mine, theirs = generate(Kind.IMEI, 3), generate(Kind.SN, 2)
    for one, other in zip(mine, [*theirs, None], strict=True):
        world.uploaded([one])
        if other:
            world.uploaded([other], type="SN", customerId=another)
    assert world.held(customerId=world.customer_id) == mine
    assert world.held(customerId=another) == theirs
    assert world.devices(customerId=another).content.startswith(head(2, 1, 2))
    assert world.held() == [mine[0], theirs[0], mine[1], theirs[1], mine[2]]
    assert world.held(customerId="") == world.held()
    assert_refused(world.devices(customerId=another, pageSize=1, pageNum=2), 40000002)
    assert world.devices(pageSize=1, pageNum=4).status_code == 200


def test_devices_wait_for_the_customer_unless_it_approves_of_itself(world: World) -> None:
    approving = world.another_customer()
    world.associated(approving, auto_approve=True)
    world.uploaded()
    world.uploaded(customerId=approving)
    states = [(each["customerId"], each["state"]) for each in world.devices().json()["devices"]]
    assert states == [(world.customer_id, "Pending"), (approving, "Verified")]


def test_a_device_that_was_removed_is_gone_and_comes_back_last(world: World) -> None:
    devices = generate(Kind.IMEI, 3)
    world.uploaded(devices)
    world.deleted([devices[0]])
    assert world.held() == devices[1:]
    world.uploaded([devices[0]])
    assert world.held() == [devices[1], devices[2], devices[0]]


def test_in_progress_nothing_is_listed(world: World) -> None:
    world.upload()
    assert world.devices().json()["totalCount"] == 0


def test_another_resellers_devices_are_not_listed(world: World) -> None:
    neighbour = world.neighbour()
    neighbour.uploaded(customerId=world.customer_id)
    world.uploaded()
    assert len(world.held()) == len(world.held(customerId=world.customer_id)) == 1
    assert not set(world.held()) & set(neighbour.held())


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ({"resellerId": ""}, 40000000, "resellerId"),
        ({"resellerId": "unknown"}, 40000010, ""),
        ({"resellerId": "\0"}, 40000010, ""),
        ({"customerId": "\0"}, 40000011, ""),
        ({"customerId": "a b"}, 40000011, ""),
        ({"customerId": "unknown"}, 40400002, ""),
        ({"pageNum": "-1"}, 40000000, "pageNum"),
        ({"pageNum": "x"}, 40000000, "pageNum"),
        ({"pageNum": "1"}, 40000002, ""),
        ({"pageSize": "0"}, 40000000, "pageSize"),
        ({"pageSize": "-5"}, 40000000, "pageSize"),
        ({"pageSize": "1000001"}, 40000000, "pageSize"),
        ({"pageSize": "all"}, 40000000, "pageSize"),
    ],
    ids=str,
)
def test_it_refuses(refuser: World, query: dict[str, str], code: int, parameter: str) -> None:
    assert_refused(refuser.devices(**query), code, parameter)


def test_it_refuses_a_customer_that_was_never_served(world: World) -> None:
    assert_refused(world.devices(customerId=world.customer_id), 40400004)


def test_totals_and_devices_of_one_answer_agree_while_others_write(world: World) -> None:
    devices = many(Kind.IMEI, 6_000)
    world.uploaded(devices)
    done = Event()

    def write() -> None:
        while not done.is_set():
            some = random.sample(devices, 2_500)
            world.deleted(some)
            world.uploaded(some)

    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(write)
        seen = set()
        try:
            deadline = time.monotonic() + PATIENCE_S
            # Enough once both what is there and what is gone was seen.
            while len(seen) < 4 and time.monotonic() < deadline:
                told = world.devices(pageSize=1_000_000).json()
                assert told["totalCount"] == told["size"] == len(told["devices"])
                assert len({each["mei"] for each in told["devices"]}) == told["size"]
                seen.add(tuple(each["mei"] for each in told["devices"]))
        finally:
            done.set()
        writing.result()
    assert len(seen) == 4
    assert sorted(world.held()) == sorted(devices)
