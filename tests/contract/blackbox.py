"""A KDP service as its clients see it: by its address and credentials, and by nothing else.

Nothing here, nor in the tests beside it, imports anything of Waybill: the same tests may run
against any server that claims to speak the API.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

GEN2 = "/kcs/v1/rp"
PATIENCE_S = 20.0

_VARIABLE = "WAYBILL_CONTRACT_"


@dataclass
class Account:
    """A reseller's client, signed in, and what it does."""

    http: httpx.Client
    client_id: str
    client_secret: str
    reseller_id: str
    vendors: list[str] = field(default_factory=list)
    token: str = ""

    def __post_init__(self) -> None:
        self.token = self.token or self.new_token()

    def new_token(self, **form: str) -> str:
        """A fresh access token."""
        answer = self.asks_token(**form)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def asks_token(self, **form: str) -> httpx.Response:
        """A token request."""
        return self.http.post("/ams/v1/oauth2/token", data=self.form(**form))

    def form(self, **changed: str) -> dict[str, str]:
        """The form of a token request."""
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        } | changed

    def revokes(self, token: str) -> httpx.Response:
        """Ends a token."""
        return self.http.post("/ams/v1/oauth2/revoke", data=self.form(token=token))

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A call with this account's token, or with `token` (None: without)."""
        token = options.pop("token", self.token)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        headers |= options.pop("headers", {})
        return self.http.request(method, f"{GEN2}{path}", headers=headers, **options)

    def puts(self, operation: str, customer_id: str, **members: Any) -> httpx.Response:
        """An upload or a delete; a member that is None is left out."""
        body = {
            "customerId": customer_id,
            "resellerId": self.reseller_id,
            "transactionId": fresh("T"),
            "type": "IMEI" if "devices" in members else None,
        } | members
        body = {name: value for name, value in body.items() if value is not None}
        return self.call("PUT", f"/devices/{operation}", json=body)

    def gets(self, path: str, **query: Any) -> httpx.Response:
        """A call that asks."""
        return self.call("GET", path, params={"resellerId": self.reseller_id} | query)

    def uploads(self, customer_id: str, devices: list[str], **members: Any) -> dict[str, Any]:
        """An upload that is accepted and worked off; its status."""
        return self.settled(self.puts("upload", customer_id, devices=devices, **members))

    def deletes(self, customer_id: str, **members: Any) -> dict[str, Any]:
        """A delete that is accepted and worked off; its status."""
        return self.settled(self.puts("delete", customer_id, **members))

    def settled(self, accepted: httpx.Response) -> dict[str, Any]:
        """Waits for what was accepted to be complete; its status."""
        assert accepted.status_code == 200, accepted.text
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = self.gets("/devices/status", transactionId=accepted.json()["transactionId"])
            assert answer.status_code == 200, answer.text
            if answer.json()["state"] == "Complete":
                return answer.json()
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.02)

    def total(self, path: str = "/devices", **query: Any) -> int:
        """How many a list has."""
        return self.gets(path, **query).json()["totalCount"]

    def held(self, **query: Any) -> list[dict[str, Any]]:
        """All devices of this reseller."""
        return self.gets("/devices", pageSize=100_000, **query).json()["devices"]


@dataclass
class Service:
    """A server, and who may do what there. What it lacks is None: what needs it is skipped."""

    url: str
    http: httpx.Client
    reseller: Account
    customer_id: str
    other_customer_id: str
    other: Account | None = None
    operator: Account | None = None
    unserved_customer_id: str | None = None
    ready_file: Path | None = None


@contextmanager
def service() -> Iterator[Service]:
    """The service under test: the one that the environment names, else one of our own."""
    url = os.environ.get(f"{_VARIABLE}URL")
    if url and _env("RESELLER_ID"):
        with httpx.Client(base_url=url, timeout=30) as http:
            yield _named(url, http)
        return
    with _told() as ready:
        url = url or ready["baseUrl"]
        with httpx.Client(base_url=url, timeout=30) as http:
            yield _ready(url, http, ready)


