"""Real processes for tests: `waybill serve` with all that it starts, and places to run it in."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from waybill.lifeline import Trace

Found = TypeVar("Found")

# A machine that runs other things as well may take its time; a hope is no deadline.
PATIENCE_S = 20.0

_RUN = "from waybill.cli.main import main; main()"
_RUN_CHANGED = """
import signal
from waybill.cli import serve
{changed}
from waybill.cli.main import main
main()
"""


@contextmanager
def place() -> Iterator[Path]:
    """A directory that the database's system user can enter; pytest's own are closed to others."""
    path = Path(tempfile.mkdtemp(prefix="waybill-test-", dir="/tmp"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def until(found: Callable[[], Found], what: str, patience_s: float = PATIENCE_S) -> Found:
    """Asks again and again until the answer is a yes; fails when it takes too long."""
    deadline = time.monotonic() + patience_s
    while not (answer := found()):
        assert time.monotonic() < deadline, f"in vain for {patience_s:.0f} s: {what}"
        time.sleep(0.02)
    return answer


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


class Serve:
    """One `waybill serve` on a data directory, by default on a free port.

    `changed` is Python that changes the module `serve` first.
    """

    def __init__(
        self,
        data_dir: Path,
        *options: str,
        changed: str = "",
        ready_file: Path | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.ready_file = ready_file or data_dir.parent / f"{data_dir.name}.ready.json"
        self.ready_file.unlink(missing_ok=True)
        given = [f"--data-dir={data_dir}", f"--ready-file={self.ready_file}", *options]
        if not any(option.startswith("--port") for option in options):
            given.append("--port=0")
        code = _RUN_CHANGED.format(changed=changed) if changed else _RUN
        self.output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by __exit__
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "serve", *given],
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            env={k: v for k, v in os.environ.items() if not k.startswith("WAYBILL_")},
            start_new_session=True,
        )

    def __enter__(self) -> Serve:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE_S)
        # One that was refused has no children: what runs there is another's.
        for pid in [] if self.process.returncode == 1 else [self.process.pid, *self.left()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.output.close()

    def ready(self) -> dict[str, Any]:
        """Waits until requests are served; what the ready file says."""
        until(lambda: self.ready_file.exists() or self.process.poll() is not None, "ready")
        assert self.process.poll() is None, self.said()
        return json.loads(self.ready_file.read_text())

    def refusal(self) -> str:
        """Waits until it has given up; the one line that says why."""
        code = self.process.wait(PATIENCE_S)
        lines = self.said().splitlines()
        assert code == 1, lines
        assert "Traceback" not in self.said()
        return lines[-1]

    def said(self) -> str:
        """All output so far."""
        self.output.seek(0)
        return self.output.read()

    def pid(self, name: str) -> int:
        """The process of `api`, `worker` or `postgres`, once it runs."""
        if name == "postgres":
            file = self.data_dir / "postgres" / "postmaster.pid"
            return until(lambda: _first_line(file), "PostgreSQL's process number")
        trace = Trace(self.data_dir / f"{name}.lock")
        return until(lambda: next(iter(trace.holders()), 0), f"process of {name}")

    def left(self) -> list[int]:
        """What still runs of all that it started."""
        return [pid for file in self.data_dir.glob("*.lock") for pid in Trace(file).holders()]

    def kill(self, *names: str) -> None:
        """`kill -9` of itself (`serve`) or of children, all at once."""
        pids = [self.process.pid if name == "serve" else self.pid(name) for name in names]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        if "serve" in names:
            self.process.wait(PATIENCE_S)


def _first_line(file: Path) -> int:
    try:
        return int(file.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return 0
