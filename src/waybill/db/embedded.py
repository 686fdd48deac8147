"""PostgreSQL as a child of ours, on a Unix socket that nobody else can reach.

The database of `data_dir/postgres` runs as `Account`, listens on no network, and lets in by the
kernel's word (`peer`): whoever started `serve`, as the role `waybill`, which owns the database of
that name and is no superuser; the system user that runs it also as `postgres`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from waybill.db.binaries import Binaries, as_user, find, readable
from waybill.db.data_dir import (
    Account,
    CannotStart,
    free_mib,
    full_sentence,
    holder,
    os_sentence,
)
from waybill.lifeline import LeftBehind, Trace, with_parent

# The longest path of a socket, less the name that PostgreSQL gives it.
_SOCKET = ".s.PGSQL.5432"
_SOCKET_DIR_MAX = (107 if sys.platform.startswith("linux") else 103) - len(f"/{_SOCKET}")
_LOG_MAX = 10 * 1024 * 1024
# A database that must first recover a lot is not yet a broken one.
_READY_S = 120.0
# How PostgreSQL says that the disk is full.
_FULL = ("No space left on device", "bytes at block")
_LEFT_BEHIND = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))

# For two cores and bulk inserts; durability is untouched: fsync and synchronous_commit stay on.
_SETTINGS = """\
# Written at each start: changes here are lost. ALTER SYSTEM keeps them.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 100
work_mem = 16MB
maintenance_work_mem = 128MB
effective_cache_size = 1GB
random_page_cost = 1.1
jit = off
wal_compression = on
max_wal_size = 2GB
min_wal_size = 256MB
checkpoint_timeout = 15min
log_checkpoints = off
log_line_prefix = '%m [%p] '
log_timezone = 'UTC'
timezone = 'UTC'
cluster_name = 'waybill'
"""


class Embedded:
    """The database of one data directory, which must be held (`data_dir.Hold`) and prepared."""

    def __init__(self, data_dir: Path, who: Account) -> None:
        self.data_dir = data_dir
        self.who = who
        self.files = data_dir / "postgres"
        self.log = data_dir / "postgres.log"
        self._conf = data_dir / "conf"
        self._trace = Trace(data_dir / "postgres.lock")
        self._log_from = 0
        self._binaries: Binaries | None = None
        self._socket_dir = data_dir / "socket"

    @property
    def url(self) -> str:
        """What psycopg and psql connect to, for the user who started us."""
        return f"postgresql://waybill@/waybill?host={quote(str(self._socket_dir), safe='')}"

    def prepare(self, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Waits for what an earlier instance left, and makes all that a start needs.

        Raises:
            CannotStart: something is in the way.
        """
        try:
            self._trace.clear(_LEFT_BEHIND, leader=self._postmaster, cancelled=cancelled)
            self._binaries = readable(find(), self.who, self.data_dir / "program")
            self._refuse_other_version(self._binaries.major)
            self._socket_dir = self._find_socket_dir()
            self._configure()
            if not self.files.exists():
                self._initialise(self._binaries)
        except LeftBehind as problem:
            raise CannotStart(f"{problem}.") from problem
        except OSError as problem:
            raise CannotStart(os_sentence(problem, self.data_dir)) from problem

    def start(self, cancelled: Callable[[], bool] = lambda: False) -> subprocess.Popen[bytes]:
        """Starts the server; it answers once `is_ready`.

        Backends outlive a killed server for a moment, and it must not start beside them.

        Raises:
            LeftBehind: they did not end.
        """
        self._trace.clear(_LEFT_BEHIND, leader=self._postmaster, cancelled=cancelled)
        self._forget_the_dead()
        if self.log.exists() and self.log.stat().st_size > _LOG_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        log = os.open(self.log, flags, 0o600)
        try:
            self._log_from = os.fstat(log).st_size
            command = ["-D", self.files, "-c", f"config_file={self._conf / 'postgresql.conf'}"]
            # SIGINT is its fast shutdown: clients are sent away, nothing needs recovery.
            return self._spawn("postgres", command, signal.SIGINT, output=log)
        finally:
            os.close(log)

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it accepts connections, by the file in which it says so itself."""
        lines = self._status()
        return len(lines) > 7 and lines[0] == str(process.pid) and lines[7] == "ready"

    def wait_ready(
        self, process: subprocess.Popen[bytes], cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        """Waits until it accepts connections, or until cancelled.

        Raises:
            CannotStart: it ended, or was not ready for very long.
        """
        deadline = time.monotonic() + _READY_S
        while not self.is_ready(process) and not cancelled():
            if process.poll() is not None:
                raise CannotStart(self._died())
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"PostgreSQL is not ready after {_READY_S:.0f} s; see {self.log}."
                )
            time.sleep(0.01)

    def last_words(self) -> str:
        """The reason of the last start's end as PostgreSQL logged it; empty without one."""
        with suppress(OSError), self.log.open("rb") as log:
            log.seek(self._log_from)
            lines = log.read().decode("utf-8", "replace").splitlines()
            for level in ("PANIC:", "FATAL:", "ERROR:", "error:"):
                for line in reversed(lines):
                    if level in line:
                        return line.partition(level)[2].strip()
        return ""

    def tidy(self) -> None:
        """Removes what lies outside of the data directory, after the server's end."""
        link = self.data_dir / "socket"
        if link.is_symlink():
            with suppress(OSError):
                self._socket_dir.rmdir()
                link.unlink()

    def _died(self) -> str:
        words = self.last_words()
        # On a full disk the log may have had no room for the reason.
        if any(full in words for full in _FULL) or not (words or free_mib(self.data_dir)):
            return full_sentence(self.data_dir)
        return f"PostgreSQL does not start: {words or 'it gives no reason'} (log: {self.log})."

    def _status(self) -> list[str]:
        try:
            text = (self.files / "postmaster.pid").read_text("utf-8", "replace")
        except OSError:
            return []
        return [line.strip() for line in text.splitlines()]

    def _postmaster(self) -> int | None:
        lines = self._status()
        return int(lines[0]) if lines and lines[0].isdigit() else None

    def _forget_the_dead(self) -> None:
        """Removes what a killed server left, where its process number is another's by now.

        PostgreSQL would take that one for itself and refuse to start. In containers numbers come
        again after every start.
        """
        for file in self._socket_dir.iterdir():
            file.unlink()
        pid = self._postmaster()
        if pid and not _works_in(pid, self.files):
            (self.files / "postmaster.pid").unlink()

    def _refuse_other_version(self, major: int) -> None:
        if not self.files.exists():
            return
        try:
            found = (self.files / "PG_VERSION").read_text("ascii", "replace").strip()
        except FileNotFoundError:
            raise CannotStart(
                f"{self.files} is no database: its PG_VERSION is missing. Restore it, or choose"
                " another --data-dir."
            ) from None
        if found != str(major):
            raise CannotStart(
                f"{self.files} was made by PostgreSQL {found}, and this is PostgreSQL {major}:"
                f" start it with {found}, or choose another --data-dir."
            )

    def _find_socket_dir(self) -> Path:
        """`socket` in the data directory; where its path is too long, a link to a short one.

        A comma would part two hosts in a URL.
        """
        place = self.data_dir / "socket"
        if len(os.fsencode(place)) <= _SOCKET_DIR_MAX and "," not in str(place):
            if not self._is_private(place):
                _remove(place)
                self._make_private(place)
            return place
        if place.is_symlink() and self._is_private(target := place.readlink()):
            return target
        _remove(place)
        # Of a random name, so that nobody in this public place can have been there before us.
        target = Path(tempfile.mkdtemp(prefix="waybill-", dir="/tmp"))
        os.chown(target, self.who.uid, self.who.gid)
        place.symlink_to(target)
        return target

    def _is_private(self, path: Path) -> bool:
        try:
            found = path.lstat()
        except OSError:
            return False
        return found.st_mode & 0o170777 == 0o040700 and found.st_uid == self.who.uid

    def _make_private(self, path: Path) -> None:
        path.mkdir(mode=0o700)
        os.chown(path, self.who.uid, self.who.gid)

    def _configure(self) -> None:
        """Writes the configuration afresh: who starts `serve` may have changed."""
        starter = pwd.getpwuid(os.geteuid()).pw_name
        maps = {(self.who.name, "postgres"), (self.who.name, "waybill"), (starter, "waybill")}
        access, users = self._conf / "pg_hba.conf", self._conf / "pg_ident.conf"
        found = {
            "shared_buffers": f"{_buffers_mib()}MB",
            "unix_socket_directories": f'"{self._socket_dir}"',
            "hba_file": str(access),
            "ident_file": str(users),
        }
        self._conf.mkdir(exist_ok=True)
        self._conf.chmod(0o755)
        for file, lines in {
            access: [
                f"local {name} peer map=waybill" for name in ("waybill waybill", "all postgres")
            ],
            users: [f'waybill "{system}" {role}' for system, role in sorted(maps)],
            self._conf / "postgresql.conf": [
                _SETTINGS,
                *(f"{name} = {_quoted(value)}" for name, value in found.items()),
            ],
        }.items():
            text = "\n".join([*lines, ""])
            # What is right already needs no room on a full disk.
            if not file.exists() or file.read_text("utf-8") != text:
                file.write_text(text, "utf-8")
                file.chmod(0o644)

    def _initialise(self, binaries: Binaries) -> None:
        """Makes the database aside and moves it into place whole: a start cut short leaves none."""
        new = self.data_dir / "postgres.new"
        _remove(new)
        self._make_private(new)
        locale = ["--locale=C"]
        if binaries.major >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run(
            "initdb", ["-D", new, "-U", "postgres", "-E", "UTF8", *locale, "-A", "peer", "-N"]
        )
        self._run(
            "postgres",
            # Without fsync only until all of it is synced below, before anyone relies on it.
            ["--single", "-F", "-D", new, "-c", "exit_on_error=on", "postgres"],
            "CREATE ROLE waybill LOGIN;\nCREATE DATABASE waybill OWNER waybill;\n",
        )
        self._run("initdb", ["-D", new, "--sync-only"])
        new.rename(self.files)
        descriptor = os.open(self.data_dir, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _run(self, program: str, command: list[str | Path], text: str = "") -> None:
        process = self._spawn(
            program,
            command,
            signal.SIGTERM,
            stdin=subprocess.PIPE,
            output=subprocess.PIPE,
        )
        said = process.communicate(text.encode())[0].decode("utf-8", "replace")
        if process.returncode == 0:
            return
        if any(words in said for words in _FULL):
            raise CannotStart(full_sentence(self.data_dir))
        reasons = [line for line in said.splitlines() if "FATAL:" in line or "error:" in line]
        reason = (reasons or said.splitlines() or ["no reason given"])[0].strip()
        raise CannotStart(f"No database could be made in {self.data_dir}: {reason}")

    def _spawn(
        self,
        program: str,
        command: list[str | Path],
        at_end: signal.Signals,
        *,
        output: int,
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        assert self._binaries, "prepare() comes first"  # noqa: S101
        kept = {"LC_ALL": "C"} | {
            name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ
        }
        with self._trace.left_to_child() as trace:
            return subprocess.Popen(
                [self._binaries.folder / program, *command],
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=kept,
                cwd="/",
                # Away from the terminal: its Ctrl-C is for the supervisor, who keeps the order.
                start_new_session=True,
                pass_fds=[trace],
                preexec_fn=with_parent(at_end),  # noqa: PLW1509 - no threads here
                **as_user(self.who),
            )


def running(data_dir: Path) -> str | None:
    """The URL of the database that a `serve` on this data directory uses; None without one."""
    return (holder(data_dir) or {}).get("databaseUrl")


def _buffers_mib() -> int:
    """How much memory PostgreSQL may keep pages in: a 32nd of what there is, of 128 to 512 MiB.

    Uploads write all over an index. With 5 million devices and 128 MiB they take twice the time
    that they take with 512; but each 128 MiB cost 7 MiB before there is a single page to keep.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        # A container's own limit; without one the file says "max".
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(max(memory // 32 // 2**20, 128), 512)


def _works_in(pid: int, folder: Path) -> bool:
    """Whether a process is at work in a folder, as a server is in that of its files."""
    with suppress(OSError):
        return os.path.samefile(f"/proc/{pid}/cwd", folder)
    if Path("/proc/self").exists():
        return False
    told = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False
    )
    return b"postgres" in told.stdout


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
