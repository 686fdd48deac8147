"""`PUT /devices/delete`."""

from __future__ import annotations

from typing import Any

import pytest

from support.answers import assert_refused, failure
from support.invented import many
from support.world import World, fresh
from waybill.wire.identifiers import Kind, generate, meid_decimal


def removal(world: World, upload: str, **changed: Any) -> dict[str, Any]:
    """Deletes what an upload registered, works it off, and gives the bare status."""
    return world.deleted(removeTransactionId=upload, **changed)


def test_it_works(world: World) -> None:
    devices = generate(Kind.IMEI, 3)
    world.uploaded(devices)
    answer = world.delete(devices[:2], transactionId="T2")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (
        b'{"transactionId":"T2","state":"Progress","code":2000000,"message":"SUCCESS",'
        b'"operationType":"DELETE"}'
    )
    assert world.held() == devices
    world.work()
    assert world.held() == devices[2:]
    assert world.status(transactionId="T2").content == (
        b'{"transactionId":"T2","state":"Complete","type":"Delete","operationType":"DELETE"}'
    )


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("typed", [True, False])
def test_every_type_of_device_can_be_deleted(world: World, kind: Kind, typed: bool) -> None:
    devices = generate(kind, 3)
    world.uploaded(devices, type=kind.value)
    gone = world.deleted(devices[:2], type=kind.value if typed else None)
    assert "devices" not in gone
    left = [meid_decimal(devices[2])] if kind is Kind.MEID else devices[2:]
    assert world.held() == left


def test_without_type_all_types_may_come_together(world: World) -> None:
    imei, meid, serial = (generate(kind, 1)[0] for kind in Kind)
    other_meid = generate(Kind.MEID, 1)[0]
    world.uploaded([imei])
    world.uploaded([meid, other_meid], type="MEID")
    world.uploaded([serial], type="SN")
    sent = [serial.lower(), f" {imei}", meid_decimal(meid), other_meid.lower(), "35209900176148"]
    status = world.deleted(sent, type=None)  # type: ignore[arg-type]
    assert status["devices"] == [failure("imei", "35209900176148", 40000006)]
    assert world.held() == []


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_type_is_none(world: World, nothing: str | None) -> None:
    serial = generate(Kind.SN, 1)
    world.uploaded(serial, type="SN")
    body = world.upload_body(serial) | {"type": nothing}
    assert world.call("PUT", "/devices/delete", json=body).status_code == 200
    world.work()
    assert world.held() == []


def test_a_device_is_deleted_by_any_of_its_names(world: World) -> None:
    imei = generate(Kind.IMEI, 1)[0]
    meid = meid_decimal(imei[:14])
    assert meid
    for devices, kind in (([meid], "MEID"), ([imei[:14]], "MEID"), ([meid], None)):
        world.uploaded([imei])
        assert "devices" not in world.deleted(devices, type=kind)
        assert world.held() == []


# --- each device --------------------------------------------------------------------------------


def test_what_is_not_there_another_customers_or_another_resellers_is_answered_alike(
    world: World,
) -> None:
    neighbour = world.neighbour()
    another = world.another_customer()
    unknown, others, theirs = generate(Kind.IMEI, 3)
    world.associated()
    world.uploaded([others], customerId=another)
    neighbour.uploaded([theirs], customerId=world.customer_id)
    sent = [unknown, others, theirs]
    status = world.deleted(sent)
    assert status["devices"] == [failure("imei", each, 40000044) for each in sent]
    assert status["devices"][0]["data"] == (
        f"This device {unknown} does not exist for current customer and reseller."
    )
    assert world.held() == [others]
    assert neighbour.held() == [theirs]


def test_the_device_is_named_in_the_text_as_it_was_sent(world: World) -> None:
    imei = generate(Kind.IMEI, 1)[0]
    world.associated()
    odd = f" {imei[:8]}-{imei[8:14]}-{imei[14]}"
    assert world.deleted([odd])["devices"] == [failure("imei", odd, 40000044)]


def test_a_device_twice_in_one_delete_is_not_found_the_second_time(world: World) -> None:
    imei = generate(Kind.IMEI, 1)[0]
    world.uploaded([imei])
    status = world.deleted([imei, f" {imei}", meid_decimal(imei[:14])], type=None)  # type: ignore[list-item]
    assert status["devices"] == [
        failure("imei", f" {imei}", 40000044),
        failure("meid", meid_decimal(imei[:14]) or "", 40000044),
    ]
    assert world.held() == []


