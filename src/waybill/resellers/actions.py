"""Who a call acts for, and making resellers and vendors."""

from __future__ import annotations

from datetime import datetime

from waybill.activity import store as activity
from waybill.auth.rules import Caller
from waybill.db.tx import Tx
from waybill.resellers import store
from waybill.resellers.store import Reseller
from waybill.wire.codes import Code, Refused
from waybill.wire.events import Event
from waybill.wire.gen2 import is_id


def acting(tx: Tx, caller: Caller, reseller_id: str) -> Reseller:
    """The reseller that a call acts for.

    Raises:
        Refused: 40000010 for any reseller but the caller's own, existing or not; for the operator
            40000010 for a malformed ID and 40400001 for a reseller that does not exist.
    """
    if caller.reseller is not None and reseller_id != caller.reseller_id:
        raise Refused(Code.RESELLER_ID_INVALID)
    if not is_id(reseller_id):
        raise Refused(Code.RESELLER_ID_INVALID)
    reseller = store.find(tx, reseller_id)
    if reseller is None or reseller.state == "closed":
        raise Refused(Code.RESELLER_NOT_FOUND)
    return reseller


def create(tx: Tx, reseller_id: str, name: str, *, by: str, at: datetime) -> int | None:
    """Makes a reseller; returns its number, or None when the ID is taken."""
    no = store.insert(tx, reseller_id, name, at)
    if no is not None:
        activity.add(tx, Event.RESELLER_CREATED, by=by, at=at, reseller=no, detail={"name": name})
    return no


def create_vendor(
    tx: Tx, reseller: int, vendor_id: str, name: str, *, by: str, at: datetime
) -> bool:
    """Makes a vendor of a reseller; False when the ID is taken."""
    made = store.insert_vendor(tx, reseller, vendor_id, name, at)
    if made:
        activity.add(
            tx,
            Event.VENDOR_CREATED,
            by=by,
            at=at,
            reseller=reseller,
            detail={"vendorId": vendor_id, "name": name},
        )
    return made
