"""What must hold in a database at any moment, and how a transaction's row is held against it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from waybill.devices.rules import Outcome
from waybill.transactions.rules import CHUNK, unpack

_REPORT = (
    "Waybill never writes this: look for a change by hand, or restore a backup; and report it."
)
_COUNTER = (
    "Lists show wrong totals and pages until the counter is set to what was counted, while no"
    " worker runs; and report it."
)


class Promise(Enum):
    """Something that holds after every commit: a sentence, and what to do where it is broken."""

    ONE_HOLDER = (
        "A device has at most one holder.",
        "Find out who holds it rightly, and end the other holdings: a delete by their reseller.",
    )
    KEY_INDEX = (
        "Each device is found by its key.",
        "An index is damaged: `reindex index device_holder`, then verify again. Check the disk.",
    )
    UPLOAD_OF_DEVICE = (
        "Each device was registered by an upload of its reseller for its customer.",
        _REPORT,
    )
    END_OF_DEVICE = (
        "What ended a holding is a delete of the same reseller for the same customer.",
        _REPORT,
    )
    DEVICE_NUMBERS = (
        "The numbers of a reseller's devices lie below its counter.",
        "Set turn.next_device_seq above them before the next upload is worked off.",
    )
    UPLOAD_RANGE = (
        "What an upload registered lies between its first and its last device number.",
        "A delete by removeTransactionId would miss devices: widen the range to what was found.",
    )
    LIVE_COUNTS = (
        "The counts of live devices equal the devices that they count.",
        _COUNTER,
    )
    DEVICES_COUNTED = (
        "Each transaction registered or removed as many devices as it says succeeded.",
        _REPORT,
    )
    REQUEST_WHOLE = (
        "A transaction's identifiers are as many as were sent, and lie where its chunks begin.",
        _REPORT,
    )
    OUTCOMES_ALIGNED = (
        "Each device of a request has one outcome once it is worked off, and the counts agree.",
        _REPORT,
    )
    FAILURES_LISTED = (
        "The list of failures holds the failed devices, in request order, as they were sent.",
        "Status calls show the list: outcomes and identifiers say what it should hold. " + _REPORT,
    )
    WORK_LEFT = (
        "No finished transaction has work left, and each unfinished one will get its turn.",
        "Without a row in `turn` a reseller's work waits for ever: add it. " + _REPORT,
    )
    FINISHED_NUMBERED = (
        "A reseller's finished transactions are numbered from 1 on, over all and by customer.",
        _COUNTER,
    )
    ASSOCIATED = (
        "A reseller serves each customer that it had a transaction for.",
        "Associate them: `waybill customers associate`.",
    )
    REMOVAL_NAMES_UPLOAD = (
        "A delete by removeTransactionId names an earlier upload of its reseller for its customer.",
        _REPORT,
    )
    ONE_ENTRY = (
        "Each transaction has one entry in the activity log, and each such entry its transaction.",
        _REPORT,
    )
    CREATION_TOLD = (
        "Each reseller, customer, vendor and association has one entry that tells who made it.",
        "What was made by SQL has none: make such things by `waybill` commands.",
    )
    APPROVED = (
        "No live device of an approved upload waits for approval.",
        "Approve the upload once more: `waybill approve`.",
    )
    LINKS_LEAD_HOME = (
        "Each further identifier of a listed phone leads to that phone, and to no other.",
        "Import the phone's row of the manufacturing list again.",
    )
    NO_ALIAS_AS_KEY = (
        "No device is kept under an identifier that names a listed phone kept under another.",
        "One phone could be held twice: import the phone's row of the manufacturing list again.",
    )

    @property
    def slug(self) -> str:
        """Its name for scripts."""
        return self.name.lower().replace("_", "-")

    @property
    def says(self) -> str:
        """The sentence."""
        return self.value[0]

    @property
    def remedy(self) -> str:
        """What to do where it is broken."""
        return self.value[1]


class Breach(NamedTuple):
    """A place where a promise does not hold.

    Args:
        promise: the promise.
        where: which rows, by IDs as people know them.
        expected: what should be there.
        found: what is there.
    """

    promise: Promise
    where: dict[str, Any]
    expected: str
    found: str


class Kept(NamedTuple):
    """A transaction as it is kept; columns of the table."""

    seq: int
    reseller_id: str
    id: str
    by_upload: bool
    identifiers: bytes
    chunk_starts: list[int]
    device_count: int
    chunk: int
    ok: int
    failed: int
    skipped: int
    outcomes: bytes | None
    failures: bytes | None
    state: str


def breaches(kept: Kept) -> Iterator[Breach]:
    """What a transaction's row breaks by itself."""
    where = {"resellerId": kept.reseller_id, "transactionId": kept.id}
    identifiers, problem = _read(kept)
    if problem:
        expected = f"{kept.device_count} identifiers in chunks of {CHUNK}"
        yield Breach(Promise.REQUEST_WHOLE, where, expected, problem)
    if problem := _work_left(kept):
        yield Breach(Promise.WORK_LEFT, where, f"state {kept.state}", problem)
    if problem := _misaligned(kept):
        counts = f"{kept.ok} ok, {kept.failed} failed, {kept.skipped} skipped"
        yield Breach(Promise.OUTCOMES_ALIGNED, where, counts, problem)
    if differs := _unlisted(kept, identifiers):
        yield Breach(Promise.FAILURES_LISTED, where, *differs)


