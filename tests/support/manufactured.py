"""Phones for the manufacturing list, and importing them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from support.world import World
from waybill import clock
from waybill.db.connect import connect
from waybill.manufactured import actions
from waybill.manufactured.actions import Tally
from waybill.manufactured.rules import Defect, Phone, Portion, Row
from waybill.wire.identifiers import Kind, generate


def invented(**known: str) -> Phone:
    """A phone with everything that a phone can have, or with what is given; "" leaves one out."""
    imei, imei2 = generate(Kind.IMEI, 2)
    whole = Phone(imei, imei2, generate(Kind.MEID, 1)[0], generate(Kind.SN, 1)[0], "SM-G981B/DS")
    return whole._replace(**known)


def imported(world: World, phones: Sequence[Phone], portion: int = 10_000) -> list[Defect]:
    """Imports phones, a row each from row 2 on; gives what was wrong with rows."""
    tally, wrong = Tally(), []
    with connect(world.settings.database_url) as tx:
        actions.begin(tx)
        tx.commit()
        rows = [Row(number, phone) for number, phone in enumerate(phones, 2)]
        for first in range(0, len(rows), portion):
            part = Portion(rows[first : first + portion])
            tally, defects = actions.take_in(
                tx, part, tally, file="list.csv", by="test", at=clock.now()
            )
            tx.commit()
            wrong += defects
    assert tally.refused == len({each.row for each in wrong})
    return wrong
