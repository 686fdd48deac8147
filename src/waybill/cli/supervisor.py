"""Children that are started again when they end, and ended in order when we are asked to."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from waybill.db.data_dir import CannotStart
from waybill.lifeline import LeftBehind

_DELAY_FIRST_S = 0.1
_DELAY_MAX_S = 10.0
# A child that lived this long did not fail at its start.
_SETTLED_S = 30.0
_STARTS_MAX = 4

Steps = Sequence[tuple[signal.Signals, float]]


def say(line: str) -> None:
    """One line for the person at the terminal."""
    # A terminal that is gone is no reason to fail.
    with suppress(OSError):
        print(f"waybill: {line}", file=sys.stderr, flush=True)


class Stopped(BaseException):
    """We were asked to stop while something took long."""


class Asked:
    """Requests to stop: SIGINT, SIGTERM, and SIGHUP where it is not ignored (`nohup`)."""

    def __init__(self) -> None:
        self.times = 0
        self._interrupting = False
        self._wake, written = os.pipe()
        for end in (self._wake, written):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._ask)

    def __call__(self) -> bool:
        """Whether we were."""
        return self.times > 0

    @property
    def twice(self) -> bool:
        """Somebody is in a hurry."""
        return self.times > 1

    def wait(self, timeout_s: float | None) -> None:
        """Sleeps until any signal arrives, a child's end included, at most so long."""
        if select.select([self._wake], [], [], timeout_s)[0]:
            os.read(self._wake, 4096)

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """In this block a request raises `Stopped` at once."""
        if self.times:
            raise Stopped
        self._interrupting = True
        try:
            yield
        finally:
            self._interrupting = False

    def _ask(self, *_: object) -> None:
        self.times += 1
        if self.times == 1:
            say("stopping (once more to hurry)")
        if self._interrupting:
            raise Stopped


class Child:
    """A process that is started again when it ends, ever more slowly while it does not live.

    Args:
        name: what the lines about it call it.
        start: starts it; may raise OSError, LeftBehind or CannotStart.
        ending: the signals that end it, each with the seconds it is given.
        reason: why it ended of itself, if that is known.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[], subprocess.Popen[bytes]],
        ending: Steps,
        reason: Callable[[], str] = lambda: "",
    ) -> None:
        self.name = name
        self.ending = ending
        self.process: subprocess.Popen[bytes] | None = None
        self.failures = 0
        self._start = start
        self._reason = reason
        self._started_at = 0.0
        self._delay_s = 0.0
        self._due_at = 0.0

    @property
    def alive(self) -> bool:
        """Whether it runs now."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it."""
        self._started_at = time.monotonic()
        self.process = self._start()
        return self.process

    def tend(self) -> float | None:
        """Starts it again where that is due.

        Returns:
            The moment (monotonic) at which to look again; None: when a child has ended.
        """
        if self.alive:
            return None
        if self.process is not None:
            code = self.process.returncode
            self._put_off(_how(code), self._reason() if code > 0 else "")
        if time.monotonic() >= self._due_at:
            try:
                self.start()
                return None
            except (OSError, LeftBehind, CannotStart) as problem:
                self._put_off(f"does not start: {problem}")
        return self._due_at

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal, if it runs."""
        if self.alive and self.process:
            self.process.send_signal(number)

    def _put_off(self, what: str, reason: str = "") -> None:
        self.process = None
        self.failures += 1
        if time.monotonic() - self._started_at >= _SETTLED_S:
            self._delay_s = 0.0
        self._delay_s = min(max(self._delay_s * 2, _DELAY_FIRST_S), _DELAY_MAX_S)
        self._due_at = time.monotonic() + self._delay_s
        why = f" ({reason})" if reason else ""
        say(f"{self.name} {what}{why}; starting it again in {self._delay_s:g} s")


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


class Supervisor:
    """The children of one `serve`, in the order of their start."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self._groups: list[list[Child]] = []

    def add(self, *children: Child) -> None:
        """Takes over children that end together, and before all that were added earlier."""
        self._groups.append(list(children))

    def tend_until(self, done: Callable[[], bool], every_s: float | None = None) -> bool:
        """Keeps the children running until `done`, or until we are asked to stop.

        Args:
            done: asked after every signal, and as often as `every_s` says.
            every_s: seconds; None to wait for signals alone.

        Returns:
            Whether it is done.
        """
        while not self.asked():
            dues = [due for group in self._groups for c in group if (due := c.tend())]
            if done():
                return True
            now = time.monotonic()
            waits = [max(0.0, due - now) for due in dues]
            self.asked.wait(min([*waits, *([every_s] if every_s else [])], default=None))
        return False

    def refuse_hopeless(self) -> None:
        """Gives up on a child that cannot live, before anyone relies on it.

        Raises:
            CannotStart: one has failed again and again.
        """
        for child in (c for group in self._groups for c in group):
            if child.failures >= _STARTS_MAX:
                raise CannotStart(f"{child.name} does not stay up; its own lines above say why.")

    def end(self) -> None:
        """Ends all children, the last group first; a second request to stop hurries."""
        for group in reversed(self._groups):
            for step in range(max(len(child.ending) for child in group)):
                self._end(group, step)

    def _end(self, group: list[Child], step: int) -> None:
        patience_s = 0.0
        for child in group:
            if child.alive and step < len(child.ending):
                child.signal(child.ending[step][0])
                patience_s = max(patience_s, child.ending[step][1])
        deadline = time.monotonic() + patience_s
        while any(child.alive for child in group) and time.monotonic() < deadline:
            if step == 0 and self.asked.twice:
                return
            self.asked.wait(min(0.5, max(0.0, deadline - time.monotonic())))
