"""`GET /devices/status`: one transaction bare, or a page of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from support.answers import assert_refused, failure
from support.invented import many
from support.world import World, fresh
from waybill import clock
from waybill.db.connect import connect
from waybill.transactions.actions import Conduct, run
from waybill.wire.identifiers import Kind, generate

BAD = "352099001761480"
FAILED = (
    b'"devices":[{"imei":"352099001761480","code":40000007,"message":"DEVICE_IMEI_INVALID",'
    b'"data":"The specified IMEI is not valid."}]'
)


def wrapped(transactions: bytes, total: int = 1, pages: int = 1, page: int = 0) -> bytes:
    """A wrapped answer, byte by byte."""
    return b'{"devices":{"totalCount":%d,"totalPage":%d,"pageNum":%d,"transactions":[%s]}}' % (
        total,
        pages,
        page,
        transactions,
    )


def ids(answer: Any) -> list[str]:
    """The transactions of a wrapped answer."""
    assert answer.status_code == 200, answer.text
    return [each["transactionId"] for each in answer.json()["devices"]["transactions"]]


def test_it_works(world: World) -> None:
    world.uploaded([*generate(Kind.IMEI, 1), BAD], transactionId="T1", orderNo="O-1")
    answer = world.status(transactionId="T1")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (
        b'{"transactionId":"T1","state":"Complete","type":"Put","orderNo":"O-1",'
        + FAILED
        + b',"operationType":"UPLOAD"}'
    )


def test_a_delete_is_told_as_a_delete(world: World) -> None:
    world.associated()
    world.deleted(["352099001761480"], transactionId="T1")
    assert world.status(transactionId="T1").content == (
        b'{"transactionId":"T1","state":"Complete","type":"Delete",'
        + FAILED
        + b',"operationType":"DELETE"}'
    )
    assert world.status().content == wrapped(
        b'{"transactionId":"T1","state":"Complete","type":"Delete","operationType":"DELETE",'
        + FAILED
        + b"}"
    )


def test_while_in_progress_no_device_is_told_of(world: World) -> None:
    world.upload([BAD], transactionId="T1", orderNo="O-1")
    assert world.status(transactionId="T1").content == (
        b'{"transactionId":"T1","state":"Progress","type":"Put","orderNo":"O-1",'
        b'"operationType":"UPLOAD"}'
    )
    assert world.status().content == wrapped(
        b'{"transactionId":"T1","state":"Progress","type":"Put","operationType":"UPLOAD",'
        b'"orderNo":"O-1"}'
    )


def test_a_part_of_a_large_upload_that_is_done_is_not_told_of_either(world: World) -> None:
    # One turn takes 10,000 devices: after it, the first part is done and the second is not.
    world.work()
    devices = [BAD] * 10_001
    world.upload(devices, transactionId="T1")
    with connect(world.settings.database_url) as tx:
        run(tx, Conduct.of(world.settings), clock.now())
    done = "select chunk, failed from transaction where reseller = %s"
    assert world.sql(done, world.number) == [(1, 10_000)]
    assert world.status(transactionId="T1").content == (
        b'{"transactionId":"T1","state":"Progress","type":"Put","operationType":"UPLOAD"}'
    )
    world.work()
    assert len(world.status(transactionId="T1").json()["devices"]) == 10_001


def test_without_a_failure_no_device_is_told_of(world: World) -> None:
    world.uploaded(transactionId="T1")
    assert world.status(transactionId="T1").content == (
        b'{"transactionId":"T1","state":"Complete","type":"Put","operationType":"UPLOAD"}'
    )


def test_it_is_complete_even_if_every_device_failed(world: World) -> None:
    status = world.uploaded([BAD] * 3)
    assert status["state"] == "Complete"
    assert status["devices"] == [failure("imei", BAD, 40000007)] * 3


def test_failed_devices_come_in_request_order_and_as_they_were_sent(world: World) -> None:
    good = many(Kind.IMEI, 40_000)
    odd = [f"  {each} x" for each in good[:40_000:1000]]
    devices = good.copy()
    for position, each in enumerate(odd):
        devices.insert(position * 1001, each)
    devices += [good[39_999], " " + good[0]]
    status = world.uploaded(devices)
    assert [each["imei"] for each in status["devices"]] == [*odd, good[39_999], " " + good[0]]
    assert world.held() == good


SENT = [
    "\0",
    "\n",
    "\\n",
    "\\",
    "\\\\",
    '"',
    "\x1f",
    "\x7f",
    "é",
    "漢字",
    "🚚",
    "\ufeff",
    "<b>",
    "\u2028",
]


@pytest.mark.parametrize("kind", ["IMEI", "MEID", "SN"])
def test_anything_that_was_sent_is_echoed(world: World, kind: str) -> None:
    member = {"IMEI": "imei", "MEID": "meid", "SN": "serialNumber"}[kind]
    for devices in (SENT, [*SENT, ""], ["", *SENT], [""], ["", ""], ["\n"], ["\\"]):
        status = world.uploaded(devices, type=kind)
        assert [each[member] for each in status["devices"]] == devices


def test_a_delete_without_type_shows_each_device_under_the_member_of_its_own(
    world: World,
) -> None:
    world.associated()
    imei, meid, serial = (generate(kind, 1)[0] for kind in Kind)
    status = world.deleted([imei, meid, serial, "0"], type=None)
    assert status["devices"] == [
        failure("imei", imei, 40000044),
        failure("meid", meid, 40000044),
        failure("serialNumber", serial, 40000044),
        failure("imei", "0", 40000006),
    ]


# --- bare or wrapped ----------------------------------------------------------------------------


def test_it_is_wrapped_when_a_page_is_asked_for(world: World) -> None:
    world.uploaded([BAD], transactionId="T1", orderNo="O-1")
    page = wrapped(
        b'{"transactionId":"T1","state":"Complete","type":"Put","operationType":"UPLOAD",'
        b'"orderNo":"O-1",' + FAILED + b"}"
    )
    for query in ({"pageNum": 0}, {"pageSize": 10}, {"pageNum": 0, "pageSize": 1}):
        assert world.status(transactionId="T1", **query).content == page
        assert world.status(**query).content == page
    assert world.status().content == page
    assert world.status(transactionId="T1", pageNum="", pageSize="").content.startswith(
        b'{"transactionId":"T1"'
    )


def test_shape_list_wraps_always(world: World, world_with: Any) -> None:
    listing = world_with(status_shape="list")
    listing.upload(transactionId="T1")
    listing.work()
    assert listing.status(transactionId="T1").content == wrapped(
        b'{"transactionId":"T1","state":"Complete","type":"Put","operationType":"UPLOAD"}'
    )
    # The reseller's own setting wins.
    listing.sql("update reseller set status_shape = 'documented' where no = %s", listing.number)
    assert listing.status(transactionId="T1").json()["transactionId"] == "T1"
    world.uploaded(transactionId="T1")
    world.sql("update reseller set status_shape = 'list' where no = %s", world.number)
    assert ids(world.status(transactionId="T1")) == ["T1"]


def test_nothing_is_an_empty_page(world: World) -> None:
    assert world.status().content == wrapped(b"", 0, 0)
    assert world.status(pageNum=0, pageSize=5).content == wrapped(b"", 0, 0)


def test_pages_come_newest_first_and_cover_everything_once(world: World) -> None:
    names = [fresh("T") for _ in range(7)]
    for name in names:
        world.upload(transactionId=name)
    newest = names[::-1]
    assert ids(world.status()) == newest
    for size in (1, 2, 3, 6, 7, 8):
        pages = -(-7 // size)
        found = []
        for num in range(pages):
            answer = world.status(pageNum=num, pageSize=size)
            told = answer.json()["devices"]
            assert (told["totalCount"], told["totalPage"], told["pageNum"]) == (7, pages, num)
            found += ids(answer)
        assert found == newest
        assert_refused(world.status(pageNum=pages, pageSize=size), 40000002)


def test_pages_hold_together_while_some_are_finished_and_some_wait(world: World) -> None:
    another = world.another_customer()
    names = [fresh("T") for _ in range(14)]
    for number, name in enumerate(names):
        customer = another if number % 3 == 0 else world.customer_id
        world.upload([BAD], transactionId=name, customerId=customer)
        if number in (3, 8):
            world.work()
    mine = [name for number, name in enumerate(names) if number % 3]
    for size in (1, 3, 5, 14, 20):
        for wanted, query in ((names, {}), (mine, {"customerId": world.customer_id})):
            found = []
            for num in range(-(-len(wanted) // size)):
                answer = world.status(pageNum=num, pageSize=size, **query)
                assert answer.json()["devices"]["totalCount"] == len(wanted)
                found += ids(answer)
            assert found == wanted[::-1]
    told = world.status().json()["devices"]["transactions"]
    states = [(each["state"], "devices" in each) for each in told]
    assert states == [("Progress", False)] * 5 + [("Complete", True)] * 9


def test_a_page_has_100_unless_told_otherwise(world: World) -> None:
    for _ in range(101):
        world.upload()
    assert len(ids(world.status())) == 100
    assert len(ids(world.status(pageNum=1))) == 1
    assert world.status(pageSize=1_000_000).json()["devices"]["totalPage"] == 1


def test_a_page_past_the_end_is_refused(world: World) -> None:
    assert_refused(world.status(pageNum=1), 40000002)
    assert_refused(world.status(pageNum=999_999_999, pageSize=1_000_000), 40000002)
    assert_refused(world.status(pageNum="9" * 10_000), 40000002)
    world.uploaded(transactionId="T1")
    assert_refused(world.status(pageNum=1), 40000002)
    assert_refused(world.status(transactionId="T1", pageNum=1, pageSize=1), 40000002)


WRONG_PAGES = [
    ("pageNum", "-1"),
    ("pageNum", "x"),
    ("pageNum", "1.0"),
    ("pageNum", "+1"),
    ("pageNum", " 1"),
    ("pageNum", "1e2"),
    ("pageNum", "0x1"),
    ("pageNum", "１"),
    ("pageNum", "null"),
    ("pageNum", "\0"),
    ("pageSize", "0"),
    ("pageSize", "-1"),
    ("pageSize", "1000001"),
    ("pageSize", "1_000"),
    ("pageSize", "ten"),
    ("pageSize", "9" * 100),
]


@pytest.mark.parametrize(("name", "value"), WRONG_PAGES, ids=lambda value: str(value)[:12])
def test_paging_that_is_no_number_in_range_is_refused(
    refuser: World, name: str, value: str
) -> None:
    for query in ({}, {"transactionId": "T"}):
        assert_refused(refuser.status(**query, **{name: value}), 40000000, name)


# --- filters ------------------------------------------------------------------------------------


def test_a_customer_filters_the_page_and_the_totals(world: World) -> None:
    another = world.another_customer()
    for number in range(5):
        world.upload(transactionId=f"mine{number}")
        world.upload(transactionId=f"other{number}", customerId=another)
    answer = world.status(customerId=another, pageSize=2)
    assert ids(answer) == ["other4", "other3"]
    assert answer.json()["devices"]["totalCount"] == 5
    assert answer.json()["devices"]["totalPage"] == 3
    assert ids(world.status(customerId=another, pageSize=2, pageNum=2)) == ["other0"]
    assert_refused(world.status(customerId=another, pageSize=2, pageNum=3), 40000002)
    assert len(ids(world.status())) == 10


def test_a_transaction_of_another_customer_is_not_found(world: World) -> None:
    another = world.another_customer()
    world.uploaded(transactionId="mine")
    world.uploaded(transactionId="other", customerId=another)
    mine = world.status(transactionId="mine", customerId=world.customer_id)
    assert mine.json()["transactionId"] == "mine"
    assert_refused(world.status(transactionId="other", customerId=world.customer_id), 40000013)


def test_empty_filters_mean_none(world: World) -> None:
    world.uploaded(transactionId="T1")
    assert ids(world.status(transactionId="", customerId="")) == ["T1"]


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ({"resellerId": None}, 40000000, "resellerId"),
        ({"resellerId": ""}, 40000000, "resellerId"),
        ({"resellerId": "no id"}, 40000010, ""),
        ({"resellerId": "\0"}, 40000010, ""),
        ({"resellerId": "x" * 65}, 40000010, ""),
        ({"resellerId": "unknown"}, 40000010, ""),
        ({"customerId": "no id"}, 40000011, ""),
        ({"customerId": "a\0"}, 40000011, ""),
        ({"customerId": "\udcff"}, 40000011, ""),
        ({"customerId": "x" * 65}, 40000011, ""),
        ({"customerId": "unknown"}, 40400002, ""),
        ({"transactionId": "no id"}, 40000013, ""),
        ({"transactionId": "a\0"}, 40000013, ""),
        ({"transactionId": "x" * 65}, 40000013, ""),
        ({"transactionId": "unknown"}, 40000013, ""),
    ],
    ids=str,
)
def test_it_refuses(refuser: World, query: dict[str, Any], code: int, parameter: str) -> None:
    given = {"resellerId": refuser.reseller_id} | query
    named = {name: value for name, value in given.items() if value is not None}
    path = "/devices/status?" + urlencode(named, errors="surrogateescape")
    assert_refused(refuser.call("GET", path), code, parameter)


def test_a_customer_that_was_never_served_is_no_filter(world: World) -> None:
    neighbour = world.neighbour()
    neighbour.uploaded()
    for customer_id in (world.customer_id, neighbour.customer_id):
        assert_refused(world.status(customerId=customer_id), 40400004)


def test_a_closed_customer_is_no_filter(world: World) -> None:
    world.uploaded()
    world.sql("update customer set state = 'closed' where id = %s", world.customer_id)
    assert_refused(world.status(customerId=world.customer_id), 40400002)


@pytest.mark.parametrize("name", ["resellerId", "transactionId", "pageNum", "anything"])
def test_a_query_parameter_given_twice_is_refused(refuser: World, name: str) -> None:
    path = f"/devices/status?resellerId={refuser.reseller_id}&{name}=1&{name}=1"
    assert_refused(refuser.call("GET", path), 40000001, name)
    path = f"/devices/status?resellerId={refuser.reseller_id}&{name}=&{name}="
    assert_refused(refuser.call("GET", path), 40000001, name)


def test_the_operator_sees_each_reseller_and_none_that_does_not_exist(world: World) -> None:
    world.uploaded(transactionId="T1")
    token = world.operator_token()
    query = {"resellerId": world.reseller_id}
    assert ids(world.call("GET", "/devices/status", params=query, token=token)) == ["T1"]
    for path in ("/devices/status", "/devices"):
        unknown = world.call("GET", path, params={"resellerId": fresh("R")}, token=token)
        assert_refused(unknown, 40400001)
        malformed = world.call("GET", path, params={"resellerId": "\0"}, token=token)
        assert_refused(malformed, 40000010)
