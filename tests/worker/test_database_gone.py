"""The database goes away and comes back; nobody has to start the API or a worker again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from support.answers import assert_refused
from support.database import Database, database
from support.invented import many
from support.processes import until
from support.server import Server
from support.world import World
from waybill.config import Settings
from waybill.wire.identifiers import Kind, generate


@pytest.fixture(scope="module")
def own() -> Iterator[Database]:
    """A database that no other test uses."""
    with database() as made:
        yield made


@pytest.fixture(scope="module")
def server(settings: Settings, own: Database) -> Iterator[Server]:
    """An API on it."""
    with Server(settings, database_url=own.url, log_level="info") as running:
        yield running


@pytest.fixture(scope="module")
def worker(server: Server) -> Iterator[subprocess.Popen[bytes]]:
    """A worker on it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "waybill.worker"],
        env={name: value for name, value in os.environ.items() if "WAYBILL" not in name}
        | server.settings.environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(20) == 0


@pytest.fixture
def remote(server: Server, own: Database) -> Iterator[World]:
    """A world on that server, whose database runs again afterwards whatever happened."""
    yield World(server.settings, server.http)  # type: ignore[arg-type]
    own.start()
    until(server.ready, "the API to find its database again")


def finished(world: World, transaction: str) -> bool:
    """Whether a transaction is complete, as far as anybody can be asked."""
    answer = world.status(transactionId=transaction)
    return answer.status_code == 200 and answer.json()["state"] == "Complete"


def test_without_a_database_calls_are_told_to_come_back(
    remote: World, own: Database, server: Server
) -> None:
    assert remote.upload(transactionId="before").status_code == 200
    own.stop()
    calls = [
        lambda: remote.upload(transactionId="meanwhile"),
        lambda: remote.delete(["1"]),
        lambda: remote.status(transactionId="before"),
        remote.devices,
        lambda: remote.devices(pageSize=1_000_000),
        lambda: server.http.post("/ams/v1/oauth2/token", data=remote.token_form()),
        lambda: server.http.get("/readyz"),
    ]
    with ThreadPoolExecutor(len(calls)) as threads:
        answers: list[httpx.Response] = list(threads.map(lambda call: call(), calls))
    for answer in answers:
        assert_refused(answer, 50000000, status=503)
        assert int(answer.headers["retry-after"]) >= 1
        # Clients wait for an answer, not for the database.
        assert answer.elapsed.total_seconds() < 10
    # Who lives says so, and what needs no database is answered.
    assert server.http.get("/healthz").status_code == 200
    assert server.http.get("/nothing").status_code == 404
    own.start()
    until(lambda: remote.devices().status_code == 200, "the API to find its database again")
    # What was accepted is there; what was refused was not taken, and its ID is free.
    assert remote.status(transactionId="before").json()["transactionId"] == "before"
    assert_refused(remote.status(transactionId="meanwhile"), 40000013)
    assert remote.upload(transactionId="meanwhile").status_code == 200
    assert server.process.poll() is None


def test_the_log_tells_of_it_in_lines_and_without_secrets(
    remote: World, own: Database, server: Server
) -> None:
    own.stop()
    assert remote.upload().status_code == 503
    lines = server.lines()
    assert any(line["event"] == "database away" for line in lines)
    assert not [line for line in lines if line["level"] == "error"]
    assert remote.token not in server.said()


def test_a_worker_takes_up_its_work_when_the_database_is_back(
    remote: World, own: Database, worker: subprocess.Popen[bytes]
) -> None:
    remote.upload(generate(Kind.SN, 3), type="SN", transactionId="first")
    until(lambda: finished(remote, "first"), "the worker to be at work")
    own.stop()
    own.start()
    until(lambda: remote.devices().status_code == 200, "the API to find its database again")
    remote.upload(generate(Kind.SN, 3), type="SN", transactionId="second")
    until(lambda: finished(remote, "second"), "the worker to find its database again")
    assert worker.poll() is None


def test_a_database_that_goes_in_the_middle_of_the_work_costs_nothing(
    remote: World, own: Database, worker: subprocess.Popen[bytes]
) -> None:
    devices = many(Kind.MEID, 60_000)
    assert remote.upload(devices, type="MEID", transactionId="large").status_code == 200
    begun = "select chunk from transaction where id = 'large' and chunk > 0"
    until(lambda: remote.sql(begun), "a part of the work")
    own.stop()
    own.start()
    until(lambda: finished(remote, "large"), "the end of the work", 60)
    told = remote.devices(pageSize=1).json()
    assert told["totalCount"] == 60_000
    assert len(remote.held()) == 60_000
    assert "devices" not in remote.status(transactionId="large").json()
    assert worker.poll() is None
