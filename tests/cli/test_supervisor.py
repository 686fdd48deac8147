"""`waybill serve` as real processes: started, killed, started again, with nothing left behind."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from support.processes import PATIENCE_S, Serve, alive, place, until
from waybill.cli.address import base_url, listen
from waybill.db.data_dir import CannotStart


def running(name: str, code: str) -> str:
    """What makes `serve` run this code as one of its children."""
    return f"serve.COMMANDS[{name!r}] = {[sys.executable, '-c', code]!r}"


STUCK = (
    "import signal, time; from waybill import lifeline\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); lifeline.watch(); time.sleep(600)"
)


@pytest.fixture
def here() -> Iterator[Path]:
    with place() as path:
        yield path


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data directory after its first start."""
    with place() as path:
        with Serve(path / "data") as serve:
            serve.ready()
        yield path / "data"


@pytest.fixture
def data(here: Path, made: Path) -> Path:
    """Such a directory of this test's own."""
    subprocess.run(["cp", "-a", str(made), str(here / "data")], check=True)
    return here / "data"


@pytest.fixture(scope="module")
def served() -> Iterator[Serve]:
    """One server for the tests that leave it as they found it."""
    with place() as path, Serve(path / "data") as serve:
        serve.ready()
        yield serve


def get(url: str) -> int:
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310 - our own
        return answer.status


def serves(url: str) -> bool:
    try:
        return get(f"{url}/readyz") == 200
    except OSError:
        return False


def refuses(url: str) -> bool:
    host, _, port = url.removeprefix("http://").rpartition(":")
    with socket.socket() as tried:
        return tried.connect_ex((host, int(port))) == errno.ECONNREFUSED


def test_it_works(here: Path) -> None:
    with Serve(here / "data") as serve:
        ready = serve.ready()
        assert stat.S_IMODE(serve.ready_file.stat().st_mode) == 0o600
        assert ready == {
            "baseUrl": ready["baseUrl"],
            "docsUrl": f"{ready['baseUrl']}/docs",
            "databaseUrl": ready["databaseUrl"],
            "pid": serve.process.pid,
            "resellers": [],
            "customers": [],
            "operator": None,
        }
        assert ready["baseUrl"].startswith("http://127.0.0.1:")
        assert get(f"{ready['baseUrl']}/readyz") == 200
        with psycopg.connect(ready["databaseUrl"]) as tx:
            tx.execute("create table made_by_hand (a int)")
        pids = [serve.pid(name) for name in ("api", "worker", "postgres")]
        until(lambda: "clients create" in serve.said(), "the first steps")
        serve.process.terminate()
        assert serve.process.wait(PATIENCE_S) == 0, serve.said()
        assert not serve.left()
        assert not any(map(alive, pids))


def test_the_printed_lines_work_when_pasted(here: Path) -> None:
    with Serve(here / "data", "--seed") as serve:
        ready = serve.ready()
        until(lambda: "devices/status" in serve.said(), "the lines")
        lines = [line for line in serve.said().splitlines() if "curl " in line]
        assert len(lines) == 3
        script = "\n".join([*lines[:2], "sleep 1", lines[2]])
        ran = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
        accepted, status = map(json.loads, ran.stdout.splitlines())
        assert accepted["state"] == "Progress", ran
        assert status["state"] == "Complete", ran
        assert "40000007" in ran.stdout
        assert ready["resellers"][0]["clientSecret"] in serve.said()
        assert stat.S_IMODE((here / "data" / "seed.json").stat().st_mode) == 0o600


# --- ends ---------------------------------------------------------------------------------------


def test_ctrl_c_reaches_the_supervisor_alone_and_ends_all(data: Path) -> None:
    with Serve(data) as serve:
        serve.ready()
        for name in ("api", "worker", "postgres"):
            assert os.getpgid(serve.pid(name)) != serve.process.pid, name
        # A terminal signals its whole foreground group.
        os.killpg(serve.process.pid, signal.SIGINT)
        assert serve.process.wait(PATIENCE_S) == 0, serve.said()
        assert not serve.left()
        assert "ended" not in serve.said()
        assert "Traceback" not in serve.said()
        # The database came last: it had nobody to send away.
        assert "terminating connection" not in (data / "postgres.log").read_text()


def test_a_start_can_be_stopped(here: Path) -> None:
    with Serve(here / "data") as serve:
        until((here / "data" / "postgres.new").exists, "the first step")
        serve.process.terminate()
        assert serve.process.wait(PATIENCE_S) == 0, serve.said()
        assert not serve.left()
        assert not serve.ready_file.exists()
        assert "Traceback" not in serve.said()


