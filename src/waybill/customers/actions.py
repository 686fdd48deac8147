"""Making customers and associating them with resellers, and filtering by one."""

from __future__ import annotations

from datetime import datetime

from waybill.activity import store as activity
from waybill.customers import store
from waybill.db.tx import Tx
from waybill.wire.codes import Code, Refused
from waybill.wire.events import Event
from waybill.wire.gen2 import is_id


def filtered(tx: Tx, reseller: int, customer_id: str | None) -> int | None:
    """The number of the customer that a call filters by; None when it names none.

    Raises:
        Refused: 40000011 malformed, 40400002 unknown, 40400004 never served by this reseller.
    """
    if customer_id is None:
        return None
    if not is_id(customer_id):
        raise Refused(Code.CUSTOMER_ID_INVALID)
    customer = store.find(tx, customer_id, reseller)
    if customer is None or customer.state == "closed":
        raise Refused(Code.CUSTOMER_NOT_FOUND)
    if not customer.associated:
        raise Refused(Code.ASSOCIATION_NOT_FOUND)
    return customer.no


def create(tx: Tx, customer_id: str, name: str, *, by: str, at: datetime) -> int | None:
    """Makes a customer; returns its number, or None when the ID is taken."""
    no = store.insert(tx, customer_id, name, at)
    if no is not None:
        activity.add(tx, Event.CUSTOMER_CREATED, by=by, at=at, customer=no, detail={"name": name})
    return no


def associate(
    tx: Tx, reseller: int, customer: int, *, auto_approve: bool, by: str, at: datetime
) -> None:
    """Lets a reseller serve a customer before its first upload.

    Raises:
        Refused: 40000012 when they are associated already.
    """
    if not store.associate(tx, reseller, customer, at, auto_approve=auto_approve):
        raise Refused(Code.CUSTOMER_RESELLER_ALREADY_ASSOCIATED)
    activity.add(
        tx,
        Event.RESELLER_REGISTERED,
        by=by,
        at=at,
        reseller=reseller,
        customer=customer,
        detail={"autoApprove": auto_approve},
    )


def share_alias(
    tx: Tx,
    reseller: int,
    customer: int,
    alias: str,
    profile_id: str,
    *,
    by: str,
    at: datetime,
) -> bool:
    """Shares a profile of the customer with a reseller under an alias; False if it is there."""
    shared = store.insert_alias(tx, reseller, customer, alias, profile_id, at)
    if shared:
        activity.add(
            tx,
            Event.PROFILE_ALIAS_CREATED,
            by=by,
            at=at,
            reseller=reseller,
            customer=customer,
            detail={"profileAlias": alias},
        )
    return shared
