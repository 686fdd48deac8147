"""Where the list is enforced, what it does not have is no device: 40000004."""

from __future__ import annotations

import pytest

from support.answers import failure
from support.manufactured import WAYS, Named, imported, invented
from support.world import World
from waybill.config import Settings
from waybill.wire.identifiers import Kind, generate


@pytest.fixture
def enforced(world: World) -> World:
    """A world whose reseller may upload listed devices only."""
    world.sql("update reseller set enforce_manufactured = true where no = %s", world.number)
    return world


def test_an_unlisted_device_is_no_device(enforced: World) -> None:
    imei = generate(Kind.IMEI, 1)[0]
    assert enforced.uploaded([imei])["devices"] == [failure("imei", imei, 40000004)]
    assert enforced.held() == []


@pytest.mark.parametrize("how", WAYS)
def test_a_listed_one_is_by_whatever_names_it(enforced: World, how: str) -> None:
    phone = invented()
    imported(enforced, [phone])
    named = Named.of(phone, how)
    assert "devices" not in enforced.uploaded([named.text], type=named.kind.value)
    assert enforced.held() == [phone.imei]


def test_only_the_unlisted_ones_of_an_upload_fail_in_request_order(enforced: World) -> None:
    phones = [invented() for _ in range(30)]
    imported(enforced, phones)
    listed, unlisted = [phone.imei2 for phone in phones], generate(Kind.IMEI, 30)
    sent = [each for pair in zip(listed, unlisted, strict=True) for each in pair]
    expected = [failure("imei", imei, 40000004) for imei in unlisted]
    assert enforced.uploaded(sent)["devices"] == expected
    assert enforced.held() == [phone.imei for phone in phones]


def test_it_is_looked_at_before_whether_the_device_exists_already(enforced: World) -> None:
    imei = generate(Kind.IMEI, 1)[0]
    enforced.neighbour().uploaded([imei])
    failed = enforced.uploaded([imei, imei])["devices"]
    assert failed == [failure("imei", imei, 40000004)] * 2


def test_it_is_looked_at_after_the_form(enforced: World) -> None:
    assert enforced.uploaded(["350000000000000"])["devices"][0]["code"] == 40000007


def test_a_delete_of_what_is_neither_listed_nor_held_names_no_device(enforced: World) -> None:
    enforced.associated()
    imei, phone = generate(Kind.IMEI, 1)[0], invented()
    imported(enforced, [phone])
    failed = enforced.deleted([imei, phone.imei2])["devices"]
    assert failed == [failure("imei", imei, 40000004), failure("imei", phone.imei2, 40000044)]


def test_a_delete_does_not_tell_whether_somebody_else_holds_an_unlisted_device(
    enforced: World,
) -> None:
    enforced.associated()
    imei = generate(Kind.IMEI, 1)[0]
    enforced.neighbour().uploaded([imei])
    assert enforced.deleted([imei])["devices"] == [failure("imei", imei, 40000004)]


def test_what_was_taken_before_it_was_enforced_can_still_be_let_go_of(world: World) -> None:
    imei, other = generate(Kind.IMEI, 2)
    world.uploaded([imei])
    world.uploaded([other], transactionId="UPLOAD")
    world.sql("update reseller set enforce_manufactured = true where no = %s", world.number)
    assert "devices" not in world.deleted([imei])
    assert "devices" not in world.deleted(removeTransactionId="UPLOAD")
    assert world.held() == []
    assert world.uploaded([imei])["devices"] == [failure("imei", imei, 40000004)]


def test_a_list_that_arrives_later_lets_the_device_in(enforced: World) -> None:
    phone = invented()
    assert enforced.uploaded([phone.imei2])["devices"]
    imported(enforced, [phone])
    assert "devices" not in enforced.uploaded([phone.imei2])


@pytest.mark.parametrize(
    ("installation", "own", "taken"),
    [
        (True, None, False),
        (True, False, True),
        (False, None, True),
        (False, True, False),
    ],
)
def test_a_reseller_s_own_setting_wins_over_the_installation_s(
    world: World, installation: bool, own: bool | None, taken: bool
) -> None:
    changed = world.settings.model_dump() | {"enforce_manufactured": installation}
    world.settings = Settings.model_validate(changed)
    world.sql("update reseller set enforce_manufactured = %s where no = %s", own, world.number)
    assert ("devices" not in world.uploaded()) is taken
