"""The codes that a call can meet, and all of them together."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from waybill.api.docs.html import Html, el, join, words
from waybill.api.docs.sources import source
from waybill.api.schemas import Node


def codes(operation: Node) -> Html:
    """What a call can be refused with, and what a device of it can fail with."""
    rows: list[Html] = []
    for status, response in operation["responses"].items():
        coded = {str(each["code"]): each for each in response.get("x-codes", [])}
        examples = next(iter(response.get("content", {}).values()), {}).get("examples", {})
        if status.startswith("2"):
            continue
        for name, example in examples.items():
            number, _, message = name.partition(" ")
            known = coded.get(number)
            rows.append(_refusal(status, number, message, example, known))
    table = el(
        "table",
        el("thead", el("tr", [el("th", each, scope="col") for each in _HEAD])),
        el("tbody", rows),
    )
    parts = [el("details", el("summary", f"Refusals ({len(rows)})"), _scrolled(table))]
    if "x-device-codes" in operation:
        devices = _code_table(operation["x-device-codes"])
        said = "Codes of a device, which the status tells"
        parts.insert(0, el("details", el("summary", said), _scrolled(devices), open=True))
    return el("div", parts, class_="codes")


_HEAD = ("Status", "Code", "When", "Body")


def _refusal(status: str, number: str, message: str, example: Node, known: Node | None) -> Html:
    if known is not None:
        named = join([el("a", number, href=f"#code-{number}"), " ", message])
    else:
        named = join([number, " ", message])
    body = msgspec.json.encode(example["value"]).decode()
    return el(
        "tr",
        el("td", status),
        el("td", named, " ", source(known["x-source"] if known else None)),
        el("td", words(example["summary"])),
        el("td", el("code", body)),
    )


def _code_table(codes: Iterable[Node], used: dict[int, list[Html]] | None = None) -> Html:
    head = ("Code", "message", "data", "When", *(["In"] if used is not None else []))
    rows = [
        el(
            "tr",
            el("td", el("a", str(code["code"]), href=f"#code-{code['code']}")),
            el("td", Html(code["message"].replace("_", "_<wbr>")), " ", source(code["x-source"])),
            el("td", code["data"]),
            el("td", words(code["when"])),
            None if used is None else el("td", used[code["code"]]),
            id=None if used is None else f"code-{code['code']}",
        )
        for code in codes
    ]
    return el(
        "table",
        el("thead", el("tr", [el("th", each, scope="col") for each in head])),
        el("tbody", rows),
    )


def all_codes(told: Node) -> Html:
    """Every code, and the calls that can meet it."""
    known: dict[int, Node] = {}
    used: dict[int, list[Html]] = {}
    for path, methods in told["paths"].items():
        for operation in methods.values():
            met = [c for each in operation["responses"].values() for c in each.get("x-codes", [])]
            for code in [*met, *operation.get("x-device-codes", [])]:
                known[code["code"]] = code
                name = operation["operationId"]
                link = el(
                    "a",
                    path.removeprefix("/kcs/v1/rp").removeprefix("/ams/v1/oauth2"),
                    href=f"#{name}",
                )
                if link not in used.setdefault(code["code"], []):
                    used[code["code"]] += [link, Html(" ")]
    table = _code_table([known[number] for number in sorted(known)], used)
    return el("section", el("h2", "All codes"), _scrolled(table), id="codes", class_="group codes")


def _scrolled(table: Html) -> Html:
    return el("div", table, class_="scrolled", tabindex="0", role="region", aria_label="Codes")
