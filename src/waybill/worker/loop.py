"""The worker: takes a turn, works it off, commits; sleeps when nobody has work."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import psycopg

from waybill import clock
from waybill.auth import store as auth
from waybill.config import Settings
from waybill.db.connect import connect
from waybill.db.tx import Tx, listen
from waybill.log import logger
from waybill.transactions import actions
from waybill.transactions.actions import Conduct, TurnFailed

# A notification wakes a sleeping worker at once; this finds what a lost one announced.
_SLEEP_S = 1.0
_PAUSE_S = 5.0
_TIDY_EVERY_S = 60.0
_LOG = logger("worker")

# All that a worker asks for, it asks for by key. Without this, a table that grew by a million rows
# since its statistics were gathered is read whole for every turn.
PLANS = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}


def drain(tx: Tx, by: Conduct, passing_over: tuple[int, ...] = ()) -> int:
    """Takes turns until nobody has work; returns how many. Each turn is one transaction."""
    turns = 0
    while actions.run(tx, by, clock.now(), passing_over) is not None:
        tx.commit()
        turns += 1
    tx.commit()
    return turns


class Worker:
    """Works until it is told to stop, through failures and through a database that goes away."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        """Args: the settings (`database_url` set), and the event that ends the work."""
        self._settings = settings
        self._conduct = Conduct.of(settings)
        self._stopping = stopping
        # Resellers whose last turn failed, and until when the others go first.
        self._paused: dict[int, float] = {}
        self._tidied = 0.0

    def run(self) -> None:
        """Takes turns until stopped."""
        while not self._stopping.is_set():
            try:
                with connect(self._settings.database_url, **PLANS) as tx:
                    self._serve(tx)
            except psycopg.OperationalError as error:
                _LOG.warning("database away", error=type(error).__name__)
                self._stopping.wait(1.0)

    def _serve(self, tx: Tx) -> None:
        listen(tx, "turn")
        tx.commit()
        while not self._stopping.is_set():
            if not self._turn(tx):
                self._tidy(tx)
                self._sleep(tx)

    def _turn(self, tx: Tx) -> bool:
        now = time.monotonic()
        self._paused = {no: until for no, until in self._paused.items() if until > now}
        began = time.perf_counter()
        try:
            reseller = actions.run(tx, self._conduct, clock.now(), list(self._paused))
            tx.commit()
        except TurnFailed as failed:
            tx.rollback()
            cause = failed.__cause__
            if isinstance(cause, _TO_BE_REPEATED):
                return True
            if isinstance(cause, psycopg.OperationalError) and tx.closed:
                raise cause from None
            _LOG.error("turn failed", reseller=failed.reseller, exc_info=cause)
            self._paused[failed.reseller] = now + _PAUSE_S
            return True
        if reseller is not None:
            took = round((time.perf_counter() - began) * 1000, 1)
            _LOG.debug("turn", reseller=reseller, ms=took)
        return reseller is not None

    def _sleep(self, tx: Tx) -> None:
        # Short waits, so that a stop is heard soon.
        until = time.monotonic() + _SLEEP_S
        tx.autocommit = True
        try:
            while not self._stopping.is_set() and time.monotonic() < until:
                for _ in tx.notifies(timeout=0.1, stop_after=1):
                    return
        finally:
            if not tx.closed:
                tx.autocommit = False

    def _tidy(self, tx: Tx) -> None:
        if time.monotonic() < self._tidied + _TIDY_EVERY_S:
            return
        auth.forget_expired(tx, clock.now() - timedelta(hours=1))
        tx.commit()
        self._tidied = time.monotonic()


_TO_BE_REPEATED = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.LockNotAvailable,
)
