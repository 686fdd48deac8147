"""Writes refused calls to the activity log, off the request's path and in batches."""

from __future__ import annotations

import queue
import threading

from psycopg_pool import ConnectionPool

from waybill.activity.store import Refusal, add_refusals
from waybill.db.tx import Tx
from waybill.log import logger

_WAITING_MAX = 10_000
_TOGETHER_MAX = 500
_EVERY_S = 0.2


class Refusals:
    """A queue and the thread that empties it. Refusals that do not fit are in the log alone."""

    def __init__(self, pool: ConnectionPool[Tx], per_minute: int) -> None:
        """Args: the pool to write with, and how many entries a reseller may have in a minute."""
        self._pool = pool
        self._per_minute = per_minute
        self._queue: queue.Queue[Refusal] = queue.Queue(_WAITING_MAX)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)
        self._log = logger("refusals")

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def stop(self) -> None:
        """Writes what is left and ends."""
        self._ending.set()
        self._thread.join(timeout=5)

    def add(self, refusal: Refusal) -> None:
        """Hands over a refusal; never waits."""
        try:
            self._queue.put_nowait(refusal)
        except queue.Full:
            self._log.warning("refusal not kept", error_id=refusal.error_id)

    def _run(self) -> None:
        while not self._ending.wait(_EVERY_S):
            self._write()
        self._write()

    def _write(self) -> None:
        while batch := self._batch():
            try:
                with self._pool.connection() as tx:
                    # One order everywhere, so that two nodes never wait for each other.
                    add_refusals(tx, sorted(batch), self._per_minute)
            except Exception as error:  # the log has them; the requests were answered long ago
                self._log.warning("refusals not kept", count=len(batch), error=str(error))

    def _batch(self) -> list[Refusal]:
        batch: list[Refusal] = []
        while len(batch) < _TOGETHER_MAX:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch
