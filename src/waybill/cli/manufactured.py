"""`waybill manufactured`: the list of phones that exist, and all that names each of them."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any, TextIO

import psycopg
from cyclopts import App, Parameter

from waybill import clock
from waybill.cli.database import opened
from waybill.cli.device import identified
from waybill.cli.failure import Exit, Failed, NotFound, Senseless
from waybill.cli.given import BY
from waybill.cli.output import note, one
from waybill.cli.where import HERE, Json, Where
from waybill.db.tx import Tx
from waybill.manufactured import actions, store
from waybill.manufactured.actions import Tally
from waybill.manufactured.rules import Defect, Phone, Portion, read
from waybill.spreadsheet import files
from waybill.spreadsheet.columns import Layout, Unclear, layout
from waybill.spreadsheet.files import Spreadsheet, Unreadable
from waybill.wire.identifiers import Rules, meid_decimal

# Rows that are taken in together: while they are, no device is registered anywhere.
_PORTION = 10_000
_HEAD = 50
_SHOWN_MAX, _JSON_MAX = 20, 1_000

app = App(
    name="manufactured",
    help="The manufacturing list: which phones exist, and all the identifiers of each.",
)


@app.command(name="import")
def import_(
    file: Path,
    /,
    *,
    sheet: str | None = None,
    columns: str | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    report: Path | None = None,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """Import a list of phones from a CSV or XLSX file.

    Each row is one phone: IMEI 1, IMEI 2, MEID (either form), serial number, model, in any order
    of columns; delimiter and encoding are found out. From then on each of these names the one
    device, also where it was uploaded before. What the list knows already stays; an import can be
    repeated, and phones can gain identifiers by a later one.

    A row that cannot go in is refused with the reason, and all others go in. Exit code 0: every
    row is in; 1: rows were refused (the table, or --report, says which and why); 2: the file
    cannot be understood, and nothing was changed.

        waybill manufactured import phones.xlsx --dry-run
        waybill manufactured import phones.csv --report refused.csv
        waybill manufactured import plain.csv --columns imei,imei2,,serial

    Args:
        file: A CSV or XLSX file.
        sheet: The sheet of a workbook; by default its first.
        columns: What the columns hold, from the left, where no header says so: imei, imei2, meid,
            imei/meid, serial, model; leave a name empty to skip a column.
        dry_run: Say what would happen, and change nothing.
        report: Write the refused rows into this CSV file.
        json: JSON, for scripts.
        where: Which installation.
    """
    if report and report.exists() and file.exists() and report.samefile(file):
        raise Senseless("--report would overwrite the list itself: give it another name.")
    settings = where.settings()
    by = Rules(settings.imei_check, settings.allow_test_ids, settings.serial_pattern)
    named = None if columns is None else columns.split(",")
    try:
        with _progress() as tell, files.opened(file, sheet) as source:
            found, lines = _looked_at(source, named)
            portions = _ahead(read(part, found.columns, by) for part in _parts(lines))
            with (
                opened(settings) as tx,
                _kept(report, found, _JSON_MAX if json else _SHOWN_MAX) as refused,
            ):
                tally = _take_in(
                    tx,
                    portions,
                    refused,
                    lambda tally: tell(tally, source.done),
                    file=file.name,
                    keep=not dry_run,
                )
    except (Unreadable, Unclear) as problem:
        raise Senseless(str(problem)) from None
    _tell(file, source, found, tally, refused, dry_run=dry_run, json=json)
    return Exit.FAILED if tally.refused else Exit.DONE


Lines = Iterator[tuple[int, list[str]]]


def _looked_at(source: Spreadsheet, named: list[str] | None) -> tuple[Layout, Lines]:
    lines = source.rows()
    head = list(islice(lines, _HEAD))
    found = layout(head, named)
    return found, chain([line for line in head if line[0] > found.header], lines)


def _parts(lines: Lines) -> Iterator[list[tuple[int, list[str]]]]:
    while part := list(islice(lines, _PORTION)):
        yield part


def _ahead(portions: Iterator[Portion]) -> Iterator[Portion]:
    """The same, each read while the database is busy with the one before."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, portions, None)
        while portion := coming.result():
            coming = reader.submit(next, portions, None)
            yield portion


def _take_in(
    tx: Tx,
    portions: Iterator[Portion],
    refused: _Refused,
    tell: Callable[[Tally], None],
    *,
    file: str,
    keep: bool,
) -> Tally:
    tally, at = Tally(), clock.now()
    actions.begin(tx)
    tx.commit()
    try:
        for portion in portions:
            tally, defects = _patiently(
                tx,
                partial(actions.take_in, tx, portion, tally, file=file, by=BY, at=at, keep=keep),
            )
            refused.add(defects)
            tell(tally)
    except (Unreadable, KeyboardInterrupt) as problem:
        if keep and tally.rows:
            note(f"{tally.rows:,} rows were taken in before. Import the file again: they stay.")
        if isinstance(problem, Unreadable):
            raise Failed(str(problem)) from None
        raise
    return tally


