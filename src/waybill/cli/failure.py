"""What can go wrong in a command: one sentence for people, an exit code and an object for scripts.

The exit codes are documented in the help of `waybill` itself (`main.py`).
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeGuard


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    SENSELESS = 2
    NOT_FOUND = 3
    CONFLICT = 4
    INTERRUPTED = 130


class Failed(Exception):  # noqa: N818 - reads as what it tells
    """A command that could not do what it was asked; the sentence says what to do next."""

    exit = Exit.FAILED


class Senseless(Failed):
    """Options that contradict each other, or a value that cannot be right."""

    exit = Exit.SENSELESS


class NotFound(Failed):
    """The command names something that does not exist."""

    exit = Exit.NOT_FOUND


class Conflict(Failed):
    """What is there already stands against it: an ID that is taken, something that is closed."""

    exit = Exit.CONFLICT


@dataclass(frozen=True)
class Told:
    """A failure ready to be shown.

    Args:
        refusal: the contract's error object, where the contract knows the refusal.
    """

    exit: Exit
    sentence: str
    refusal: dict[str, Any] | None = None

    @property
    def object(self) -> dict[str, Any]:
        """The error object; what the contract does not know has neither code nor `errorId`."""
        unknown = {"errorId": None, "code": None, "message": self.exit.name, "data": self.sentence}
        return self.refusal or unknown


def told(problem: Exception) -> Told:
    """How a problem of any kind is told; never with a stack trace."""
    if isinstance(problem, Failed):
        return Told(problem.exit, str(problem))
    for explain in (_refused, _start, _settings, _command_line, _database, _file):
        if found := explain(problem):
            return found
    return _unforeseen(problem)


def _refused(problem: Exception) -> Told | None:
    import msgspec

    from waybill import clock
    from waybill.wire.codes import Code, Refused, error_object

    if not isinstance(problem, Refused):
        return None
    shown = error_object(problem.code, clock.error_id(), problem.parameter)
    exit_code = Exit.FAILED
    if problem.code is Code.CUSTOMER_RESELLER_ALREADY_ASSOCIATED:
        exit_code = Exit.CONFLICT
    elif problem.code.status == 404:
        exit_code = Exit.NOT_FOUND
    sentence = f"{shown.code} {shown.message}: {shown.data}"
    return Told(exit_code, sentence, msgspec.to_builtins(shown))


def _start(problem: Exception) -> Told | None:
    from waybill.db.data_dir import CannotStart
    from waybill.db.migrate import DatabaseTooNew

    if isinstance(problem, CannotStart | DatabaseTooNew):
        return Told(Exit.FAILED, str(problem))
    return None


def _settings(problem: Exception) -> Told | None:
    import pydantic

    if not isinstance(problem, pydantic.ValidationError):
        return None
    first = problem.errors()[0]
    sentence = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return Told(Exit.SENSELESS, f"{sentence}.")
    name = str(first["loc"][0])
    option, variable = f"--{name.replace('_', '-')}", f"WAYBILL_{name.upper()}"
    where = variable if variable in os.environ else option
    return Told(Exit.SENSELESS, f"{where}: {sentence}.")


def _command_line(problem: Exception) -> Told | None:
    from cyclopts import CycloptsError

    if not isinstance(problem, CycloptsError):
        return None
    sentence = " ".join(str(problem).split())
    command = " ".join(["waybill", *(problem.command_chain or [])])
    return Told(Exit.SENSELESS, f"{sentence} `{command} --help` tells more.")


def _database(problem: Exception) -> Told | None:
    import psycopg

    if isinstance(problem, psycopg.errors.LockNotAvailable):
        return Told(Exit.FAILED, "Somebody else is changing the same: try again.")
    if isinstance(problem, psycopg.errors.QueryCanceled):
        return Told(Exit.FAILED, "This takes the database too long: ask for less.")
    if isinstance(problem, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return Told(
            Exit.FAILED,
            "The database was made by another version of Waybill: restart `waybill serve` with"
            " this one.",
        )
    if isinstance(problem, psycopg.Error):
        lines = str(problem).strip().splitlines() or [type(problem).__name__]
        return Told(Exit.FAILED, f"The database cannot be used: {lines[0]}")
    return None


def _file(problem: Exception) -> Told | None:
    if is_output(problem):
        return Told(Exit.FAILED, f"Standard output: {os.strerror(problem.errno or 0)}.")
    if not isinstance(problem, OSError) or not problem.filename:
        return None
    return Told(Exit.FAILED, f"{problem.filename}: {problem.strerror}.")


def is_output(problem: Exception) -> TypeGuard[OSError]:
    """Whether standard output takes no more."""
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
    return isinstance(problem, OSError) and not problem.filename and problem.errno in full


def _unforeseen(problem: Exception) -> Told:
    where, trace = "", problem.__traceback__
    while trace is not None:
        where, trace = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}", trace.tb_next
    sentence = f"Something unforeseen, a bug of ours: {type(problem).__name__}: {problem} ({where})"
    return Told(Exit.FAILED, " ".join(sentence.split()))
