"""The command line as people and scripts meet it, in this process."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple

import pytest

from waybill.cli.main import main
from waybill.config import Settings


class Ran(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)


class Cli:
    """`waybill` on the database of the tests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __call__(self, *arguments: str) -> Ran:
        """Runs a command."""
        return run(*arguments, "--database-url", self.settings.database_url)

    def json(self, *arguments: str) -> Any:
        """Runs a command that must do what it is asked, for scripts."""
        ran = self(*arguments, "--json")
        assert ran.code == 0, ran
        return ran.json

    def refused(self, *arguments: str) -> tuple[int, str]:
        """Runs a command that must fail, in both forms; exit code and the sentence."""
        ran = self(*arguments)
        assert ran.out == ""
        again = self(*arguments, "--json")
        assert (again.code, again.err) == (ran.code, ran.err)
        assert again.json.keys() == {"errorId", "code", "message", "data"}
        (line,) = ran.err.splitlines()
        assert line.startswith("waybill: ")
        return ran.code, line.removeprefix("waybill: ")


def run(*arguments: str) -> Ran:
    """Runs `waybill` by its entry point."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert isinstance(ended.value.code, int)
    return Ran(ended.value.code, out.getvalue(), err.getvalue())
