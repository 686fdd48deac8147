"""Making and changing customers, their resellers and aliases; and filtering by a customer."""

from __future__ import annotations

from datetime import datetime

from waybill.activity import store as activity
from waybill.activity.rules import differences
from waybill.customers import store
from waybill.customers.store import Customer
from waybill.db.tx import Tx
from waybill.resellers.rules import Verb, moved
from waybill.wire.codes import Code, Refused
from waybill.wire.events import Event
from waybill.wire.gen2 import is_id

# Contract §4: of one customer for one reseller.
ALIASES_MAX = 10


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


def change(tx: Tx, old: Customer, new: Customer, *, by: str, at: datetime) -> bool:
    """Changes a customer's name, found `to_change`; False when nothing differs."""
    if new == old:
        return False
    store.update(tx, new)
    detail = differences(old, new)
    activity.add(tx, Event.CUSTOMER_CHANGED, by=by, at=at, customer=new.no, detail=detail)
    return True


def stand(tx: Tx, customer: Customer, verb: Verb, *, by: str, at: datetime) -> Customer | None:
    """Closes or reopens a customer that was found `to_change`; a closed one is unknown to calls.

    What was accepted for it before is worked off all the same, and its devices stay held.

    Returns:
        The customer as it stands now; None when the verb does not lead anywhere from its state.
    """
    state = moved(customer.state, verb)
    if state is None or state == customer.state:
        return None if state is None else customer
    new = customer._replace(state=state)
    store.update(tx, new)
    event = Event.CUSTOMER_CLOSED if verb == "close" else Event.CUSTOMER_REOPENED
    activity.add(tx, event, by=by, at=at, customer=customer.no)
    return new


def set_auto_approve(
    tx: Tx, reseller: int, customer: int, *, on: bool, by: str, at: datetime
) -> bool:
    """Decides whether devices that the reseller registers from now on need the customer's approval.

    Returns:
        False when it is so already.

    Raises:
        Refused: 40400004 when the reseller does not serve the customer.
    """
    before = store.auto_approve(tx, reseller, customer)
    if before is None:
        raise Refused(Code.ASSOCIATION_NOT_FOUND)
    if before == on:
        return False
    store.set_auto_approve(tx, reseller, customer, on=on)
    activity.add(
        tx,
        Event.AUTO_APPROVE_CHANGED,
        by=by,
        at=at,
        reseller=reseller,
        customer=customer,
        detail={"autoApprove": on},
    )
    return True


class TooManyAliases(Exception):  # noqa: N818 - reads as the sentence it is
    """The customer shares as many aliases with the reseller as it may."""


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
    """Shares a profile of the customer with a reseller under an alias; False if it is there.

    Raises:
        Refused: 40400004 when the reseller does not serve the customer.
        TooManyAliases: there are ten.
    """
    # Asking locks the association: two that share at once count one after the other.
    if store.auto_approve(tx, reseller, customer) is None:
        raise Refused(Code.ASSOCIATION_NOT_FOUND)
    shared = [each for each, _ in store.aliases(tx, reseller, customer)]
    if alias in shared:
        return False
    if len(shared) >= ALIASES_MAX:
        raise TooManyAliases
    store.insert_alias(tx, reseller, customer, alias, profile_id, at)
    activity.add(
        tx,
        Event.PROFILE_ALIAS_CREATED,
        by=by,
        at=at,
        reseller=reseller,
        customer=customer,
        detail={"profileAlias": alias},
    )
    return True


def close_alias(tx: Tx, reseller: int, customer: int, alias: str, *, by: str, at: datetime) -> bool:
    """Ends the sharing of an alias; False when it is not shared. Uploads that named it keep it."""
    closed = store.close_alias(tx, reseller, customer, alias, at)
    if closed:
        activity.add(
            tx,
            Event.PROFILE_ALIAS_CLOSED,
            by=by,
            at=at,
            reseller=reseller,
            customer=customer,
            detail={"profileAlias": alias},
        )
    return closed
