"""`waybill approve`: what the customer's side does with devices that are Pending."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from waybill import clock
from waybill.cli import named
from waybill.cli.database import opened
from waybill.cli.device import identified, keys_of
from waybill.cli.failure import Conflict, NotFound, Senseless
from waybill.cli.given import BY
from waybill.cli.output import note, show
from waybill.cli.transactions import find
from waybill.cli.where import HERE, Json, Where
from waybill.config import Settings
from waybill.customers import store as customers
from waybill.db.tx import Tx
from waybill.devices import store as devices
from waybill.transactions import actions
from waybill.transactions.actions import Approved


def approve(
    *identifiers: str,
    upload: str | None = None,
    customer: str | None = None,
    reseller: str | None = None,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Approve devices on the customer's behalf: Pending ones become Verified.

    An approval covers what was accepted before it. An upload in progress is approved as a whole:
    what it has not registered yet will be Verified at once. Of single devices, either all are
    approved or, where nobody holds one of them, none. Where nothing waits, nothing happens.

        waybill approve --upload T-0042 --reseller "Harbour Mobile"
        waybill approve --customer "Birch Hospitals"       all that waits, of all its resellers
        waybill approve 352099001761481 R58M1234567        single devices

    As JSON, an array, one act for each reseller of which something waited: `customerId`,
    `resellerId`, `transactionId` (of an upload), `approved` (devices that were Pending) and
    `inProgress` (uploads that will go on).

    Args:
        identifiers: Devices, by any of their identifiers.
        upload: The transaction ID of an upload.
        customer: All that waits for this customer: ID or name.
        reseller: Only from this reseller: ID or name.
    """
    ways = (bool(identifiers), upload is not None, customer is not None)
    if sum(ways) != 1 or (identifiers and reseller):
        raise Senseless(
            "Say what: --upload TRANSACTION --reseller RESELLER, or --customer CUSTOMER, or"
            " identifiers of devices."
        )
    settings = where.settings()
    with opened(settings) as tx:
        if upload is not None:
            rows = [_upload(tx, upload, reseller)]
        elif customer is not None:
            rows = _waiting(tx, customer, reseller)
        else:
            rows = _devices(tx, settings, identifiers)
    if not any(row["approved"] or row["inProgress"] for row in rows):
        note("Nothing waits: nothing was changed.")
    if rows or json:
        show(rows, json=json)


def _upload(tx: Tx, transaction_id: str, reseller: str | None) -> dict[str, Any]:
    found = find(tx, transaction_id, reseller)
    if found.operation != "UPLOAD":
        raise Conflict(f"Transaction {found.id} is a delete: there is nothing to approve.")
    named.open_customer(tx, found.customer_id)
    of = named.reseller(tx, found.reseller_id)
    done = actions.approve(
        tx, of.no, found.customer, upload=(found.seq, found.id), by=BY, at=clock.now()
    )
    return _row(found.reseller_id, found.customer_id, done, found.id)


def _waiting(tx: Tx, customer: str, reseller: str | None) -> list[dict[str, Any]]:
    whom = named.open_customer(tx, customer)
    only = named.reseller(tx, reseller).id if reseller else None
    serving = [each.reseller_id for each in customers.associations(tx, whom.no)]
    if only and only not in serving:
        raise NotFound(f"Reseller {only} does not serve customer {whom.id}.")
    rows = []
    # In one order, whoever asks: each takes the resellers' turns one after the other.
    for each in sorted([only] if only else serving):
        of = named.reseller(tx, each)
        done = actions.approve(tx, of.no, whom.no, by=BY, at=clock.now())
        if done.devices or done.in_progress:
            rows.append(_row(each, whom.id, done))
    return rows


def _devices(tx: Tx, settings: Settings, identifiers: tuple[str, ...]) -> list[dict[str, Any]]:
    held: dict[int, devices.Period] = {}
    missing = []
    for text in identifiers:
        keys = keys_of(tx, identified(text, settings))
        live = [each for each in devices.periods(tx, None, keys) if each.removed_by is None]
        if live:
            held[live[0].reseller << 64 | live[0].seq] = live[0]
        else:
            missing.append(text)
    if missing:
        raise NotFound(f"Nobody holds {', '.join(missing)}: nothing was approved.")

    def whose(period: devices.Period) -> tuple[str, str]:
        return period.reseller_id, period.customer_id

    rows = []
    for (reseller_id, customer_id), group in groupby(sorted(held.values(), key=whose), whose):
        named.open_customer(tx, customer_id)
        each = list(group)
        done = actions.approve_devices(
            tx,
            each[0].reseller,
            each[0].customer,
            [period.seq for period in each],
            by=BY,
            at=clock.now(),
        )
        rows.append(_row(reseller_id, customer_id, done))
    return rows


def _row(
    reseller_id: str, customer_id: str, done: Approved, transaction_id: str | None = None
) -> dict[str, Any]:
    return {
        "customerId": customer_id,
        "resellerId": reseller_id,
        "transactionId": transaction_id,
        "approved": done.devices,
        "inProgress": done.in_progress,
    }