def test_a_start_that_waits_for_a_database_can_be_stopped(here: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE_S)
        url = f"postgresql://waybill@127.0.0.1:{silent.getsockname()[1]}/waybill"
        with Serve(here / "data", f"--database-url={url}&connect_timeout=60") as serve:
            connection, _ = silent.accept()
            with connection:
                serve.process.terminate()
                # Sooner than the connection itself would give up.
                assert serve.process.wait(3) == 0, serve.said()


def test_a_second_request_hurries_past_what_does_not_end(data: Path) -> None:
    with Serve(data, changed=running("worker", STUCK)) as serve:
        base = serve.ready()["baseUrl"]
        stuck = serve.pid("worker")
        serve.process.terminate()
        # Nobody new waits in the queue of a server that ends.
        until(lambda: refuses(base), "the port is closed first")
        serve.process.terminate()
        assert serve.process.wait(8) == 0, serve.said()
        assert not alive(stuck)
        assert not serve.left()


# --- kill -9 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["api", "worker"])
def test_a_killed_child_is_started_again(served: Serve, name: str) -> None:
    base = served.ready()["baseUrl"]
    other = {"api": "worker", "worker": "api"}[name]
    before, unharmed = served.pid(name), served.pid(other)
    served.kill(name)
    # The port is never lost: a request that comes now waits.
    assert get(f"{base}/healthz") == 200
    after = until(lambda: (pid := served.pid(name)) != before and pid, "another process")
    assert alive(after)
    assert served.pid(other) == unharmed
    assert "was ended by SIGKILL; starting it again in" in served.said()


def test_a_killed_database_is_started_again_and_the_others_go_on(served: Serve) -> None:
    base = served.ready()["baseUrl"]
    before = {name: served.pid(name) for name in ("api", "worker", "postgres")}
    served.kill("postgres")
    until(lambda: served.pid("postgres") != before["postgres"], "another server")
    until(lambda: serves(base), "ready again")
    assert {name: served.pid(name) for name in ("api", "worker")} == {
        name: before[name] for name in ("api", "worker")
    }


@pytest.mark.parametrize("killed", [("serve",), ("serve", "postgres", "api")])
def test_after_a_killed_supervisor_the_next_start_simply_works(
    data: Path, killed: tuple[str, ...]
) -> None:
    with Serve(data) as serve:
        ready = serve.ready()
        pids = [serve.pid(name) for name in ("api", "worker", "postgres")]
        with psycopg.connect(ready["databaseUrl"]) as tx:
            tx.execute("create table kept as select 42 as a")
        serve.kill(*killed)
        port = ready["baseUrl"].rsplit(":", 1)[1]
        # At once, and on the port that orphans may hold for a moment.
        with Serve(data, f"--port={port}") as again:
            assert again.ready()["baseUrl"] == ready["baseUrl"]
            assert not any(map(alive, pids))
            with psycopg.connect(ready["databaseUrl"]) as tx:
                assert tx.execute("select a from kept").fetchone() == (42,)


def test_an_orphan_that_holds_the_port_is_ended_first(data: Path) -> None:
    with Serve(data) as serve:
        base = serve.ready()["baseUrl"]
        api = serve.pid("api")
        os.kill(api, signal.SIGSTOP)
        serve.kill("serve")
        port = base.rsplit(":", 1)[1]
        at_once = "serve._LEFT_BEHIND = ((signal.SIGKILL, 10.0),)"
        with Serve(data, f"--port={port}", changed=at_once) as again:
            assert again.ready()["baseUrl"] == base
            assert not alive(api)


def test_a_first_start_that_is_killed_is_begun_anew(here: Path) -> None:
    with Serve(here / "data") as serve:
        until((here / "data" / "postgres.new").exists, "the first step")
        serve.kill("serve")
        with Serve(here / "data") as again:
            assert get(f"{again.ready()['baseUrl']}/readyz") == 200


def test_a_killed_supervisor_leaves_nothing_running(data: Path) -> None:
    with Serve(data) as serve:
        serve.ready()
        pids = [serve.pid(name) for name in ("api", "worker", "postgres")]
        serve.kill("serve")
        until(lambda: not any(map(alive, pids)), "all gone")
        assert not serve.left()


# --- refusals -----------------------------------------------------------------------------------


def test_a_second_serve_is_told_who_holds_the_data_directory(served: Serve) -> None:
    ready = served.ready()
    with Serve(served.data_dir, ready_file=served.data_dir.parent / "second") as second:
        sentence = second.refusal()
    for part in (f"process {ready['pid']},", f"serving {ready['baseUrl']}", "in use"):
        assert part in sentence
    assert serves(ready["baseUrl"])


