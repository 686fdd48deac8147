"""Taking rows into the manufacturing list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from waybill.activity import store as activity
from waybill.db.tx import Tx
from waybill.manufactured import store
from waybill.manufactured.rules import (
    Change,
    Defect,
    Phone,
    Portion,
    Row,
    Verdict,
    joins_held,
    judge,
)
from waybill.wire.events import Event


class Tally(NamedTuple):
    """How far an import is; `rekeyed` were registered under another identifier of a phone.

    `entry` is the import's entry in the activity log, once there is one.
    """

    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    mended: int = 0
    rekeyed: int = 0
    entry: int | None = None

    @property
    def counts(self) -> dict[str, int]:
        """All but the entry, by name."""
        counts = self._asdict()
        del counts["entry"]
        return counts


def begin(tx: Tx) -> None:
    """Prepares a connection for one import."""
    store.begin(tx)


def take_in(
    tx: Tx, portion: Portion, so_far: Tally, *, file: str, by: str, at: datetime, keep: bool = True
) -> tuple[Tally, list[Defect]]:
    """Takes the next rows of a file into the list and lets devices be called by their phones.

    All that was registered under another identifier of a phone, held or not, gets the phone's
    key. A row that cannot go in leaves everything as it was, and the others go in.

    Args:
        portion: rows that were read.
        so_far: what the portions before came to.
        file: the file's name, for the activity log.
        by: who imports.
        at: the moment of the import.
        keep: whether anything is changed at all; else it is only said what would be.

    Returns:
        What it comes to with this portion, and what is wrong with rows, by row.
    """
    store.take_turn(tx)
    verdict = _judge(tx, portion.rows)
    if keep:
        store.hold_devices_still(tx)
    fit, scattered, refused = _spare_devices(tx, verdict.changes)
    rekeyed = 0
    if keep and fit:
        store.keep(tx, fit, at)
        rekeyed = store.rename_devices(tx, scattered) if scattered else 0
    defects = [*portion.defects, *verdict.defects, *([each] for each in refused)]
    tally = Tally(
        rows=so_far.rows + len(portion.rows) + len(portion.defects),
        added=so_far.added + sum(change.old is None for change in fit),
        changed=so_far.changed + sum(change.old is not None for change in fit),
        unchanged=so_far.unchanged + verdict.unchanged,
        refused=so_far.refused + len(defects),
        mended=so_far.mended + portion.mended,
        rekeyed=so_far.rekeyed + rekeyed,
        entry=so_far.entry,
    )
    if keep:
        tally = _enter(tx, tally, file, by, at)
    return tally, sorted((each for row in defects for each in row), key=_row)


def _judge(tx: Tx, rows: Sequence[Row]) -> Verdict:
    names = sorted([name for row in rows for name in row.phone.names])
    listed = store.known(tx, names)
    verdict = judge(rows, listed, {})
    if not store.remember(tx, verdict.told):
        names += [name for phone in set(listed.values()) for name in phone.names]
        verdict = judge(rows, listed, store.told(tx, names))
        store.remember(tx, verdict.told)
    return verdict


def _row(defect: Defect) -> int:
    return defect.row


def _spare_devices(
    tx: Tx, changes: Sequence[Change]
) -> tuple[list[Change], list[Phone], list[Defect]]:
    """Sorts out phones under whose names devices were registered that cannot be one.

    Returns:
        What can be listed; those phones of it with devices under other names; and what cannot be.
    """
    fit: list[Change] = []
    scattered: list[Phone] = []
    refused: list[Defect] = []
    names = sorted([name for change in changes for name in change.names])
    periods: dict[str, list[int | None]] = {}
    for name, ended_by in store.periods(tx, names):
        periods.setdefault(name, []).append(ended_by)
    if not periods:
        return [*changes], [], []
    for change in changes:
        others = [name for name in change.names[1:] if name in periods]
        if others and (defect := joins_held(change, periods)):
            refused.append(defect)
            continue
        fit.append(change)
        if others:
            scattered.append(change.new)
    return fit, scattered, refused


def _enter(tx: Tx, tally: Tally, file: str, by: str, at: datetime) -> Tally:
    detail = {"file": file, **tally.counts}
    if tally.entry is not None:
        activity.amend(tx, tally.entry, detail)
        return tally
    entry = activity.add(tx, Event.MANUFACTURED_IMPORTED, by=by, at=at, detail=detail)
    return tally._replace(entry=entry)
