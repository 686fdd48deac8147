"""Slows down whoever guesses secrets (contract §3, 42900000)."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from waybill.wire.codes import Code, Refused

# Secrets are 256 random bits, so this is about load and noise. Whoever guesses is slowed down,
# not the client that is guessed at: an address counts together with the client that it names.
_FAILURES_MAX = 20
_WINDOW_S = 60
_REMEMBERED_MAX = 10_000


@dataclass
class Guesses:
    """Failed attempts of the last minute, by address and client ID."""

    _failures: OrderedDict[tuple[str, str], list[float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def failed(self, who: tuple[str, str]) -> None:
        """Counts a failed attempt."""
        with self._lock:
            recent = [*self._recent(who), time.monotonic()]
            self._failures[who] = recent
            self._failures.move_to_end(who)
            while len(self._failures) > _REMEMBERED_MAX:
                self._failures.popitem(last=False)

    def refuse_too_many(self, who: tuple[str, str]) -> None:
        """Refuses the next attempt after too many failed ones, until the first is a minute old."""
        with self._lock:
            recent = self._recent(who)
        if len(recent) >= _FAILURES_MAX:
            wait = max(1, round(recent[0] + _WINDOW_S - time.monotonic()))
            raise Refused(Code.TOO_MANY_REQUESTS, headers=(("Retry-After", str(wait)),))

    def _recent(self, who: tuple[str, str]) -> list[float]:
        since = time.monotonic() - _WINDOW_S
        return [at for at in self._failures.get(who, []) if at > since][-_FAILURES_MAX:]