@pytest.mark.parametrize(
    ("kind", "member", "wrong", "placeholder", "code"),
    [
        ("IMEI", "imei", "352099001761480", "000000000000000", 40000007),
        ("MEID", "meid", "AF0123450ABCDED", "FFFFFFFFFFFFFF", 40000008),
        ("SN", "serialNumber", "S58M315CL4T", "R0000000000", 40000009),
        (None, "imei", "352099001761480", "000000000000000", 40000006),
        (None, "imei", "352099001761481 x", "000000000000000", 40000006),
    ],
)
def test_form_comes_first_then_placeholders_then_what_is_not_there(
    world: World, kind: str | None, member: str, wrong: str, placeholder: str, code: int
) -> None:
    world.associated()
    missing = generate(Kind(kind or "IMEI"), 1)[0]
    status = world.deleted([missing, placeholder, wrong, placeholder], type=kind)
    assert status["devices"] == [
        failure(member, missing, 40000044),
        failure(member, placeholder, 40000004),
        failure(member, wrong, code),
        failure(member, placeholder, 40000004),
    ]


def test_placeholders_without_type_are_shown_under_what_they_look_like(world: World) -> None:
    world.associated()
    status = world.deleted(["FFFFFFFFFFFFFF", "R0000000000", "111111111111119"], type=None)
    assert status["devices"] == [
        failure("meid", "FFFFFFFFFFFFFF", 40000004),
        failure("serialNumber", "R0000000000", 40000004),
        failure("imei", "111111111111119", 40000004),
    ]


# --- by the upload ------------------------------------------------------------------------------


def test_an_upload_is_taken_back_by_its_id(world: World) -> None:
    first, second = generate(Kind.IMEI, 3), generate(Kind.SN, 2)
    world.uploaded(first, transactionId="U1")
    world.uploaded(second, type="SN", transactionId="U2")
    answer = world.delete(removeTransactionId="U1", transactionId="D1")
    assert answer.content == (
        b'{"transactionId":"D1","state":"Progress","code":2000000,"message":"SUCCESS",'
        b'"operationType":"DELETE"}'
    )
    world.work()
    assert world.status(transactionId="D1").content == (
        b'{"transactionId":"D1","state":"Complete","type":"Delete","operationType":"DELETE"}'
    )
    assert world.held() == second
    # Its devices are free again, also for others.
    assert "devices" not in world.neighbour().uploaded(first)


def test_only_what_that_upload_registered_and_is_still_there_is_removed(world: World) -> None:
    before, kept, deleted, again = generate(Kind.IMEI, 4)
    world.uploaded([before])
    world.uploaded([before, kept, deleted, again], transactionId="U")
    world.deleted([deleted, again])
    world.uploaded([again])
    removal(world, "U")
    assert world.held() == [before, again]
    assert world.devices().json()["totalCount"] == 2


def test_an_upload_that_is_not_yet_worked_off_is_removed_after_it(world: World) -> None:
    devices = generate(Kind.IMEI, 3)
    world.upload(devices, transactionId="U")
    assert removal(world, "U")["state"] == "Complete"
    assert world.status(transactionId="U").json()["state"] == "Complete"
    assert world.held() == []


def test_an_upload_can_be_removed_twice_and_the_second_finds_nothing(world: World) -> None:
    world.uploaded(transactionId="U")
    for _ in range(2):
        assert "devices" not in removal(world, "U")
    world.uploaded(["nothing good"], transactionId="V")
    assert "devices" not in removal(world, "V")


@pytest.mark.parametrize("count", [9_999, 10_000, 10_001, 20_000])
def test_large_uploads_are_removed_whole(world: World, count: int) -> None:
    devices = many(Kind.SN, count)
    world.uploaded(devices, type="SN", transactionId="U")
    world.uploaded(transactionId="V")
    assert removal(world, "U")["state"] == "Complete"
    told = world.devices().json()
    assert (told["totalCount"], len(told["devices"])) == (1, 1)


def test_type_and_empty_devices_beside_it_mean_nothing(world: World) -> None:
    world.uploaded(transactionId="U")
    body = world.upload_body([]) | {"removeTransactionId": "U", "type": "SN"}
    assert world.call("PUT", "/devices/delete", json=body).status_code == 200
    world.work()
    assert world.held() == []


def test_devices_beside_it_are_one_too_many(world: World) -> None:
    devices = generate(Kind.IMEI, 1)
    world.uploaded(devices, transactionId="U")
    answer = world.delete(devices, removeTransactionId="U")
    assert_refused(answer, 40000001, "devices, removeTransactionId")


def test_what_is_no_upload_of_this_reseller_for_this_customer_cannot_be_removed(
    world: World,
) -> None:
    another = world.another_customer()
    neighbour = world.neighbour()
    world.associated()
    world.uploaded(transactionId="other-customers", customerId=another)
    neighbour.uploaded(transactionId="other-resellers", customerId=world.customer_id)
    world.deleted(generate(Kind.IMEI, 1), transactionId="a-delete")
    wrong = ["other-customers", "other-resellers", "a-delete", "unknown", "no id", "\0", "x" * 65]
    for upload in wrong:
        assert_refused(world.delete(removeTransactionId=upload), 40000013)
    # Nor itself.
    answer = world.delete(removeTransactionId="same", transactionId="same")
    assert_refused(answer, 40000013)
    assert len(world.held()) == len(neighbour.held()) == 1


# --- order --------------------------------------------------------------------------------------


