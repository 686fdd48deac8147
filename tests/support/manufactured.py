"""Phones for the manufacturing list, and importing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from support.world import World
from waybill import clock
from waybill.db.connect import connect
from waybill.manufactured import actions
from waybill.manufactured.actions import Tally
from waybill.manufactured.rules import Defect, Phone, Portion, Row
from waybill.wire.identifiers import Kind, generate, meid_decimal


def invented(**known: str) -> Phone:
    """A phone with everything that a phone can have, or with what is given; "" leaves one out."""
    imei, imei2 = generate(Kind.IMEI, 2)
    whole = Phone(imei, imei2, generate(Kind.MEID, 1)[0], generate(Kind.SN, 1)[0], "SM-G981B/DS")
    return whole._replace(**known)


WAYS = ("IMEI 1", "IMEI 2", "MEID", "decimal MEID", "serial number")


class Named(NamedTuple):
    """One of the ways to name a phone: its `type`, the member a status shows it under, the text."""

    kind: Kind
    member: str
    text: str

    @classmethod
    def of(cls, phone: Phone, how: str) -> Named:
        """A phone by one of `WAYS`."""
        decimal = meid_decimal(phone.meid)
        assert decimal
        return {
            "IMEI 1": cls(Kind.IMEI, "imei", phone.imei),
            "IMEI 2": cls(Kind.IMEI, "imei", phone.imei2),
            "MEID": cls(Kind.MEID, "meid", phone.meid),
            "decimal MEID": cls(Kind.MEID, "meid", decimal),
            "serial number": cls(Kind.SN, "serialNumber", phone.serial),
        }[how]


def imported(world: World, phones: Sequence[Phone], portion: int = 10_000) -> list[Defect]:
    """Imports phones, a row each from row 2 on; gives what was wrong with rows."""
    return import_into(world.settings.database_url, phones, portion)[1]


def import_into(
    url: str, phones: Sequence[Phone], portion: int = 10_000, *, keep: bool = True
) -> tuple[Tally, list[Defect]]:
    """Imports phones as the command line does: each portion in a transaction of its own."""
    tally, wrong = Tally(), []
    at = clock.now()
    with connect(url) as tx:
        actions.begin(tx)
        tx.commit()
        rows = [Row(number, phone) for number, phone in enumerate(phones, 2)]
        for first in range(0, len(rows), portion):
            part = Portion(rows[first : first + portion])
            tally, defects = actions.take_in(
                tx, part, tally, file="list.csv", by="test", at=at, keep=keep
            )
            tx.commit()
            wrong += defects
    assert tally.refused == len({each.row for each in wrong})
    return tally, wrong
