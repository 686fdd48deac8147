"""Whatever names a listed phone names one device: in uploads, in deletes, in what is shown."""

from __future__ import annotations

import itertools
import random

import pytest

from support.answers import failure
from support.manufactured import WAYS, Named, imported, invented
from support.world import World
from waybill.config import Settings
from waybill.wire.identifiers import Kind, generate, luhn_digit, meid_decimal


def refused(named: Named, code: int = 40000005) -> list[dict[str, object]]:
    """What a status shows when the only device of a request was refused."""
    return [failure(named.member, named.text, code)]


def test_an_upload_by_imei_1_bars_one_by_imei_2(world: World) -> None:
    phone = invented()
    imported(world, [phone])
    assert "devices" not in world.uploaded([phone.imei])
    assert world.uploaded([phone.imei2])["devices"] == [failure("imei", phone.imei2, 40000005)]
    assert world.held() == [phone.imei]


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(WAYS, 2)))
def test_an_upload_by_any_identifier_bars_one_by_any_other(
    world: World, first: str, second: str
) -> None:
    phone = invented()
    imported(world, [phone])
    one, other = Named.of(phone, first), Named.of(phone, second)
    assert "devices" not in world.uploaded([one.text], type=one.kind.value)
    assert world.uploaded([other.text], type=other.kind.value)["devices"] == refused(other)
    assert world.neighbour().uploaded([other.text], type=other.kind.value)["devices"] == refused(
        other
    )


@pytest.mark.parametrize("how", WAYS)
def test_a_phone_is_shown_with_all_that_the_list_knows_of_it(world: World, how: str) -> None:
    phone = invented()
    imported(world, [phone])
    named = Named.of(phone, how)
    world.uploaded([named.text], type=named.kind.value)
    (shown,) = world.devices().json()["devices"]
    assert shown["mei"] == phone.imei
    assert shown["meid"] == meid_decimal(phone.meid)
    assert shown["serialNumber"] == phone.serial
    assert shown["model"] == phone.model


def test_without_a_listed_meid_it_is_derived_from_imei_1(world: World) -> None:
    phone = invented(meid="")
    imported(world, [phone])
    world.uploaded([phone.imei2])
    (shown,) = world.devices().json()["devices"]
    assert shown["meid"] == meid_decimal(phone.imei[:14])


def test_a_phone_without_imei_is_shown_by_what_it_has(world: World) -> None:
    by_meid, by_serial = invented(imei="", imei2="", model=""), invented(imei="", imei2="", meid="")
    imported(world, [by_meid, by_serial])
    world.uploaded([by_meid.serial, by_serial.serial], type="SN")
    first, second = world.devices().json()["devices"]
    assert (first["meid"], first["serialNumber"]) == (meid_decimal(by_meid.meid), by_meid.serial)
    assert not {"mei", "model"} & first.keys()
    assert (second["serialNumber"], second["model"]) == (by_serial.serial, by_serial.model)
    assert not {"mei", "meid"} & second.keys()


def test_two_identifiers_of_one_phone_in_one_upload_are_one_device(world: World) -> None:
    phones = [invented() for _ in range(20)]
    imported(world, phones)
    sent = [imei for phone in phones for imei in (phone.imei, phone.imei2)]
    random.shuffle(sent)
    seen: set[str] = set()
    expected = []
    for imei in sent:
        (phone,) = (each for each in phones if imei in each)
        if phone.imei in seen:
            expected.append(failure("imei", imei, 40000005))
        seen.add(phone.imei)
    assert world.uploaded(sent)["devices"] == expected
    assert sorted(world.held()) == sorted(seen)


def test_release_23_12_passes_over_another_identifier_of_its_own_device(world: World) -> None:
    world.sql("update reseller set kdp_release = '23.12' where no = %s", world.number)
    phone = invented()
    imported(world, [phone])
    assert "devices" not in world.uploaded([phone.imei2, phone.imei])
    assert "devices" not in world.uploaded([phone.serial], type="SN")
    assert world.held() == [phone.imei]


@pytest.mark.parametrize("how", WAYS)
def test_a_phone_is_let_go_of_by_any_of_its_identifiers(world: World, how: str) -> None:
    phone = invented()
    imported(world, [phone])
    world.uploaded([phone.imei2])
    named = Named.of(phone, how)
    assert "devices" not in world.deleted([named.text], type=named.kind.value)
    assert world.held() == []
    assert "devices" not in world.uploaded([phone.serial], type="SN")


def test_a_phone_named_twice_in_one_delete_is_gone_the_second_time(world: World) -> None:
    phone = invented()
    imported(world, [phone])
    world.uploaded([phone.imei])
    failed = world.deleted([phone.imei2, phone.imei])["devices"]
    assert [(each["imei"], each["code"]) for each in failed] == [(phone.imei, 40000044)]


def test_a_delete_by_upload_removes_the_phone_whatever_it_was_uploaded_as(world: World) -> None:
    phone = invented()
    imported(world, [phone])
    world.uploaded([phone.serial], type="SN", transactionId="UPLOAD")
    assert "devices" not in world.deleted(removeTransactionId="UPLOAD")
    assert world.held() == []


def test_an_unlisted_device_is_what_it_was(world: World) -> None:
    imported(world, [invented()])
    devices = generate(Kind.IMEI, 3)
    assert "devices" not in world.uploaded(devices)
    assert world.held() == devices
    assert not {"serialNumber", "model"} & world.devices().json()["devices"][0].keys()


def test_a_check_digit_that_is_wrong_but_allowed_does_not_follow_the_phone(
    world: World,
) -> None:
    # The form in which one identifier was sent must not be shown as another one's.
    world.settings = Settings.model_validate(world.settings.model_dump() | {"imei_check": "digits"})
    phone = invented()
    imported(world, [phone])
    right = luhn_digit(phone.imei2[:14])
    world.uploaded([phone.imei2[:14] + str((int(right) + 1) % 10)])
    assert world.held() == [phone.imei]
