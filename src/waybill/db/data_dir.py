"""The data directory: where it is, who may enter it, and which `serve` holds it.

Beside the seed's `seed.json` it holds the embedded database: `postgres/` (its files), `socket/`,
`conf/`, `program/` (a copy of the binaries where its user cannot read the installed ones) and
`postgres.log`. PostgreSQL refuses to run as root; started by root it runs as a system user, and
then everything outside of `postgres/` and `socket/` stays root's: root never writes by name where
another user could have put a link.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import pwd
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waybill.clock import now
from waybill.config import Settings

# Where root's data go when the database's user cannot enter the current directory.
_SYSTEM_PLACE = Path("/var/lib/waybill")
_LOCK = "serve.lock"
# Asking whether the lock is held takes it for a moment.
_LOCK_PATIENCE_S = 0.3


class CannotStart(Exception):  # noqa: N818 - reads as the sentence it is
    """Why Waybill cannot start, in a sentence for the person who tried."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Account:
    """The system user that the database runs as."""

    name: str
    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        """Whether that is who we are, so that nothing needs changing."""
        return self.uid == os.geteuid()


def account(data_dir: Path) -> Account:
    """Who runs the database of a data directory: we, or a system user when we are root.

    Raises:
        CannotStart: PostgreSQL could not run as any user here.
    """
    # As root: who made the database goes on with it.
    if uid := os.geteuid() or _owner(data_dir / "postgres"):
        try:
            return _account(pwd.getpwuid(uid))
        except KeyError:
            raise CannotStart(
                f"User number {uid} would run the database and has no name on this system, by which"
                " PostgreSQL knows its users: add the user, or give --database-url."
            ) from None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return _account(pwd.getpwnam(name))
    raise CannotStart(
        "PostgreSQL refuses to run as root, and this system has no user `postgres` or `nobody`:"
        " start Waybill as an ordinary user, or give --database-url."
    )


def _owner(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_uid
    return None


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def locate(settings: Settings) -> Path:
    """The data directory of these settings, absolute; it need not exist.

    Root's default lies elsewhere when the database's user cannot enter the current directory
    (a checkout in root's home, say): always the same place for one directory.
    """
    path = Path(os.path.abspath(settings.data_dir))
    given = "data_dir" in settings.model_fields_set
    if given or settings.database_url or os.geteuid() != 0:
        return path
    if barrier(path.parent, account(path)) is None:
        return path
    digest = hashlib.sha256(os.path.realpath(path).encode("utf-8", "surrogateescape")).hexdigest()
    return _SYSTEM_PLACE / f"{path.parent.name or 'root'}-{digest[:12]}"


def prepare(path: Path, who: Account) -> None:
    """Makes the data directory where it is missing, and sees that the database's user can enter.

    Raises:
        CannotStart: it cannot be made or entered.
    """
    try:
        if not who.is_us:
            _refuse_another_owner(path)
            _refuse_barrier(_nearest(path.parent), who)
        for parent in reversed([p for p in path.parents if not p.exists()]):
            _make(parent, 0o755 if who.is_us else 0o711)
        if not path.is_dir():
            _make(path, 0o700 if who.is_us else 0o710, None if who.is_us else who.gid)
        elif not who.is_us and barrier(path, who) == path and _is_ours(path):
            os.chown(path, -1, who.gid)
            path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o010)
        if not who.is_us:
            _refuse_barrier(path, who)
    except OSError as problem:
        raise CannotStart(os_sentence(problem, path)) from problem


def _make(path: Path, mode: int, gid: int | None = None) -> None:
    path.mkdir(mode=0o700)
    if gid is not None:
        os.chown(path, -1, gid)
    path.chmod(mode)


def _is_ours(path: Path) -> bool:
    names = {entry.name for entry in path.iterdir()}
    return not names or _LOCK in names


def _nearest(path: Path) -> Path:
    return next(p for p in (path, *path.parents) if p.exists())


def _refuse_another_owner(path: Path) -> None:
    owner = _owner(path)
    if owner not in (None, os.geteuid()):
        raise CannotStart(
            f"{path} belongs to {_name(owner)}: start Waybill as that user, or choose another"
            " --data-dir."
        )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user number {uid}"


