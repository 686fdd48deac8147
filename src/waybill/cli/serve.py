"""`waybill serve`: PostgreSQL, the API and the worker as children of one small supervisor."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from waybill import lifeline
from waybill.cli.address import Probe, base_url, is_loopback, listen
from waybill.cli.announce import announce
from waybill.cli.supervisor import Asked, Child, Stopped, Supervisor, say
from waybill.config import Settings
from waybill.db.data_dir import (
    Account,
    CannotStart,
    Hold,
    account,
    full_sentence,
    locate,
    os_sentence,
    prepare,
)
from waybill.db.embedded import Embedded
from waybill.lifeline import LeftBehind, Trace

# `-P`: what lies in the current directory is not ours to import.
COMMANDS = {name: [sys.executable, "-P", "-m", f"waybill.{name}"] for name in ("api", "worker")}
_NAMES = {"api": "The API", "worker": "The worker"}

_ENDING = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))
_DATABASE_ENDING = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
# By its lifeline an orphan has ended before that.
_LEFT_BEHIND = ((signal.SIGTERM, 7.0), (signal.SIGKILL, 5.0))
_PORT_PATIENCE_S = 2.0


def serve(
    settings: Settings, *, api: bool = True, worker: bool = True, next_port: bool = False
) -> int:
    """Serves until asked to stop (SIGINT, SIGTERM), then ends everything in order.

    Args:
        settings: as loaded; `data_dir`, `port` and `database_url` are settled here.
        api: run the API.
        worker: run the worker.
        next_port: of a taken port take the next one.

    Returns:
        0, the exit code of an orderly end.

    Raises:
        CannotStart: with the sentence to show; everything has been ended again.
    """
    asked = Asked()
    names = [name for name, wanted in (("api", api), ("worker", worker)) if wanted]
    try:
        with ExitStack() as stack, suppress(Stopped):
            _Serve(settings, asked, stack, next_port=next_port).run(names)
    except CannotStart:
        # Who stops a start does not want to hear that it did not succeed.
        if not asked():
            raise
    except OSError as problem:
        raise CannotStart(os_sentence(problem, settings.data_dir)) from problem
    return 0


class _Serve:
    """One run of `serve`: what it holds is let go by `stack`, the last first."""

    def __init__(
        self, settings: Settings, asked: Asked, stack: ExitStack, *, next_port: bool
    ) -> None:
        self.settings = settings
        self.asked = asked
        self.stack = stack
        self.next_port = next_port
        self.data_dir = locate(settings)
        self.supervisor = Supervisor(asked)
        self.hold: Hold | None = None
        self.listener: socket.socket | None = None
        # Children hold the reading end; ours ends with us, however we end.
        self.lifeline, self._kept = os.pipe()

    def run(self, names: list[str]) -> None:
        """The whole of it, in order."""
        if self.settings.ready_file:
            _clear(self.settings.ready_file)
        who = self._take_data_dir()
        if "api" in names:
            self._listen()
        url = self._start_database(who) if who else self.settings.database_url
        self.stack.callback(self.supervisor.end)
        self.settings = self.settings.model_copy(
            update={"data_dir": self.data_dir, "database_url": url}
        )
        with self.asked.interrupting():
            seeded = self._fill(url)
        self._tell(databaseUrl=url)
        self.supervisor.add(*(self._child(name) for name in names))
        # Closed before they are asked to end: nobody new waits in the queue of a server that ends.
        if self.listener:
            self.stack.callback(self.listener.close)
        if self._tend_until_ready():
            self._announce(url, seeded)
            self.supervisor.tend_until(lambda: False)

    def _take_data_dir(self) -> Account | None:
        """Who runs the database that is kept there; None when it is elsewhere.

        Then nothing is kept here but, when seeded, its secrets: ours alone.
        """
        if self.settings.database_url:
            if self.settings.seed:
                prepare(self.data_dir, Account("", os.geteuid(), os.getegid()))
            return None
        who = account(self.data_dir)
        prepare(self.data_dir, who)
        self.hold = Hold(self.data_dir)
        self.stack.callback(self.hold.release)
        try:
            for name in COMMANDS:
                self._trace(name).clear(_LEFT_BEHIND, cancelled=self.asked)
        except LeftBehind as problem:
            raise CannotStart(f"{problem}.") from problem
        return who

    def _listen(self) -> None:
        self.listener = listen(
            self.settings.host,
            self.settings.port,
            next_port=self.next_port,
            # Without a data directory nobody waited for what a killed instance left.
            patience_s=0 if self.hold else _PORT_PATIENCE_S,
        )
        port = self.listener.getsockname()[1]
        if self.settings.port not in (0, port):
            say(f"port {self.settings.port} is taken: using {port}")
        if not is_loopback(self.listener) and not self.settings.tls_certificate:
            say(f"warning: {self.settings.host} is reachable by others, and without TLS")
        self.settings = self.settings.model_copy(update={"port": port})

    def _start_database(self, who: Account) -> str:
        database = Embedded(self.data_dir, who)
        self.stack.callback(database.tidy)
        self.stack.callback(self.supervisor.end)
        database.prepare(self.asked)
        child = Child(
            "PostgreSQL", lambda: database.start(self.asked), _DATABASE_ENDING, database.last_words
        )
        self.supervisor.add(child)
        try:
            database.wait_ready(child.start(), self.asked)
        except LeftBehind as problem:
            raise CannotStart(f"{problem}.") from problem
        return database.url

    def _fill(self, url: str) -> dict[str, Any]:
        """The schema, and with --seed a small world; its part of the ready file."""
        import psycopg

        from waybill.db.migrate import DatabaseTooNew, migrate

        try:
            migrate(url)
            if self.settings.seed:
                from waybill.sandbox.seed import seed

                return seed(url, self.settings)
        except DatabaseTooNew as problem:
            raise CannotStart(str(problem)) from problem
        except psycopg.errors.DiskFull as problem:
            raise CannotStart(full_sentence(self.data_dir)) from problem
        except psycopg.Error as problem:
            reason = str(problem).strip().splitlines()[0]
            raise CannotStart(f"The database cannot be used: {reason}") from problem
        return {"resellers": [], "customers": [], "operator": None}

    def _child(self, name: str) -> Child:
        trace = self._trace(name)

        def start() -> subprocess.Popen[bytes]:
            if self.hold is None:
                return self._spawn(name)
            trace.clear(_LEFT_BEHIND, cancelled=self.asked)
            with trace.left_to_child() as descriptor:
                return self._spawn(name, descriptor)

        return Child(_NAMES[name], start, _ENDING)

    def _spawn(self, name: str, *passed: int) -> subprocess.Popen[bytes]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("WAYBILL_")}
        told = self.settings.environment() | {lifeline.VARIABLE: str(self.lifeline)}
        descriptors = [self.lifeline, *passed]
        if name == "api" and self.listener:
            descriptors.append(self.listener.fileno())
            told["WAYBILL_LISTEN_FD"] = str(self.listener.fileno())
        return subprocess.Popen(
            COMMANDS[name],
            stdin=subprocess.DEVNULL,
            env=inherited | told,
            # Away from the terminal: its Ctrl-C is for us, who keep the order.
            start_new_session=True,
            pass_fds=descriptors,
        )

    def _trace(self, name: str) -> Trace:
        return Trace(self.data_dir / f"{name}.lock")

    def _tell(self, **more: str | None) -> None:
        if self.hold:
            self.hold.tell(**more)

    def _tend_until_ready(self) -> bool:
        with ExitStack() as stack:
            probe = (
                stack.enter_context(Probe(self.listener, tls=self._tls)) if self.listener else None
            )

            def ready() -> bool:
                self.supervisor.refuse_hopeless()
                return probe is None or probe.succeeds()

            return self.supervisor.tend_until(ready, every_s=0.05)

    @property
    def _tls(self) -> bool:
        return self.settings.tls_certificate is not None

    def _announce(self, url: str, seeded: dict[str, Any]) -> None:
        base = base_url(self.listener, tls=self._tls) if self.listener else None
        ready = {
            "baseUrl": base,
            "docsUrl": base and f"{base}/docs",
            "databaseUrl": url,
            "pid": os.getpid(),
        } | {name: seeded[name] for name in ("resellers", "customers", "operator")}
        self._tell(baseUrl=base)
        if self.settings.ready_file:
            _write_private(self.settings.ready_file, json.dumps(ready, indent=2) + "\n")
        # The reader of our output may be gone (`serve | head`): rich leaves by SystemExit then.
        with suppress(OSError, SystemExit):
            announce(ready, empty=not seeded["resellers"] and _has_no_reseller(url))


def _has_no_reseller(url: str) -> bool:
    from waybill.db.connect import transaction
    from waybill.resellers import store

    with transaction(url) as tx:
        return not store.any_exists(tx)


def _clear(ready_file: Path) -> None:
    """An old one would tell of a server that is gone; and a new one must have a place."""
    try:
        ready_file.unlink(missing_ok=True)
        if not ready_file.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    except OSError as problem:
        raise CannotStart(
            f"Cannot write --ready-file {ready_file}: {problem.strerror}."
        ) from problem


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all, and for nobody else's eyes."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        unfinished.replace(path)
    except OSError as problem:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise CannotStart(f"Cannot write --ready-file {path}: {problem.strerror}.") from problem
