"""What an import does to the list, and to devices that were registered before it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from support.answers import failure
from support.manufactured import WAYS, Named, import_into, imported, invented
from support.world import World
from waybill.devices.rules import KIND_NUMBER
from waybill.manufactured import store
from waybill.manufactured.rules import Defect, Phone
from waybill.wire.identifiers import Kind, generate, meid_decimal


def listed(world: World, name: str) -> Phone | None:
    """The phone that the list has under a name, spelled as `device.key` is."""
    with world.tx() as tx:
        found = store.find(tx, name)
    return found[0] if found else None


def periods(world: World, phone: Phone) -> list[tuple[Any, ...]]:
    """What was ever registered under any of a phone's names, the oldest first."""
    return world.sql(
        "select reseller, key, kind, removed_by is null from device where key = any(%s)"
        " order by upload",
        phone.names,
    )


def live_counts(world: World) -> tuple[int, int]:
    """How many devices the reseller holds, by its blocks and by its devices."""
    return world.sql(
        "select (select sum(live) from device_block where reseller = %(r)s and customer = 0)::int,"
        " (select count(*) from device where reseller = %(r)s and removed_by is null)::int".replace(
            "%(r)s", str(world.number)
        )
    )[0]  # type: ignore[return-value]


# --- the list -----------------------------------------------------------------------------------


def test_every_name_of_an_imported_phone_finds_it(world: World) -> None:
    phone = invented()
    assert imported(world, [phone]) == []
    assert [listed(world, name) for name in phone.names] == [phone] * 4


def test_the_same_file_again_changes_nothing(world: World) -> None:
    phones = [invented() for _ in range(50)]
    first, _ = import_into(world.settings.database_url, phones)
    before = world.sql(
        "select key, imported_at, xmin::text from manufactured where key = any(%s)"
        " union all select alias, null, xmin::text from identifier_link where key = any(%s)"
        " order by 1",
        keys := [phone.key for phone in phones],
        keys,
    )
    second, wrong = import_into(world.settings.database_url, random.sample(phones, 50))
    assert (first.added, first.unchanged) == (50, 0)
    assert (second.added, second.changed, second.unchanged, wrong) == (0, 0, 50, [])
    assert before == world.sql(
        "select key, imported_at, xmin::text from manufactured where key = any(%s)"
        " union all select alias, null, xmin::text from identifier_link where key = any(%s)"
        " order by 1",
        keys,
        keys,
    )


def test_a_later_file_can_change_the_model(world: World) -> None:
    phone = invented()
    imported(world, [phone])
    assert imported(world, [phone._replace(model="SM-S921B")]) == []
    assert listed(world, phone.serial) == phone._replace(model="SM-S921B")


def test_a_later_file_with_fewer_columns_takes_nothing_away(world: World) -> None:
    phone = invented()
    imported(world, [phone])
    tally, _ = import_into(world.settings.database_url, [Phone(imei=phone.imei)])
    assert tally.unchanged == 1
    assert listed(world, phone.key) == phone


@pytest.mark.parametrize("lacking", ["imei2", "meid", "serial"])
def test_a_phone_can_gain_an_identifier_by_a_later_file(world: World, lacking: str) -> None:
    phone = invented()
    imported(world, [phone._replace(**{lacking: ""})])
    tally, _ = import_into(world.settings.database_url, [phone])
    assert tally.changed == 1
    assert [listed(world, name) for name in phone.names] == [phone] * 4


def test_a_phone_known_by_its_serial_number_can_gain_its_imeis(world: World) -> None:
    phone = invented()
    imported(world, [Phone(serial=phone.serial)])
    world.uploaded([phone.serial], type="SN")
    assert imported(world, [phone]) == []
    assert [listed(world, name) for name in phone.names] == [phone] * 4
    assert world.held() == [phone.imei]
    assert world.uploaded([phone.imei2])["devices"][0]["code"] == 40000005


def one_defect(found: list[Defect], row: int, column: str, value: str) -> Defect:
    """The only thing that was wrong, in this row, column and value."""
    (defect,) = found
    assert (defect.row, defect.column, defect.value) == (row, column, value)
    return defect


@pytest.mark.parametrize("other", ["imei2", "meid", "serial"])
def test_what_contradicts_the_list_is_refused_and_told(world: World, other: str) -> None:
    phone, wrong = invented(), getattr(invented(), other)
    imported(world, [phone])
    defect = one_defect(imported(world, [phone._replace(**{other: wrong})]), 2, other, wrong)
    assert getattr(phone, other) in defect.reason
    assert phone.imei in defect.reason
    assert listed(world, phone.key) == phone
    assert listed(world, wrong[:14] if other == "imei2" else wrong) is None


