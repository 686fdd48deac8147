"""A reseller's software, as plain as can be, so that the server is what gets measured."""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import msgspec

_POLL_S = 0.002
_PATIENCE_S = 300.0


@dataclass(frozen=True)
class Party:
    """A reseller with a customer and a client."""

    base_url: str
    reseller_id: str
    customer_id: str
    client_id: str
    client_secret: str
    number: int

    def body(self, transaction_id: str, devices: Sequence[str]) -> bytes:
        """The body of an upload."""
        return msgspec.json.encode(
            {
                "customerId": self.customer_id,
                "resellerId": self.reseller_id,
                "transactionId": transaction_id,
                "type": "IMEI",
                "devices": devices,
            }
        )


class Connection:
    """One kept-alive HTTP connection with a token of its own, which is renewed in time."""

    def __init__(self, party: Party) -> None:
        self.party = party
        self._http = http.client.HTTPConnection(
            urlsplit(party.base_url).netloc, timeout=_PATIENCE_S
        )
        self._token = ""
        self._until = 0.0
        self.renew()

    def renew(self) -> None:
        """Gets a new token where the old one ends within minutes; not within a measurement."""
        if time.monotonic() < self._until - 300:
            return
        form = {
            "grant_type": "client_credentials",
            "client_id": self.party.client_id,
            "client_secret": self.party.client_secret,
            "expires_in": "3600",
        }
        answer = self._call("POST", "/ams/v1/oauth2/token", urlencode(form).encode())
        self._token = msgspec.json.decode(answer)["access_token"]
        self._until = time.monotonic() + 3600

    def upload(self, body: bytes) -> float:
        """Sends an upload; returns the seconds until it was accepted."""
        began = time.perf_counter()
        self._call("PUT", "/kcs/v1/rp/devices/upload", body)
        return time.perf_counter() - began

    def settled(self, transaction_id: str) -> int:
        """Waits until a transaction is complete; returns how many devices failed."""
        query = {"resellerId": self.party.reseller_id, "transactionId": transaction_id}
        path = f"/kcs/v1/rp/devices/status?{urlencode(query)}"
        began = time.monotonic()
        while (waited_s := time.monotonic() - began) < _PATIENCE_S:
            status = msgspec.json.decode(self._call("GET", path))
            if status["state"] == "Complete":
                return len(status.get("devices", []))
            # Seldom enough not to be what gets measured, often enough to err by a hundredth.
            time.sleep(max(_POLL_S, waited_s / 100))
        raise SystemExit(f"{transaction_id} is not complete after {_PATIENCE_S:.0f} s.")

    def page(self, number: int, size: int) -> bytes:
        """A page of the devices."""
        query = {"resellerId": self.party.reseller_id, "pageNum": number, "pageSize": size}
        return self._call("GET", f"/kcs/v1/rp/devices?{urlencode(query)}")

    def long_page(self, size: int) -> tuple[int, float, bytes]:
        """Page 0, read bit by bit and thrown away: bytes, seconds, and how it begins."""
        query = {"resellerId": self.party.reseller_id, "pageNum": 0, "pageSize": size}
        began, read, head = time.perf_counter(), 0, b""
        self._request("GET", f"/kcs/v1/rp/devices?{urlencode(query)}", None)
        answer = self._http.getresponse()
        while part := answer.read(256 * 1024):
            read += len(part)
            head = head or part[:400]
        return read, time.perf_counter() - began, head

    def _call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        self._request(method, path, body)
        answer = self._http.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{method} {path}: {answer.status} {content[:300].decode()}")
        return content

    def _request(self, method: str, path: str, body: bytes | None) -> None:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        if method == "POST":
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
        elif body is not None:
            headers["Content-Type"] = "application/json"
        self._http.request(method, path, body, headers)
