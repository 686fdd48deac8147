"""How resellers, vendors and customers stand: from where each verb leads, and whereto."""

from __future__ import annotations

from typing import Literal

Verb = Literal["block", "unblock", "close", "reopen"]

_MOVES: dict[Verb, tuple[set[str], str]] = {
    "block": ({"active"}, "blocked"),
    "unblock": ({"blocked"}, "active"),
    "close": ({"active", "blocked"}, "closed"),
    "reopen": ({"closed"}, "active"),
}


def moved(state: str, verb: Verb) -> str | None:
    """The state that a verb leads to, which may be the one that holds; None: not from here."""
    begins, ends = _MOVES[verb]
    return ends if state == ends or state in begins else None
