"""How commands show things: tables for people, JSON for scripts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

import msgspec

# A longer table is written as plain lines: laying it out would take longer than reading it.
_LAID_OUT_MAX = 2_000
_KEPT_WHOLE = len("2026-01-01 00:00:00")
_FOLDED_LEAST = 12
_GAP = 2

Row = Mapping[str, Any]


def document(content: object) -> None:
    """Prints JSON, as scripts read it: one document on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(content)).decode() + "\n")


def show(
    rows: Sequence[Row],
    *,
    json: bool,
    empty: str = "Nothing here yet.",
    limit: int | None = None,
    people: Callable[[Row], Row] = dict,
) -> None:
    """Prints rows: as a JSON array, or as a table whose columns are the members of the first.

    Args:
        rows: all with the same members.
        json: JSON, for scripts.
        empty: what people read when there is no row; says what would make one.
        limit: how many to print; one row more tells that there are more.
        people: a row as people see it, where scripts see more.
    """
    if limit is not None and len(rows) > limit:
        rows = rows[:limit]
        note(f"There are more than these {limit}: --limit.")
    if json:
        document(rows)
    elif not rows:
        print(empty)
    else:
        table([people(row) for row in rows])


def one(row: Row, *, json: bool, people: Row | None = None) -> None:
    """Prints one thing: a member a line, and a member that is a list of things as a table.

    Args:
        row: its members; those that are not known stay away from people.
        json: JSON, for scripts.
        people: members that people see otherwise than scripts do.
    """
    if json:
        document(row)
        return
    row = {**row, **(people or {})}
    single = {name: value for name, value in row.items() if not _is_table(value)}
    width = max(len(_spaced(name)) for name in single)
    for name, value in single.items():
        if value not in (None, [], {}):
            _line([(_spaced(name).ljust(width), "dim"), ("  ", ""), _cell(value)])
    for name, value in row.items():
        if _is_table(value):
            print()
            _line([(_spaced(name).capitalize(), "bold")])
            table(value, indent="  ")


def table(rows: Sequence[Row], indent: str = "") -> None:
    """Prints a table; a column that is empty in all rows is left out."""
    names = [name for name in rows[0] if any(row[name] not in (None, "", [], {}) for row in rows)]
    numbers = {name for name in names if all(_is_number(row[name]) for row in rows)}
    if not _for_people() or len(rows) > _LAID_OUT_MAX:
        _plain_table(rows, names, numbers, indent)
        return
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = _console()
    widths = _widths(rows, names, console.width - len(indent))
    laid_out = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        right = "right" if name in numbers else "left"
        laid_out.add_column(_spaced(name), overflow="fold", justify=right, width=widths.get(name))
    for row in rows:
        laid_out.add_row(*(Text(*_cell(row[name])) for name in names))
    console.print(Padding(laid_out, (0, 0, 0, len(indent)), expand=False))


def _widths(rows: Sequence[Row], names: list[str], room: int) -> dict[str, int]:
    """How wide columns are where they do not all fit: times and IDs stay whole, texts are folded.

    Nothing is said where even that does not fit: then all of them are.
    """
    widest = {
        name: max(map(len, [*_spaced(name).split(), *(plain(row[name]) for row in rows)]))
        for name in names
    }
    whole = {name: width for name, width in widest.items() if width <= _KEPT_WHOLE}
    texts = {name: width for name, width in widest.items() if width > _KEPT_WHOLE}
    room -= sum(whole.values()) + _GAP * len(names)
    if room >= sum(texts.values()):
        return widest
    if room < _FOLDED_LEAST * len(texts):
        return {}
    spare = room - _FOLDED_LEAST * len(texts)
    share = {name: spare * width // sum(texts.values()) for name, width in texts.items()}
    return whole | {name: _FOLDED_LEAST + share[name] for name in texts}


def _plain_table(rows: Sequence[Row], names: list[str], numbers: set[str], indent: str) -> None:
    cells = [[_spaced(name) for name in names]]
    cells += [[plain(row[name]) for name in names] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [name in numbers for name in names]
    for line in cells:
        shown = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ]
        print(indent + "  ".join(shown).rstrip())


def note(sentence: str) -> None:
    """Tells people something beside the result, where no script reads it."""
    print(sentence, file=sys.stderr)


def plain(value: object) -> str:
    """A value as people read it, on one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dict):
        if value.keys() == {"from", "to"}:
            return f"{plain(value['from']) or '-'} → {plain(value['to']) or '-'}"
        return ", ".join(f"{_spaced(name)} {plain(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return " ".join(plain(each) for each in value)
    return _harmless(str(value))


def _harmless(text: str) -> str:
    # What a client sent must not steer a terminal.
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


_STYLES = {
    "OK": "green",
    "Complete": "green",
    "Completed": "green",
    "Verified": "green",
    "active": "green",
    "Error": "red",
    "blocked": "red",
    "Completed with error": "yellow",
    "Pending": "yellow",
    "In progress": "cyan",
    "Progress": "cyan",
    "closed": "dim",
    "deleted": "dim",
}


def _cell(value: object) -> tuple[str, str]:
    text = plain(value)
    return text, _STYLES.get(text, "")


def _line(parts: Sequence[tuple[str, str]]) -> None:
    if not _for_people():
        print("".join(text for text, _ in parts).rstrip())
        return
    from rich.text import Text

    _console().print(Text.assemble(*parts), soft_wrap=True)


def _for_people() -> bool:
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def _console() -> Any:
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> NoReturn:
            # Rich would end the process with a failure.
            raise BrokenPipeError

    return Piped(highlight=False)


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _spaced(name: str) -> str:
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
    return " ".join("ID" if word == "id" else word for word in words.split(" "))
