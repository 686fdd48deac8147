"""Writes the pages of this folder from the code, so that they cannot say anything else.

    .venv/bin/python docs/reference/generate.py

`tests/test_docs.py` fails as long as a page is not what this would write.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from waybill.api import caller
from waybill.api.edge import Route
from waybill.api.routes import ROUTES
from waybill.config import Settings, unit_of
from waybill.integrity.rules import Promise
from waybill.wire.codes import Code
from waybill.wire.events import Event

FOLDER = Path(__file__).parent
_NOTE = "<!-- Written by docs/reference/generate.py: change the code, not this page. -->"


def codes() -> str:
    """Every code with its frozen texts, and the answers that carry no `errorId`."""
    rows = [
        (f"`{code.code}`", f"`{code.message}`", code.data, str(code.source), code.when)
        for code in sorted(Code, key=lambda each: each.code)
    ]
    shapes = [
        (str(shape.status), f"`{_compact(shape.body)}`", when)
        for shape, when in (
            (caller.INVALID_TOKEN, "The bearer token is unknown, expired or revoked."),
            (caller.INVALID_JWT, "`x-knox-apitoken` is no usable token."),
            (caller.EMPTY_JWT, "`x-knox-apitoken` is there and empty."),
            (caller.INVALID_API_KEY, "The only credential is `X-WSM-API-TOKEN`."),
        )
    ]
    return _page(
        "Codes",
        "The HTTP status is the code's first three digits, except that `50000000` comes with 503"
        " and `Retry-After` while the database is away or the server is full. `{parameter}` stands"
        " for the name of the parameter; in `40000044` for the device as it was sent. *From*: where"
        " we know it from; *ours* are for cases that the public table leaves out"
        " ([choices](../contract/choices.md)).",
        _table(("Code", "`message`", "`data`", "From", "When"), rows),
        "## Answers of another shape",
        "These carry no `errorId`: the original answers them so, and clients look for it.",
        _table(("Status", "Body", "When"), shapes),
        "The token and revoke calls answer as OAuth 2.0 wants it (RFC 6749, section 5.2): `error`,"
        " and `error_description` where there is more to say.",
    )


def settings() -> str:
    """Every setting with its variable, default, unit, range and meaning."""
    rows = [
        (
            f"`{name}`",
            f"`{_default(field.default)}`" if _default(field.default) else "",
            unit_of(name),
            _range(field.metadata),
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]
    return _page(
        "Settings",
        "Set one in the environment: `upload_devices_max` is `WAYBILL_UPLOAD_DEVICES_MAX`. Those"
        " that `waybill serve` also takes as an option are in its"
        " [help](commands.md#waybill-serve). An option beats the environment, and that the default."
        " `waybill config` shows what holds, and where each value comes from.",
        _table(("Setting", "Default", "Unit", "Range", "Meaning"), rows),
    )


def _default(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value in (None, "") else str(value)


def _range(limits: Iterable[Any]) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    return ", ".join(
        f"{sign} {getattr(limit, name)}"
        for limit in limits
        for name, sign in signs.items()
        if hasattr(limit, name)
    )


def endpoints() -> str:
    """Every path that is served, and the codes that each call can answer with."""
    rows = [
        (
            f"`{_call(route)}`",
            f"`{route.scope.value}`" if route.scope else "",
            route.body or "",
            _said(route.handler),
        )
        for route in ROUTES
    ]
    codes = [
        (f"`{_call(route)}`", _listed(route.told.codes), _listed(route.told.device_codes))
        for route in ROUTES
        if route.told and route.told.codes
    ]
    return _page(
        "Endpoints",
        "Every path, in the order of `src/waybill/api/routes.py`. *Scope*: what the token must"
        " allow; empty: no token is asked for. *Body*: how it is read, whatever `Content-Type`"
        " says. Members, examples and schemas: `GET /openapi.json` of a running server.",
        _table(("Call", "Scope", "Body", "What it is"), rows),
        "## Codes of each call",
        "*Of a device*: in the status of the transaction. Any call can also answer `40400000`,"
        " `40500000` and `50000000`.",
        _table(("Call", "Codes", "Of a device"), codes),
    )


def _call(route: Route) -> str:
    return f"{route.method} {route.path.replace(':str}', '}')}"


def _listed(codes: Iterable[Code]) -> str:
    return ", ".join(f"`{code.code}`" for code in sorted(codes, key=lambda each: each.code))


def _said(handler: Callable[..., object]) -> str:
    """The first paragraph of a docstring, less the path that it may begin with."""
    said = " ".join((handler.__doc__ or "").split("\n\n")[0].split())
    said = re.sub(r"^`[^`]*`[^:.]*[:.] ?|\(contract §[^)]*\)", "", said).replace(" .", ".").strip()
    return said[:1].upper() + said[1:]


def events() -> str:
    """Every kind of entry in the activity log."""
    return _page(
        "Activity events",
        "What `waybill activity` tells of. One change is one entry, written in the same database"
        " transaction as the change; a refused call is one too, written just after its answer.",
        _table(("Event", "Name in the code"), [(each.value, f"`{each.name}`") for each in Event]),
    )


def commands() -> str:
    """Every command with its options, as `--help` says it."""
    # What is documented is `waybill`, however this was started.
    with patch.dict(os.environ, {"COLUMNS": "100"}), patch.object(sys, "argv", ["waybill"]):
        from waybill.cli.main import CONVENTIONS, app

        # Of a command that looks like an option, the anchor has its dashes and the link has not.
        told = app.generate_docs().replace("(#waybill-install-", "(#waybill---install-")
    first, _, rest = told.partition("\n")
    before, contents, after = rest.partition("## Table of Contents\n")
    return "\n".join(
        [
            first.replace("# waybill", "# Commands"),
            "",
            _NOTE,
            *before.rstrip().split("\n"),
            CONVENTIONS,
            *(contents + after).rstrip().split("\n"),
            "",
        ]
    )


def promises() -> str:
    """Everything that `waybill verify` proves."""
    rows = [(f"`{each.slug}`", each.says, each.remedy) for each in Promise]
    return _page(
        "Promises",
        "What `waybill verify` proves on a live database, reading only. A promise holds after every"
        " commit; a breach is a bug, damage, or somebody's SQL.",
        _table(("Promise", "What holds", "Where it is broken"), rows),
    )


PAGES: dict[str, Callable[[], str]] = {
    "codes.md": codes,
    "commands.md": commands,
    "endpoints.md": endpoints,
    "events.md": events,
    "promises.md": promises,
    "settings.md": settings,
}


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", _NOTE, *parts]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines
    )


def _compact(body: object) -> str:
    return json.dumps(body, separators=(",", ":"))


if __name__ == "__main__":
    for name, write in PAGES.items():
        (FOLDER / name).write_text(write(), "utf-8")
