"""Draws `terminal.svg`: what `make run` prints, by the code that prints it, with invented secrets.

Run it after a change of that summary: `.venv/bin/python docs/pictures/terminal.py`
"""

from __future__ import annotations

import inspect
import io
import os
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.text import Text

from waybill.cli import announce

PICTURE = Path(__file__).with_name("terminal.svg")
_COLUMNS = 100

# The seed's own IDs, and secrets of the right length that open nothing.
READY: dict[str, Any] = {
    "baseUrl": "http://127.0.0.1:8080",
    "docsUrl": "http://127.0.0.1:8080/docs",
    "resellers": [
        {
            "resellerId": "3811947052",
            "name": "Harbour Mobile",
            "clientId": "5d0f3c7a9b1e4c52a6d8e03b7f419c20",
            "clientSecret": "an-example-of-a-secret-yours-will-look-wild",
        }
    ],
    "customers": [{"customerId": "4102938475", "name": "Alder Logistics"}],
}
_IMEIS = ["353918204417261", "357204916638429", "352660183075923"]


def printed() -> str:
    """What a terminal is sent, escape sequences included."""
    screen = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": str(_COLUMNS)}
    with (
        patch.dict(os.environ, screen),
        patch.object(announce, "generate", lambda _kind, count: _IMEIS[:count]),
        redirect_stdout(io.StringIO()) as output,
    ):
        os.environ.pop("NO_COLOR", None)
        announce.announce(READY)
    return output.getvalue()


def draw() -> str:
    """The picture as SVG."""
    console = Console(
        record=True,
        width=_COLUMNS,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    console.print(Text.assemble(("$ ", "bold green"), "make run"))
    for line in Text.from_ansi(printed().rstrip("\n")).split("\n", allow_blank=True):
        # As a terminal wraps: at its edge, not between words.
        for part in line.divide(range(_COLUMNS, len(line), _COLUMNS)):
            console.print(part, no_wrap=True)
    drawn = console.export_svg(title="", unique_id="terminal", code_format=_frame())
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def _frame() -> str:
    """rich's own, less the fonts that it would fetch from elsewhere."""
    frame: str = inspect.signature(Console.export_svg).parameters["code_format"].default
    return re.sub(r"@font-face \{\{.*?\}\}\s*", "", frame, flags=re.DOTALL).replace(
        "Fira Code", "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono"
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), "utf-8")
