"""Answers that are made while they are sent, so that their size costs no memory."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing

import msgspec

from waybill.api.edge import Answer, Call
from waybill.wire.gen2 import Page

# A page of at most so many rows is made whole, so that its connection is free at once.
_AT_ONCE_MAX = 5_000


def streamed(call: Call, made: Generator[bytes], page: Page) -> Answer:
    """The answer whose parts `made` gives; a small page at once, a large one part by part.

    Raises:
        Refused: whatever `made` refuses before its first part.
    """
    if page.size <= _AT_ONCE_MAX:
        return Answer(b"".join(made))
    return Answer(_started(_kept(call.services.streaming(), made)))


def members(portions: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The members of a JSON array, portion by portion, without its brackets."""
    separator = b""
    for portion in portions:
        yield separator + msgspec.json.encode(portion)[1:-1]
        separator = b","


def _kept(place: AbstractContextManager[None], made: Generator[bytes]) -> Generator[bytes]:
    with place, closing(made):
        yield from made


def _started(made: Generator[bytes]) -> Generator[bytes]:
    # What is refused is refused before the first byte is sent.
    first = next(made)

    def rest() -> Generator[bytes]:
        with closing(made):
            yield first
            yield from made

    return rest()
