"""What the activity log tells of calls: each change, and each refused call of a known reseller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from support.processes import until
from support.world import World, fresh
from waybill.activity import store
from waybill.activity.store import Entry
from waybill.api.app import build
from waybill.wire.identifiers import Kind, generate

REFUSED = "API request refused"


def refused_entry(world: World, answer: httpx.Response) -> Entry:
    """The one entry that its errorId leads to; entries are written a moment after the answer."""
    error_id = answer.json()["errorId"]
    found = until(lambda: world.entries(error=error_id), f"the entry of {error_id}")
    assert len(found) == 1
    return found[0]


# --- changes ------------------------------------------------------------------------------------


def test_an_upload_is_one_entry_whose_status_follows_the_transaction(world: World) -> None:
    world.associated()
    before = datetime.now(UTC)
    world.upload([*generate(Kind.IMEI, 2), "wrong"], transactionId="T1")
    (entry,) = world.entries(transaction="T1")
    assert before <= entry.at <= datetime.now(UTC)
    assert entry.event == "Device uploaded"
    assert entry.status == "In progress"
    assert entry.performed_by == world.client_id
    assert entry.reseller_id == world.reseller_id
    assert entry.customer_id == world.customer_id
    assert (entry.error_id, entry.code) == (None, None)
    world.work()
    (entry,) = world.entries(transaction="T1")
    assert entry.status == "Completed with error"
    counts = {"devices": 3, "ok": 2, "failed": 1, "skipped": 0}
    assert counts.items() <= entry.detail.items()
    world.uploaded(transactionId="T2")
    assert [each.status for each in world.entries(transaction="T2")] == ["Completed"]


def test_a_delete_is_one_entry_too(world: World) -> None:
    devices = generate(Kind.IMEI, 3)
    world.uploaded(devices, transactionId="U")
    world.deleted(devices[:1], transactionId="D1")
    world.deleted(devices[:1], transactionId="D2")
    world.deleted(removeTransactionId="U", transactionId="D3")
    told = [
        (each.transaction_id, each.event, each.status, each.detail["ok"], each.detail["failed"])
        for each in world.entries(event="Devices deleted")
    ]
    assert told == [
        ("D3", "Devices deleted", "Completed", 2, 0),
        ("D2", "Devices deleted", "Completed with error", 0, 1),
        ("D1", "Devices deleted", "Completed", 1, 0),
    ]


def test_the_first_upload_to_a_customer_is_told_as_an_association_as_well(world: World) -> None:
    world.upload(transactionId="T1")
    world.upload(transactionId="T2")
    events = [each.event for each in world.entries(customer=world.customer_id)]
    assert events == ["Device uploaded", "Device uploaded", "Reseller registered"]


def test_there_is_exactly_one_entry_for_each_change(world: World) -> None:
    devices = generate(Kind.IMEI, 5)
    for each in devices:
        world.upload([each])
    world.delete(devices)
    world.work()
    changes = Counter(each.event for each in world.entries())
    assert changes["Device uploaded"] == 5
    assert changes["Devices deleted"] == 1
    linked = world.sql(
        "select count(*), count(distinct a.transaction) from activity a"
        " join transaction t on t.seq = a.transaction where t.reseller = %s",
        world.number,
    )
    assert linked == [(6, 6)]


@pytest.mark.parametrize("call", ["upload", "delete"])
def test_a_change_and_its_entry_are_there_together_or_not_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no entry can be written")

    world.associated()
    monkeypatch.setattr("waybill.activity.store.add", broken)
    send = {"upload": world.upload, "delete": world.delete}[call]
    assert send(generate(Kind.IMEI, 1), transactionId="T1").status_code == 500
    monkeypatch.undo()
    assert world.status(transactionId="T1").json()["code"] == 40000013
    assert world.entries(transaction="T1") == []
    assert send(generate(Kind.IMEI, 1), transactionId="T1").status_code == 200
    assert len(world.entries(transaction="T1")) == 1


def test_an_association_and_its_entry_are_there_together_or_not_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no entry can be written")

    monkeypatch.setattr("waybill.activity.store.add", broken)
    assert world.upload(transactionId="T1").status_code == 500
    monkeypatch.undo()
    assert world.status(transactionId="T1").json()["code"] == 40000013
    assert world.devices(customerId=world.customer_id).json()["code"] == 40400004
    assert world.entries(transaction="T1") == []
    assert world.upload(transactionId="T1").status_code == 200


def test_the_operators_changes_bear_the_operators_name(world: World) -> None:
    client_id = fresh("operator")
    token = world.operator_token(client_id)
    world.call("PUT", "/devices/upload", json=world.upload_body(transactionId="T"), token=token)
    (entry,) = world.entries(transaction="T")
    assert (entry.performed_by, entry.reseller_id) == (client_id, world.reseller_id)


# --- refusals -----------------------------------------------------------------------------------


def test_a_refused_call_is_found_by_its_error_id(world: World) -> None:
    before = datetime.now(UTC)
    answer = world.upload(transactionId="T1", vendorId="V")
    entry = refused_entry(world, answer)
    assert before - timedelta(seconds=1) <= entry.at <= datetime.now(UTC)
    assert entry == Entry(
        at=entry.at,
        event=REFUSED,
        status="Error",
        performed_by=world.client_id,
        reseller_id=world.reseller_id,
        customer_id=None,
        transaction_id="T1",
        error_id=answer.json()["errorId"],
        code=40400003,
        detail={
            "call": "PUT /kcs/v1/rp/devices/upload",
            "data": "The specified vendor does not exist.",
        },
    )


REFUSALS: list[tuple[str, Callable[[World], httpx.Response]]] = [
    ("PUT /kcs/v1/rp/devices/upload", lambda world: world.upload(None, type="?")),
    ("PUT /kcs/v1/rp/devices/upload", lambda world: world.upload(resellerId="other")),
    ("PUT /kcs/v1/rp/devices/upload", lambda world: world.upload(["1"] * 100_001)),
    ("PUT /kcs/v1/rp/devices/upload", lambda world: world.call("PUT", "/devices/upload")),
    ("PUT /kcs/v1/rp/devices/delete", lambda world: world.delete(["1"])),
    ("GET /kcs/v1/rp/devices/status", lambda world: world.status(transactionId="T")),
    ("GET /kcs/v1/rp/devices", lambda world: world.devices(pageNum=1)),
    ("GET /kcs/v1/rp/devices", lambda world: world.devices(resellerId="")),
    ("GET /kcs/v1/rp/customers/list", lambda world: world.call("GET", "/customers/list")),
    ("GET /kcs/v1/rp/profilealias/kme", lambda world: world.call("GET", "/profilealias/kme")),
]


@pytest.mark.parametrize(("call", "refusal"), REFUSALS)
def test_every_refusal_of_a_known_reseller_is_told(
    world: World, call: str, refusal: Callable[[World], httpx.Response]
) -> None:
    answer = refusal(world)
    assert answer.status_code >= 400
    entry = refused_entry(world, answer)
    assert (entry.event, entry.code) == (REFUSED, answer.json()["code"])
    assert entry.detail == {"call": call, "data": answer.json()["data"]}


def test_a_missing_scope_and_a_blocked_reseller_are_told(world: World) -> None:
    token = world.new_token(scope="kdp.customers")
    query = {"resellerId": world.reseller_id}
    answer = world.call("GET", "/devices", params=query, token=token)
    assert refused_entry(world, answer).code == 40300000
    world.stand("blocked")
    token = world.token
    answer = world.call("GET", "/devices", params=query, token=token)
    assert refused_entry(world, answer).code == 40300000


def test_letters_that_the_database_cannot_keep_lose_no_entry(world: World) -> None:
    answers = [
        world.upload(transactionId="T\0", vendorId="V"),
        world.status(transactionId="\0"),
        world.call("GET", "/devices?%00=1&%00=2"),
        world.call("GET", "/devices?%ff=1&%ff=2"),
        world.call("GET", "/devices?" + "x" * 30_000 + "=1&" + "x" * 30_000 + "=2"),
        world.upload(transactionId="\x1b" * 5_000),
        world.upload(None, vendorId="V"),
    ]
    for answer in answers:
        assert refused_entry(world, answer).code == answer.json()["code"]


def test_whose_credential_is_wrong_is_told_nowhere(world: World) -> None:
    answers = [
        world.call("GET", "/devices", params={"resellerId": world.reseller_id}, token=token)
        for token in (None, "wrong")
    ]
    answers.append(world.http.get("/kcs/v1/rp/nothing"))
    # What is written after them: had they been handed over, they would be there by now.
    refused_entry(world, world.upload(None, type="?"))
    assert [each.event for each in world.entries()].count(REFUSED) == 1
    for answer in answers:
        assert answer.status_code in (401, 404)
        error_id = answer.json().get("errorId", "-")
        assert world.sql("select from activity where error_id = %s", error_id) == []


def test_a_refused_token_request_is_told_nowhere(world: World) -> None:
    world.http.post("/ams/v1/oauth2/token", data=world.token_form(client_secret="wrong"))
    refused_entry(world, world.upload(None, type="?"))
    assert [each.event for each in world.entries()].count(REFUSED) == 1


def test_beyond_so_many_a_minute_refusals_are_counted_only(
    world_with: Callable[..., World],
) -> None:
    world = world_with(refusals_per_minute=4)
    answers = [world.upload(None, type="?") for _ in range(15)]

    def seen() -> dict[datetime, int]:
        minutes = world.sql(
            "select minute, seen from refusal_minute where reseller = %s", world.number
        )
        return dict(minutes) if sum(count for _, count in minutes) == 15 else {}

    counted = until(seen, "all of them counted")
    kept = world.entries(event=REFUSED)
    assert len(kept) == sum(min(count, 4) for count in counted.values())
    assert {each.error_id for each in kept} <= {answer.json()["errorId"] for answer in answers}
    with world.tx() as tx:
        rest = store.uncounted(tx, world.reseller_id, 4)
    assert sum(count for _, _, count in rest) == 15 - len(kept)
    # Nobody else's entries are fewer for it.
    neighbour = world.neighbour()
    refused_entry(neighbour, neighbour.upload(None, type="?"))


def test_sixty_a_minute_is_the_default(settings: Any) -> None:
    assert settings.refusals_per_minute == 60


def test_what_was_refused_just_before_the_end_is_written_still(
    world: World,
) -> None:
    with TestClient(build(world.settings), raise_server_exceptions=False) as http:
        leaving = World(world.settings, http)
        answers = [leaving.upload(None, type="?") for _ in range(20)]
    for answer in answers:
        (entry,) = leaving.entries(error=answer.json()["errorId"])
        assert entry.code == 40000000


def test_every_refusal_has_an_id_of_its_own(world: World) -> None:
    seen = {world.upload(None, type="?").json()["errorId"] for _ in range(20)}
    assert len(seen) == 20
