"""Which database a command means: the one it is given, or the one of the running server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from waybill.config import Settings
from waybill.db.connect import transaction
from waybill.db.data_dir import locate
from waybill.db.embedded import running
from waybill.db.migrate import migrate
from waybill.db.tx import Tx


class Failed(Exception):  # noqa: N818 - reads as what it tells
    """A command that could not do what it was asked; the sentence says what to do next."""


def url_of(settings: Settings) -> str:
    """The database's URL.

    Raises:
        Failed: neither a URL is given nor is a server running on the data directory.
    """
    if settings.database_url:
        return settings.database_url
    where = locate(settings)
    url = running(where)
    if url is None:
        raise Failed(
            f"No server is running on {where}. Start `waybill serve` in another terminal, or say"
            " which database is meant: --data-dir, or --database-url."
        )
    return url


@contextmanager
def opened(settings: Settings) -> Iterator[Tx]:
    """One database transaction of a command, on a database that is up to date.

    Raises:
        Failed: the database cannot be reached or used.
    """
    url = url_of(settings)
    try:
        if settings.database_url:
            migrate(url)
        with transaction(url) as tx:
            yield tx
    except psycopg.OperationalError as problem:
        reason = str(problem).strip().splitlines()[0]
        raise Failed(f"The database cannot be used: {reason}") from problem
