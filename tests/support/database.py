"""A PostgreSQL of a test's own, run as `waybill serve` runs it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from waybill.db.connect import connect
from waybill.db.data_dir import account, prepare
from waybill.db.embedded import Embedded
from waybill.db.migrate import migrate
from waybill.db.tx import Tx

_IDLE: defaultdict[str, list[Tx]] = defaultdict(list)


@contextmanager
def borrowed(url: str) -> Iterator[Tx]:
    """A database transaction, committed at the end of the block, on a connection that is kept.

    Tests ask the database for little and often: half their time would go into connecting.
    """
    idle = _IDLE[url]
    tx = idle.pop() if idle else connect(url)
    if not _alive(tx):
        tx.close()
        tx = connect(url)
    try:
        yield tx
        tx.commit()
    except BaseException:
        tx.close()
        raise
    idle.append(tx)


def _alive(tx: Tx) -> bool:
    # Its server may have been stopped, or killed, since.
    try:
        tx.execute("select 1")
        tx.rollback()
    except psycopg.OperationalError:
        return False
    return True


def let_go(url: str | None = None) -> None:
    """Ends the connections that are kept, to this database or to all."""
    for each in [url] if url else list(_IDLE):
        for tx in _IDLE.pop(each, []):
            tx.close()


class Database:
    """One server with one database, migrated, that can be stopped and started again."""

    def __init__(self, data_dir: Path) -> None:
        who = account(data_dir)
        prepare(data_dir, who)
        self._embedded = Embedded(data_dir, who)
        self._embedded.prepare()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, if it does not run, and waits until it can be used."""
        if self._process is not None:
            return
        self._process = self._embedded.start()
        self._embedded.wait_ready(self._process)
        migrate(self.url)

    def stop(self) -> None:
        """Stops it: whoever is connected is sent away."""
        let_go(self.url)
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(20)
            self._process = None

    def tidy(self) -> None:
        """Removes what lies outside of its directory."""
        self._embedded.tidy()

    @property
    def url(self) -> str:
        """Where to connect to."""
        return self._embedded.url


@contextmanager
def database() -> Iterator[Database]:
    """A database that runs, and that is gone afterwards."""
    # Not below pytest's own folder: what runs the database, when root starts it, cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="waybill-test-"))
    folder.chmod(0o755)
    made = Database(folder / "data")
    try:
        made.start()
        yield made
    finally:
        made.stop()
        made.tidy()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a database that runs, and that is gone afterwards.

    Nobody cuts its power: it need not wait for the disk, which is most of what tests wait for.
    """
    with database() as made:
        with connect(made.url) as tx:
            tx.execute("alter database waybill set synchronous_commit = off")
        yield made.url
