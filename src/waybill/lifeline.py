"""Processes that end together, and the next start that waits until they have.

Three means, each for what the others cannot do. A pipe whose writing end only the supervisor
holds: its end is noticed on every system, after `kill -9` too. Linux's parent-death signal: works
in a program that is not ours. And a lock that a child inherits with its open file, and hands on
to all that it starts: as long as it is held, something of an earlier instance is still there.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

VARIABLE = "WAYBILL_LIFELINE_FD"

_GRACE_S = 5.0
_POLL_S = 0.01
_PR_SET_PDEATHSIG = 1


def watch() -> None:
    """Ends this process when its supervisor is gone; without a supervisor it does nothing.

    First as SIGTERM would, and some seconds later whatever is still going on.
    """
    number = os.environ.pop(VARIABLE, "")
    if not number:
        return
    pipe = int(number)
    os.set_inheritable(pipe, False)
    # The kernel's signal needs no thread to get its turn; a second SIGTERM does no harm.
    _signal_at_parents_death(signal.SIGTERM)
    threading.Thread(target=_wait, args=(pipe,), name="lifeline", daemon=True).start()


def _wait(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(1)


def with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """What a child runs before its program to be signalled when its parent ends.

    To be called after any change of user, which would clear the wish. None where the system has
    no such thing: there the next start cleans up.
    """
    if not sys.platform.startswith("linux"):
        return None
    parent = os.getpid()

    def before_exec() -> None:
        _signal_at_parents_death(number)
        if os.getppid() != parent:
            os._exit(1)

    return before_exec


def _signal_at_parents_death(number: signal.Signals) -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


# Loaded here: between fork and exec is no time to open libraries.
_libc = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


class LeftBehind(Exception):  # noqa: N818 - reads as what it tells
    """Processes of an earlier instance that would not end."""

    def __init__(self, path: Path, pids: Iterable[int]) -> None:
        super().__init__(
            f"Processes of an earlier instance hold {path} and do not end: "
            + (", ".join(map(str, sorted(pids))) or "unknown")
        )


class Trace:
    """The lock file of one child: free once the child, and all that it started, have ended."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def left_to_child(self) -> Iterator[int]:
        """The locked file, to start the child with (`pass_fds`), which then keeps the lock.

        Raises:
            LeftBehind: an earlier child holds it; see `clear`.
        """
        with self._open() as descriptor:
            if not _lock(descriptor):
                raise LeftBehind(self.path, self.holders())
            yield descriptor

    def clear(
        self,
        steps: Iterable[tuple[signal.Signals, float]],
        *,
        leader: Callable[[], int | None] = lambda: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Ends what an earlier instance left behind, and waits until it is gone.

        Args:
            steps: signals with the seconds to wait after each, gentle ones first.
            leader: the process to signal as long as it is one of those left; without it all are.
            cancelled: asked while waiting; true gives up.

        Raises:
            LeftBehind: still there after the last step, or cancelled.
        """
        with self._open() as descriptor:
            if _lock(descriptor):
                return
            for number, patience_s in steps:
                self._signal(number, leader())
                deadline = time.monotonic() + patience_s
                while time.monotonic() < deadline and not cancelled():
                    if _lock(descriptor):
                        return
                    time.sleep(_POLL_S)
        raise LeftBehind(self.path, self.holders())

    def holders(self) -> list[int]:
        """The processes that have the file open, so none that merely got an old number again."""
        if Path("/proc/self/fd").is_dir():
            return _holders_by_proc(self.path)
        return _holders_by_lsof(self.path)

    def _signal(self, number: signal.Signals, leader: int | None) -> None:
        holders = self.holders()
        for pid in [leader] if leader in holders and leader else holders:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    @contextmanager
    def _open(self) -> Iterator[int]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holders_by_proc(path: Path) -> list[int]:
    wanted = path.stat()
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError), os.scandir(entry / "fd") as files:
            if any(_same(file, wanted) for file in files):
                found.append(int(entry.name))
    return found


def _same(file: os.DirEntry[str], wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(file.stat(), wanted)
    except OSError:
        return False


def _holders_by_lsof(path: Path) -> list[int]:
    if not (lsof := shutil.which("lsof")):
        return []
    found = subprocess.run([lsof, "-t", str(path)], capture_output=True, text=True, check=False)
    return [pid for pid in map(int, found.stdout.split()) if pid != os.getpid()]
