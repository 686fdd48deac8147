"""Whose is whose: every call, with what is its own, what is another's and what nobody has.

Another's and nobody's must be answered alike, to the byte: nobody may learn what others have. One
thing may be learnt, since the documents say so: whether a customer of some ID exists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest
from litestar.testing import TestClient

from support.answers import ERROR_ID, failure, refused
from support.world import World, fresh
from waybill.api.routes import ROUTES
from waybill.config import Settings
from waybill.wire.identifiers import Kind, generate


class Scene(NamedTuple):
    """Two resellers, each with all that a reseller can have, and a customer that both serve."""

    own: World
    other: World
    has: dict[str, dict[str, str]]


def settle(world: World, shared: str) -> dict[str, str]:
    """Gives a reseller a customer, a vendor, a transaction, a device, an alias and a client."""
    device = generate(Kind.IMEI, 1)[0]
    upload, shared_upload = fresh("T"), fresh("T")
    world.uploaded([device], transactionId=upload)
    world.uploaded(transactionId=shared_upload, customerId=shared)
    world.alias("Kiosk")
    return {
        "resellerId": world.reseller_id,
        "customerId": world.customer_id,
        "vendorId": world.vendor(),
        "transactionId": upload,
        "removeTransactionId": shared_upload,
        "device": device,
        "clientId": fresh("client"),
    }


@pytest.fixture(scope="module")
def scene(settings: Settings, http: TestClient[Any]) -> Scene:
    """Both live on, whatever the tests ask for."""
    own, other = World(settings, http), World(settings, http)
    shared = own.another_customer()
    has = {"own": settle(own, shared), "other": settle(other, shared)}
    has["nobody"] = {
        name: generate(Kind.IMEI, 1)[0] if name == "device" else fresh("N") for name in has["own"]
    }
    for whose in has.values():
        whose["shared"] = shared
    return Scene(own, other, has)


def upload(world: World, **named: str) -> httpx.Response:
    return world.upload(generate(Kind.IMEI, 1), **named)


def delete(world: World, **named: str) -> httpx.Response:
    devices = None if "removeTransactionId" in named else generate(Kind.IMEI, 1)
    return world.delete(devices, **named)


def get(path: str) -> Callable[..., httpx.Response]:
    def call(world: World, **named: str) -> httpx.Response:
        query = {"resellerId": world.reseller_id} | named
        return world.call("GET", path, params=query)

    return call


def aliases(world: World, **named: str) -> httpx.Response:
    named = {"resellerId": world.reseller_id, "customerId": world.customer_id} | named
    return world.call("GET", "/profilealias/kme", headers=named)


def client(method: str, path: str = "", body: Any = None) -> Callable[..., httpx.Response]:
    def call(world: World, clientId: str) -> httpx.Response:  # noqa: N803 - the parameter's name
        return world.http.request(
            method,
            f"/ams/v1/oauth2/clients/{clientId}{path}",
            json=body,
            headers={"Authorization": f"Bearer {world.token}"},
        )

    return call


def make_client(world: World, **named: str) -> httpx.Response:
    return world.http.post(
        "/ams/v1/oauth2/clients",
        json={"name": "x"} | named,
        headers={"Authorization": f"Bearer {world.token}"},
    )


Ask = Callable[..., httpx.Response]
UPLOAD, DELETE = "PUT /kcs/v1/rp/devices/upload", "PUT /kcs/v1/rp/devices/delete"
STATUS, DEVICES = "GET /kcs/v1/rp/devices/status", "GET /kcs/v1/rp/devices"
CUSTOMERS, OLDER = "GET /kcs/v1/rp/customers/list", "GET /kcs/v1/rp/customers"
ALIASES = "GET /kcs/v1/rp/profilealias/kme"
CLIENTS = "/ams/v1/oauth2/clients"
CLIENT = f"{CLIENTS}/{{client_id:str}}"

# Each call, each parameter that names something of somebody: how to ask, and the code for what is
# another's or nobody's.
MATRIX: list[tuple[str, str, Ask, int]] = [
    (UPLOAD, "resellerId", upload, 40000010),
    (UPLOAD, "vendorId", upload, 40400003),
    (DELETE, "resellerId", delete, 40000010),
    (DELETE, "vendorId", delete, 40400003),
    (DELETE, "removeTransactionId", delete, 40000013),
    (STATUS, "resellerId", get("/devices/status"), 40000010),
    (STATUS, "transactionId", get("/devices/status"), 40000013),
    (DEVICES, "resellerId", get("/devices"), 40000010),
    (CUSTOMERS, "resellerId", get("/customers/list"), 40000010),
    (OLDER, "resellerId", get("/customers"), 40000010),
    (ALIASES, "resellerId", aliases, 40000010),
    (f"POST {CLIENTS}", "resellerId", make_client, 40000010),
    (f"GET {CLIENT}", "clientId", client("GET"), 40400000),
    (f"PATCH {CLIENT}", "clientId", client("PATCH", body={"name": "y"}), 40400000),
    (
        f"PUT {CLIENT}/expirationTimes",
        "clientId",
        client("PUT", "/expirationTimes", {"accessToken": 60}),
        40400000,
    ),
    (f"DELETE {CLIENT}", "clientId", client("DELETE"), 40400000),
]
# What the documents tell apart: a customer that exists but was never served, and none at all.
CUSTOMERS_TOLD: list[tuple[str, Ask]] = [
    (DELETE, delete),
    (STATUS, get("/devices/status")),
    (DEVICES, get("/devices")),
    (ALIASES, aliases),
]
# Calls that name nothing but what the credential says already.
NAMELESS = {f"GET {CLIENTS}"}


def test_every_call_with_a_credential_is_in_the_matrix() -> None:
    routes = {f"{route.method} {route.path}" for route in ROUTES if route.scope is not None}
    assert routes == {call for call, *_ in MATRIX} | NAMELESS


def named(scene: Scene, whose: str, parameter: str) -> dict[str, str]:
    """The parameter with what somebody has; removing names a customer that both serve."""
    found = {parameter: scene.has[whose][parameter]}
    shared = scene.has["own"]["shared"]
    world = {"own": scene.own, "other": scene.other}.get(whose)
    # Some calls end what they name: a new one each time.
    if world and parameter == "clientId":
        found = {parameter: world.client_with(["kdp"])}
    if parameter == "removeTransactionId":
        if world:
            found = {parameter: fresh("T")}
            world.upload(transactionId=found[parameter], customerId=shared)
        found["customerId"] = shared
    return found


@pytest.mark.parametrize(
    ("call", "parameter", "ask", "code"),
    MATRIX,
    ids=[f"{call} {parameter}" for call, parameter, *_ in MATRIX],
)
def test_what_is_anothers_is_answered_like_what_nobody_has(
    scene: Scene, call: str, parameter: str, ask: Ask, code: int
) -> None:
    theirs = named(scene, "other", parameter)
    others = ask(scene.own, **theirs)
    nobodys = ask(scene.own, **named(scene, "nobody", parameter))
    told = [
        (each.status_code, ERROR_ID.sub(b'"errorId":"*"', each.content), sorted(each.headers))
        for each in (others, nobodys)
    ]
    assert told[0] == told[1]
    assert told[0][:2] == refused(code)[:2]
    # Nothing of the other's is gone or changed.
    assert ask(scene.other, **theirs).is_success


@pytest.mark.parametrize(
    ("call", "parameter", "ask", "code"),
    MATRIX,
    ids=[f"{call} {parameter}" for call, parameter, *_ in MATRIX],
)
def test_what_is_ones_own_is_served(
    scene: Scene, call: str, parameter: str, ask: Ask, code: int
) -> None:
    answer = ask(scene.own, **named(scene, "own", parameter))
    assert answer.is_success, answer.text


@pytest.mark.parametrize(("call", "ask"), CUSTOMERS_TOLD, ids=[row[0] for row in CUSTOMERS_TOLD])
def test_another_resellers_customer_is_like_one_that_nobody_serves(
    scene: Scene, call: str, ask: Ask
) -> None:
    others = ask(scene.own, customerId=scene.has["other"]["customerId"])
    unserved = ask(scene.own, customerId=scene.own.another_customer())
    for answer in (others, unserved):
        found = ERROR_ID.sub(b'"errorId":"*"', answer.content)
        assert (answer.status_code, found) == refused(40400004)[:2]
    nobodys = ask(scene.own, customerId=scene.has["nobody"]["customerId"])
    assert nobodys.json()["code"] == 40400002
    assert ask(scene.own, customerId=scene.has["own"]["customerId"]).is_success


def test_a_transaction_id_that_another_reseller_used_is_free(world: World) -> None:
    neighbour = world.neighbour()
    neighbour.uploaded(transactionId="T1")
    neighbour.deleted(removeTransactionId="T1", transactionId="T2")
    assert "devices" not in world.uploaded(transactionId="T2")
    assert "devices" not in world.deleted(removeTransactionId="T2", transactionId="T1")
    assert world.status(transactionId="T1").json()["operationType"] == "DELETE"
    assert neighbour.status(transactionId="T1").json()["operationType"] == "UPLOAD"


def test_another_resellers_device_cannot_be_deleted_and_looks_like_none(scene: Scene) -> None:
    others, nobodys = scene.has["other"]["device"], scene.has["nobody"]["device"]
    for customer in (scene.own.customer_id, scene.has["own"]["shared"]):
        status = scene.own.deleted([others, nobodys], customerId=customer)
        assert status["devices"] == [
            failure("imei", others, 40000044),
            failure("imei", nobodys, 40000044),
        ]
    assert others in scene.other.held()


def test_another_resellers_device_is_a_duplicate_like_ones_own(scene: Scene) -> None:
    own, others = scene.has["own"]["device"], scene.has["other"]["device"]
    for customer in (scene.own.customer_id, scene.has["own"]["shared"]):
        status = scene.own.uploaded([own, others], customerId=customer)
        assert status["devices"] == [
            failure("imei", own, 40000005),
            failure("imei", others, 40000005),
        ]


def test_lists_show_ones_own_alone_even_of_a_customer_that_both_serve(scene: Scene) -> None:
    shared = scene.has["own"]["shared"]
    own, other = scene.own.held(customerId=shared), scene.other.held(customerId=shared)
    assert len(other) == 1
    assert not {*own} & {*other}
    assert not {*scene.own.held()} & {*scene.other.held()}
    transactions = [
        {each["transactionId"] for each in told["devices"]["transactions"]}
        for told in (world.status(pageSize=1000).json() for world in (scene.own, scene.other))
    ]
    for whose, seen in zip(("own", "other"), transactions, strict=True):
        assert seen >= {scene.has[whose][name] for name in ("transactionId", "removeTransactionId")}
    assert not transactions[0] & transactions[1]
    for world, customers in ((scene.own, 2), (scene.other, 2)):
        listed = world.call("GET", "/customers/list", params={"resellerId": world.reseller_id})
        ids = [each["customerId"] for each in listed.json()["customers"]]
        assert len(ids) >= customers
        assert world.customer_id in ids
    assert scene.other.customer_id not in {
        each["customerId"]
        for each in scene.own.call(
            "GET", "/customers/list", params={"resellerId": scene.own.reseller_id}
        ).json()["customers"]
    }


def test_an_alias_that_another_reseller_was_given_is_no_ones_own(scene: Scene) -> None:
    shared = scene.has["own"]["shared"]
    assert aliases(scene.own, customerId=shared).json() == {"profileAliases": []}
    answer = upload(scene.own, customerId=shared, profileAliases=[{"profileAlias": "Kiosk"}])  # type: ignore[arg-type]
    assert answer.json()["code"] == 40000000


def test_a_reseller_sees_its_own_clients_alone(scene: Scene) -> None:
    seen = scene.own.http.get(
        "/ams/v1/oauth2/clients", headers={"Authorization": f"Bearer {scene.own.token}"}
    )
    assert seen.status_code == 200
    assert scene.own.client_id in seen.text
    assert scene.other.client_id not in seen.text
    assert scene.other.reseller_id not in seen.text
