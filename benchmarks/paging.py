"""Pages of `GET /devices`: far out beside the first, and all devices in one answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import msgspec

from benchmarks.client import Connection, Party
from benchmarks.server import Growth, Server

PAGE_SIZE = 100
LONG_PAGE = 1_000_000
# Of the API process, while it sends the longest page (docs: "bounded memory").
GROWTH_LIMIT_MIB = 100


def measure(server: Server, party: Party, times: int) -> dict[str, Any]:
    """Pages of a reseller's devices; checks that they hold what they should."""
    connection = Connection(party)
    first = msgspec.json.decode(connection.page(0, PAGE_SIZE))
    total, far = first["totalCount"], first["totalPages"] - 1
    last = msgspec.json.decode(connection.page(far, PAGE_SIZE))
    if len(last["devices"]) != (total - 1) % PAGE_SIZE + 1:
        raise SystemExit(f"The last page holds {len(last['devices'])} of {total} devices.")
    near_ms, far_ms = _beside(
        lambda: connection.page(0, PAGE_SIZE), lambda: connection.page(far - 1, PAGE_SIZE), times
    )
    # The first long page makes what every later one finds: threads, buffers, a connection.
    with Growth(server.processes()["api"][0]) as growth:
        bytes_read, took_s, head = connection.long_page(LONG_PAGE)
    if f'"size":{min(total, LONG_PAGE)}'.encode() not in head:
        raise SystemExit(f"The long page begins {head[:200]!r}; {total} devices are there.")
    return {
        "devices": total,
        "page_size": PAGE_SIZE,
        "first_page_ms": round(near_ms, 2),
        "far_page": far - 1,
        "far_page_ms": round(far_ms, 2),
        "ratio": round(far_ms / near_ms, 2),
        "long_page": {
            "rows": min(total, LONG_PAGE),
            "mib": round(bytes_read / 2**20, 1),
            "seconds": round(took_s, 2),
            "api_mib_before": round(growth.before_mib, 1),
            "api_growth_mib": round(growth.mib, 1),
            "limit_mib": GROWTH_LIMIT_MIB,
        },
    }


def count(party: Party) -> int:
    """How many devices a reseller holds."""
    return msgspec.json.decode(Connection(party).page(0, 1))["totalCount"]


def _beside(
    one: Callable[[], object], other: Callable[[], object], times: int
) -> tuple[float, float]:
    """The medians of both in milliseconds, called in turn."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for call, found in zip((one, other), took, strict=True):
            began = time.perf_counter()
            call()
            found.append((time.perf_counter() - began) * 1000)
    return median(took[0]), median(took[1])