def _read(kept: Kept) -> tuple[list[str], str]:
    """The identifiers, and what is wrong with them."""
    try:
        found = unpack(kept.identifiers)
    except UnicodeDecodeError as problem:
        return [], f"no text: {problem}"
    if kept.identifiers and not kept.identifiers.endswith(b"\n"):
        return found, "the last one is cut off"
    if len(found) != kept.device_count:
        return found, f"{len(found)} identifiers"
    starts, size = kept.chunk_starts, len(kept.identifiers)
    if starts[:1] != [0] or starts[-1] != size or sorted(starts) != starts:
        return found, f"chunks that begin at {starts}, of {size} bytes"
    counts = [kept.identifiers.count(b"\n", *chunk) for chunk in pairwise(starts)]
    torn = any(start and kept.identifiers[start - 1] != _LINE_END for start in starts)
    if torn or any(count != CHUNK for count in counts[:-1]) or max(counts, default=0) > CHUNK:
        return found, f"chunks of {counts} identifiers"
    return found, ""


_LINE_END = ord("\n")


def _work_left(kept: Kept) -> str:
    chunks = len(kept.chunk_starts) - 1
    # A delete that names an upload gets a chunk with each turn, and never knows of a next one.
    if kept.by_upload or kept.state == "Complete":
        right = kept.chunk == chunks
    else:
        right = 0 <= kept.chunk < chunks
    return "" if right else f"{kept.chunk} of {chunks} chunks done"


def _misaligned(kept: Kept) -> str:
    due = kept.device_count if kept.by_upload else min(kept.chunk * CHUNK, kept.device_count)
    if kept.ok + kept.failed + kept.skipped != due:
        return f"{due} devices worked off"
    if kept.outcomes is None:
        return "no list of outcomes" if kept.failed or kept.skipped else ""
    if unknown := kept.outcomes.translate(None, _KNOWN):
        return f"outcome {unknown[0]}, which means nothing"
    ok, skipped = kept.outcomes.count(Outcome.OK), kept.outcomes.count(Outcome.SKIPPED)
    failed = len(kept.outcomes) - ok - skipped
    if (ok, failed, skipped) != (kept.ok, kept.failed, kept.skipped):
        return f"{ok} ok, {failed} failed, {skipped} skipped"
    return ""


_KNOWN = bytes(Outcome)
_FAILED = re.compile(rb"[^\x00\x01]", re.DOTALL)
_FAILURES = msgspec.json.Decoder(list[tuple[int, int, str]])


def _unlisted(kept: Kept, identifiers: list[str]) -> tuple[str, str] | None:
    """The first difference between the list of failures and what it should hold."""
    outcomes = kept.outcomes or b""
    due = [
        (at, outcomes[at], identifiers[at])
        for at in (match.start() for match in _FAILED.finditer(outcomes))
        if at < len(identifiers)
    ]
    try:
        listed = _FAILURES.decode(b"[" + (kept.failures or b",")[:-1] + b"]")
    except msgspec.DecodeError as problem:
        return f"{len(due)} failures", f"a list that cannot be read: {problem}"
    if listed == due:
        return None
    if len(listed) != len(due):
        return f"{len(due)} failures", str(len(listed))
    wanted, got = next(pair for pair in zip(due, listed, strict=True) if pair[0] != pair[1])
    return f"failure {list(wanted)}", f"{list(got)}"
