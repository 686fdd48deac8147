"""What everything below the doors is handed: an open database transaction."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

Tx = psycopg.Connection[tuple[Any, ...]]


def snapshot(tx: Tx) -> None:
    """Makes a `tx` that has done nothing yet read-only, and all that it reads of one moment."""
    tx.execute("set transaction isolation level repeatable read, read only")


def ping(tx: Tx) -> None:
    """Asks the database for a sign of life."""
    tx.execute("select 1")


def listen(tx: Tx, channel: str) -> None:
    """Makes `tx.notifies()` tell what is announced on a channel from the next commit on."""
    tx.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
