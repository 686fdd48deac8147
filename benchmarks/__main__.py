"""Measures uploads beside COPY, pages, memory, start and size: `make bench`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import paging, report
from benchmarks.client import Party
from benchmarks.machine import installed_mib, surroundings
from benchmarks.server import Server, place
from benchmarks.uploads import Bench, Case, Measured

_SEVERAL = 4
_CASES = [
    Case(size, resellers, -(-uploads // resellers))
    for size, uploads in ((100_000, 2), (10_000, 12), (1_000, 40), (1, 400))
    for resellers in (1, _SEVERAL)
]
_QUICK = [Case(10_000, 1, 1), Case(1_000, _SEVERAL, 1), Case(1, 1, 20)]


def main() -> None:
    """The command."""
    options = _options()
    cases = _QUICK if options.quick else _CASES
    if options.only:
        cases = [case for case in cases if case.size in options.only]
    with place(options.dir) as folder:
        server = Server(folder)
        try:
            found = _measure(server, cases, 1 if options.quick else options.rounds, options)
        finally:
            server.stop()
    report.show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few seconds: does it work at all?")
    parser.add_argument("--rounds", type=int, default=5, help="of each case (5)")
    parser.add_argument("--only", type=int, action="append", help="only uploads of this size")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here")
    parser.add_argument("--dir", type=Path, help="where the data is written (the system's /tmp)")
    return parser.parse_args()


def _measure(
    server: Server, cases: list[Case], rounds: int, options: argparse.Namespace
) -> dict[str, Any]:
    first_s = server.start()
    server.stop()
    later_s = server.start()
    found = surroundings(server.database_url, server.data_dir)
    time.sleep(1 if options.quick else 5)
    idle = server.memory_mib()
    parties = [server.party(f"Benchmark {number + 1}") for number in range(_SEVERAL)]
    bench = Bench(server, parties)
    try:
        sent = _warm(bench, options)
        measured = [Measured(case) for case in cases]
        for round_ in range(rounds):
            for each in measured:
                _say(f"round {round_ + 1} of {rounds}: uploads of {each.case.size:,} devices")
                bench.round(each)
        sent += sum(case.devices for case in cases) * rounds
        sent += _fill(bench, parties[0], options)
        counted = bench.counted()
    finally:
        bench.close()
    if counted["device"] != sent:
        raise SystemExit(f"{sent} devices were sent, and {counted['device']} are there.")
    _say("pages")
    pages = paging.measure(server, parties[0], times=10 if options.quick else 200)
    time.sleep(1 if options.quick else 5)
    _say("")
    return found | {
        "uploads": [each.figures() for each in measured],
        "paging": pages,
        "start_s": {"first": round(first_s, 2), "later": round(later_s, 2)},
        "memory_idle_mib": idle,
        "memory_after_mib": server.memory_mib(),
        "installation_mib": installed_mib(),
        "checked": {"sent": sent, **counted},
    }


def _warm(bench: Bench, options: argparse.Namespace) -> int:
    """What the first upload after a start pays for once is nobody's speed."""
    case = Case(1_000 if options.quick else 10_000, _SEVERAL, 1)
    bench.upload(case)
    return case.devices


def _fill(bench: Bench, party: Party, options: argparse.Namespace) -> int:
    """Uploads until a reseller has as many devices as the longest page."""
    if options.quick:
        return 0
    missing = paging.LONG_PAGE - paging.count(party)
    if missing <= 0:
        return 0
    _say("filling up for the pages")
    case = Case(100_000, 1, -(-missing // 100_000))
    bench.upload(case)
    return case.devices


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end=" …" if what else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
