"""Refusals of whole requests: each with its error object, byte by byte, and nothing is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from blackbox import Account, Service, fresh, imeis

from support.answers import assert_refused

HUGE = "9" * 65


@pytest.mark.parametrize("operation", ["upload", "delete"])
@pytest.mark.parametrize(
    ("members", "code", "parameter"),
    [
        ({"customerId": None}, 40000000, "customerId"),
        ({"customerId": ""}, 40000000, "customerId"),
        ({"customerId": 7}, 40000000, "customerId"),
        ({"resellerId": None}, 40000000, "resellerId"),
        ({"transactionId": None}, 40000000, "transactionId"),
        ({"devices": []}, 40000000, "devices"),
        ({"devices": "355012110834716"}, 40000000, "devices"),
        ({"devices": [355012110834716]}, 40000000, "devices"),
        ({"type": "imei"}, 40000000, "type"),
        ({"resellerId": fresh("R")}, 40000010, ""),
        ({"resellerId": "no id"}, 40000010, ""),
        ({"customerId": "no id"}, 40000011, ""),
        ({"customerId": HUGE}, 40000011, ""),
        ({"vendorId": fresh("V")}, 40400003, ""),
        ({"transactionId": "no id"}, 40000013, ""),
        ({"transactionId": HUGE}, 40000013, ""),
    ],
)
def test_a_request_with_a_defect_is_refused(
    served: Service,
    reseller: Account,
    operation: str,
    members: dict[str, Any],
    code: int,
    parameter: str,
) -> None:
    members = {"devices": imeis(1)} | members
    before = reseller.total()
    assert_refused(reseller.puts(operation, served.customer_id, **members), code, parameter)
    assert reseller.total() == before


@pytest.mark.parametrize(
    ("members", "parameter"),
    [
        ({"type": None}, "type"),
        ({"orderNo": "x" * 65}, "orderNo"),
        ({"orderTime": -1}, "orderTime"),
        ({"orderTime": "today"}, "orderTime"),
        ({"profileAliases": [{}]}, "profileAlias"),
        ({"profileAliases": [{"profileAlias": "nobody shares this"}]}, "profileAlias"),
    ],
)
def test_an_upload_is_refused_for_what_it_alone_has(
    served: Service, reseller: Account, members: dict[str, Any], parameter: str
) -> None:
    members = {"devices": imeis(1)} | members
    answer = reseller.puts("upload", served.customer_id, **members)
    assert_refused(answer, 40000000, parameter)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"customerId":"a","customerId":"b"}',
        b'{"customerId":"\\ud800"}',
        b"\xff",
        b"NaN",
        b"[" * 10_000,
    ],
)
def test_what_is_no_strict_json_is_refused(reseller: Account, body: bytes) -> None:
    assert_refused(reseller.call("PUT", "/devices/upload", content=body), 40000000, "body")


@pytest.mark.parametrize("content_type", ["application/java", "text/plain", ""])
def test_a_body_is_json_whatever_its_type_says(
    served: Service, reseller: Account, content_type: str
) -> None:
    body = {
        "customerId": served.customer_id,
        "resellerId": reseller.reseller_id,
        "transactionId": fresh("T"),
        "type": "IMEI",
        "devices": imeis(1),
        "nobody": "knows this",
    }
    headers = {"Content-Type": content_type}
    answer = reseller.call(
        "PUT", "/devices/upload", content=json.dumps(body).encode(), headers=headers
    )
    reseller.settled(answer)


def test_a_customer_that_is_none_is_told_as_each_call_does(
    served: Service, reseller: Account
) -> None:
    nobody, devices = fresh("C"), imeis(1)
    assert_refused(reseller.puts("upload", nobody, devices=devices), 40000011)
    assert_refused(reseller.puts("delete", nobody, devices=devices), 40400002)
    assert_refused(reseller.gets("/devices", customerId=nobody), 40400002)
    assert_refused(reseller.gets("/devices/status", customerId=nobody), 40400002)
    headers = {"resellerId": reseller.reseller_id, "customerId": nobody}
    assert_refused(reseller.call("GET", "/profilealias/kme", headers=headers), 40400002)
    headers["customerId"] = "no id"
    assert_refused(reseller.call("GET", "/profilealias/kme", headers=headers), 40000011)
    assert_refused(
        reseller.call("GET", "/profilealias/kme", params=headers), 40000000, "resellerId"
    )


def test_a_customer_that_was_never_served_is_told_of(reseller: Account, unserved: str) -> None:
    assert_refused(reseller.puts("delete", unserved, devices=imeis(1)), 40400004)
    assert_refused(reseller.gets("/devices", customerId=unserved), 40400004)
    assert_refused(reseller.gets("/devices/status", customerId=unserved), 40400004)
    headers = {"resellerId": reseller.reseller_id, "customerId": unserved}
    assert_refused(reseller.call("GET", "/profilealias/kme", headers=headers), 40400004)


def test_a_transaction_id_serves_once_and_a_refused_one_is_not_used_up(
    served: Service, reseller: Account
) -> None:
    transaction, devices = fresh("T"), imeis(1)
    named = {"transactionId": transaction, "devices": devices}
    assert_refused(reseller.puts("upload", fresh("C"), **named), 40000011)
    reseller.uploads(served.customer_id, **named)
    assert_refused(reseller.puts("upload", served.customer_id, **named), 40000014)
    assert_refused(reseller.puts("delete", served.customer_id, **named), 40000014)


def test_what_a_delete_may_name(served: Service, reseller: Account) -> None:
    customer, devices = served.customer_id, imeis(1)
    upload = reseller.uploads(customer, devices)["transactionId"]
    both = reseller.puts("delete", customer, devices=devices, removeTransactionId=upload)
    assert_refused(both, 40000001, "devices, removeTransactionId")
    assert_refused(reseller.puts("delete", customer), 40000000, "devices")
    unknown = reseller.puts("delete", customer, removeTransactionId=fresh("T"))
    assert_refused(unknown, 40000013)
    others = reseller.puts("delete", served.other_customer_id, removeTransactionId=upload)
    assert_refused(others, 40000013)
    delete = reseller.deletes(customer, removeTransactionId=upload)["transactionId"]
    assert_refused(reseller.puts("delete", customer, removeTransactionId=delete), 40000013)


def test_more_devices_than_a_request_may_hold_are_refused(
    served: Service, reseller: Account
) -> None:
    too_many = imeis(1) * 100_001
    assert_refused(reseller.puts("upload", served.customer_id, devices=too_many), 40000003)


@pytest.mark.parametrize("path", ["/devices", "/devices/status", "/customers/list", "/customers"])
@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ({"pageNum": "-1"}, 40000000, "pageNum"),
        ({"pageNum": "one"}, 40000000, "pageNum"),
        ({"pageNum": "999999"}, 40000002, ""),
        ({"pageSize": "0"}, 40000000, "pageSize"),
        ({"pageSize": "1000001"}, 40000000, "pageSize"),
        ({"pageSize": "1.5"}, 40000000, "pageSize"),
        ({"resellerId": ""}, 40000000, "resellerId"),
        ({"resellerId": fresh("R")}, 40000010, ""),
    ],
)
def test_a_list_is_refused_for_its_query(
    reseller: Account, path: str, query: dict[str, str], code: int, parameter: str
) -> None:
    assert_refused(reseller.gets(path, **query), code, parameter)


def test_a_query_parameter_may_come_once(reseller: Account) -> None:
    path = f"/devices?resellerId={reseller.reseller_id}&pageNum=0&pageNum=0"
    assert_refused(reseller.call("GET", path), 40000001, "pageNum")


def test_a_status_names_a_transaction_that_there_is(served: Service, reseller: Account) -> None:
    assert_refused(reseller.gets("/devices/status", transactionId=fresh("T")), 40000013)
    made = reseller.uploads(served.customer_id, imeis(1))["transactionId"]
    query = {"transactionId": made, "customerId": served.other_customer_id}
    assert_refused(reseller.gets("/devices/status", **query), 40000013)


def test_what_no_path_knows(served: Service, reseller: Account) -> None:
    assert_refused(reseller.call("GET", "/nothing"), 40400000)
    answer = reseller.call("GET", "/devices/upload")
    assert_refused(answer, 40500000)
    assert answer.headers["allow"] == "PUT"


def test_guessing_a_secret_is_slowed_down(served: Service, reseller: Account) -> None:
    nobody = fresh("nobody")
    statuses = [reseller.asks_token(client_id=nobody).status_code for _ in range(20)]
    assert statuses == [401] * 20
    answer = reseller.asks_token(client_id=nobody)
    assert_refused(answer, 42900000)
    assert int(answer.headers["retry-after"]) > 0
    assert reseller.asks_token().status_code == 200