def test_delete_then_upload_to_another_customer_sent_back_to_back_works(world: World) -> None:
    devices = generate(Kind.IMEI, 2)
    another = world.another_customer()
    world.uploaded(devices)
    world.delete([devices[0]], transactionId="T1")
    world.upload([devices[0]], transactionId="T2", customerId=another)
    world.delete([devices[0]], transactionId="T3")
    world.delete([devices[0]], transactionId="T4", customerId=another)
    world.upload([devices[0]], transactionId="T5")
    world.work()
    for name in ("T1", "T2", "T4", "T5"):
        assert "devices" not in world.status(transactionId=name).json(), name
    assert world.status(transactionId="T3").json()["devices"] == [
        failure("imei", devices[0], 40000044)
    ]
    assert world.held(customerId=world.customer_id) == [devices[1], devices[0]]


# --- refusals -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def serving(refuser: World) -> World:
    """A reseller that serves its customer already."""
    refuser.associated()
    return refuser


@pytest.mark.parametrize(
    ("changed", "code", "parameter"),
    [
        ({"customerId": None}, 40000000, "customerId"),
        ({"customerId": ""}, 40000000, "customerId"),
        ({"customerId": 5}, 40000000, "customerId"),
        ({"resellerId": None}, 40000000, "resellerId"),
        ({"resellerId": []}, 40000000, "resellerId"),
        ({"transactionId": None}, 40000000, "transactionId"),
        ({"transactionId": 1.5}, 40000000, "transactionId"),
        ({"devices": None}, 40000000, "devices"),
        ({"devices": []}, 40000000, "devices"),
        ({"devices": "352099001761481"}, 40000000, "devices"),
        ({"devices": [1]}, 40000000, "devices"),
        ({"devices": None, "removeTransactionId": ""}, 40000000, "devices"),
        ({"removeTransactionId": 5}, 40000000, "removeTransactionId"),
        ({"removeTransactionId": ["U"]}, 40000000, "removeTransactionId"),
        ({"type": "ESN"}, 40000000, "type"),
        ({"type": "sn"}, 40000000, "type"),
        ({"type": 5}, 40000000, "type"),
        ({"vendorId": 5}, 40000000, "vendorId"),
        ({"resellerId": "a b"}, 40000010, ""),
        ({"resellerId": "unknown"}, 40000010, ""),
        ({"customerId": "a b"}, 40000011, ""),
        ({"customerId": "\0"}, 40000011, ""),
        ({"customerId": "unknown"}, 40400002, ""),
        ({"vendorId": "unknown"}, 40400003, ""),
        ({"vendorId": "\0"}, 40400003, ""),
        ({"transactionId": "a b"}, 40000013, ""),
        ({"transactionId": "\0"}, 40000013, ""),
        ({"devices": ["352099001761481"] * 100_001}, 40000003, ""),
    ],
    ids=lambda changed: str(changed)[:50],
)
def test_it_refuses(serving: World, changed: dict[str, Any], code: int, parameter: str) -> None:
    body = serving.upload_body() | changed
    assert_refused(serving.call("PUT", "/devices/delete", json=body), code, parameter)


def test_a_customer_that_was_never_served_is_refused(world: World) -> None:
    neighbour = world.neighbour()
    neighbour.uploaded()
    for customer_id in (world.customer_id, neighbour.customer_id):
        answer = world.delete(generate(Kind.IMEI, 1), customerId=customer_id)
        assert_refused(answer, 40400004)


def test_a_closed_customer_is_refused(world: World) -> None:
    devices = generate(Kind.IMEI, 1)
    world.uploaded(devices)
    world.sql("update customer set state = 'closed' where id = %s", world.customer_id)
    assert_refused(world.delete(devices), 40400002)


def test_a_vendor_of_ones_own_is_taken_and_anothers_is_not_found(world: World) -> None:
    devices = generate(Kind.IMEI, 1)
    world.uploaded(devices)
    assert_refused(world.delete(devices, vendorId=world.neighbour().vendor()), 40400003)
    assert "devices" not in world.deleted(devices, vendorId=world.vendor())


def test_a_refused_delete_changes_nothing_and_leaves_its_id_free(world: World) -> None:
    devices = generate(Kind.IMEI, 1)
    world.uploaded(devices)
    assert_refused(world.delete(devices, transactionId="D", vendorId=fresh("V")), 40400003)
    world.work()
    assert world.held() == devices
    assert_refused(world.status(transactionId="D"), 40000013)
    assert "devices" not in world.deleted(devices, transactionId="D")


def test_the_operator_deletes_for_any_reseller_that_exists(world: World) -> None:
    devices = generate(Kind.IMEI, 1)
    world.uploaded(devices)
    token = world.operator_token()
    body = world.upload_body(devices)
    unknown = body | {"resellerId": fresh("R")}
    assert_refused(world.call("PUT", "/devices/delete", json=unknown, token=token), 40400001)
    assert world.call("PUT", "/devices/delete", json=body, token=token).status_code == 200
    world.work()
    assert world.held() == []
