"""Rows of a CSV or XLSX file as people have them: any delimiter, any of the usual encodings."""

from __future__ import annotations

import codecs
import csv
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any

import python_calamine as calamine

# On a tie the comma is the last: it also stands in numbers and in names of models.
_DELIMITERS = ";\t|,"
_BLOCK = 1 << 20
_SAMPLE = 1 << 16


class Unreadable(Exception):  # noqa: N818 - reads as the sentence it is
    """A file that cannot be understood; the sentence says what to do."""


class Spreadsheet(ABC):
    """One sheet of a file, read once from the top.

    Args:
        described: what the file turned out to be, for people.
    """

    described: str

    @abstractmethod
    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row with its number as a spreadsheet shows it; numbers and dates are text."""

    @property
    @abstractmethod
    def done(self) -> float:
        """How much of it was read, 0 to 1."""


@contextmanager
def opened(path: Path, sheet: str | None = None) -> Iterator[Spreadsheet]:
    """Opens a file by what is in it, whatever it is called.

    Args:
        path: a CSV or XLSX file (older .xls and .ods are read as well).
        sheet: the sheet of a workbook; by default the first one that is visible and not empty.

    Raises:
        Unreadable: it is none of these, has no such sheet, or is empty.
    """
    try:
        if not path.is_file():
            raise Unreadable(f"{path} is no file." if path.exists() else f"There is no {path}.")
        with path.open("rb") as file:
            head = file.read(8)
            if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
                yield _Workbook(path, sheet)
                return
            if sheet is not None:
                raise Unreadable(f"{path} is text and has no sheets: leave --sheet out.")
            if not head:
                raise Unreadable(f"{path} is empty.")
            yield _Csv(file)
    except OSError as problem:
        raise Unreadable(f"{path} cannot be read: {problem.strerror}.") from problem


class _Csv(Spreadsheet):
    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._encoding = _encoding(file)
        self._size = file.seek(0, 2)
        file.seek(0)
        sample = file.read(_SAMPLE).decode(self._encoding, "ignore").splitlines()[:50]
        file.seek(0)
        self._text = TextIOWrapper(file, self._encoding, errors="replace", newline="")
        self._hinted = bool(sample) and sample[0].lower().startswith("sep=")
        self._delimiter = _delimiter(sample)
        named = {"\t": "tab", ",": "comma", ";": "semicolon"}.get(self._delimiter, self._delimiter)
        encoding = self._encoding.replace("-sig", "").upper()
        self.described = f"CSV, {encoding}, delimiter {named}"

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        # A quotation mark that is never closed is found after this many characters.
        csv.field_size_limit(_BLOCK)
        reader = csv.reader(self._text, delimiter=self._delimiter)
        number, began = 0, 0
        try:
            for number, cells in enumerate(reader, 1):
                began = reader.line_num
                if number > 1 or not self._hinted:
                    yield number, cells
        except csv.Error as problem:
            raise Unreadable(
                f"Row {number + 1} (line {began + 1} of the file) does not end: it opens a"
                " quotation mark that nothing closes."
            ) from problem

    @property
    def done(self) -> float:
        return self._file.tell() / self._size


def _encoding(file: BufferedReader) -> str:
    file.seek(0)
    head = file.read(_BLOCK)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Digits, letters and delimiters have a zero byte each in UTF-16, at odd or at even places.
    if head[1:200:2].count(0) > len(head[:200]) // 4:
        return "utf-16-le"
    if head[0:200:2].count(0) > len(head[:200]) // 4:
        return "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while head:
            decoder.decode(head)
            head = file.read(_BLOCK)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _delimiter(sample: list[str]) -> str:
    """The one that cuts most rows into the same number of cells, two at least."""
    if sample and sample[0].lower().startswith("sep="):
        return sample[0][4:5]

    def fits(delimiter: str) -> tuple[float, int]:
        try:
            sizes = Counter(len(row) for row in csv.reader(sample, delimiter=delimiter) if row)
        except csv.Error:
            return 0.0, 0
        if not sizes:
            return 0.0, 0
        size, times = sizes.most_common(1)[0]
        return (times / sizes.total(), size) if size > 1 else (0.0, 0)

    best = max(_DELIMITERS, key=fits)
    return best if fits(best) > (0.0, 0) else ","


class _Workbook(Spreadsheet):
    def __init__(self, path: Path, sheet: str | None) -> None:
        try:
            book = calamine.CalamineWorkbook.from_path(path)
            self._sheet = _sheet(book, sheet)
        except calamine.PasswordError as problem:
            raise Unreadable(f"{path} is locked by a password: save it without.") from problem
        except calamine.CalamineError as problem:
            raise Unreadable(
                f"{path} is no workbook that can be read: save it again as .xlsx or as CSV."
            ) from problem
        self._read = 0
        many = len(book.sheet_names)
        self.described = f"workbook, sheet “{self._sheet.name}”" + (f" of {many}" * (many > 1))

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        for number, cells in enumerate(self._sheet.iter_rows(), 1):
            self._read = number
            yield number, [each if isinstance(each, str) else _as_text(each) for each in cells]

    @property
    def done(self) -> float:
        return min(1.0, self._read / max(1, self._sheet.total_height))


def _sheet(book: calamine.CalamineWorkbook, named: str | None) -> calamine.CalamineSheet:
    if named is not None:
        if named not in book.sheet_names:
            there = ", ".join(f"“{name}”" for name in book.sheet_names)
            raise Unreadable(f"There is no sheet “{named}”; there is {there}.")
        return book.get_sheet_by_name(named)
    for about in book.sheets_metadata:
        if about.visible == calamine.SheetVisibleEnum.Visible:
            sheet = book.get_sheet_by_name(about.name)
            if sheet.start is not None:
                return sheet
    raise Unreadable("Every sheet of the workbook is empty.")


def _as_text(value: Any) -> str:
    # Excel keeps fifteen digits of a number. Of a longer one the rest is lost: it must not look
    # as if it were whole.
    if isinstance(value, float) and not isinstance(value, bool):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.14E}"
    return str(value)
