"""`waybill device`: one device, whatever it is called by."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import msgspec

from waybill.cli.database import opened
from waybill.cli.failure import NotFound, Senseless
from waybill.cli.output import note, one
from waybill.cli.where import HERE, Json, Where
from waybill.config import Settings
from waybill.db.tx import Tx
from waybill.devices import store
from waybill.devices.rules import KIND_OF, REASONS, Outcome
from waybill.devices.store import Period
from waybill.manufactured import store as manufactured
from waybill.manufactured.rules import Phone
from waybill.transactions import store as transactions
from waybill.transactions.actions import Conduct
from waybill.wire.identifiers import (
    Identifier,
    Kind,
    Rules,
    canonical,
    luhn_digit,
    meid_decimal,
    recognise,
)

# Refusals of a device stand in the transactions that met them, under no index: how far back is
# looked for them, and for how long.
_LOOK_BACK = 10_000
_LOOK_S = 1.0
_REFUSALS_SHOWN = 20


def device(identifier: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """Show what a device is, who holds it and its whole history.

    By any of its identifiers in any way of writing: IMEI 1 or 2, MEID (hexadecimal or decimal),
    serial number; grouped, in small letters, with or without check digit.

        waybill device 352099001761481
        waybill device "35-209900-176148-1"
        waybill device r58m1234567

    *Refused* tells of uploads and deletes that refused it lately: among the last 10000
    transactions, as far as a second goes, and in the usual ways of writing.

    As JSON: `imei`, `imei2`, `meid`, `meidDecimal`, `serialNumber`, `model`, `listedAt` (since
    when it is in the manufacturing list), `state` (Pending, Verified or not held), `resellerId`,
    `resellerName`, `customerId`, `customerName`, `since`; `history`, newest first, each period
    with `registeredAt`, `resellerId`, `resellerName`, `customerId`, `customerName`, `state`
    (Pending, Verified or Removed), `transactionId`, `uploadId`, `orderNo`, `vendorId`,
    `verifiedAt`, `removedAt`, `removedBy`; and `refused`, each with `time`, `resellerId`,
    `customerId`, `transactionId`, `operation`, `sent`, `code`, `reason`.

    Args:
        identifier: An IMEI, an MEID or a serial number.
    """
    settings = where.settings()
    read = identified(identifier, settings)
    with opened(settings) as tx:
        listing = manufactured.find(tx, read.key)
        phone, listed_at = listing or (None, None)
        periods = store.periods(tx, None, keys_of(tx, read))
        names = _identifiers(read, phone, periods)
        refused, all_seen = _refused(tx, _spellings(identifier, names))
    if not (phone or periods or refused):
        raise NotFound(
            f"{read.canonical} is a well-formed {_WORDS[read.kind]}, and nobody has ever sent it."
        )
    shown = {
        **names,
        "model": (phone and phone.model) or None,
        "listedAt": listed_at,
        **_holding(periods),
        "history": [_period(each) for each in periods],
        "refused": refused,
    }
    one(shown, json=json, people={"history": [_briefly(each) for each in periods]})
    if not all_seen and not json:
        note("There may be older refusals: looking further back takes too long.")


_WORDS = {Kind.IMEI: "IMEI", Kind.MEID: "MEID", Kind.SN: "serial number"}


def identified(text: str, settings: Settings) -> Identifier:
    """What an identifier says, however it is written.

    Raises:
        Senseless: it is none.
    """
    rules = Conduct.of(settings).rules
    found = recognise(text, rules)
    if found is None:
        raise Senseless(f"{text} is no identifier of a device.{_hint(text, rules)}")
    return found


def _hint(text: str, rules: Rules) -> str:
    digits = "".join(c for c in text if c.isalnum())
    if not (digits.isascii() and digits.isdecimal()):
        return (
            " An IMEI has 15 digits, an MEID 14 hexadecimal or 18 decimal ones; a serial number"
            f" fits {rules.serial_pattern}."
        )
    if len(digits) == 15:
        right = digits[:14] + luhn_digit(digits[:14])
        return f" Its last digit does not fit the others: if they are right, it is {right}."
    return f" An IMEI has 15 digits, these are {len(digits)}."


def keys_of(tx: Tx, read: Identifier) -> list[str]:
    """The keys under which the device may be held."""
    listing = manufactured.find(tx, read.key)
    return [read.key] if listing is None else list(dict.fromkeys([listing[0].key, read.key]))


def _identifiers(
    read: Identifier, phone: Phone | None, periods: Iterable[Period]
) -> dict[str, str | None]:
    newest = next(iter(periods), None)
    kind, name = read.kind, read.canonical
    if newest is not None:
        # As it was uploaded, not as it was asked for: an MEID's digits may be an IMEI's too.
        kind = KIND_OF[newest.kind]
        name = newest.odd or canonical(kind, newest.key)
    imei, meid, serial = (name if kind is each else "" for each in (Kind.IMEI, Kind.MEID, Kind.SN))
    if phone is not None:
        imei, meid, serial = phone.imei or imei, phone.meid or meid, phone.serial or serial
    # An IMEI's first 14 digits are the device's MEID: so `GET /devices` shows it.
    meid = meid or imei[:14]
    return {
        "imei": imei or None,
        "imei2": (phone and phone.imei2) or None,
        "meid": meid or None,
        "meidDecimal": (meid_decimal(meid) or None) if meid else None,
        "serialNumber": serial or None,
    }


def _spellings(typed: str, names: dict[str, str | None]) -> list[str]:
    known = [typed.strip(), *(each for each in names.values() if each)]
    return list(dict.fromkeys(form for each in known for form in (each, each.lower()) if form))


def _refused(tx: Tx, spellings: list[str]) -> tuple[list[dict[str, Any]], bool]:
    """The newest refusals of a device, and whether all were looked through that should be."""
    found: list[dict[str, Any]] = []
    until = time.monotonic() + _LOOK_S
    for each, failures in transactions.refusals(tx, spellings, _LOOK_BACK):
        if failures is not None:
            found += _failures(each, failures, set(spellings))
        if len(found) >= _REFUSALS_SHOWN or time.monotonic() > until:
            return found[:_REFUSALS_SHOWN], False
    return found, True


def _failures(
    each: transactions.Summary, failures: bytes, spellings: set[str]
) -> Iterable[dict[str, Any]]:
    with suppress(msgspec.DecodeError):
        for _, number, sent in msgspec.json.decode(b"[" + failures.rstrip(b",") + b"]"):
            outcome = Outcome(number)
            if sent.strip() in spellings:
                yield {
                    "time": each.completed_at or each.accepted_at,
                    "resellerId": each.reseller_id,
                    "customerId": each.customer_id,
                    "transactionId": each.id,
                    "operation": each.operation,
                    "sent": sent,
                    "code": outcome.code and outcome.code.code,
                    "reason": REASONS[outcome].name,
                }


def _holding(periods: list[Period]) -> dict[str, Any]:
    held = next((each for each in periods if each.removed_by is None), None)
    return {
        "state": _state(held) if held else "not held",
        "resellerId": held and held.reseller_id,
        "resellerName": held and held.reseller_name,
        "customerId": held and held.customer_id,
        "customerName": held and held.customer_name,
        "since": held and held.registered_at,
    }


def _period(each: Period) -> dict[str, Any]:
    return {
        "registeredAt": each.registered_at,
        "resellerId": each.reseller_id,
        "resellerName": each.reseller_name,
        "customerId": each.customer_id,
        "customerName": each.customer_name,
        "state": _state(each),
        "transactionId": each.transaction_id,
        "uploadId": each.upload_id,
        "orderNo": each.order_no,
        "vendorId": each.vendor_id,
        "verifiedAt": each.verified_at,
        "removedAt": each.removed_at,
        "removedBy": each.removed_by,
    }


def _briefly(each: Period) -> dict[str, Any]:
    """A period as a line of a table: no wider than it must be."""
    return {
        "from": each.registered_at,
        "to": each.removed_at,
        "reseller": f"{each.reseller_name} ({each.reseller_id})",
        "customer": f"{each.customer_name} ({each.customer_id})",
        "upload": each.transaction_id,
        "orderNo": each.order_no,
        "vendor": each.vendor_id,
        "verified": each.verified_at,
        "removedBy": each.removed_by,
    }


def _state(each: Period) -> str:
    if each.removed_by is not None:
        return "Removed"
    return "Verified" if each.verified_at else "Pending"
