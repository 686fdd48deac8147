"""The mark that says where we know a thing from."""

from __future__ import annotations

from waybill.api.docs.html import Html, el

_SOURCES = {
    "documented": "Samsung's public pages say so.",
    "sample": "A sample on Samsung's public pages shows it.",
    "observed": "Real clients send it or rely on it.",
    "sister-api": "Documented for another Knox API.",
    "ours": "Our choice, where the pages are silent or contradict each other.",
}


def source(known_from: str | None) -> Html | None:
    """The mark; None for what has none, and for what is documented, as nearly all is."""
    if known_from is None or known_from == "documented":
        return None
    return el("span", known_from, class_=f"source {known_from}", title=_SOURCES[known_from])
