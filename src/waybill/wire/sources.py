"""Where we know a thing of the contract from, and how a member is described for clients."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Source(StrEnum):
    """Where we know a thing from; no official description of the API can be had."""

    DOCUMENTED = "documented"
    """Samsung's public pages say so."""
    SAMPLE = "sample"
    """A sample on these pages shows it."""
    OBSERVED = "observed"
    """Real clients send it, or rely on it."""
    SISTER = "sister-api"
    """These pages say so of another Knox API."""
    OURS = "ours"
    """Our choice, where the pages are silent or contradict each other."""


def told(
    meaning: str, source: Source, *examples: object, schema: dict[str, Any] | None = None
) -> msgspec.Meta:
    """What the OpenAPI document tells of a member.

    Args:
        meaning: for whoever writes a client.
        source: where we know it from.
        examples: values of it.
        schema: further keywords of JSON Schema. They describe and do not decide: what is refused
            is for the parsers to say, each defect with its code.
    """
    return msgspec.Meta(
        description=meaning,
        examples=list(examples) or None,
        extra_json_schema={**(schema or {}), "x-source": source.value},
    )
