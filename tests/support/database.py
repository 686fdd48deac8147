"""A PostgreSQL of a test's own, run as `waybill serve` runs it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waybill.db.data_dir import account, prepare
from waybill.db.embedded import Embedded
from waybill.db.migrate import migrate


@contextmanager
def postgres() -> Iterator[str]:
    """Starts a server with one database, migrated; gives its URL, and ends it afterwards."""
    # Not below pytest's own folder: what runs the database, when root starts it, cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="waybill-test-"))
    folder.chmod(0o755)
    data_dir = folder / "data"
    who = account(data_dir)
    prepare(data_dir, who)
    database = Embedded(data_dir, who)
    database.prepare()
    process = database.start()
    try:
        database.wait_ready(process)
        migrate(database.url)
        yield database.url
    finally:
        process.terminate()
        process.wait(20)
        database.tidy()
        shutil.rmtree(folder, ignore_errors=True)
