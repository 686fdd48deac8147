"""Uploads through HTTP, beside `COPY` of the same rows into a table like `device`."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import psycopg

from benchmarks.client import Connection, Party
from benchmarks.server import Server
from waybill.wire.identifiers import Kind, canonical

# As many as one turn of the worker takes, and so what one of its commits holds.
BATCH = 10_000


@dataclass(frozen=True)
class Case:
    """Uploads of one size, sent by one reseller or by several at once.

    Each reseller sends its next upload as soon as the one before it was accepted.
    """

    size: int
    resellers: int
    uploads_each: int

    @property
    def devices(self) -> int:
        """How many devices that is."""
        return self.size * self.resellers * self.uploads_each


@dataclass
class Measured:
    """What the rounds of one case took, in seconds, and what it was checked by."""

    case: Case
    upload_s: list[float] = field(default_factory=list)
    copy_s: list[float] = field(default_factory=list)
    upload_cpu_s: list[float] = field(default_factory=list)
    copy_cpu_s: list[float] = field(default_factory=list)
    accepted_ms: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Devices a second of both, and their ratio in each round."""
        devices = self.case.devices
        ratios = [copy / upload for upload, copy in zip(self.upload_s, self.copy_s, strict=True)]
        return {
            "devices_an_upload": self.case.size,
            "resellers": self.case.resellers,
            "devices_a_round": devices,
            "rounds": len(ratios),
            "waybill_per_s": _spread([devices / each for each in self.upload_s], 0),
            "copy_per_s": _spread([devices / each for each in self.copy_s], 0),
            "ratio": _spread(ratios, 3),
            "cpu_us_a_device": {
                "waybill": round(median(self.upload_cpu_s) / devices * 1e6, 1),
                "copy": round(median(self.copy_cpu_s) / devices * 1e6, 1),
            },
            "accepted_ms": {
                "median": round(median(self.accepted_ms), 2),
                "p99": round(_percentile(self.accepted_ms, 0.99), 2),
            },
        }


class Bench:
    """The parties that upload, the table beside, and the devices, which never come twice."""

    def __init__(self, server: Server, parties: Sequence[Party]) -> None:
        self._server = server
        self._tx = psycopg.connect(server.database_url)
        self._tx.execute("create table if not exists copied (like device including all)")
        self._tx.commit()
        self._pool = ThreadPoolExecutor(len(parties))
        self._connections = [Connection(party) for party in parties]
        self._copying = [psycopg.connect(server.database_url) for _ in parties]
        self._phones = _phones()
        self._sent = 0

    def close(self) -> None:
        """Lets go of connections and threads."""
        self._pool.shutdown()
        for tx in (self._tx, *self._copying):
            tx.close()

    def round(self, measured: Measured) -> None:
        """Once through HTTP, once by COPY; checks that both hold what was sent."""
        senders = self._connections[: measured.case.resellers]
        before = [self._next_seq(each.party) for each in senders]
        cpu_s = self._server.cpu_s()
        took_s, accepted_s = self.upload(measured.case)
        measured.upload_s.append(took_s)
        measured.upload_cpu_s.append(self._server.cpu_s() - cpu_s)
        measured.accepted_ms += [each * 1000 for each in accepted_s]
        work = [self._rows(each.party, seq) for each, seq in zip(senders, before, strict=True)]
        cpu_s = self._server.cpu_s()
        measured.copy_s.append(self._copy(work, measured.case.devices))
        measured.copy_cpu_s.append(self._server.cpu_s() - cpu_s)

    def upload(self, case: Case) -> tuple[float, list[float]]:
        """Sends a case's uploads; seconds from the first byte until the last one is complete."""
        senders = self._connections[: case.resellers]
        work = [self._work(each.party, case) for each in senders]
        for each in senders:
            each.renew()
        began = time.perf_counter()
        accepted = list(self._pool.map(_send, senders, work))
        return time.perf_counter() - began, [each for one in accepted for each in one]

    def _work(self, party: Party, case: Case) -> list[tuple[str, bytes]]:
        """Transaction IDs and bodies, made before the clock starts."""
        made: list[tuple[str, bytes]] = []
        for _ in range(case.uploads_each):
            self._sent += 1
            devices = [next(self._phones) for _ in range(case.size)]
            made.append((f"B{self._sent}", party.body(f"B{self._sent}", devices)))
        return made

    def _next_seq(self, party: Party) -> int:
        row = self._tx.execute(
            "select next_device_seq from turn where reseller = %s", (party.number,)
        ).fetchone()
        self._tx.commit()
        assert row is not None
        return row[0]

    def _rows(self, party: Party, seq: int) -> list[bytes]:
        """What a reseller's uploads registered from a number on, as text in batches."""
        with self._tx.cursor().copy(
            "copy (select * from device where reseller = %s and seq >= %s order by seq) to stdout",
            (party.number, seq),
        ) as rows:
            lines = b"".join(bytes(part) for part in rows).splitlines(keepends=True)
        return [b"".join(lines[at : at + BATCH]) for at in range(0, len(lines), BATCH)]

    def _copy(self, work: Sequence[list[bytes]], devices: int) -> float:
        """COPYs batches, a commit each; as many connections at once as there were resellers."""
        self._tx.commit()
        began = time.perf_counter()
        copied = sum(self._pool.map(_copied, self._copying, work))
        took_s = time.perf_counter() - began
        if copied != devices:
            raise SystemExit(f"{devices} devices were sent, and {copied} rows were copied.")
        return took_s

    def counted(self) -> dict[str, int]:
        """How many devices both tables hold."""
        found: dict[str, int] = {}
        for table in ("device", "copied"):
            row = self._tx.execute(f"select count(*) from {table}".encode()).fetchone()
            found[table] = row[0] if row else 0
        self._tx.commit()
        return found


def _send(connection: Connection, work: Sequence[tuple[str, bytes]]) -> list[float]:
    """Sends uploads and waits for the end of the last; seconds until each was accepted."""
    accepted = [connection.upload(body) for _, body in work]
    # A reseller's uploads are worked off in order: with the last one all are complete.
    connection.settled(work[-1][0])
    return accepted


def _copied(tx: psycopg.Connection, batches: Sequence[bytes]) -> int:
    copied = 0
    for batch in batches:
        with tx.cursor() as cursor:
            with cursor.copy("copy copied from stdin") as copy:
                copy.write(batch)
            copied += cursor.rowcount
        tx.commit()
    return copied


def _phones() -> Iterator[str]:
    """IMEIs that never repeat, in no order, as those of a real delivery."""
    # A generator of full period over 12 digits: seed, then steps of a number prime to 10^12.
    number, step = random.randrange(10**12), 618_033_988_749
    while True:
        number = (number + step) % 10**12
        yield canonical(Kind.IMEI, f"35{number:012}")


def _spread(values: Sequence[float], digits: int) -> dict[str, float]:
    return {
        "median": round(median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
    }


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
