"""Which database a command means: the one it is given, or the one of the running server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict

from waybill.cli.failure import Failed, Senseless
from waybill.config import Settings
from waybill.db.connect import transaction
from waybill.db.data_dir import locate
from waybill.db.embedded import running
from waybill.db.migrate import migrate
from waybill.db.tx import Tx


def url_of(settings: Settings) -> str:
    """The database's URL.

    Raises:
        Failed: neither a URL is given nor is a server running on the data directory.
    """
    if settings.database_url:
        return _checked(settings.database_url)
    where = locate(settings)
    url = running(where)
    if url is None:
        raise Failed(
            f"No server is running on {where}. Start `waybill serve` in another terminal, or say"
            " which database is meant: --data-dir, or --database-url."
        )
    return url


def _checked(url: str) -> str:
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Its own words would repeat what may be a password.
        raise Senseless(
            "--database-url (WAYBILL_DATABASE_URL) is no address of a PostgreSQL database, such as"
            " postgresql://user:password@host:5432/waybill."
        ) from None
    return url


@contextmanager
def opened(settings: Settings) -> Iterator[Tx]:
    """One database transaction of a command, on a database that is up to date.

    Raises:
        Failed: no database is named that could be opened.
        psycopg.Error: it cannot be reached or used.
    """
    url = url_of(settings)
    if settings.database_url:
        migrate(url)
    with transaction(url) as tx:
        yield tx
