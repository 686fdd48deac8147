"""A `waybill serve` of the benchmark's own, and what its processes take."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.client import Party
from waybill import clock
from waybill.auth import actions as auth
from waybill.customers import actions as customers
from waybill.db.connect import transaction
from waybill.resellers import actions as resellers

_RUN = [sys.executable, "-c", "from waybill.cli.main import main; main()"]
_PATIENCE_S = 60.0


@contextmanager
def place(parent: Path | None) -> Iterator[Path]:
    """A folder for the data that the database's system user can enter; removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="waybill-bench-", dir=parent))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    """One run of `waybill serve` on a data directory, with an embedded PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self._ready_file = folder / "ready.json"
        self._log = folder / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.base_url = self.database_url = ""

    def start(self) -> float:
        """Starts it; returns the seconds until it served requests."""
        self._ready_file.unlink(missing_ok=True)
        options = [f"--data-dir={self.data_dir}", f"--ready-file={self._ready_file}", "--port=0"]
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WAYBILL_")}
        with self._log.open("ab") as log:
            began = time.perf_counter()
            self._process = subprocess.Popen(
                [*_RUN, "serve", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=kept | {"WAYBILL_LOG_LEVEL": "warning"},
                start_new_session=True,
            )
        while not self._ready_file.exists():
            waited_s = time.perf_counter() - began
            if self._process.poll() is not None or waited_s > _PATIENCE_S:
                raise SystemExit(f"waybill serve did not start:\n{self._log.read_text()}")
            time.sleep(0.002)
        took_s = time.perf_counter() - began
        ready: dict[str, Any] = json.loads(self._ready_file.read_text())
        self.base_url, self.database_url = ready["baseUrl"], ready["databaseUrl"]
        return took_s

    def stop(self) -> None:
        """Ends it in order."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def party(self, name: str) -> Party:
        """A new reseller with a customer and a client of its own."""
        at, by = clock.now(), "benchmark"
        reseller_id, customer_id = clock.number(), clock.number()
        with transaction(self.database_url) as tx:
            no = resellers.create(tx, reseller_id, name, by=by, at=at)
            customers.create(tx, customer_id, f"{name}'s customer", by=by, at=at)
            made = auth.create_client(tx, reseller=no, name=name, scopes=["kdp"], by=by, at=at)
        return Party(
            self.base_url, reseller_id, customer_id, made.client_id, made.client_secret, no or 0
        )

    def processes(self) -> dict[str, list[int]]:
        """The process numbers of supervisor, API, worker and PostgreSQL (all of its processes)."""
        assert self._process is not None
        found: dict[str, list[int]] = {"supervisor": [self._process.pid]}
        for pid in _children(self._process.pid):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            for name in ("api", "worker"):
                if f"waybill.{name}".encode() in command:
                    found[name] = [pid]
            if b"postgres" in command[0]:
                found["postgresql"] = [pid, *_children(pid)]
        return found

    def memory_mib(self) -> dict[str, float]:
        """What each part takes now, in MiB: pages shared by processes are divided among them."""
        return {
            name: round(sum(_status_kib(pid, "smaps_rollup", "Pss") for pid in pids) / 1024, 1)
            for name, pids in self.processes().items()
        }

    def cpu_s(self) -> float:
        """The processor time that all of them have taken so far."""
        return sum(_cpu_s(pid) for pids in self.processes().values() for pid in pids)


class Growth:
    """By how much the resident memory of a process grows, at its peak, while a block runs."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.before_mib = self.peak_mib = 0.0

    def __enter__(self) -> Growth:
        self.before_mib = self.peak_mib = self._now_mib()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def mib(self) -> float:
        """The growth."""
        return self.peak_mib - self.before_mib

    def _watch(self) -> None:
        while not self._done.wait(0.005):
            self.peak_mib = max(self.peak_mib, self._now_mib())

    def _now_mib(self) -> float:
        return _status_kib(self._pid, "status", "VmRSS") / 1024


def _status_kib(pid: int, file: str, member: str) -> int:
    try:
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(f"{member}:"):
                return int(line.split()[1])
    except OSError:
        # It has ended, or is another user's.
        pass
    return 0


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(parent: int) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found
