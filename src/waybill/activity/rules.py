"""How an entry of the activity log tells of a change."""

from __future__ import annotations

from typing import Any


def differences(old: Any, new: Any) -> dict[str, Any]:
    """What a change made of a row (a named tuple): each column that differs, from and to."""
    return {
        _member(column): {"from": getattr(old, column), "to": getattr(new, column)}
        for column in new._fields
        if getattr(old, column) != getattr(new, column)
    }


def _member(column: str) -> str:
    first, *rest = column.split("_")
    return first + "".join(word.capitalize() for word in rest)
