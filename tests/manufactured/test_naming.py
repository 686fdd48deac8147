"""Whatever names a listed phone names one device, in uploads, deletes and lists."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from support.answers import failure
from support.manufactured import imported, invented
from support.world import World
from waybill.wire.identifiers import Kind, meid_decimal


def test_an_upload_by_imei_1_bars_one_by_imei_2(world: World) -> None:
    phone = invented()
    imported(world, [phone])
    assert "devices" not in world.uploaded([phone.imei])
    assert world.uploaded([phone.imei2])["devices"] == [failure("imei", phone.imei2, 40000005)]
    assert world.held() == [phone.imei]
