"""Connections to PostgreSQL, each with the time limits that its defaults leave out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import psycopg
from psycopg_pool import ConnectionPool

from waybill.db.tx import Tx

# PostgreSQL waits for ever unless told otherwise.
_LIMITS = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
}


def _options(**changed: str) -> dict[str, object]:
    limits = _LIMITS | changed
    return {
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        "connect_timeout": 5,
        "application_name": "waybill",
    }


def connect(url: str, **limits: str) -> Tx:
    """One connection outside of any pool, for the worker, the command line and migrations.

    Args:
        url: a PostgreSQL URL.
        limits: server settings that differ from the usual time limits.

    Raises:
        psycopg.OperationalError: the database cannot be reached.
    """
    return psycopg.connect(url, **_options(**limits))  # type: ignore[arg-type]


@contextmanager
def transaction(url: str) -> Iterator[Tx]:
    """One database transaction on a connection of its own: committed unless the block raises."""
    with connect(url) as tx:
        yield tx


def pool(url: str, size: int) -> ConnectionPool[Tx]:
    """A pool that opens lazily, checks a connection before lending it, and gives up after 2 s.

    Raises (from `connection()`):
        psycopg_pool.PoolTimeout: no connection in time: the database is away or all are busy.
    """
    return ConnectionPool(
        url,
        min_size=1,
        max_size=size,
        kwargs=_options(),
        check=_check,
        reset=_note,
        timeout=2.0,
        reconnect_timeout=0,
        max_idle=60.0,
        open=False,
        name="waybill",
    )


# A connection that was in use a moment ago is taken to be alive; asking costs as much as a query.
_TRUSTED_S = 1.0
_used: WeakKeyDictionary[Tx, float] = WeakKeyDictionary()


def _check(tx: Tx) -> None:
    if time.monotonic() - _used.get(tx, 0.0) > _TRUSTED_S:
        ConnectionPool.check_connection(tx)


def _note(tx: Tx) -> None:
    _used[tx] = time.monotonic()
