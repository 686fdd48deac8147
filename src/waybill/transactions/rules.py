"""What a request may say, and how its identifiers are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from waybill.devices.rules import Outcome
from waybill.wire.gen2 import ORDER_TIME_MAX

# Devices that one turn works off, and so what one database transaction of the worker holds.
CHUNK = 10_000

_DIGITS = re.compile(r"[0-9]{1,10}", re.ASCII)


def order_refusal(
    order_no: str | None, order_time: int | str | None, target_service: str | None
) -> str | None:
    """The first of `orderNo`, `orderTime` and `targetService` whose form is wrong, else None.

    Contract §4: `targetService` is any string; one with a NUL cannot be kept.
    """
    if order_no is not None and (len(order_no) > 64 or not order_no.isprintable()):
        return "orderNo"
    if order_time is not None and seconds(order_time) is None:
        return "orderTime"
    if target_service is not None and "\0" in target_service:
        return "targetService"
    return None


def seconds(order_time: int | str) -> int | None:
    """`orderTime` as epoch seconds; None when it is neither digits nor in range."""
    if isinstance(order_time, str):
        if not _DIGITS.fullmatch(order_time):
            return None
        order_time = int(order_time)
    return order_time if 0 <= order_time <= ORDER_TIME_MAX else None


def pack(identifiers: Sequence[str]) -> tuple[bytes, list[int]]:
    """Identifiers as bytes, and at which byte each chunk begins (the last member: the length).

    One a line, in UTF-8, each line ended; a line feed or backslash inside one is escaped.
    """
    starts, packed = [0], bytearray()
    for first in range(0, len(identifiers), CHUNK):
        packed += _lines(identifiers[first : first + CHUNK])
        starts.append(len(packed))
    return bytes(packed), starts


def _lines(identifiers: Sequence[str]) -> bytes:
    text = "\n".join(identifiers) + "\n"
    if "\\" in text or text.count("\n") != len(identifiers):
        text = "".join(
            each.replace("\\", "\\\\").replace("\n", "\\n") + "\n" for each in identifiers
        )
    return text.encode()


def unpack(packed: bytes) -> list[str]:
    """The identifiers of packed bytes (a whole request or one chunk of it), as sent."""
    lines = packed.decode().split("\n")
    lines.pop()
    if b"\\" in packed:
        return [_ESCAPED.sub(_unescaped, line) for line in lines]
    return lines


_ESCAPED = re.compile(r"\\(.)")


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]


def judged(
    identifiers: bytes, outcomes: bytes | None, done: int
) -> Iterator[tuple[int, str, Outcome | None]]:
    """Each device of a request in its order: place from 1, as sent, and what became of it.

    Args:
        identifiers: packed.
        outcomes: one byte a device that is done; None when all of those succeeded.
        done: how many are; for the others the outcome is None.
    """
    for position, sent in enumerate(unpack(identifiers)):
        outcome = outcomes[position] if outcomes is not None and position < done else Outcome.OK
        yield position + 1, sent, Outcome(outcome) if position < done else None
