"""Who a call acts for, and making and changing resellers and vendors."""

from __future__ import annotations

from datetime import datetime

from waybill.activity import store as activity
from waybill.activity.rules import differences
from waybill.auth.rules import Caller
from waybill.db.tx import Tx
from waybill.resellers import store
from waybill.resellers.rules import Verb, moved
from waybill.resellers.store import Reseller, Vendor
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


def change(tx: Tx, old: Reseller, new: Reseller, *, by: str, at: datetime) -> bool:
    """Changes a reseller's name or settings, found `to_change`; False when nothing differs."""
    if new == old:
        return False
    store.update(tx, new)
    activity.add(
        tx,
        Event.RESELLER_CHANGED,
        by=by,
        at=at,
        reseller=new.no,
        detail=differences(old, new),
    )
    return True


_STANDINGS: dict[Verb, Event] = {
    "block": Event.RESELLER_BLOCKED,
    "unblock": Event.RESELLER_UNBLOCKED,
    "close": Event.RESELLER_CLOSED,
    "reopen": Event.RESELLER_REOPENED,
}


def stand(tx: Tx, reseller: Reseller, verb: Verb, *, by: str, at: datetime) -> Reseller | None:
    """Blocks, unblocks, closes or reopens a reseller that was found `to_change`.

    A blocked or closed one is given no token, and its calls are refused at once. What was accepted
    from it before is worked off all the same.

    Returns:
        The reseller as it stands now; None when the verb does not lead anywhere from its state.
    """
    state = moved(reseller.state, verb)
    if state is None or state == reseller.state:
        return None if state is None else reseller
    new = reseller._replace(state=state)
    store.update(tx, new)
    activity.add(tx, _STANDINGS[verb], by=by, at=at, reseller=reseller.no)
    return new


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


def change_vendor(tx: Tx, old: Vendor, new: Vendor, *, by: str, at: datetime) -> bool:
    """Changes a vendor's name; False when nothing differs."""
    if new == old:
        return False
    store.update_vendor(tx, new)
    activity.add(
        tx,
        Event.VENDOR_CHANGED,
        by=by,
        at=at,
        reseller=new.reseller,
        detail={"vendorId": new.id} | differences(old, new),
    )
    return True


def stand_vendor(tx: Tx, vendor: Vendor, verb: Verb, *, by: str, at: datetime) -> Vendor | None:
    """Closes or reopens a vendor; a closed one is unknown to calls.

    Returns:
        The vendor as it stands now; None when the verb does not lead anywhere from its state.
    """
    state = moved(vendor.state, verb)
    if state is None or state == vendor.state:
        return None if state is None else vendor
    new = vendor._replace(state=state)
    store.update_vendor(tx, new)
    event = Event.VENDOR_CLOSED if verb == "close" else Event.VENDOR_REOPENED
    detail = {"vendorId": vendor.id, "name": vendor.name}
    activity.add(tx, event, by=by, at=at, reseller=vendor.reseller, detail=detail)
    return new