@contextmanager
def _told() -> Iterator[dict[str, Any]]:
    """What the ready file of a seeded server says."""
    named = _env("READY_FILE")
    if named:
        yield json.loads(Path(named).read_text("utf-8")) | {"readyFile": named}
        return
    # Not below pytest's own folder: what runs the database, when root starts it, cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="waybill-contract-"))
    folder.chmod(0o711)
    try:
        with _serving(folder) as ready:
            yield ready
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _serving(folder: Path) -> Iterator[dict[str, Any]]:
    ready, output = folder / "ready.json", folder / "output.txt"
    command = [str(Path(sys.executable).with_name("waybill")), "serve", "--seed", "--port=0"]
    command += [f"--data-dir={folder / 'data'}", f"--ready-file={ready}"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WAYBILL_")}
    with output.open("w") as file:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment
        )
    try:
        deadline = time.monotonic() + PATIENCE_S * 3
        while not ready.exists():
            assert server.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.05)
        yield json.loads(ready.read_text("utf-8")) | {"readyFile": str(ready)}
    finally:
        server.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(PATIENCE_S)
        server.kill()
        server.wait()


def _env(name: str) -> str | None:
    return os.environ.get(f"{_VARIABLE}{name}") or None


def _wanted(name: str) -> str:
    value = _env(name)
    assert value, f"set {_VARIABLE}{name} too"
    return value


def _named(url: str, http: httpx.Client) -> Service:
    def account(prefix: str) -> Account:
        names = (f"{prefix}{name}" for name in ("CLIENT_ID", "CLIENT_SECRET", "RESELLER_ID"))
        vendor = _env(f"{prefix}VENDOR_ID")
        return Account(http, *(_wanted(name) for name in names), vendors=[vendor] if vendor else [])

    return Service(
        url,
        http,
        account(""),
        _wanted("CUSTOMER_ID"),
        _wanted("OTHER_CUSTOMER_ID"),
        other=account("OTHER_") if _env("OTHER_RESELLER_ID") else None,
        unserved_customer_id=_env("UNSERVED_CUSTOMER_ID"),
    )


def _ready(url: str, http: httpx.Client, ready: dict[str, Any]) -> Service:
    first, second = (
        Account(
            http,
            each["clientId"],
            each["clientSecret"],
            each["resellerId"],
            [vendor["vendorId"] for vendor in each["vendors"]],
        )
        for each in ready["resellers"]
    )
    customers = [each["customerId"] for each in ready["customers"]]
    operator = ready["operator"]
    return Service(
        url,
        http,
        first,
        *customers[:2],
        other=second,
        operator=Account(http, operator["clientId"], operator["clientSecret"], first.reseller_id),
        unserved_customer_id=customers[2],
        ready_file=Path(ready["readyFile"]),
    )


# --- identifiers of our own ---------------------------------------------------------------------


def fresh(prefix: str) -> str:
    """An ID that was never used."""
    return f"{prefix}-{secrets.token_hex(8)}"


def imeis(count: int) -> list[str]:
    """IMEIs that nobody has, by all likelihood, with right check digits."""
    bodies = random.SystemRandom().sample(range(10**12), count)
    return [body + luhn_digit(body) for body in (f"35{each:012}" for each in bodies)]


def luhn_digit(body: str) -> str:
    """The check digit of an IMEI's first fourteen digits."""
    doubled = (int(digit) * (1 + at % 2) for at, digit in enumerate(body))
    return str(-sum(sum(divmod(each, 10)) for each in doubled) % 10)


def wrong(imei: str) -> str:
    """The IMEI with a wrong check digit."""
    return imei[:-1] + str((int(imei[-1]) + 1) % 10)


def meids(count: int) -> list[str]:
    """MEIDs, 14 hexadecimal digits."""
    return [f"A{secrets.token_hex(7)[1:].upper()}" for _ in range(count)]


def serials(count: int) -> list[str]:
    """Serial numbers."""
    return [f"R{secrets.token_hex(5).upper()}" for _ in range(count)]


def meid_decimal(body: str) -> str:
    """An MEID, or the first fourteen digits of an IMEI, as 18 decimal digits."""
    return f"{int(body[:8], 16):010}{int(body[8:14], 16):08}"
