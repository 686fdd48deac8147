"""How commands show things: tables for people, JSON for scripts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(rows: Sequence[dict[str, Any]], *, json: bool, empty: str = "Nothing here yet.") -> None:
    """Prints rows: as a JSON array, or as a table whose columns are the members of the first.

    Args:
        empty: what people read when there is no row; says what would make one.
    """
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(rows)).decode() + "\n")
        return
    if not rows:
        print(empty)
        return
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(_spaced(name), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    console.print(table)


def one(row: dict[str, Any], *, json: bool) -> None:
    """Prints one thing, a member a line."""
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(row)).decode() + "\n")
        return
    width = max(len(_spaced(name)) for name in row)
    for name, value in row.items():
        print(f"{_spaced(name):<{width}}  {_plain(value)}")


_STYLES = {
    "OK": "green",
    "Completed": "green",
    "active": "green",
    "Error": "red",
    "Completed with error": "yellow",
    "In progress": "cyan",
    "blocked": "red",
    "closed": "dim",
}


def _cell(value: object) -> Text:
    text = _plain(value)
    return Text(text, style=_STYLES.get(text, ""))


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return " ".join(_plain(each) for each in value)
    return str(value)


def _spaced(name: str) -> str:
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
