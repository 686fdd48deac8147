"""A reseller, its customer and its client, and what a test does with them."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import httpx
from litestar.testing import TestClient

from support.database import borrowed
from waybill import clock
from waybill.activity import store as activity
from waybill.auth import store as auth
from waybill.auth.rules import fingerprint
from waybill.config import Settings
from waybill.customers import actions as customers
from waybill.customers import store
from waybill.db.tx import Tx
from waybill.resellers import actions as resellers
from waybill.transactions.actions import Conduct
from waybill.wire.identifiers import Kind, generate
from waybill.worker.loop import drain

GEN2 = "/kcs/v1/rp"


def fresh(prefix: str) -> str:
    """An ID that no other test has."""
    return f"{prefix}-{secrets.token_hex(8)}"


@dataclass
class World:
    """One reseller with an OAuth client and one customer that it has not served yet.

    Other tests share the database, but none of these.
    """

    settings: Settings
    http: TestClient[Any]
    reseller_id: str = field(default_factory=lambda: fresh("R"))
    customer_id: str = field(default_factory=lambda: fresh("C"))
    client_id: str = field(default_factory=lambda: fresh("client"))
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def __post_init__(self) -> None:
        with self.tx() as tx:
            at = clock.now()
            self.reseller = resellers.create(tx, self.reseller_id, "Reseller", by="test", at=at)
            self.customer = customers.create(tx, self.customer_id, "Customer", by="test", at=at)
            self._client(tx, self.client_id, self.reseller, at)
        self.token = self.new_token()

    def _client(self, tx: Any, client_id: str, reseller: int | None, at: Any) -> None:
        auth.insert_client(
            tx,
            client_id,
            reseller=reseller,
            name="test",
            secret_sha256=fingerprint(self.client_secret),
            scopes=["kdp"],
            at=at,
        )

    def token_form(self, **changed: str | None) -> dict[str, str]:
        """The members of a token request that is in order; None leaves one out."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        } | changed
        return {name: value for name, value in form.items() if value is not None}

    def new_token(self, client_id: str | None = None, **changed: str) -> str:
        """A fresh access token."""
        form = self.token_form(client_id=client_id or self.client_id, **changed)
        answer = self.http.post("/ams/v1/oauth2/token", data=form)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def operator_token(self, client_id: str | None = None) -> str:
        """A token of an operator's client."""
        client_id = client_id or fresh("operator")
        with self.tx() as tx:
            self._client(tx, client_id, None, clock.now())
        return self.new_token(client_id)

    def client_with(self, scopes: list[str], client_id: str | None = None) -> str:
        """Another client of this reseller, with the same secret, that may have these scopes."""
        client_id = client_id or fresh("client")
        with self.tx() as tx:
            self._client(tx, client_id, self.reseller, clock.now())
            tx.execute("update oauth_client set scopes = %s where id = %s", (scopes, client_id))
        return client_id

    def another_customer(self) -> str:
        """A customer that nobody has served."""
        customer_id = fresh("C")
        with self.tx() as tx:
            customers.create(tx, customer_id, "Another", by="test", at=clock.now())
        return customer_id

    def neighbour(self) -> World:
        """Another reseller with a customer of its own, on the same server."""
        return World(self.settings, self.http)

    def vendor(self) -> str:
        """A new vendor of this reseller."""
        vendor_id = fresh("V")
        with self.tx() as tx:
            resellers.create_vendor(tx, self.number, vendor_id, "Vendor", by="test", at=clock.now())
        return vendor_id

    def associated(self, customer_id: str | None = None, *, auto_approve: bool = False) -> None:
        """Lets the reseller serve a customer, its own by default, before any upload."""
        with self.tx() as tx:
            customer = store.find(tx, customer_id or self.customer_id)
            assert customer is not None
            customers.associate(
                tx, self.number, customer.no, auto_approve=auto_approve, by="test", at=clock.now()
            )

    def alias(self, alias: str) -> str:
        """Shares a profile of the customer, which must be associated; gives the profile's ID."""
        profile_id = fresh("P")
        with self.tx() as tx:
            assert self.customer is not None
            customers.share_alias(
                tx, self.number, self.customer, alias, profile_id, by="test", at=clock.now()
            )
        return profile_id

    @property
    def number(self) -> int:
        """The number by which the database knows the reseller."""
        assert self.reseller is not None
        return self.reseller

    def stand(self, state: str) -> None:
        """Blocks (`blocked`), closes (`closed`) or restores (`active`) the reseller."""
        self.sql("update reseller set state = %s where no = %s", state, self.number)

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement of the test's own."""
        with self.tx() as tx:
            found = tx.execute(statement.encode(), parameters)
            return found.fetchall() if found.description is not None else []

    def tx(self) -> AbstractContextManager[Tx]:
        """A database transaction, committed at the end of the block."""
        return borrowed(self.settings.database_url)

    def entries(self, **wanted: Any) -> list[activity.Entry]:
        """The reseller's entries of the activity log, the newest first."""
        with self.tx() as tx:
            chosen = activity.Filter(reseller=self.reseller_id, **wanted)
            return list(activity.entries(tx, chosen, 1000))

    # Calls. Each takes what the test wants otherwise; None leaves a member out.

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A call with this reseller's token; `token=None` leaves it out."""
        token = options.pop("token", self.token)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        headers |= options.pop("headers", {})
        return self.http.request(method, f"{GEN2}{path}", headers=headers, **options)

    def send(self, method: str, path: str, *headers: tuple[bytes, bytes]) -> httpx.Response:
        """A request with exactly these headers, also such as come twice."""

        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.http.app)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                request = httpx.Request(method, f"http://test{path}", headers=list(headers))
                return await client.send(request)

        return asyncio.run(exchange())

    def upload_body(self, devices: list[str] | None = None, **changed: Any) -> dict[str, Any]:
        """The members of an upload that is in order."""
        body = {
            "customerId": self.customer_id,
            "resellerId": self.reseller_id,
            "transactionId": fresh("T"),
            "type": "IMEI",
            "devices": generate(Kind.IMEI, 1) if devices is None else devices,
        } | changed
        return {name: value for name, value in body.items() if value is not None}

    def upload(self, devices: list[str] | None = None, **changed: Any) -> httpx.Response:
        """Sends an upload."""
        return self.call("PUT", "/devices/upload", json=self.upload_body(devices, **changed))

    def delete(self, devices: list[str] | None = None, **changed: Any) -> httpx.Response:
        """Sends a delete."""
        body = self.upload_body(devices, **changed)
        if devices is None:
            body.pop("devices")
            body.pop("type")
        return self.call("PUT", "/devices/delete", json=body)

    def work(self) -> None:
        """Works off all that was accepted, as a worker does."""
        with borrowed(self.settings.database_url) as tx:
            drain(tx, Conduct.of(self.settings))

    def uploaded(self, devices: list[str] | None = None, **changed: Any) -> dict[str, Any]:
        """Sends an upload, works it off, and gives its bare status."""
        return self._settled(self.upload(devices, **changed))

    def deleted(self, devices: list[str] | None = None, **changed: Any) -> dict[str, Any]:
        """Sends a delete, works it off, and gives its bare status."""
        return self._settled(self.delete(devices, **changed))

    def _settled(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        self.work()
        return self.status(transactionId=answer.json()["transactionId"]).json()

    def status(self, **query: Any) -> httpx.Response:
        """Asks for a status."""
        return self.call("GET", "/devices/status", params={"resellerId": self.reseller_id} | query)

    def devices(self, **query: Any) -> httpx.Response:
        """Asks for the list of devices."""
        return self.call("GET", "/devices", params={"resellerId": self.reseller_id} | query)

    def held(self, **query: Any) -> list[str]:
        """All that the reseller holds, oldest first, each device by the form that names it."""
        answer = self.devices(pageSize=1_000_000, **query)
        assert answer.status_code == 200, answer.text
        return [
            each.get("mei") or each.get("serialNumber") or each["meid"]
            for each in answer.json()["devices"]
        ]
