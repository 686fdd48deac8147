"""JSON Schemas of what goes over the wire, from the structs that describe it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import UNSET, inspect

from waybill.wire import requests

Node = dict[str, Any]

_REF = "#/components/schemas/{name}"


def reference(kind: type[msgspec.Struct]) -> Node:
    """Names the schema of a struct."""
    return {"$ref": _REF.format(name=kind.__name__)}


def schemas(kinds: Iterable[type[msgspec.Struct]]) -> Node:
    """The schemas of structs and of all that they hold, by name."""
    chosen = list(dict.fromkeys(kinds))
    _, found = msgspec.json.schema_components(chosen, ref_template=_REF)
    types = {each.__name__: each for each in _with_parts(chosen)}
    return {name: _completed(types[name], found[name]) for name in sorted(found)}


def schema_of(kind: type[msgspec.Struct]) -> Node:
    """The schema of one struct."""
    return schemas([kind])[kind.__name__]


def without_null(member: Node) -> Node:
    """The schema of a parameter: in a query there is no null."""
    kinds = [each for each in member["type"] if each != "null"]
    return member if isinstance(member["type"], str) else member | {"type": kinds[0]}


def _completed(kind: type[msgspec.Struct], schema: Node) -> Node:
    """Adds what msgspec cannot know: which members an answer always has, and further rules."""
    asked = kind.__module__ == requests.__name__
    members = schema["properties"]
    return schema | {
        "properties": {name: _in_order(members[name]) for name in members},
        "required": [
            each.encode_name
            for each in msgspec.structs.fields(kind)
            if each.required or (not asked and each.default is not UNSET)
        ],
        **getattr(kind, "also", {}),
    }


def _in_order(member: Node) -> Node:
    """A member with its words first, `null` as one of its types, and no default that is null."""
    member = {name: value for name, value in member.items() if (name, value) != ("default", None)}
    kinds = member.get("anyOf", [])
    if kinds and all(each.keys() == {"type"} for each in kinds):
        del member["anyOf"]
        member["type"] = [each["type"] for each in kinds]
    first = [name for name in ("description", "type", "x-source") if name in member]
    return {name: member[name] for name in [*first, *member]}


def _with_parts(kinds: Iterable[type[msgspec.Struct]]) -> Iterator[type[msgspec.Struct]]:
    for info in inspect.multi_type_info(kinds):
        yield from _structs(info)


def _structs(info: inspect.Type) -> Iterator[type[msgspec.Struct]]:
    match info:
        case inspect.StructType(cls=kind, fields=fields):
            yield kind
            for each in fields:
                yield from _structs(each.type)
        case inspect.UnionType(types=types):
            for each in types:
                yield from _structs(each)
        case inspect.Metadata(type=inner) | inspect.ListType(item_type=inner):
            yield from _structs(inner)
        case _:
            pass
