"""Client management, `/ams/v1/oauth2/clients…`."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from support.world import World

CLIENTS = "/ams/v1/oauth2/clients"


def ask(world: World, method: str, path: str = "", **options: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {options.pop('token', world.token)}"}
    return world.http.request(method, CLIENTS + path, headers=headers, **options)


def signs_in(world: World, client_id: str, secret: str) -> bool:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return world.http.post("/ams/v1/oauth2/token", data=form).status_code == 200


def test_it_works(world: World) -> None:
    answer = ask(world, "POST", json={"name": "Warehouse", "scopes": ["kdp.devices:view"]})
    assert answer.status_code == 201
    made = answer.json()
    assert made == {
        "clientId": made["clientId"],
        "clientSecret": made["clientSecret"],
        "name": "Warehouse",
        "resellerId": world.reseller_id,
        "scopes": ["kdp.devices:view"],
        "expirationTimes": {"accessToken": 599},
    }
    assert signs_in(world, made["clientId"], made["clientSecret"])


def test_a_secret_is_told_once(world: World) -> None:
    made = ask(world, "POST", json={}).json()
    shown = ask(world, "GET", f"/{made['clientId']}").json()
    assert shown == {name: value for name, value in made.items() if name != "clientSecret"}
    assert shown in ask(world, "GET").json()["clients"]
    assert made["clientSecret"] not in ask(world, "GET").text


def test_after_a_rotation_both_secrets_work_while_they_overlap(world: World) -> None:
    made = ask(world, "POST", json={}).json()
    path = f"/{made['clientId']}"
    renewed = ask(world, "PATCH", path, json={"renewSecret": True}).json()["clientSecret"]
    assert renewed != made["clientSecret"]
    assert signs_in(world, made["clientId"], made["clientSecret"])
    assert signs_in(world, made["clientId"], renewed)
    last = ask(world, "PATCH", path, json={"renewSecret": True, "overlapHours": 0}).json()
    assert not signs_in(world, made["clientId"], renewed)
    assert signs_in(world, made["clientId"], last["clientSecret"])


def test_deleting_a_client_kills_its_tokens(world: World) -> None:
    made = ask(world, "POST", json={}).json()
    form = {"client_id": made["clientId"], "client_secret": made["clientSecret"]}
    token = world.http.post(
        "/ams/v1/oauth2/token", data={"grant_type": "client_credentials", **form}
    ).json()["access_token"]
    answer = ask(world, "DELETE", f"/{made['clientId']}")
    assert (answer.status_code, answer.content) == (204, b"")
    query = {"resellerId": world.reseller_id}
    assert world.call("GET", "/devices", token=token, params=query).status_code == 401
    assert not signs_in(world, made["clientId"], made["clientSecret"])
    assert ask(world, "GET", f"/{made['clientId']}").status_code == 404


def test_tokens_live_as_long_as_the_client_says(world: World) -> None:
    made = ask(world, "POST", json={"expirationTimes": {"accessToken": 60}}).json()
    path = f"/{made['clientId']}/expirationTimes"
    assert ask(world, "PUT", path, json={"accessToken": 120}).json() == {"accessToken": 120}
    answer = world.http.post(
        "/ams/v1/oauth2/token",
        data={
            "grant_type": "client_credentials",
            "client_id": made["clientId"],
            "client_secret": made["clientSecret"],
        },
    )
    assert answer.json()["expires_in"] == 120


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"name": 1}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["kdp.none"]}, "scopes"),
        ({"scopes": [[]]}, "scopes"),
        ({"expirationTimes": {"accessToken": 0}}, "accessToken"),
        ({"expirationTimes": {"accessToken": 3601}}, "accessToken"),
        ({"expirationTimes": 60}, "accessToken"),
        ({"renewSecret": "yes"}, "renewSecret"),
        ({"overlapHours": -1}, "overlapHours"),
    ],
)
def test_a_member_that_does_not_fit_is_named(world: World, body: Any, named: str) -> None:
    answer = ask(world, "POST", json=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == 40000000
    assert answer.json()["data"].endswith(named)


def test_another_resellers_client_looks_like_none(world: World) -> None:
    theirs = ask(world.neighbour(), "POST", json={}).json()["clientId"]
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("PUT", "/expirationTimes")):
        body = {} if method in {"GET", "DELETE"} else {"json": {"accessToken": 5}}
        seen = [
            ask(world, method, f"/{client_id}{path}", **body) for client_id in (theirs, "f" * 32)
        ]
        assert [each.status_code for each in seen] == [404, 404]
        assert len({each.text.replace(each.json()["errorId"], "") for each in seen}) == 1
    answer = ask(world, "POST", json={"resellerId": world.neighbour().reseller_id})
    assert answer.json()["code"] == 40000010


def test_only_the_scope_of_everything_manages_clients(world: World) -> None:
    narrow = world.new_token(scope="kdp.devices")
    assert ask(world, "GET", token=narrow).json()["code"] == 40300000


def test_the_operator_makes_clients_for_any_reseller(world: World) -> None:
    operator = world.operator_token()
    body = {"resellerId": world.reseller_id}
    made = ask(world, "POST", token=operator, json=body).json()
    assert made["resellerId"] == world.reseller_id
    assert ask(world, "GET", f"/{made['clientId']}").status_code == 200
