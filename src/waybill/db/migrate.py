"""Brings a database to this version: the files in `migrations/`, each once, in order of name."""

from __future__ import annotations

from importlib.resources import files

from waybill.db.connect import connect

# Any number, the same in every version: two starts on one database must not migrate together.
_LOCK = 0x57415942


def migrate(url: str) -> list[str]:
    """Applies what is missing, each file in a transaction of its own.

    Args:
        url: the PostgreSQL database; its user must be allowed to create tables.

    Returns:
        The names of the migrations that were applied now.

    Raises:
        DatabaseTooNew: the database was migrated by a newer version of Waybill.
    """
    folder = files("waybill.db").joinpath("migrations")
    scripts = {
        entry.name: entry.read_text("utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".sql")
    }
    applied: list[str] = []
    with connect(url, statement_timeout="0", lock_timeout="60s") as tx:
        tx.autocommit = True
        tx.execute("select pg_advisory_lock(%s)", (_LOCK,))
        tx.execute(
            "create table if not exists migration"
            " (name text primary key, applied_at timestamptz not null default now())"
        )
        known = {name for (name,) in tx.execute("select name from migration")}
        if unknown := known - scripts.keys():
            raise DatabaseTooNew(max(unknown))
        for name, script in scripts.items():
            if name in known:
                continue
            with tx.transaction():
                tx.execute(script.encode())
                tx.execute("insert into migration (name) values (%s)", (name,))
            applied.append(name)
        tx.execute("select pg_advisory_unlock(%s)", (_LOCK,))
    return applied


class DatabaseTooNew(Exception):  # noqa: N818 - reads as the sentence it is
    """The database knows a migration that this version does not."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The database was written by a newer version of Waybill (migration {name});"
            " install that version or newer."
        )
