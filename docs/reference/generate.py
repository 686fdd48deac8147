"""Writes the pages of this folder from the code, so that they cannot say anything else.

    .venv/bin/python docs/reference/generate.py

`tests/test_docs.py` fails as long as a page is not what this would write.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from waybill.api import caller
from waybill.api.docs.members import kind
from waybill.api.openapi import document
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
    """Every call with its members, its answers and its codes: the OpenAPI document to read."""
    told = _document()
    calls = [
        (method.upper(), path, operation)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    ]
    rows = [
        (
            f"[`{method} {path}`](#{operation['operationId'].lower()})",
            _scope(operation),
            operation["summary"],
        )
        for method, path, operation in calls
    ]
    first, _, rules = told["info"]["description"].partition("\n\n")
    return _page(
        "Endpoints",
        f"{_joined(first)} A running server shows it at `/openapi.json`, and at `/docs` as a page"
        " to try calls from; [openapi.json](openapi.json) is the same document, to make clients"
        " of. Members in **bold** must be given.",
        _table(("Call", "Scope", "What it does"), rows),
        "## Of every call",
        *map(_joined, rules.split("\n\n")),
        *(part for each in calls for part in _endpoint(told, *each)),
    )


def _document() -> dict[str, Any]:
    return json.loads(json.dumps(document(ROUTES, "http://127.0.0.1:8080")))


def openapi() -> str:
    """The OpenAPI document, as a server at the default address gives it."""
    return json.dumps(_document(), indent=2, ensure_ascii=False) + "\n"


def _endpoint(told: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> list[str]:
    said, _, _ = operation["description"].partition("\n\nA device of an accepted request")
    scope = _scope(operation)
    parts = [
        f"## {operation['operationId']}",
        f"`{method} {path}`, {f'scope {scope}' if scope else 'no token'}; known from:"
        f" {operation['x-source']}. {operation['summary']}",
        *(map(_joined, said.split("\n\n")) if said != operation["summary"] else ()),
        _table(("Member", "In", "Type", "From", "Meaning"), _asked(told, operation)),
    ]
    refusals = [
        (status, f"[{name}](codes.md)" if name[0].isdigit() else name, example["summary"])
        for status, response in operation["responses"].items()
        for content in response.get("content", {}).values()
        for name, example in content.get("examples", {}).items()
        if not status.startswith("2")
    ]
    parts += ["Refusals:", _table(("Status", "Code", "When"), refusals)]
    if "x-device-codes" in operation:
        devices = [
            (f"[{code['code']} {code['message']}](codes.md)", code["when"])
            for code in operation["x-device-codes"]
        ]
        parts += [
            "Codes of a device, which the status tells:",
            _table(("Code", "When"), devices),
        ]
    return [part for part in parts if part]


def _asked(told: dict[str, Any], operation: dict[str, Any]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [
        (_name(each["name"], each["required"]), each["in"], *_member(told, each | each["schema"]))
        for each in operation.get("parameters", [])
    ]
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = told["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
        where = "JSON" if media.endswith("json") else "form"
        rows += [
            (_name(name, name in schema["required"]), where, *_member(told, member))
            for name, member in schema["properties"].items()
        ]
    return rows


def _name(name: str, required: bool) -> str:
    return f"**`{name}`**" if required else f"`{name}`"


def _member(told: dict[str, Any], member: dict[str, Any]) -> tuple[str, str, str]:
    return kind(told, member), member.get("x-source", ""), _joined(member.get("description", ""))


def _scope(operation: dict[str, Any]) -> str:
    scopes = [scope for each in operation["security"] for scope in each.get("oauth2", [])]
    return ", ".join(f"`{scope}`" for scope in scopes)


def _joined(paragraph: str) -> str:
    return paragraph if paragraph.startswith("- ") else " ".join(paragraph.split())


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
    "openapi.json": openapi,
    "events.md": events,
    "promises.md": promises,
    "settings.md": settings,
}


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", _NOTE, *parts]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    if len(lines) == 2:
        return ""
    return "\n".join(
        "| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines
    )


def _compact(body: object) -> str:
    return json.dumps(body, separators=(",", ":"))


if __name__ == "__main__":
    for name, write in PAGES.items():
        (FOLDER / name).write_text(write(), "utf-8")
