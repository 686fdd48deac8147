"""What can become of a device, and how sets of devices are handed about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from waybill.wire.codes import Code
from waybill.wire.identifiers import Kind

# How `device.kind` tells what the device was uploaded as.
KIND_NUMBER: dict[Kind, int] = {Kind.IMEI: 1, Kind.MEID: 2, Kind.SN: 3}
KIND_OF: dict[int, Kind] = {number: kind for kind, number in KIND_NUMBER.items()}

# How many device.seq one row of `device_block` counts.
BLOCK = 10_000


class Outcome(IntEnum):
    """What became of one device: a byte of `transaction.outcomes`. Numbers are never reused."""

    OK = 0
    SKIPPED = 1
    """Release 23.12: this reseller holds it for this customer already; nothing is reported."""
    INVALID = 2
    ID_INVALID = 3
    IMEI_INVALID = 4
    MEID_INVALID = 5
    SERIAL_INVALID = 6
    SAME_CUSTOMER = 7
    """Exists: this reseller holds it for this customer."""
    OTHER_CUSTOMER = 8
    """Exists: this reseller holds it for another customer."""
    OTHER_RESELLER = 9
    """Exists: somebody else holds it."""
    REPEATED = 10
    """Exists: it came earlier in the same request."""
    NOT_FOUND = 11

    @property
    def code(self) -> Code | None:
        """The code a client sees; None where the device is no failure."""
        return _CODES.get(self)


_CODES: dict[Outcome, Code] = {
    Outcome.INVALID: Code.DEVICE_INVALID,
    Outcome.ID_INVALID: Code.DEVICE_ID_INVALID,
    Outcome.IMEI_INVALID: Code.DEVICE_IMEI_INVALID,
    Outcome.MEID_INVALID: Code.DEVICE_MEID_INVALID,
    Outcome.SERIAL_INVALID: Code.DEVICE_SERIAL_INVALID,
    Outcome.SAME_CUSTOMER: Code.DEVICE_DUPLICATE,
    Outcome.OTHER_CUSTOMER: Code.DEVICE_DUPLICATE,
    Outcome.OTHER_RESELLER: Code.DEVICE_DUPLICATE,
    Outcome.REPEATED: Code.DEVICE_DUPLICATE,
    Outcome.NOT_FOUND: Code.RESELLER_CUSTOMER_DEVICE_NOT_FOUND,
}
OF_FORM: dict[Code, Outcome] = {
    code: outcome for outcome, code in _CODES.items() if outcome <= Outcome.SERIAL_INVALID
}


class Reason(NamedTuple):
    """Why a device came to its outcome, finer than its code, and what to do next.

    It never says who another holder is: any reseller may read it.
    """

    name: str
    meaning: str
    advice: str


REASONS: dict[Outcome, Reason] = {
    Outcome.SKIPPED: Reason(
        "alreadyHeld",
        "The reseller holds it for this customer already; release 23.12 passes over it.",
        "Nothing to do: it is where it should be.",
    ),
    Outcome.INVALID: Reason(
        "noRealDevice",
        "Well formed, but a placeholder, a test identifier or not in the manufacturing list.",
        "Read the identifier off the device: *#06# shows it.",
    ),
    Outcome.ID_INVALID: Reason(
        "noIdentifier",
        "Neither an IMEI nor an MEID nor a serial number.",
        "Correct it, or say its `type` in the request.",
    ),
    Outcome.IMEI_INVALID: Reason(
        "noImei",
        "No IMEI: 15 digits, the last of which checks the others.",
        "Compare it with the label: a digit is wrong or missing (14 lack the check digit), or a"
        " spreadsheet rounded it.",
    ),
    Outcome.MEID_INVALID: Reason(
        "noMeid",
        "No MEID: 14 hexadecimal or 18 decimal digits.",
        "Compare it with the label, or send it as what it is (`type`).",
    ),
    Outcome.SERIAL_INVALID: Reason(
        "noSerialNumber",
        "No serial number: R and ten digits or capitals.",
        "Compare it with the label, or send it as what it is (`type`).",
    ),
    Outcome.SAME_CUSTOMER: Reason(
        "sameCustomer",
        "The reseller holds it for this customer already.",
        "Nothing to do: it is where it should be.",
    ),
    Outcome.OTHER_CUSTOMER: Reason(
        "otherCustomer",
        "The reseller holds it for another of its customers.",
        "Delete it there, then upload it again.",
    ),
    Outcome.OTHER_RESELLER: Reason(
        "otherReseller",
        "Another reseller holds it.",
        "Ask whoever sold it to delete it, then upload it again; the operator sees who holds it.",
    ),
    Outcome.REPEATED: Reason(
        "repeated",
        "It came earlier in the same request.",
        "Nothing to do: the first one counted.",
    ),
    Outcome.NOT_FOUND: Reason(
        "notHeld",
        "The reseller does not hold it for this customer.",
        "Look which customer it is held for, or whether it was deleted before.",
    ),
}


@dataclass
class Piece:
    """The devices of one request (or of one chunk of it) that a turn works off together.

    Args:
        transaction: its `transaction.seq`.
        customer: the number of the customer it is for.
        keys: one a device, in request order; "" where the form was refused already.
        outcomes: one byte a device (`Outcome`), aligned with `keys`; filled while working.
        kind: what the devices were sent as; None in a delete without `type`.
        approved: whether devices need no approval by the customer.
        odd: canonical forms that do not follow from kind and key, by position.
        seqs: the first and last device.seq that were given; None before any was.
    """

    transaction: int
    customer: int
    keys: Sequence[str]
    outcomes: bytearray
    kind: Kind | None
    approved: bool = False
    odd: dict[int, str] = field(default_factory=dict)
    seqs: tuple[int, int] | None = None
