"""What the figures belong to: the machine, the versions, the settings, the installation."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import psycopg

from waybill.config import load

_ROOT = Path(__file__).parents[1]
_SETTINGS = (
    "server_version",
    "shared_buffers",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_compression",
    "wal_buffers",
    "max_wal_size",
    "checkpoint_timeout",
    "autovacuum",
)


def surroundings(database_url: str, data_dir: Path) -> dict[str, Any]:
    """Machine, versions and settings, by name."""
    with psycopg.connect(database_url) as tx:
        rows = tx.execute(
            "select name, current_setting(name) from pg_settings where name = any(%s)",
            (list(_SETTINGS),),
        ).fetchall()
    settings = dict(rows)
    return {
        "machine": {
            "processor": _processor(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
            "system": f"{platform.system()} {platform.release()}",
            "file_system": _file_system(data_dir),
            "load_before": round(os.getloadavg()[0], 2),
        },
        "versions": {
            "waybill": _version(),
            "python": platform.python_version(),
            "postgresql": settings.pop("server_version"),
        },
        "settings": settings | {"turns_at_once": load().turns_at_once},
    }


def installed_mib() -> dict[str, float]:
    """The size of a user's installation: Waybill and what its lock file brings, largest first."""
    lock = (_ROOT / "requirements.lock").read_text()
    sizes = {name: _size(name) / 2**20 for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    sizes["waybill"] = _tree_size(_ROOT / "src") / 2**20
    largest = sorted(sizes, key=lambda name: -sizes[name])[:5]
    parts = {name: round(sizes[name], 1) for name in largest}
    others = sum(sizes.values()) - sum(sizes[name] for name in largest)
    return {"total": round(sum(sizes.values()), 1), **parts, "others": round(others, 1)}


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _file_system(place: Path) -> str:
    found = ("", "unknown")
    try:
        mounts = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return found[1]
    for line in mounts:
        _, point, kind, *_ = line.split()
        if place.is_relative_to(point) and len(point) > len(found[0]):
            found = (point, kind)
    return found[1]


def _version() -> str:
    version = distribution("waybill").version
    told = subprocess.run(
        ["git", "-c", "safe.directory=*", "describe", "--always", "--dirty"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{version} ({told.stdout.strip()})" if told.returncode == 0 else version


def _size(package: str) -> int:
    try:
        found = distribution(package)
    except PackageNotFoundError:
        # Not for this machine.
        return 0
    files = (Path(str(found.locate_file(file))) for file in found.files or [])
    return sum(file.lstat().st_size for file in files if file.exists())


def _tree_size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
