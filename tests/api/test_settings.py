"""Settings, each at its edges, for the whole installation and for one reseller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pydantic
import pytest

from support.answers import assert_refused, failure
from support.world import World
from waybill.config import load
from waybill.wire.identifiers import Kind, generate

WorldWith = Callable[..., World]


# --- kdp_release --------------------------------------------------------------------------------


def duplicates(world: World) -> dict[str, list[Any]]:
    """What a second upload of devices is told, by who holds them."""
    neighbour = world.neighbour()
    another = world.another_customer()
    mine, others, theirs, new = generate(Kind.IMEI, 4)
    world.uploaded([mine])
    world.uploaded([others], customerId=another)
    neighbour.uploaded([theirs])
    told = {}
    for name, devices in {
        "same customer": [mine],
        "other customer": [others],
        "other reseller": [theirs],
        "twice in one request": [new, new, f" {new}"],
    }.items():
        told[name] = [each["imei"] for each in world.uploaded(devices).get("devices", [])]
        told[name] = [devices.index(each) for each in told[name]]
    assert world.held() == [mine, others, new]
    assert neighbour.held() == [theirs]
    return told


ALL_TOLD = {
    "same customer": [0],
    "other customer": [0],
    "other reseller": [0],
    "twice in one request": [0, 2],
}
OWN_IN_SILENCE = ALL_TOLD | {"same customer": [], "twice in one request": []}


@pytest.mark.parametrize(
    ("release", "told"),
    [("23.11", ALL_TOLD), ("23.12", OWN_IN_SILENCE), ("25.11", ALL_TOLD)],
)
def test_a_release_decides_which_duplicates_are_told(
    world_with: WorldWith, release: str, told: dict[str, list[int]]
) -> None:
    assert duplicates(world_with(kdp_release=release)) == told


def test_the_newest_release_is_the_default(world: World) -> None:
    assert world.settings.kdp_release == "25.11"
    assert duplicates(world) == ALL_TOLD


@pytest.mark.parametrize(
    ("installation", "own", "told"),
    [
        ("25.11", "23.12", OWN_IN_SILENCE),
        ("23.12", "25.11", ALL_TOLD),
        ("23.12", "23.11", ALL_TOLD),
        ("23.12", None, OWN_IN_SILENCE),
    ],
)
def test_a_resellers_own_release_wins(
    world_with: WorldWith, installation: str, own: str | None, told: dict[str, list[int]]
) -> None:
    world = world_with(kdp_release=installation)
    world.sql("update reseller set kdp_release = %s where no = %s", own, world.number)
    assert duplicates(world) == told


def test_releases_of_two_resellers_do_not_mix(world_with: WorldWith) -> None:
    world = world_with(kdp_release="25.11")
    old = world.neighbour()
    world.sql("update reseller set kdp_release = '23.12' where no = %s", old.number)
    devices = {each: generate(Kind.SN, 2) for each in (world.reseller_id, old.reseller_id)}
    for each in (world, old):
        each.upload(devices[each.reseller_id], type="SN")
        each.upload(devices[each.reseller_id], type="SN", transactionId="again")
    world.work()
    assert len(world.status(transactionId="again").json()["devices"]) == 2
    assert "devices" not in old.status(transactionId="again").json()


def test_what_release_23_12_passes_over_counts_as_neither_done_nor_failed(
    world_with: WorldWith,
) -> None:
    world = world_with(kdp_release="23.12")
    first, second = generate(Kind.IMEI, 2)
    world.uploaded([first], transactionId="T1")
    status = world.uploaded([first, second, second, "x"], transactionId="T2")
    assert status["devices"] == [failure("imei", "x", 40000007)]
    (entry,) = world.entries(transaction="T2")
    counts = {"devices": 4, "ok": 1, "failed": 1, "skipped": 2}
    assert counts.items() <= entry.detail.items()
    # It was not this upload that registered it: taking the upload back leaves it there.
    world.deleted(removeTransactionId="T2")
    assert world.held() == [first]


def test_releases_differ_in_nothing_else(world_with: WorldWith) -> None:
    for release in ("23.11", "23.12", "25.11"):
        world = world_with(kdp_release=release)
        device = generate(Kind.IMEI, 1)
        world.uploaded(device)
        assert "devices" not in world.deleted(device)
        again = world.deleted(device)
        assert again["devices"] == [failure("imei", device[0], 40000044)]
        wrong = ["352099001761480", "000000000000000"]
        codes = [each["code"] for each in world.uploaded(wrong)["devices"]]
        assert codes == [40000007, 40000004]


# --- identifiers --------------------------------------------------------------------------------


def test_imei_check_digits_takes_any_fifteen_digits(world_with: WorldWith) -> None:
    world = world_with(imei_check="digits")
    good = generate(Kind.IMEI, 1)[0]
    wrong = good[:-1] + str((int(good[-1]) + 5) % 10)
    assert "devices" not in world.uploaded([wrong])
    # It is shown with the digit that it came with, and names the same device as the right one.
    assert world.held() == [wrong]
    assert world.uploaded([good])["devices"] == [failure("imei", good, 40000005)]
    for still_wrong in (good[:14], good + "1", "35209900176148O", ""):
        assert world.uploaded([still_wrong])["devices"][0]["code"] == 40000007
    assert "devices" not in world.deleted([good])
    assert world.held() == []


def test_imei_check_luhn_is_the_default(world: World) -> None:
    assert world.settings.imei_check == "luhn"


PLACEHOLDERS = {
    "IMEI": ["000000000000000", "004999010640000", "123456789012347", "490154203237518"],
    "MEID": ["FFFFFFFFFFFFFF"],
    "SN": ["R0000000000", "RRRRRRRRRRR"],
}


@pytest.mark.parametrize("kind", PLACEHOLDERS)
def test_test_identifiers_are_devices_where_they_are_allowed(
    world: World, world_with: WorldWith, kind: str
) -> None:
    member = {"IMEI": "imei", "MEID": "meid", "SN": "serialNumber"}[kind]
    codes = [each["code"] for each in world.uploaded(PLACEHOLDERS[kind], type=kind)["devices"]]
    assert codes == [40000004] * len(codes)
    allowing = world_with(allow_test_ids=True)
    status = allowing.uploaded(PLACEHOLDERS[kind], type=kind)
    assert "devices" not in status, member
    assert len(allowing.held()) == len(PLACEHOLDERS[kind])
    # They are fixed: whoever comes after must find them free.
    assert "devices" not in allowing.deleted(PLACEHOLDERS[kind], type=kind)


def test_a_pattern_of_ones_own_decides_what_a_serial_number_is(world_with: WorldWith) -> None:
    world = world_with(serial_pattern="Z[A-F]{3}[0-9]{8}")
    serial = "ZABC" + generate(Kind.IMEI, 1)[0][6:14]
    normal = generate(Kind.SN, 1)[0]
    status = world.uploaded([serial.lower(), normal], type="SN")
    assert status["devices"] == [failure("serialNumber", normal, 40000009)]
    assert world.held() == [serial]
    assert "devices" not in world.deleted([serial], type=None)


@pytest.mark.parametrize("pattern", ["(", "[0-9A-F]{14}", ".*"])
def test_a_pattern_that_would_take_other_devices_is_refused_at_the_start(pattern: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        load(serial_pattern=pattern)


# --- limits -------------------------------------------------------------------------------------


def test_page_size_max_is_the_largest_page(world_with: WorldWith) -> None:
    world = world_with(page_size_max=7)
    devices = generate(Kind.IMEI, 8)
    for each in devices:
        world.upload([each])
    world.work()
    calls = ("/devices", "/devices/status", "/customers/list")
    for path in calls:

        def ask(path: str = path, **query: int) -> Any:
            return world.call("GET", path, params={"resellerId": world.reseller_id, **query})

        assert ask(pageSize=7).status_code == 200
        assert_refused(ask(pageSize=8), 40000000, "pageSize")
        # The page that nobody asked for is no larger either.
        assert ask().status_code == 200
    assert world.devices().json()["pageSize"] == 7
    assert len(world.devices().json()["devices"]) == 7
    assert len(world.status().json()["devices"]["transactions"]) == 7


def test_the_largest_page_is_a_million_by_default(world: World) -> None:
    assert world.devices(pageSize=1_000_000).json()["pageSize"] == 1_000_000
    assert_refused(world.devices(pageSize=1_000_001), 40000000, "pageSize")


def test_upload_devices_max_is_the_largest_request(world_with: WorldWith) -> None:
    world = world_with(upload_devices_max=3)
    devices = generate(Kind.IMEI, 4)
    assert_refused(world.upload(devices), 40000003)
    assert "devices" not in world.uploaded(devices[:3])
    assert_refused(world.delete(devices), 40000003)
    assert "devices" not in world.deleted(devices[:3])
    # What counts is how many were sent, not how many they are.
    assert_refused(world.upload(devices[:1] * 4), 40000003)


def test_one_device_is_the_least_limit(world_with: WorldWith) -> None:
    world = world_with(upload_devices_max=1)
    devices = generate(Kind.IMEI, 2)
    assert_refused(world.upload(devices), 40000003)
    assert "devices" not in world.uploaded(devices[:1])
    with pytest.raises(pydantic.ValidationError):
        load(upload_devices_max=0)


def test_the_limit_is_100_000_by_default_and_larger_bodies_fit_a_larger_one(
    world: World, world_with: WorldWith
) -> None:
    assert world.settings.upload_devices_max == 100_000
    generous = world_with(upload_devices_max=200_000)
    # 12 MB, most of it what nobody reads.
    answer = generous.upload(generate(Kind.SN, 1), type="SN", note="x" * 12_000_000)
    assert answer.status_code == 200, answer.text
    assert_refused(world.upload(["1"], note="x" * 12_000_000), 40000003)
    assert_refused(generous.upload(["1"] * 200_001), 40000003)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("kdp_release", "24.1"),
        ("status_shape", "bare"),
        ("imei_check", "none"),
        ("page_size_max", 0),
        ("page_size_max", 10_000_001),
        ("upload_devices_max", 1_000_001),
        ("refusals_per_minute", -1),
        ("request_time_s", 0),
        ("bodies_in_flight_max", 1_000),
        ("database_pool", 0),
    ],
)
def test_a_setting_out_of_range_is_refused_at_the_start(name: str, wrong: object) -> None:
    with pytest.raises(pydantic.ValidationError):
        load(**{name: wrong})
