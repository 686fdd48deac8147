"""`waybill verify`: whether everything that must hold does hold."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from waybill.cli.database import url_of
from waybill.cli.where import HERE, Json, Where
from waybill.db.connect import transaction
from waybill.integrity.actions import Proof, prove
from waybill.integrity.rules import Promise

# Of one promise, for people; scripts get all that was found.
_SHOWN = 10

# Exit code: nothing wrong was found, and not all was looked at.
UNFINISHED = 5


def verify(
    *,
    seconds: Annotated[float, Parameter(name="--time")] = 60.0,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """Prove what must hold: one holder a device, outcomes for each request, counters that count.

    Reads one moment of a database that goes on working, and changes nothing. When the time is
    over it says how far it came; a database of many millions of devices needs more of it.

    Exit codes: 0 all of it holds, 1 something does not, 5 nothing wrong was found in what there
    was time for.

        waybill verify
        waybill verify --time 600 --json

    Args:
        seconds: Most seconds to take.
        json: JSON, for scripts.
        where: Which installation.
    """
    settings = where.settings()
    with transaction(url_of(settings)) as tx:
        proof, took_s = _timed(tx, seconds, quiet=json or not sys.stderr.isatty())
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(_told(proof, took_s))).decode())
        sys.stdout.write("\n")
    else:
        _show(proof, took_s)
    if proof.breaches:
        return 1
    return 0 if proof.complete else UNFINISHED


def _timed(tx: Any, seconds: float, *, quiet: bool) -> tuple[Proof, float]:
    began = time.monotonic()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        console=Console(stderr=True),
        transient=True,
        disable=quiet,
    ) as progress:
        bars: dict[str, Any] = {}

        def go_on(proof: Proof) -> bool:
            for walk in proof.walks:
                if walk.name not in bars:
                    bars[walk.name] = progress.add_task(walk.name, total=1.0)
                progress.update(bars[walk.name], completed=walk.share)
            return time.monotonic() < began + seconds

        proof = prove(tx, go_on)
    return proof, time.monotonic() - began


def _told(proof: Proof, took_s: float) -> dict[str, Any]:
    return {
        "at": proof.at,
        "seconds": round(took_s, 1),
        "complete": proof.complete,
        "promises": [
            {
                "promise": each.slug,
                "says": each.says,
                "holds": False if proof.broken(each) else True if proof.share(each) == 1 else None,
                "looked": round(proof.share(each), 3),
            }
            for each in Promise
        ],
        "breaches": [
            {
                "promise": each.promise.slug,
                "where": each.where,
                "expected": each.expected,
                "found": each.found,
                "remedy": each.promise.remedy,
            }
            for each in proof.breaches
        ],
    }


def _show(proof: Proof, took_s: float) -> None:
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    for each in Promise:
        share = proof.share(each)
        if proof.broken(each):
            mark, note = Text("BROKEN ", "bold red"), ""
        elif share == 1:
            mark, note = Text("holds  ", "green"), ""
        else:
            mark, note = Text("so far ", "yellow"), f" ({share:.0%} looked at)"
        console.print(Text.assemble(mark, each.says, (note, "dim")))
    _show_breaches(console, proof)
    seen = ", ".join(f"{walk.seen:,} {walk.name}" for walk in proof.walks[:3])
    console.print(f"\n{proof.at:%Y-%m-%d %H:%M:%S} UTC, {took_s:.1f} s: {seen}.")
    if not proof.complete:
        least = min(walk.share for walk in proof.walks if not walk.after)
        hint = f" About `--time {took_s / least * 1.3:.0f}` sees all." if least > 0 else ""
        console.print(f"The time was over before all was looked at.{hint}", style="yellow")


def _show_breaches(console: Console, proof: Proof) -> None:
    shown: Counter[Promise] = Counter()
    for breach in proof.breaches:
        shown[breach.promise] += 1
        if shown[breach.promise] == 1:
            console.print(f"\n{breach.promise.slug}: {breach.promise.remedy}", style="bold")
        if shown[breach.promise] <= _SHOWN:
            where = ", ".join(f"{name} {value}" for name, value in breach.where.items())
            console.print(f"  {where}: expected {breach.expected}; found {breach.found}")
    for promise, count in shown.items():
        if count > _SHOWN:
            console.print(f"  … {promise.slug}: {count - _SHOWN} more (all with --json)")