def _patiently(tx: Tx, take_in: Callable[[], tuple[Tally, list[Defect]]]) -> Any:
    for _ in range(_PATIENCE):
        with suppress(*_TO_BE_REPEATED):
            done = take_in()
            tx.commit()
            return done
        tx.rollback()
    raise Failed("The devices are being changed without a pause by something else: try later.")


_PATIENCE = 5
_TO_BE_REPEATED = (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable)


class _Refused:
    """Collects refused rows: the first ones to be shown, all of them into the report."""

    def __init__(self, report: TextIO | None, found: Layout, shown_max: int) -> None:
        self._titles = {each.field.value: each.title for each in found.columns}
        self.shown: list[Defect] = []
        self.count = 0
        self._shown_max = shown_max
        self._report = csv.writer(report) if report else None
        if self._report:
            self._report.writerow(["row", "column", "value", "reason", "what to do"])

    def add(self, defects: list[Defect]) -> None:
        defects = [each._replace(column=self._title(each.column)) for each in defects]
        self.count += len(defects)
        self.shown += defects[: max(0, self._shown_max - len(self.shown))]
        if self._report:
            self._report.writerows(map(_harmless, defects))

    def _title(self, column: str) -> str:
        # What clashes with the list is told by the field, and people know their own headers.
        return self._titles.get(column, column)


def _harmless(defect: Defect) -> tuple[object, ...]:
    # A spreadsheet would take such a value for a formula.
    risky = defect.value.startswith(("=", "+", "-", "@"))
    return (defect.row, defect.column, f"'{defect.value}" if risky else defect.value, *defect[3:])


@contextmanager
def _kept(report: Path | None, found: Layout, shown_max: int) -> Iterator[_Refused]:
    if report is None:
        yield _Refused(None, found, shown_max)
        return
    # With its mark, Excel knows UTF-8 when it sees it.
    with report.open("w", encoding="utf-8-sig", newline="") as file:
        yield _Refused(file, found, shown_max)


@contextmanager
def _progress() -> Iterator[Callable[[Tally, float], None]]:
    if not sys.stderr.isatty():
        yield lambda _tally, _done: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    began = time.monotonic()
    with Progress(
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task("", total=1.0, said="reading …")

        def tell(tally: Tally, done: float) -> None:
            rate = tally.rows / (time.monotonic() - began)
            refused = f", {tally.refused:,} refused" if tally.refused else ""
            said = f"{tally.rows:,} rows, {rate:,.0f} a second{refused}"
            progress.update(task, completed=done, said=said)

        yield tell


def _tell(
    file: Path,
    source: Spreadsheet,
    found: Layout,
    tally: Tally,
    refused: _Refused,
    *,
    dry_run: bool,
    json: bool,
) -> None:
    shown: dict[str, Any] = {
        "file": file.name,
        "format": source.described,
        "columns": _columns(found, json=json),
        "notRead": found.skipped,
        "dryRun": dry_run,
        **tally.counts,
        "refusals": [
            {
                "row": each.row,
                "column": each.column,
                "value": each.value,
                "reason": each.reason,
                "whatToDo": each.remedy,
            }
            for each in refused.shown
        ],
    }
    one(shown, json=json)
    more = refused.count - len(refused.shown)
    if more:
        note(f"… and {more:,} more: --report FILE.csv writes them all.")
    if dry_run:
        note("Nothing was changed.")


def _columns(found: Layout, *, json: bool) -> dict[str, str] | list[str]:
    if json:
        return {each.title: each.field.value for each in found.columns}
    return [
        each.title if each.title == each.field else f"{each.title} ({each.field})"
        for each in found.columns
    ]


@app.command
def show(identifier: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """Show a phone of the list by any of its identifiers.

        waybill manufactured show 352099001761481

    Args:
        identifier: IMEI 1, IMEI 2, MEID in either form, or serial number.
        json: JSON, for scripts.
        where: Which installation.
    """
    settings = where.settings()
    named = identified(identifier, settings)
    with opened(settings) as tx:
        found = store.find(tx, named.key)
    if found is None:
        raise NotFound(f"The manufacturing list has no phone {named.canonical}.")
    one(_phone(*found), json=json)


def _phone(phone: Phone, imported_at: datetime) -> dict[str, Any]:
    return {
        "imei": phone.imei or None,
        "imei2": phone.imei2 or None,
        "meid": phone.meid or None,
        "meidDecimal": meid_decimal(phone.meid) if phone.meid else None,
        "serialNumber": phone.serial or None,
        "model": phone.model or None,
        "importedAt": imported_at,
    }


@app.command
def count(*, json: Json = False, where: Where = HERE) -> None:
    """Count the phones of the list.

    Args:
        json: JSON, for scripts.
        where: Which installation.
    """
    with opened(where.settings()) as tx:
        one({"phones": store.count(tx)}, json=json)
