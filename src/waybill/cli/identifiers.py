"""`waybill imei`: identifiers to try things with."""

from __future__ import annotations

from waybill.cli import given
from waybill.cli.failure import Senseless
from waybill.wire.identifiers import Kind, generate

COUNT_MAX = 100_000  # what one upload takes by default


def imei(count: int = 1, /, *, meid: given.Flag = False, serial: given.Flag = False) -> None:
    """Print made-up device identifiers that an upload accepts, one on each line.

    An IMEI is 15 digits: eight for the type of the device, six for the device, and a check digit
    (Luhn) that catches a mistyped digit. Change one digit and an upload answers that device with
    40000007, DEVICE_IMEI_INVALID. No identifier comes twice in one run and none is a known
    placeholder, but they are random: one of them may belong to a real phone, so keep them away
    from the real service.

        waybill imei                 one IMEI
        waybill imei 20              twenty
        waybill imei 20 --meid       twenty MEIDs: 14 hexadecimal digits, the older CDMA phones
        waybill imei 20 --serial     twenty serial numbers: R and ten digits or capitals

    Args:
        count: How many, 1 to 100000.
        meid: MEIDs in place of IMEIs.
        serial: Serial numbers in place of IMEIs.
    """
    if meid and serial:
        raise Senseless("--meid and --serial exclude each other: ask for one kind at a time.")
    if not 1 <= count <= COUNT_MAX:
        raise Senseless(f"COUNT must be 1 to {COUNT_MAX}, not {count}.")
    kind = Kind.MEID if meid else Kind.SN if serial else Kind.IMEI
    print("\n".join(generate(kind, count)))
