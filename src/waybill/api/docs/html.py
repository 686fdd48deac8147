"""HTML without a template: elements, escaped text, and the little Markdown that our texts use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def el(tag: str, /, *content: str | Iterable[str] | None, **attributes: str | bool | None) -> Html:
    """An element. Content that is no `Html` is escaped; None is left out.

    An attribute's underscores are hyphens, and one at its end is dropped (`class_`). True is an
    attribute without a value; None and False leave it out.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(value)}"')
        for key, value in attributes.items()
        if isinstance(value, str) or value is True
    )
    return Html(f"<{tag}{written}>{join(content)}</{tag}>")


def join(content: Iterable[str | Iterable[str] | None]) -> Html:
    """Pieces one after another, escaped where they are no `Html`."""
    parts: list[str] = []
    for each in content:
        if isinstance(each, Html):
            parts.append(each)
        elif isinstance(each, str):
            parts.append(escape(each))
        elif each is not None:
            parts.append(join(each))
    return Html("".join(parts))


def prose(text: str) -> Html:
    """Paragraphs and lists, with `code`, **strong** and *stressed* words."""
    return join(_block(block) for block in text.strip().split("\n\n"))


def words(text: str) -> Html:
    """One line of prose."""
    written = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    written = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", written)
    return Html(re.sub(r"(?<!\w)\*([^*]+)\*", r"<em>\1</em>", written))


def _block(block: str) -> Html:
    if block.startswith("- "):
        return el("ul", [el("li", words(line)) for line in block[2:].split("\n- ")])
    return el("p", words(" ".join(block.split())))
