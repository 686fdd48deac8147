"""Proving what must hold: a walk through each table, a range at a time, all in one snapshot."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from waybill.db.tx import Tx
from waybill.integrity import rules, store
from waybill.integrity.rules import Breach, Promise
from waybill.integrity.store import Place, Run, Thing

# Of what a step goes through: some tenths of a second each, so that an end is heard soon.
_DEVICES = 100_000
_KEYS = 50_000
_TRANSACTIONS = 2_000
_BYTES = 16 * 1024 * 1024
_ENTRIES = 50_000
_PHONES = 20_000


@dataclass
class Walk:
    """A way through one table, from one end to the other.

    Args:
        name: what it goes through.
        proves: the promises that hold once it is done and found no breach.
        steps: yields after each range how many rows it had.
        total: how many rows there are, as far as that is known without counting.
        after: the walks that must be done before.
    """

    name: str
    proves: frozenset[Promise]
    steps: Iterator[int]
    total: int
    after: Sequence[Walk] = ()
    seen: int = 0
    done: bool = False

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return 1.0 if self.done else min(self.seen / max(self.total, self.seen, 1), 0.999)

    def step(self) -> None:
        """Goes through the next range."""
        rows = next(self.steps, None)
        if rows is None:
            self.done = True
        else:
            self.seen += rows


@dataclass
class Proof:
    """How far it has come, and what was found.

    Args:
        at: the moment of which all is told.
        walks: the ways through the tables.
        breaches: what does not hold.
    """

    at: datetime
    walks: Sequence[Walk] = ()
    breaches: list[Breach] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether everything was looked at."""
        return all(walk.done for walk in self.walks)

    def broken(self, promise: Promise) -> bool:
        """Whether a breach of it was found."""
        return any(breach.promise is promise for breach in self.breaches)

    def share(self, promise: Promise) -> float:
        """How much of what could break it was looked at, from 0 to 1."""
        return min(walk.share for walk in self.walks if promise in walk.proves)


def prove(tx: Tx, go_on: Callable[[Proof], bool]) -> Proof:
    """Looks for breaches of all promises.

    Args:
        tx: one that has done nothing yet; only read.
        go_on: asked after each step; false ends it early.
    """
    proof = Proof(store.begin(tx))
    proof.walks = _Walks(tx, proof.breaches).all()
    while not proof.complete and go_on(proof):
        ready = [walk for walk in proof.walks if all(other.done for other in walk.after)]
        # The one that lags: when the time is over, all have come equally far.
        min(ready, key=lambda walk: walk.share).step()
    return proof


class _Walks:
    """All walks, with what they add up on the way."""

    def __init__(self, tx: Tx, breaches: list[Breach]) -> None:
        self._tx = tx
        self._breaches = breaches
        self._newest = store.newest(tx, "transaction", "seq")
        # By transaction.seq: how many devices it registered or removed.
        self._touched = array("i", [0]) * (self._newest + 1)
        self._devices = self._keys = 0

    def all(self) -> list[Walk]:
        """In the order in which they are shown."""
        tx, newest = self._tx, self._newest
        ends, given = store.device_places(tx, _DEVICES)
        entries = store.newest(tx, "activity", "id")
        phones, links = (store.guessed_rows(tx, t) for t in ("manufactured", "identifier_link"))
        added = frozenset({Promise.DEVICES_COUNTED, Promise.KEY_INDEX})
        told = frozenset({Promise.ONE_ENTRY, Promise.CREATION_TOLD})
        listed = frozenset({Promise.LINKS_LEAD_HOME})
        devices = Walk("devices", store.DEVICE_PROMISES, self._by_place(ends), given)
        keys = Walk("keys", frozenset({Promise.ONE_HOLDER}), self._by_key(), given)
        return [
            devices,
            keys,
            Walk("transactions", store.TRANSACTION_PROMISES, self._by_transaction(), newest),
            Walk("activity", told, self._by_entry(entries), entries),
            Walk("listed phones", listed, self._by_list("manufactured"), phones),
            Walk("their identifiers", listed, self._by_list("identifier_link"), links),
            Walk("sums", added, self._by_sum(), newest, after=(devices, keys)),
        ]

    def _by_place(self, ends: Sequence[Place]) -> Iterator[int]:
        start = store.FIRST
        for end in ends:
            self._breaches += store.broken_devices(self._tx, start, end)
            rows = 0
            for each in store.touched(self._tx, start, end):
                rows += each.registered
                if 0 <= each.transaction <= self._newest:
                    self._touched[each.transaction] += each.registered + each.removed
            self._devices += rows
            start = end
            yield rows

    def _by_key(self) -> Iterator[int]:
        after = ""
        while (last := store.end_of_range(self._tx, "device", after, _KEYS)) is not None:
            rows, breaches = store.held_twice(self._tx, after, last)
            self._breaches += breaches
            self._keys += rows
            after = last
            yield rows

    def _by_transaction(self) -> Iterator[int]:
        finished: Counter[tuple[int, int]] = Counter()
        for run in self._runs(_BYTES):
            for kept in store.transactions(self._tx, run):
                self._breaches += rules.breaches(kept)
            self._breaches += store.broken_transactions(self._tx, run)
            for reseller, customer, count in store.finished(self._tx, run):
                finished[reseller, customer] += count
            yield run.last - run.first + 1
        for (reseller, customer, count), where in store.finished_counters(self._tx):
            if finished[reseller, customer] != count:
                found = f"{count} by the counter"
                expected = f"{finished[reseller, customer]} finished transactions"
                self._breaches.append(Breach(Promise.FINISHED_NUMBERED, where, expected, found))

    def _by_entry(self, newest: int) -> Iterator[int]:
        told: Counter[Thing] = Counter()
        for first in range(1, newest + 1, _ENTRIES):
            last = first + _ENTRIES - 1
            told.update(store.creations(self._tx, first, last))
            self._breaches += store.broken_entries(self._tx, first, last)
            yield _ENTRIES
        for thing, where in store.created(self._tx):
            if told[thing] != 1:
                expected, found = f"one entry, {thing.event}", str(told[thing])
                self._breaches.append(Breach(Promise.CREATION_TOLD, where, expected, found))

    def _by_list(self, table: str) -> Iterator[int]:
        after = ""
        while (last := store.end_of_range(self._tx, table, after, _PHONES)) is not None:
            self._breaches += store.broken_links(self._tx, table, after, last)
            after = last
            yield _PHONES

    def _by_sum(self) -> Iterator[int]:
        if self._keys != self._devices:
            expected, found = f"{self._devices} devices", f"{self._keys} by their keys"
            self._breaches.append(
                Breach(Promise.KEY_INDEX, {"index": "device_holder"}, expected, found)
            )
        for run in self._runs(None):
            for each in store.succeeded(self._tx, run):
                if each.ok != self._touched[each.seq]:
                    expected, found = f"{each.ok} devices", str(self._touched[each.seq])
                    self._breaches.append(
                        Breach(Promise.DEVICES_COUNTED, each.where, expected, found)
                    )
            yield run.last - run.first + 1

    def _runs(self, most_bytes: int | None) -> Iterator[Run]:
        after = 0
        while run := store.next_transactions(self._tx, after, _TRANSACTIONS, most_bytes):
            yield run
            after = run.last
