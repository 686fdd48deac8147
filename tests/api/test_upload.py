"""`PUT /devices/upload`."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.answers import assert_refused, failure
from support.invented import many
from support.world import World, fresh
from waybill.wire.identifiers import Kind, generate, luhn_digit, meid_decimal

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."


def wrong_digit(imei: str) -> str:
    """The IMEI with another check digit."""
    return imei[:-1] + str((int(imei[-1]) + 1) % 10)


def test_it_works(world: World) -> None:
    good = generate(Kind.IMEI, 1)[0]
    wrong = wrong_digit(good)
    answer = world.upload([good, wrong], transactionId="T1")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (
        b'{"transactionId":"T1","state":"Progress","code":2000000,"message":"SUCCESS",'
        b'"operationType":"UPLOAD"}'
    )
    world.work()
    assert world.status(transactionId="T1").json() == {
        "transactionId": "T1",
        "state": "Complete",
        "type": "Put",
        "devices": [
            {
                "imei": wrong,
                "code": 40000007,
                "message": "DEVICE_IMEI_INVALID",
                "data": "The specified IMEI is not valid.",
            }
        ],
        "operationType": "UPLOAD",
    }
    assert world.held() == [good]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_type_of_device_can_be_uploaded(world: World, kind: Kind) -> None:
    devices = generate(kind, 3)
    assert "devices" not in world.uploaded(devices, type=kind.value)
    shown = [meid_decimal(each) for each in devices] if kind is Kind.MEID else devices
    assert world.held() == shown


def test_of_ten_thousand_devices_exactly_the_bad_ones_are_reported_in_request_order(
    world: World,
) -> None:
    present = generate(Kind.IMEI, 5)
    world.uploaded(present)
    good = many(Kind.IMEI, 9_985)
    odd = {wrong_digit(each): 40000007 for each in generate(Kind.IMEI, 7)}
    odd |= dict.fromkeys([*present, *random.sample(good, 3)], 40000005)
    devices = [*good]
    for each in odd:
        # A repeated one comes after the one that it repeats.
        after = good.index(each) + 1 if each in good else 0
        devices.insert(random.randint(after + len(devices) - len(good), len(devices)), each)
    assert len(devices) == 10_000
    expected, seen = [], set(present)
    for each in devices:
        if each in seen or odd.get(each) == 40000007:
            expected.append(failure("imei", each, odd[each]))
        seen.add(each)
    assert world.uploaded(devices)["devices"] == expected
    assert len(expected) == 15
    assert world.held() == [*present, *good]


# --- members that may be left out ---------------------------------------------------------------

OPTIONAL = ("orderNo", "orderTime", "vendorId", "targetService", "profileAliases")


@pytest.mark.parametrize("name", OPTIONAL)
def test_null_and_empty_optional_members_mean_absent(world: World, name: str) -> None:
    nothings: list[Any] = [None, [] if name == "profileAliases" else ""]
    for nothing in nothings:
        body = world.upload_body() | {name: nothing}
        answer = world.call("PUT", "/devices/upload", json=body)
        assert answer.status_code == 200, answer.text
        world.work()
        assert "orderNo" not in world.status(transactionId=body["transactionId"]).json()


@pytest.mark.parametrize(
    "changed",
    [
        {"orderNo": "x"},
        {"orderNo": "x" * 64},
        {"orderNo": "Aß漢🚚 #1/2"},
        {"orderTime": 0},
        {"orderTime": 4_102_444_800},
        {"orderTime": "0"},
        {"orderTime": "4102444800"},
        {"orderTime": "1757550709"},
        {"targetService": "KME"},
        {"targetService": "ein anderer Dienst 🚚" * 20},
        {"vendorId": None},
        {"somethingElse": {"nobody": ["knows", 1.5, None]}},
        {"removeTransactionId": "of no meaning here"},
    ],
    ids=str,
)
def test_optional_members_are_taken(world: World, changed: dict[str, Any]) -> None:
    assert world.uploaded(**changed)["state"] == "Complete"


@pytest.mark.parametrize(
    ("changed", "parameter"),
    [
        ({"orderNo": "x" * 65}, "orderNo"),
        ({"orderNo": "a\nb"}, "orderNo"),
        ({"orderNo": "a\0b"}, "orderNo"),
        ({"orderNo": "\x7f"}, "orderNo"),
        ({"orderNo": 1}, "orderNo"),
        ({"orderNo": ["x"]}, "orderNo"),
        ({"orderTime": -1}, "orderTime"),
        ({"orderTime": 4_102_444_801}, "orderTime"),
        ({"orderTime": "4102444801"}, "orderTime"),
        ({"orderTime": "-1"}, "orderTime"),
        ({"orderTime": "+1"}, "orderTime"),
        ({"orderTime": " 1"}, "orderTime"),
        ({"orderTime": "1.0"}, "orderTime"),
        ({"orderTime": "soon"}, "orderTime"),
        ({"orderTime": "١"}, "orderTime"),
        ({"orderTime": 1.5}, "orderTime"),
        ({"orderTime": True}, "orderTime"),
        ({"orderTime": {}}, "orderTime"),
        ({"orderTime": 10**30}, "orderTime"),
        ({"targetService": 5}, "targetService"),
        ({"targetService": "a\0b"}, "targetService"),
        ({"profileAliases": "x"}, "profileAliases"),
        ({"profileAliases": {"profileAlias": "x"}}, "profileAliases"),
        ({"profileAliases": ["x"]}, "profileAliases"),
        ({"profileAliases": [{}]}, "profileAlias"),
        ({"profileAliases": [{"profileAlias": ""}]}, "profileAlias"),
        ({"profileAliases": [{"profileAlias": 5}]}, "profileAlias"),
        ({"profileAliases": [{"profileAlias": "nobody knows it"}]}, "profileAlias"),
        ({"profileAliases": [{"profileAlias": "a\0b"}]}, "profileAlias"),
        ({"profileAliases": [{"profileAlias": "x", "serviceId": 5}]}, "serviceId"),
        ({"customerId": None}, "customerId"),
        ({"customerId": ""}, "customerId"),
        ({"customerId": 5}, "customerId"),
        ({"customerId": ["x"]}, "customerId"),
        ({"resellerId": None}, "resellerId"),
        ({"resellerId": ""}, "resellerId"),
        ({"resellerId": 5}, "resellerId"),
        ({"transactionId": None}, "transactionId"),
        ({"transactionId": ""}, "transactionId"),
        ({"transactionId": 5}, "transactionId"),
        ({"transactionId": False}, "transactionId"),
        ({"vendorId": 5}, "vendorId"),
        ({"type": None}, "type"),
        ({"type": ""}, "type"),
        ({"type": "imei"}, "type"),
        ({"type": "IMEI "}, "type"),
        ({"type": "ESN"}, "type"),
        ({"type": 1}, "type"),
        ({"devices": []}, "devices"),
        ({"devices": ""}, "devices"),
        ({"devices": "352099001761481"}, "devices"),
        ({"devices": {"imei": "352099001761481"}}, "devices"),
        ({"devices": 352099001761481}, "devices"),
        ({"devices": True}, "devices"),
        ({"devices": [["352099001761481"]]}, "devices"),
        ({"devices": ["352099001761481", None]}, "devices"),
    ],
    ids=str,
)
def test_a_member_of_the_wrong_form_is_refused_by_its_name(
    refuser: World, changed: dict[str, Any], parameter: str
) -> None:
    body = refuser.upload_body() | changed
    assert_refused(refuser.call("PUT", "/devices/upload", json=body), 40000000, parameter)
    if body["transactionId"]:
        missing = {name: value for name, value in body.items() if value is not None}
        answer = refuser.call("PUT", "/devices/upload", json=missing)
        assert_refused(answer, 40000000, parameter)


@pytest.mark.parametrize("name", ["customerId", "resellerId", "transactionId", "devices", "type"])
def test_a_member_that_is_missing_is_named(refuser: World, name: str) -> None:
    body = refuser.upload_body()
    del body[name]
    assert_refused(refuser.call("PUT", "/devices/upload", json=body), 40000000, name)


# --- whom it is for -----------------------------------------------------------------------------

MALFORMED = ["x" * 65, "a b", "a/b", "ä", "a\nb", "a\0b", "a'b", "*", "１２３"]


@pytest.mark.parametrize("wrong", MALFORMED)
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("resellerId", 40000010),
        ("customerId", 40000011),
        ("transactionId", 40000013),
        ("vendorId", 40400003),
    ],
)
def test_an_id_that_is_malformed_is_refused(
    refuser: World, name: str, code: int, wrong: str
) -> None:
    assert_refused(refuser.upload(None, **{name: wrong}), code)


def test_ids_may_have_up_to_64_letters_digits_and_marks(world: World) -> None:
    for transaction_id in ("-", LETTERS[:64], LETTERS[-64:]):
        assert len(LETTERS) == 65
        assert world.uploaded(transactionId=transaction_id)["transactionId"] == transaction_id


def test_another_reseller_and_one_that_does_not_exist_are_refused_alike(refuser: World) -> None:
    others = [refuser.neighbour().reseller_id, fresh("R"), refuser.reseller_id.lower()]
    for other in others:
        assert_refused(refuser.upload(resellerId=other), 40000010)


def test_a_customer_that_does_not_exist_is_refused(refuser: World) -> None:
    assert_refused(refuser.upload(customerId=fresh("C")), 40000011)


def test_a_closed_customer_is_refused(refuser: World) -> None:
    closed = refuser.another_customer()
    refuser.sql("update customer set state = 'closed' where id = %s", closed)
    assert_refused(refuser.upload(customerId=closed), 40000011)


def test_a_vendor_of_ones_own_is_taken_and_any_other_is_not_found(world: World) -> None:
    assert world.uploaded(vendorId=world.vendor())["state"] == "Complete"
    assert_refused(world.upload(vendorId=fresh("V")), 40400003)
    assert_refused(world.upload(vendorId=world.neighbour().vendor()), 40400003)


def test_aliases_that_are_shared_are_taken_and_others_are_refused(world: World) -> None:
    world.associated()
    world.alias("Kiosk")
    world.alias("Außendienst 🚚")
    known = [{"profileAlias": "Kiosk", "serviceId": "KME"}, {"profileAlias": "Außendienst 🚚"}]
    assert world.uploaded(profileAliases=known)["state"] == "Complete"
    for wrong in ("kiosk", "Kiosk ", "Reception"):
        answer = world.upload(profileAliases=[*known, {"profileAlias": wrong}])
        assert_refused(answer, 40000000, "profileAlias")


def test_an_alias_shared_by_another_customer_or_with_another_reseller_is_refused(
    world: World,
) -> None:
    world.associated()
    world.alias("Kiosk")
    kiosk = [{"profileAlias": "Kiosk"}]
    answer = world.upload(customerId=world.another_customer(), profileAliases=kiosk)
    assert_refused(answer, 40000000, "profileAlias")
    answer = world.neighbour().upload(customerId=world.customer_id, profileAliases=kiosk)
    assert_refused(answer, 40000000, "profileAlias")


def test_the_operator_uploads_for_any_reseller_that_exists(world: World) -> None:
    token = world.operator_token()
    body = world.upload_body()
    assert world.call("PUT", "/devices/upload", json=body, token=token).status_code == 200
    world.work()
    assert world.held() == body["devices"]
    body = world.upload_body(resellerId=fresh("R"))
    assert_refused(world.call("PUT", "/devices/upload", json=body, token=token), 40400001)
    body = world.upload_body(resellerId="no id")
    assert_refused(world.call("PUT", "/devices/upload", json=body, token=token), 40000010)


# --- the transaction's ID -----------------------------------------------------------------------


def test_a_transaction_id_serves_a_reseller_once_and_for_ever(world: World) -> None:
    world.uploaded(transactionId="once")
    for _ in range(2):
        assert_refused(world.upload(transactionId="once"), 40000014)
        assert_refused(world.delete(generate(Kind.IMEI, 1), transactionId="once"), 40000014)
    world.deleted(generate(Kind.IMEI, 1), transactionId="then")
    assert_refused(world.upload(transactionId="then"), 40000014)
    assert_refused(
        world.upload(transactionId="then", customerId=world.another_customer()), 40000014
    )
    assert world.upload(transactionId="Once").status_code == 200


def test_resellers_do_not_share_transaction_ids(world: World) -> None:
    neighbour = world.neighbour()
    assert world.uploaded(transactionId="same")["state"] == "Complete"
    assert neighbour.uploaded(generate(Kind.SN, 1), type="SN", transactionId="same")
    assert len(world.held()) == len(neighbour.held()) == 1


def test_a_transaction_id_sent_many_times_at_once_is_accepted_once(world: World) -> None:
    devices = generate(Kind.IMEI, 16)

    def send(device: str) -> int:
        answer = world.upload([device], transactionId="race")
        if answer.status_code != 200:
            assert_refused(answer, 40000014)
        return answer.status_code

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, devices))
    assert sorted(answers) == [200] + [400] * 15
    world.work()
    assert world.held() == [devices[answers.index(200)]]


@pytest.mark.parametrize(
    "changed",
    [{"type": "?"}, {"orderNo": "x" * 65}, {"vendorId": "V"}, {"customerId": "C"}],
    ids=str,
)
def test_a_refused_upload_changes_nothing(world: World, changed: dict[str, Any]) -> None:
    body = world.upload_body(transactionId="T")
    before = world.sql("select count(*) from transaction where reseller = %s", world.number)
    assert world.call("PUT", "/devices/upload", json=body | changed).status_code >= 400
    world.work()
    assert world.held() == []
    assert_refused(world.status(transactionId="T"), 40000013)
    assert_refused(world.status(customerId=world.customer_id), 40400004)
    after = world.sql("select count(*) from transaction where reseller = %s", world.number)
    assert after == before
    # Its ID is as good as new.
    assert world.call("PUT", "/devices/upload", json=body).status_code == 200


# --- the association ----------------------------------------------------------------------------


def test_the_first_upload_makes_the_customer_the_resellers(world: World) -> None:
    assert_refused(world.devices(customerId=world.customer_id), 40400004)
    assert world.upload().status_code == 200
    assert world.devices(customerId=world.customer_id).status_code == 200
    listed = world.call("GET", "/customers/list", params={"resellerId": world.reseller_id})
    assert listed.json()["customers"] == [{"name": "Customer", "customerId": world.customer_id}]


def test_it_does_so_even_if_every_device_fails(world: World) -> None:
    status = world.uploaded(["nothing", "of", "worth"])
    assert [each["code"] for each in status["devices"]] == [40000007] * 3
    assert world.devices(customerId=world.customer_id).json()["totalCount"] == 0


def test_uploads_that_associate_at_once_make_one_association(world: World) -> None:
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: world.upload().status_code, range(12)))
    assert answers == [200] * 12
    listed = world.call("GET", "/customers/list", params={"resellerId": world.reseller_id})
    assert listed.json()["totalCount"] == 1


# --- each device --------------------------------------------------------------------------------


def test_who_holds_a_device_is_told_to_nobody(world: World) -> None:
    mine = generate(Kind.IMEI, 1)
    world.uploaded(mine)
    neighbour = world.neighbour()
    another = world.another_customer()
    same = world.uploaded(mine)
    other_customer = world.uploaded(mine, customerId=another)
    other_reseller = neighbour.uploaded(mine)
    for status in (same, other_customer, other_reseller):
        assert status["devices"] == [failure("imei", mine[0], 40000005)]
    assert neighbour.held() == []
    assert world.held() == mine


def test_a_device_twice_in_one_request_counts_the_first_time(world: World) -> None:
    first, second = generate(Kind.IMEI, 2)
    status = world.uploaded([first, second, first, f" {first} ", second])
    assert status["devices"] == [
        failure("imei", first, 40000005),
        failure("imei", f" {first} ", 40000005),
        failure("imei", second, 40000005),
    ]
    assert world.held() == [first, second]


def test_all_ways_to_write_a_device_name_one_device(world: World) -> None:
    body = generate(Kind.IMEI, 1)[0][:14]
    imei = body + luhn_digit(body)
    grouped = [
        f"{imei[:2]}-{imei[2:8]}-{imei[8:14]}-{imei[14]}",
        f"{imei[:8]} {imei[8:14]} {imei[14]}",
    ]
    world.uploaded([imei])
    assert len(world.uploaded(grouped)["devices"]) == 2
    decimal = meid_decimal(body)
    assert decimal
    meids = [
        body,
        decimal,
        decimal + luhn_digit(decimal),
        " ".join(map("".join, zip(*[iter(body)] * 2, strict=True))),
    ]
    status = world.uploaded(meids, type="MEID")
    assert status["devices"] == [failure("meid", each, 40000005) for each in meids]
    assert world.held() == [imei]


def test_both_forms_of_a_meid_and_both_cases_name_one_device(world: World) -> None:
    meid = generate(Kind.MEID, 1)[0]
    serial = generate(Kind.SN, 1)[0]
    decimal = meid_decimal(meid)
    assert decimal
    assert "devices" not in world.uploaded([decimal], type="MEID")
    assert len(world.uploaded([meid, meid.lower()], type="MEID")["devices"]) == 2
    assert "devices" not in world.uploaded([serial.lower()], type="SN")
    assert world.uploaded([serial], type="SN")["devices"] == [
        failure("serialNumber", serial, 40000005)
    ]
    assert world.held() == [decimal, serial]


def test_form_comes_before_placeholder_and_placeholder_before_duplicate(world: World) -> None:
    good, wrong, placeholder = generate(Kind.IMEI, 1)[0], "352099001761480", "000000000000000"
    status = world.uploaded([wrong, placeholder, good] * 2)
    assert [(each["imei"], each["code"]) for each in status["devices"]] == [
        (wrong, 40000007),
        (placeholder, 40000004),
        (wrong, 40000007),
        (placeholder, 40000004),
        (good, 40000005),
    ]


@pytest.mark.parametrize(
    ("kind", "member", "code"),
    [
        ("IMEI", "imei", 40000007),
        ("MEID", "meid", 40000008),
        ("SN", "serialNumber", 40000009),
    ],
)
def test_a_device_of_the_wrong_form_gets_the_code_and_the_member_of_its_type(
    world: World, kind: str, member: str, code: int
) -> None:
    wrong = ["", " ", "x" * 1000, "a\0b", "a\nb", "\\", '"', "é", "🚚", "'; drop table device; --"]
    status = world.uploaded(wrong, type=kind)
    assert status["devices"] == [failure(member, each, code) for each in wrong]


def test_more_devices_than_the_limit_are_refused(refuser: World) -> None:
    devices = ["352099001761481"] * 100_001
    assert_refused(refuser.upload(devices), 40000003)


# --- whatever clients send beside ---------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [None, "application/java", "text/plain", "application/json; charset=utf-16", "", "///"],
)
def test_the_body_is_json_whatever_its_type_says(world: World, content_type: str | None) -> None:
    body = world.http.build_request("PUT", "/", json=world.upload_body()).content
    headers = {} if content_type is None else {"content-type": content_type}
    answer = world.call("PUT", "/devices/upload", content=body, headers=headers)
    assert answer.status_code == 200, answer.text


def test_headers_and_query_parameters_that_mean_nothing_are_ignored(world: World) -> None:
    answer = world.call(
        "PUT",
        "/devices/upload",
        json=world.upload_body(),
        params={"resellerId": "of another", "x": "\0", "": ""},
        headers={
            "x-wsm-managed-tenantid": "5",
            "x-knox-transactionId": "6",
            "Accept": "text/html",
            "Host": "eu-kcs-api.samsungknox.com",
        },
    )
    assert answer.status_code == 200, answer.text
