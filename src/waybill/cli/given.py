"""What people write on the command line: IDs, names, choices, and who they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from cyclopts import Parameter

from waybill import clock
from waybill.cli.failure import Senseless
from waybill.wire.gen2 import is_id
from waybill.wire.names import NAME_MAX, is_name

# Who "performed" what these commands do.
BY = "operator (command line)"
_DAYS_MAX = 36_500

Id = Annotated[str | None, Parameter(name="--id")]
Flag = Annotated[bool, Parameter(show_default=False)]
Limit = Annotated[int, Parameter(name=["--limit", "-n"], help="At most so many rows.")]
Release = Literal["23.11", "23.12", "25.11", "installation"]
Shape = Literal["documented", "list", "installation"]
Choice = Literal["yes", "no", "installation"]


def new_id(chosen: str | None) -> str:
    """The ID that was chosen, or ten digits.

    Raises:
        Senseless: it has not the form of an ID.
    """
    if chosen is None:
        return clock.number()
    if not is_id(chosen):
        raise Senseless("--id must be 1 to 64 letters, digits, `.`, `_` or `-`.")
    return chosen


def name(text: str, what: str = "The name") -> str:
    """A name that can be kept and shown.

    Raises:
        Senseless: it cannot.
    """
    if not is_name(text):
        raise Senseless(
            f"{what} must be 1 to {NAME_MAX} printable characters without spaces around them."
        )
    return text


def limit(count: int) -> int:
    """How many rows at most.

    Raises:
        Senseless: less than one.
    """
    if count < 1:
        raise Senseless(f"--limit must be 1 or more, not {count}.")
    return count


def own(choice: str | None, present: str | None) -> str | None:
    """A setting of a reseller's own after a choice: None where the installation decides."""
    if choice is None:
        return present
    return None if choice == "installation" else choice


def ago(days: int | None) -> datetime | None:
    """The moment so many days ago; None for None.

    Raises:
        Senseless: less than no days, or more than a calendar has.
    """
    if days is None:
        return None
    if not 0 <= days <= _DAYS_MAX:
        raise Senseless(f"--days must be 0 to {_DAYS_MAX}, not {days}.")
    return clock.now() - timedelta(days=days)