def _refuse_barrier(path: Path, who: Account) -> None:
    if bar := barrier(path, who):
        raise CannotStart(
            f"The database runs as user `{who.name}`, who cannot enter {bar}: choose a --data-dir"
            f" elsewhere, or allow it (chmod o+x {bar})."
        )


def barrier(path: Path, who: Account) -> Path | None:
    """The first directory on the way to `path`, itself included, that `who` cannot enter."""
    with acting_as(who):
        if os.access(path, os.X_OK, effective_ids=_EFFECTIVE):
            return None
        real = Path(os.path.realpath(path))
        way = [*reversed(path.parents), path, *reversed(real.parents), real]
        for step in way:
            if not os.access(step, os.X_OK, effective_ids=_EFFECTIVE):
                return step
    return path


_EFFECTIVE = os.access in os.supports_effective_ids


@contextmanager
def acting_as(who: Account) -> Iterator[None]:
    """The block runs with another user's rights: the system itself answers what they allow."""
    if who.is_us:
        yield
        return
    groups, gid, uid = os.getgroups(), os.getegid(), os.geteuid()
    try:
        os.setgroups([])
        os.setegid(who.gid)
        os.seteuid(who.uid)
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)
        os.setgroups(groups)


def os_sentence(problem: OSError, path: Path) -> str:
    """A system's refusal as a sentence."""
    where = problem.filename or path
    # Copying a tree collects its problems, as text, into one without a number.
    if problem.errno in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(problem):
        return full_sentence(path)
    if problem.errno in (errno.EACCES, errno.EPERM):
        return f"Not allowed to use {where}: choose another --data-dir, or start as its owner."
    return f"Cannot use {where}: {problem.strerror or problem}."


def full_sentence(path: Path) -> str:
    """The disk is full."""
    return (
        f"The disk that holds {path} is full ({free_mib(path)} MiB free): make room, or choose a"
        " --data-dir elsewhere."
    )


def free_mib(path: Path) -> int:
    """What is free on the disk of a directory."""
    place = os.statvfs(_nearest(path))
    return place.f_bavail * place.f_frsize // (1024 * 1024)


class Hold:
    """The data directory's lock: one `serve` at a time, and it says who."""

    def __init__(self, data_dir: Path) -> None:
        """Takes it.

        Raises:
            CannotStart: another `serve` has it.
        """
        path = data_dir / _LOCK
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._descriptor = os.open(path, flags, 0o600)
            if not _lock(self._descriptor, fcntl.LOCK_EX, _LOCK_PATIENCE_S):
                os.close(self._descriptor)
                raise CannotStart(_held_sentence(data_dir))
            self._record: dict[str, Any] = {"pid": os.getpid(), "startedAt": now().isoformat()}
            self.tell()
        except OSError as problem:
            raise CannotStart(os_sentence(problem, path)) from problem

    def tell(self, **more: str | None) -> None:
        """Lets others know, by `holder`, what is served here."""
        self._record |= more
        # Padded, not truncated first: a reader never finds it empty.
        text = json.dumps(self._record).ljust(os.fstat(self._descriptor).st_size)
        os.pwrite(self._descriptor, text.encode(), 0)

    def release(self) -> None:
        """Gives it up."""
        os.close(self._descriptor)


def holder(data_dir: Path) -> dict[str, Any] | None:
    """What the `serve` on this data directory tells of itself; None when there is none.

    Raises:
        CannotStart: it belongs to someone else.
    """
    try:
        with (data_dir / _LOCK).open("rb") as file:
            if _lock(file.fileno(), fcntl.LOCK_SH):
                return None
            return json.loads(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        return {}
    except OSError as problem:
        raise CannotStart(os_sentence(problem, data_dir)) from problem


def _held_sentence(data_dir: Path) -> str:
    told = holder(data_dir) or {}
    started = str(told.get("startedAt", "at an unknown time"))[:19].replace("T", " ")
    serving = f"serving {told['baseUrl']}" if told.get("baseUrl") else "not serving yet"
    return (
        f"{data_dir} is in use by process {told.get('pid', '?')}, started {started} UTC, {serving}:"
        " stop it, or choose another --data-dir."
    )


def _lock(descriptor: int, kind: int, patience_s: float = 0) -> bool:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