def test_another_imei_1_for_a_known_serial_number_is_refused(world: World) -> None:
    phone, wrong = invented(), invented()
    imported(world, [phone])
    (defect,) = imported(world, [Phone(imei=wrong.imei, serial=phone.serial)])
    assert (defect.column, defect.value) == ("imei", wrong.imei)
    assert listed(world, wrong.key) is None


def test_a_row_that_would_join_two_listed_phones_is_refused(world: World) -> None:
    one, two = invented(imei2="", meid="", serial=""), invented(imei="", imei2="", meid="")
    imported(world, [one, two])
    (defect,) = imported(world, [one._replace(serial=two.serial)])
    assert one.imei in defect.reason
    assert two.serial in defect.reason
    assert [listed(world, each.key) for each in (one, two)] == [one, two]


@pytest.mark.parametrize("portion", [1, 10_000])
@pytest.mark.parametrize("shared", ["imei2", "meid", "serial"])
def test_a_second_row_of_one_phone_is_refused_and_names_the_first(
    world: World, shared: str, portion: int
) -> None:
    first, between, second = invented(), invented(), invented()
    second = second._replace(**{shared: getattr(first, shared)})
    found = imported(world, [first, between, second], portion)
    defect = one_defect(found, 4, shared, getattr(first, shared))
    assert "Row 2 " in defect.reason
    assert listed(world, second.key) is None
    # The same once more: what an import says does not depend on what is in the list.
    assert imported(world, [first, between, second], portion) == found


@pytest.mark.parametrize("portion", [1, 10_000])
def test_rows_that_repeat_only_a_refused_row_go_in(world: World, portion: int) -> None:
    first, third = invented(), invented()
    second = first._replace(serial=third.serial)
    defects = imported(world, [first, second, third], portion)
    assert [each.row for each in defects] == [3]
    assert listed(world, third.serial) == third


def test_two_rows_that_the_list_knows_for_one_phone_are_told_apart(world: World) -> None:
    phone = invented()
    imported(world, [phone])
    defects = imported(world, [Phone(imei=phone.imei), Phone(serial=phone.serial)], 1)
    assert [each.row for each in defects] == [3]


def test_a_trial_changes_nothing_and_says_the_same(world: World) -> None:
    phones = [invented() for _ in range(5)]
    phones.append(invented(serial=phones[2].serial))
    world.uploaded([phones[0].imei2])
    trial, wrong = import_into(world.settings.database_url, phones, 2, keep=False)
    assert all(listed(world, phone.key) is None for phone in phones)
    assert world.held() == [phones[0].imei2]
    done, wrong_then = import_into(world.settings.database_url, phones, 2)
    assert wrong == wrong_then
    assert trial[:5] == done[:5]


def test_an_import_is_one_entry_in_the_activity_log(world: World) -> None:
    phones = [invented() for _ in range(7)]
    world.uploaded([phones[0].serial], type="SN")
    phones.append(phones[0])
    tally, _ = import_into(world.settings.database_url, phones, 3)
    ((event, by, detail),) = world.sql(
        "select event, performed_by, detail from activity where id = %s", tally.entry
    )
    assert (event, by) == ("Manufacturing list imported", "test")
    assert detail == {
        "file": "list.csv",
        "rows": 8,
        "added": 7,
        "changed": 0,
        "unchanged": 0,
        "refused": 1,
        "mended": 0,
        "rekeyed": 1,
    }


# --- devices that were there before -------------------------------------------------------------


@pytest.mark.parametrize("how", WAYS)
def test_what_was_held_under_any_name_is_then_held_under_all(world: World, how: str) -> None:
    phone = invented()
    named = Named.of(phone, how)
    world.uploaded([named.text], type=named.kind.value)
    assert imported(world, [phone]) == []
    assert world.held() == [phone.imei]
    assert periods(world, phone) == [(world.number, phone.key, 1, True)]
    for other in WAYS:
        again = Named.of(phone, other)
        failed = world.uploaded([again.text], type=again.kind.value)["devices"]
        assert failed == [failure(again.member, again.text, 40000005)]
    assert live_counts(world) == (1, 1)
    assert "devices" not in world.deleted([phone.imei2])
    assert live_counts(world) == (0, 0)


