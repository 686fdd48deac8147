"""What a call takes and answers, member by member."""

from __future__ import annotations

import msgspec

from waybill.api.docs.html import Html, el, join, words
from waybill.api.docs.sources import source
from waybill.api.schemas import Node


def asked(told: Node, operation: Node) -> Html:
    """What is sent: query, headers or body."""
    parts: list[Html] = []
    for where in ("path", "header", "query"):
        asked = [each for each in operation.get("parameters", []) if each["in"] == where]
        rows = [_member(told, each["name"], _flat(each), each["required"]) for each in asked]
        if rows:
            parts += [el("h4", _WHERE[where]), el("dl", rows, class_="members")]
    if "requestBody" in operation:
        media, content = next(iter(operation["requestBody"]["content"].items()))
        schema = _resolved(told, content["schema"])
        kind = "JSON" if media.endswith("json") else "Form"
        parts += [el("h4", f"Body: {kind}"), _members(told, schema)]
    return join(parts)


_WHERE = {"path": "In the path", "header": "Headers", "query": "Query"}


def _flat(parameter: Node) -> Node:
    return {**parameter["schema"], **parameter}


def answered(told: Node, operation: Node) -> Html:
    """What comes back, folded away."""
    success = next(iter(operation["responses"].values()))
    content = success.get("content")
    if content is None:
        return el("p", success["description"])
    schema = next(iter(content.values()))["schema"]
    kinds = [_resolved(told, each) for each in schema.get("oneOf", [schema])]
    return join(
        el(
            "details",
            el("summary", f"Members of the answer: {kind['description']}"),
            _members(told, kind),
        )
        for kind in kinds
    )


def _members(told: Node, schema: Node) -> Html:
    rows = [
        _member(told, name, member, name in schema["required"])
        for name, member in schema["properties"].items()
    ]
    return el("dl", rows, class_="members")


def _member(told: Node, name: str, member: Node, required: bool) -> Html:
    inner = _inner(told, member)
    term = el(
        "dt",
        el("code", name),
        " ",
        el("span", kind(told, member), class_="kind"),
        " ",
        None if required else el("span", "optional", class_="optional"),
        " ",
        source(member.get("x-source")),
    )
    said = words(member["description"]) if "description" in member else None
    return join([term, el("dd", said, inner and _members(told, inner))])


def _inner(told: Node, member: Node) -> Node | None:
    """The struct that a member holds, itself or in a list."""
    for each in (member, *member.get("anyOf", [])):
        held = each.get("items", each)
        if "$ref" in held:
            return _resolved(told, held)
    return None


def _resolved(told: Node, schema: Node) -> Node:
    return told["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def kind(told: Node, member: Node) -> str:
    """The type of a member in words: `string, 1 to 64 characters`."""
    if "const" in member:
        return msgspec.json.encode(member["const"]).decode()
    if "enum" in member:
        return " | ".join(str(each) for each in member["enum"] if each)
    kinds = member.get("type") or next(
        (each["type"] for each in member.get("anyOf", []) if each.get("type", "null") != "null"),
        "object",
    )
    kinds = [kinds] if isinstance(kinds, str) else [each for each in kinds if each != "null"]
    said = " or ".join(kinds)
    if "array" in kinds:
        said = f"list of {'objects' if _inner(told, member) else 'strings'}"
    for low, high, what in (
        ("minLength", "maxLength", " characters"),
        ("minimum", "maximum", ""),
        ("minItems", "maxItems", ""),
    ):
        if high in member:
            said += f", {member.get(low, 0):,} to {member[high]:,}{what}"
        elif low in member and member[low] > 0:
            said += f", at least {member[low]:,}{what}"
    return said