def test_a_taken_port_is_refused_naming_the_option(here: Path) -> None:
    with closing(listen("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with Serve(here / "data", f"--port={port}") as serve:
            sentence = serve.refusal()
    assert f"Port {port} of 127.0.0.1 is taken" in sentence
    assert "--port" in sentence
    assert not (here / "data" / "postgres").exists()


def test_a_child_that_cannot_live_ends_the_start(data: Path) -> None:
    with Serve(data, changed=running("api", "raise SystemExit(3)")) as serve:
        assert "The API does not stay up" in serve.refusal()
        assert "ended with exit code 3; starting it again in 0.1 s" in serve.said()
        assert not serve.left()


def test_a_database_that_cannot_be_reached_is_a_sentence(here: Path) -> None:
    url = "postgresql://waybill@127.0.0.1:1/waybill"
    with Serve(here / "data", f"--database-url={url}") as serve:
        assert "The database cannot be used:" in serve.refusal()
    assert not (here / "data").exists()


def test_a_ready_file_that_cannot_be_written_is_a_sentence(here: Path, data: Path) -> None:
    with Serve(data, ready_file=here / "none" / "ready") as serve:
        assert "--ready-file" in serve.refusal()


# --- together -----------------------------------------------------------------------------------


def test_any_number_serve_one_database_given_by_its_url(served: Serve, here: Path) -> None:
    url = f"--database-url={served.ready()['databaseUrl']}"
    with Serve(here / "a", url, "--no-worker") as one, Serve(here / "b", url, "--no-worker") as two:
        assert one.ready()["databaseUrl"] == two.ready()["databaseUrl"]
        assert {get(f"{s.ready()['baseUrl']}/readyz") for s in (one, two)} == {200}
        assert not (here / "a").exists()
        one.process.terminate()
        assert one.process.wait(PATIENCE_S) == 0


# --- addresses ----------------------------------------------------------------------------------


def test_the_next_port_is_taken_where_that_is_wished() -> None:
    with closing(listen("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with closing(listen("127.0.0.1", port, next_port=True)) as second:
            assert port < second.getsockname()[1] <= port + 20


def test_a_port_taken_on_all_addresses_is_taken_on_each() -> None:
    with closing(listen("0.0.0.0", 0)) as all_addresses:  # noqa: S104 - what is tested
        port = all_addresses.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} of 127.0.0.1 is taken"):
            listen("127.0.0.1", port)
        assert base_url(all_addresses, tls=True) == f"https://127.0.0.1:{port}"


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_ipv6_addresses_work() -> None:
    try:
        found = listen("::1", 0)
    except CannotStart:
        pytest.skip("no IPv6 on this machine")
    with closing(found):
        assert base_url(found, tls=False) == f"http://[::1]:{found.getsockname()[1]}"


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "nowhere.invalid"])
def test_an_address_that_is_not_ours_is_refused_naming_the_option(host: str) -> None:
    with pytest.raises(CannotStart, match="--host"):
        listen(host, 0)


# --- the lifeline alone -------------------------------------------------------------------------


@contextmanager
def lifeline_child(code: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process with a lifeline, and the end that keeps it alive."""
    reading, kept = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", f"from waybill import lifeline\n{code}"],
        env=os.environ | {"WAYBILL_LIFELINE_FD": str(reading)},
        pass_fds=[reading],
        stdout=subprocess.PIPE,
    )
    os.close(reading)
    with process:
        try:
            yield process, kept
        finally:
            process.kill()


def test_a_lifeline_that_ends_asks_first() -> None:
    code = (
        "import signal, sys, threading\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "lifeline.watch(); print('on', flush=True)\n"
        "threading.Event().wait()"
    )
    with lifeline_child(code) as (process, kept):
        assert process.stdout
        assert process.stdout.readline() == b"on\n"
        os.close(kept)
        assert process.wait(PATIENCE_S) == 7


def test_a_lifeline_that_ends_does_not_ask_for_ever() -> None:
    code = (
        "import signal, threading\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "lifeline._GRACE_S = 0.1; lifeline.watch()\n"
        "threading.Event().wait()"
    )
    with lifeline_child(code) as (process, kept):
        os.close(kept)
        assert process.wait(PATIENCE_S) == 1


def test_without_a_supervisor_there_is_nothing_to_watch() -> None:
    code = "import os; os.environ.pop('WAYBILL_LIFELINE_FD')\nlifeline.watch(); print('on')"
    with lifeline_child(code) as (process, kept):
        os.close(kept)
        assert process.communicate(timeout=PATIENCE_S)[0] == b"on\n"
        assert process.returncode == 0
