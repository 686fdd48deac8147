"""Several defects at once: which of them decides, pair by pair.

Each defect below is what it takes to spoil a request that is in order, and the place that its kind
has in the order of the contract. For every two that one request can have, the earlier must decide.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx
import pytest
from litestar.testing import TestClient

from support.answers import ERROR_ID
from support.world import World
from waybill.api.app import build
from waybill.config import Settings
from waybill.wire.identifiers import Kind, generate

# Small, so that a body can be too large without being large.
DEVICES_MAX = 3

(
    PATH,
    CREDENTIAL,
    SCOPE,
    QUERY_TWICE,
    SIZE,
    JSON,
    FIELDS,
    RESELLER,
    CUSTOMER,
    VENDOR,
    TRANSACTION,
    REMOVES,
    COUNT,
    BOTH,
    FORMS,
    BOUNDS,
) = range(16)


@dataclass
class Draft:
    """A request that is in order until it is spoilt."""

    method: str
    path: str
    headers: dict[str, str]
    query: list[tuple[str, str]] = field(default_factory=list)
    members: dict[str, Any] = field(default_factory=dict)
    spoilt: list[Callable[[bytes], bytes]] = field(default_factory=list)

    def put(self, name: str, value: Any) -> None:
        """Sets a parameter, wherever this request has its parameters; None removes it."""
        if self.method == "PUT":
            self.members[name] = value
        elif name in self.headers:
            self.headers[name] = value
        else:
            self.query = [(each, old) for each, old in self.query if each != name]
            self.query.append((name, value))

    def send(self, http: TestClient[Any]) -> httpx.Response:
        """Sends it."""
        body = json.dumps({k: v for k, v in self.members.items() if v is not None}).encode()
        for spoil in self.spoilt:
            body = spoil(body)
        return http.request(
            self.method,
            self.path,
            headers={name: value for name, value in self.headers.items() if value is not None},
            params=[(name, value) for name, value in self.query if value is not None],
            content=body if self.members else None,
        )


class Scene(NamedTuple):
    """A reseller with some past, and what others have."""

    world: World
    tokens: dict[str, str]
    unserved: str

    def draft(self, call: str) -> Draft:
        """A request that is in order."""
        headers = {"authorization": f"Bearer {self.world.token}"}
        if call in ("upload", "delete"):
            members = self.world.upload_body(generate(Kind.IMEI, 1))
            return Draft("PUT", f"/kcs/v1/rp/devices/{call}", headers, members=members)
        if call == "profilealias/kme":
            names = {"resellerid": self.world.reseller_id, "customerid": self.world.customer_id}
            return Draft("GET", f"/kcs/v1/rp/{call}", headers | names)
        query = [("resellerId", self.world.reseller_id)]
        return Draft("GET", f"/kcs/v1/rp/{call}", headers, query)


Spoil = Callable[[Draft, Scene], None]


class Defect(NamedTuple):
    """One defect: its place in the order, what it touches, the code, and the calls it can have."""

    name: str
    rank: int
    touches: str
    code: int
    spoil: Spoil
    calls: tuple[str, ...]


UPLOAD, DELETE, STATUS = ("upload",), ("delete",), ("devices/status",)
BODIES = UPLOAD + DELETE
CUSTOMERS, ALIASES = ("customers/list",), ("profilealias/kme",)
LISTS = (*STATUS, "devices", *CUSTOMERS)
FILTERED = (*STATUS, "devices")
ALL = BODIES + LISTS + ALIASES


def path(text: str) -> Spoil:
    def spoil(draft: Draft, _: Scene) -> None:
        draft.path += text

    return spoil


def method(name: str) -> Spoil:
    def spoil(draft: Draft, _: Scene) -> None:
        draft.method = name

    return spoil


def header(name: str, value: str | None) -> Spoil:
    def spoil(draft: Draft, _: Scene) -> None:
        draft.headers[name] = value  # type: ignore[assignment]

    return spoil


def bearer(whose: str) -> Spoil:
    def spoil(draft: Draft, scene: Scene) -> None:
        draft.headers["authorization"] = f"Bearer {scene.tokens[whose]}"

    return spoil


def twice(name: str) -> Spoil:
    def spoil(draft: Draft, _: Scene) -> None:
        draft.query += [(name, "1"), (name, "2")]

    return spoil


def body(change: Callable[[bytes], bytes]) -> Spoil:
    def spoil(draft: Draft, _: Scene) -> None:
        # What comes later in the list changes what is there by then: padding goes last.
        draft.spoilt.append(change)

    return spoil


def put(name: str, value: Any) -> Spoil:
    def spoil(draft: Draft, _: Scene) -> None:
        header_name = name.lower()
        draft.put(header_name if header_name in draft.headers else name, value)

    return spoil


def unserved(draft: Draft, scene: Scene) -> None:
    put("customerId", scene.unserved)(draft, scene)


def no_query(draft: Draft, _: Scene) -> None:
    draft.query = [pair for pair in draft.query if pair[0] != "resellerId"]


def too_many(draft: Draft, _: Scene) -> None:
    draft.members["devices"] = generate(Kind.IMEI, DEVICES_MAX + 1)


def entry(
    calls: tuple[str, ...], rank: int, code: int, touches: str, name: str, spoil: Spoil
) -> Defect:
    return Defect(name, rank, touches, code, spoil, calls)


DEFECTS = [
    entry(ALL, PATH, 40400000, "path", "unknown path", path("/x")),
    entry(ALL, PATH, 40500000, "method", "wrong method", method("PATCH")),
    entry(ALL, CREDENTIAL, 40100000, "auth", "no credential", header("authorization", None)),
    entry(ALL, CREDENTIAL, 0, "auth", "unknown token", header("authorization", "Bearer x")),
    entry(ALL, CREDENTIAL, 40000001, "knox", "two credentials", header("x-knox-apitoken", "x")),
    entry(ALL, CREDENTIAL, 40300000, "auth", "a blocked reseller", bearer("blocked")),
    entry(ALL, CREDENTIAL, 40400001, "auth", "a closed reseller", bearer("closed")),
    entry(ALL, SCOPE, 40300000, "auth", "no scope", bearer("scopeless")),
    entry(ALL, QUERY_TWICE, 40000001, "twice", "a parameter twice", twice("x")),
    entry(BODIES, SIZE, 40000003, "size", "too large", body(lambda body: body + b" " * 66_000)),
    entry(BODIES, JSON, 40000000, "json", "no JSON", body(lambda body: body[:-1] + b",}")),
    entry(BODIES, JSON, 40000000, "json", "an array", body(lambda body: b"[" + body + b"]")),
    entry(
        BODIES,
        JSON,
        40000000,
        "json",
        "a lone surrogate",
        body(lambda body: body[:-1] + b',"x":"\\ud800"}'),
    ),
    entry(
        BODIES,
        JSON,
        40000000,
        "json",
        "a member twice",
        body(lambda body: body[:-1] + b',"x":1,"x":1}'),
    ),
    entry(
        BODIES, JSON, 40000000, "devices", "a device that is no string", put("devices", ["1", 2])
    ),
    entry(BODIES, FIELDS, 40000000, "customerId", "no customer", put("customerId", None)),
    entry(BODIES, FIELDS, 40000000, "resellerId", "an empty reseller", put("resellerId", "")),
    entry(BODIES, FIELDS, 40000000, "transactionId", "a number for an ID", put("transactionId", 5)),
    entry(UPLOAD, FIELDS, 40000000, "devices", "no devices", put("devices", [])),
    entry(DELETE, FIELDS, 40000000, "devices removes", "no devices", put("devices", [])),
    entry(BODIES, FIELDS, 40000000, "devices", "an object for devices", put("devices", {})),
    entry(BODIES, FIELDS, 40000000, "type", "an unknown type", put("type", "ESN")),
    entry(UPLOAD, FIELDS, 40000000, "type", "no type", put("type", None)),
    entry(BODIES, FIELDS, 40000000, "vendorId", "a list for a vendor", put("vendorId", ["V"])),
    entry(UPLOAD, FIELDS, 40000000, "orderNo", "a number for orderNo", put("orderNo", 1)),
    entry(UPLOAD, FIELDS, 40000000, "orderTime", "a float for orderTime", put("orderTime", 1.5)),
    entry(
        UPLOAD, FIELDS, 40000000, "aliases", "aliases that are none", put("profileAliases", ["x"])
    ),
    entry(UPLOAD, FIELDS, 40000000, "service", "a number for a service", put("targetService", 1)),
    entry(DELETE, FIELDS, 40000000, "removes", "a number to remove", put("removeTransactionId", 1)),
    entry(LISTS, FIELDS, 40000000, "resellerId", "no reseller", no_query),
    entry(ALIASES, FIELDS, 40000000, "resellerId", "no reseller", put("resellerId", None)),
    entry(ALIASES, FIELDS, 40000000, "customerId", "no customer", put("customerId", "")),
    entry(LISTS, FIELDS, 40000000, "pageNum", "a bad page", put("pageNum", "x")),
    entry(LISTS, FIELDS, 40000000, "pageSize", "a page of nothing", put("pageSize", "0")),
    entry(ALL, RESELLER, 40000010, "resellerId", "a malformed reseller", put("resellerId", "a b")),
    entry(ALL, RESELLER, 40000010, "resellerId", "another reseller", put("resellerId", "another")),
    entry(
        BODIES + FILTERED + ALIASES,
        CUSTOMER,
        40000011,
        "customerId",
        "a malformed customer",
        put("customerId", "a b"),
    ),
    entry(UPLOAD, CUSTOMER, 40000011, "customerId", "unknown customer", put("customerId", "C")),
    entry(
        DELETE + FILTERED + ALIASES,
        CUSTOMER,
        40400002,
        "customerId",
        "unknown customer",
        put("customerId", "C"),
    ),
    entry(
        DELETE + FILTERED + ALIASES,
        CUSTOMER,
        40400004,
        "customerId",
        "a customer never served",
        unserved,
    ),
    entry(BODIES, VENDOR, 40400003, "vendorId", "unknown vendor", put("vendorId", "V")),
    entry(BODIES, VENDOR, 40400003, "vendorId", "a malformed vendor", put("vendorId", "a b")),
    entry(
        BODIES + STATUS,
        TRANSACTION,
        40000013,
        "transactionId",
        "a malformed transaction",
        put("transactionId", "a b"),
    ),
    entry(
        BODIES,
        TRANSACTION,
        40000014,
        "transactionId",
        "a used transaction",
        put("transactionId", "U"),
    ),
    entry(
        STATUS,
        TRANSACTION,
        40000013,
        "transactionId",
        "an unknown transaction",
        put("transactionId", "T"),
    ),
    entry(
        DELETE, REMOVES, 40000013, "removes", "nothing to remove", put("removeTransactionId", "T")
    ),
    entry(
        DELETE, REMOVES, 40000013, "removes", "malformed removal", put("removeTransactionId", "?")
    ),
    entry(BODIES, COUNT, 40000003, "devices", "too many devices", too_many),
    entry(
        DELETE, BOTH, 40000001, "removes", "devices and removal", put("removeTransactionId", "U")
    ),
    entry(UPLOAD, FORMS, 40000000, "orderNo", "a long orderNo", put("orderNo", "x" * 65)),
    entry(UPLOAD, FORMS, 40000000, "orderTime", "a late orderTime", put("orderTime", 10**12)),
    entry(
        UPLOAD,
        FORMS,
        40000000,
        "aliases",
        "an unknown alias",
        put("profileAliases", [{"profileAlias": "x"}]),
    ),
    entry(LISTS, BOUNDS, 40000002, "pageNum", "a page past the end", put("pageNum", "1000")),
]

SINGLES = [(call, defect) for call in ALL for defect in DEFECTS if call in defect.calls]
LATER = {
    (call, first): [
        second
        for each, second in SINGLES
        if each == call
        and first.rank < second.rank
        and not {*first.touches.split()} & {*second.touches.split()}
    ]
    for call, first in SINGLES
}


@pytest.fixture(scope="module")
def scene(settings: Settings) -> Iterator[Scene]:
    """A server that takes small bodies, and a reseller on it with a past."""
    small = settings.model_copy(update={"upload_devices_max": DEVICES_MAX})
    with TestClient(build(small), raise_server_exceptions=False) as http:
        world = World(small, http)
        world.uploaded(transactionId="U")
        tokens = {"scopeless": world.new_token(world.client_with(["kdp"]))}
        # No scope of a client's own opens nothing at all: a token is emptied for it.
        world.sql(
            "update access_token set scopes = '{}' where client <> %s and client in"
            " (select id from oauth_client where reseller = %s)",
            world.client_id,
            world.number,
        )
        for state in ("blocked", "closed"):
            other = world.neighbour()
            other.stand(state)
            tokens[state] = other.token
        yield Scene(world, tokens, world.another_customer())


def answer(scene: Scene, call: str, *defects: Defect) -> tuple[int, str]:
    """Status and body of the answer to a request with these defects, save its errorId."""
    draft = scene.draft(call)
    # Padding goes around whatever else was done to the body.
    for defect in sorted(defects, key=lambda defect: defect.rank == SIZE):
        defect.spoil(draft, scene)
    reply = draft.send(scene.world.http)
    return reply.status_code, ERROR_ID.sub(b"", reply.content).decode()


@pytest.mark.parametrize("call", ALL)
def test_a_request_without_a_defect_is_accepted(scene: Scene, call: str) -> None:
    status, body = answer(scene, call)
    assert status == 200, body


@pytest.mark.parametrize(
    ("call", "defect"), SINGLES, ids=[f"{call}: {defect.name}" for call, defect in SINGLES]
)
def test_a_defect_alone_has_its_code(scene: Scene, call: str, defect: Defect) -> None:
    status, body = answer(scene, call, defect)
    if defect.name == "unknown token":
        assert (status, body) == (401, '{"error":"Invalid authentication token"}')
    else:
        assert (status, json.loads("{" + body[2:])["code"]) == (defect.code // 100_000, defect.code)


@pytest.mark.parametrize(
    ("call", "first"),
    [pair for pair, later in LATER.items() if later],
    ids=[f"{call}: {first.name}" for (call, first), later in LATER.items() if later],
)
def test_it_decides_whatever_later_defect_comes_with_it(
    scene: Scene, call: str, first: Defect
) -> None:
    alone = answer(scene, call, first)
    decided = {second.name: answer(scene, call, first, second) for second in LATER[call, first]}
    assert decided == dict.fromkeys(decided, alone)


def test_there_are_pairs_enough() -> None:
    # Fewer means that some were lost; a call that is added brings more.
    assert sum(map(len, LATER.values())) >= 1_600
    assert {first.rank for (_, first), later in LATER.items() if later} == {*range(BOTH)}
    assert {second.rank for later in LATER.values() for second in later} == {*range(1, 16)}