def test_what_was_held_before_keeps_its_place_its_time_and_its_id(world: World) -> None:
    phones = [invented() for _ in range(3)]
    world.uploaded([phone.serial for phone in phones], type="SN")
    before = world.devices().json()["devices"]
    imported(world, phones[1:2])
    after = world.devices().json()["devices"]
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert [each["createTime"] for each in after] == [each["createTime"] for each in before]
    assert [each.get("mei") for each in after] == [None, phones[1].imei, None]


def test_periods_that_are_over_are_put_under_the_phone_as_well(world: World) -> None:
    phone, neighbour = invented(), world.neighbour()
    for each, named in ((world, phone.imei2), (neighbour, phone.serial), (world, phone.imei)):
        kind = "SN" if named == phone.serial else "IMEI"
        each.uploaded([named], type=kind)
        each.deleted([named], type=kind)
    world.uploaded([phone.imei2])
    assert imported(world, [phone]) == []
    assert periods(world, phone) == [
        (world.number, phone.key, 1, False),
        (neighbour.number, phone.key, 1, False),
        (world.number, phone.key, 1, False),
        (world.number, phone.key, 1, True),
    ]


def test_a_phone_without_imei_gives_what_was_held_the_kind_of_its_key(world: World) -> None:
    phone = invented(imei="", imei2="")
    world.uploaded([phone.serial], type="SN")
    imported(world, [phone])
    assert periods(world, phone) == [(world.number, phone.meid, KIND_NUMBER[Kind.MEID], True)]
    (shown,) = world.devices().json()["devices"]
    assert (shown["meid"], shown["serialNumber"]) == (meid_decimal(phone.meid), phone.serial)


def test_the_kind_of_a_name_is_numbered_as_devices_number_it() -> None:
    assert store.KIND_NUMBER == KIND_NUMBER


@pytest.mark.parametrize("portion", [1, 10_000])
def test_a_row_that_would_join_devices_held_separately_is_refused_and_named(
    world: World, portion: int
) -> None:
    phones, neighbour = [invented() for _ in range(3)], world.neighbour()
    world.uploaded([phone.imei for phone in phones])
    neighbour.uploaded([phones[1].serial], type="SN")
    defect = one_defect(imported(world, phones, portion), 3, "imei", phones[1].imei)
    assert phones[1].imei in defect.reason
    assert phones[1].serial in defect.reason
    assert neighbour.reseller_id not in defect.reason
    assert world.held() == [phone.imei for phone in phones]
    assert neighbour.held() == [phones[1].serial]
    assert [listed(world, phone.key) for phone in phones] == [phones[0], None, phones[2]]
    # Once one of the two is gone the row goes in.
    neighbour.deleted([phones[1].serial], type="SN")
    assert imported(world, phones) == []
    assert neighbour.uploaded([phones[1].serial], type="SN")["devices"]


def test_a_row_that_would_join_what_one_reseller_holds_twice_is_refused(world: World) -> None:
    phone = invented()
    world.uploaded([phone.imei2, phone.imei])
    assert imported(world, [phone])
    assert world.held() == [phone.imei2, phone.imei]
    assert live_counts(world) == (2, 2)


def test_a_row_that_would_join_what_one_delete_ended_is_refused(world: World) -> None:
    phone = invented()
    world.uploaded([phone.imei, phone.imei2])
    world.deleted([phone.imei, phone.imei2])
    (defect,) = imported(world, [phone])
    assert "one delete" in defect.reason
    assert listed(world, phone.key) is None


def test_gaining_an_identifier_joins_nothing_that_is_held_separately(world: World) -> None:
    phone = invented()
    imported(world, [phone._replace(imei2="")])
    world.uploaded([phone.imei])
    world.neighbour().uploaded([phone.imei2])
    assert imported(world, [phone])
    assert listed(world, phone.key) == phone._replace(imei2="")


def test_all_of_ten_thousand_held_by_serial_number_are_called_by_imei_1(world: World) -> None:
    phones = [invented() for _ in range(10_000)]
    world.uploaded([phone.serial for phone in phones], type="SN")
    tally, wrong = import_into(world.settings.database_url, phones, 4_000)
    assert (tally.rekeyed, wrong) == (10_000, [])
    assert world.held() == [phone.imei for phone in phones]
    assert live_counts(world) == (10_000, 10_000)
    failed = world.uploaded([phone.imei2 for phone in phones])["devices"]
    assert failed == [failure("imei", phone.imei2, 40000005) for phone in phones]


def test_devices_of_no_listed_phone_stay_as_they_are(world: World) -> None:
    devices = generate(Kind.SN, 3)
    world.uploaded(devices, type="SN")
    imported(world, [invented()])
    assert world.held() == devices
