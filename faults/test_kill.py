"""`kill -9` in the middle of an upload of 100,000 devices: it completes once, and nothing is left.

The moment of the kill is drawn anew each time, so more rounds say more: `make faults`.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from support.processes import Serve, alive, place, until
from waybill.wire.identifiers import Kind, generate

DEVICES = 100_000
# The worker needs about a second for the upload; a fault that comes later has missed it.
WITHIN_S = 0.7
PATIENCE_S = 60.0


class Client:
    """The seeded reseller's software: it tries again until it is answered."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.reseller = ready["resellers"][0]
        self.customer = ready["customers"][1]["customerId"]
        self.http: httpx.Client | None = None
        self.ready(ready)

    def close(self) -> None:
        """Lets go of its connections."""
        if self.http:
            self.http.close()

    def ready(self, ready: dict[str, Any]) -> None:
        """Goes on with a server that was started anew."""
        self.close()
        self.http = httpx.Client(base_url=ready["baseUrl"], timeout=30)
        self.database_url = ready["databaseUrl"]
        self.token = ""

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        assert self.http
        try:
            if not self.token:
                form = {
                    "grant_type": "client_credentials",
                    "client_id": self.reseller["clientId"],
                    "client_secret": self.reseller["clientSecret"],
                }
                answer = self.http.post("/ams/v1/oauth2/token", data=form)
                if answer.status_code != 200:
                    return None
                self.token = answer.json()["access_token"]
            headers = {"Authorization": f"Bearer {self.token}"}
            return self.http.request(method, f"/kcs/v1/rp{path}", headers=headers, **options)
        except httpx.TransportError:
            return None

    def upload(self, transaction: str, devices: list[str]) -> None:
        """Sends an upload; what was not answered is sent again, under the same ID."""
        body = {
            "customerId": self.customer,
            "resellerId": self.reseller["resellerId"],
            "transactionId": transaction,
            "type": "IMEI",
            "devices": devices,
        }

        def taken() -> bool:
            answer = self._call("PUT", "/devices/upload", json=body)
            # Used already: an earlier try was taken, and its answer was lost.
            return answer is not None and (
                answer.status_code == 200 or answer.json().get("code") == 40000014
            )

        until(taken, "the upload is taken", PATIENCE_S)

    def status(self, transaction: str) -> dict[str, Any]:
        """Asks until the transaction is complete."""
        query = {"resellerId": self.reseller["resellerId"], "transactionId": transaction}
        found: dict[str, Any] = {}

        def complete() -> bool:
            answer = self._call("GET", "/devices/status", params=query)
            if answer is not None and answer.status_code == 200:
                found.update(answer.json())
            return found.get("state") == "Complete"

        until(complete, "the upload completes", PATIENCE_S)
        return found

    def count(self) -> int:
        """How many devices the reseller has."""
        query = {"resellerId": self.reseller["resellerId"]}
        answer = until(lambda: self._call("GET", "/devices", params=query), "the list")
        return answer.json()["totalCount"]


def chunks_done(url: str, transaction: str) -> int:
    """How far the worker is with an upload; -1 while nobody can tell."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            row = connection.execute(
                "select chunk from transaction where id = %s", (transaction,)
            ).fetchone()
    except psycopg.Error:
        return -1
    return row[0] if row else 0


def a_spoilt(imei: str) -> str:
    return imei[:-1] + str((int(imei[-1]) + 1) % 10)


@pytest.mark.parametrize("victim", ["worker", "api", "postgres", "serve"])
def test_an_upload_survives_the_death_of(victim: str, round_number: int) -> None:
    good = generate(Kind.IMEI, DEVICES - 2)
    wrong, repeated = a_spoilt(good[7]), good[11]
    with place() as folder:
        data_dir: Path = folder / "data"
        with Serve(data_dir, "--seed") as server:
            client = Client(server.ready())
            before = client.count()
            started = [server.process.pid, *server.left()]
            client.upload("T", [wrong, *good, repeated])
            # Not before the first chunk is done: a part of it must be lost or kept, not all.
            until(lambda: chunks_done(client.database_url, "T") >= 1, "work has begun")
            time.sleep(random.uniform(0, WITHIN_S))
            hit = chunks_done(client.database_url, "T")
            server.kill(victim)
            if victim == "serve":
                until(lambda: not any(map(alive, started)), "all of it has ended")
            else:
                _settled(client, before, wrong, repeated)
        if victim == "serve":
            with Serve(data_dir, "--seed") as again:
                client.ready(again.ready())
                _settled(client, before, wrong, repeated)
            started += [again.process.pid]
        client.close()
        until(lambda: not any(map(alive, started)), "no process is left")
    assert hit < 10 or round_number, "the kill came too late to tell anything"


def _settled(client: Client, before: int, wrong: str, repeated: str) -> None:
    status = client.status("T")
    assert [(each["imei"], each["code"]) for each in status["devices"]] == [
        (wrong, 40000007),
        (repeated, 40000005),
    ]
    assert client.count() == before + DEVICES - 2
    with psycopg.connect(client.database_url) as connection:
        row = connection.execute(
            "select ok, failed, state,"
            " (select count(*) from activity a where a.transaction = t.seq),"
            " (select count(*) from device d where d.upload = t.seq and d.removed_by is null)"
            " from transaction t where id = 'T'"
        ).fetchone()
    assert row == (DEVICES - 2, 2, "Complete", 1, DEVICES - 2)
