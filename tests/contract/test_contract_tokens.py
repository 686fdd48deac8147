"""Signing in: OAuth 2.0 client credentials, and what the calls say of bad credentials."""

from __future__ import annotations

import base64
import time
from urllib.parse import quote_plus

import pytest
from blackbox import Account, Service, fresh

from support.answers import assert_refused

INVALID_TOKEN = b'{"error":"Invalid authentication token"}'


def test_a_token_has_the_four_members_and_is_not_to_be_kept(reseller: Account) -> None:
    answer = reseller.asks_token()
    assert answer.status_code == 200
    assert list(answer.json()) == ["access_token", "scope", "expires_in", "token_type"]
    assert answer.json() | {"access_token": ""} == {
        "access_token": "",
        "scope": "kdp",
        "expires_in": 599,
        "token_type": "Bearer",
    }
    assert answer.headers["cache-control"] == "no-store"


def test_the_secret_may_come_by_http_basic(reseller: Account) -> None:
    pair = f"{quote_plus(reseller.client_id)}:{quote_plus(reseller.client_secret)}"
    answer = reseller.http.post(
        "/ams/v1/oauth2/token",
        data={"grant_type": "client_credentials", "scope": "kdp.customers", "expires_in": "60"},
        headers={"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"},
    )
    assert answer.status_code == 200
    assert answer.json()["scope"] == "kdp.customers"
    assert answer.json()["expires_in"] == 60


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"scope": "kdp everything"}, 400, "invalid_scope"),
        ({"expires_in": "0"}, 400, "invalid_request"),
        ({"expires_in": "3601"}, 400, "invalid_request"),
        ({"expires_in": "soon"}, 400, "invalid_request"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": fresh("nobody")}, 401, "invalid_client"),
    ],
)
def test_a_token_request_that_is_not_in_order_is_refused(
    reseller: Account, changed: dict[str, str], status: int, error: str
) -> None:
    answer = reseller.asks_token(**changed)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_token_is_dead_a_second_after_it_was_revoked(reseller: Account) -> None:
    token = reseller.new_token()
    assert _status_with(reseller, token) == 200
    answer = reseller.revokes(token)
    assert (answer.status_code, answer.content) == (200, b"")
    time.sleep(1)
    answer = reseller.call("GET", "/devices", token=token)
    assert (answer.status_code, answer.content) == (401, INVALID_TOKEN)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert reseller.revokes(token).status_code == 200


def test_a_token_dies_when_its_time_has_come(reseller: Account) -> None:
    token = reseller.new_token(expires_in="1")
    time.sleep(2)
    assert _status_with(reseller, token) == 401


def test_another_clients_token_lives_on(reseller: Account, other: Account) -> None:
    token = other.new_token()
    assert reseller.revokes(token).status_code == 200
    time.sleep(1)
    assert _status_with(other, token) == 200


def _status_with(account: Account, token: str) -> int:
    asked = {"resellerId": account.reseller_id}
    return account.call("GET", "/devices", params=asked, token=token).status_code


def test_the_metadata_name_the_calls(served: Service) -> None:
    found = served.http.get("/.well-known/oauth-authorization-server").json()
    assert found["token_endpoint"].endswith("/ams/v1/oauth2/token")
    assert found["revocation_endpoint"].endswith("/ams/v1/oauth2/revoke")
    assert "kdp.devices:manage" in found["scopes_supported"]


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("kdp.devices:view", "PUT", "/devices/upload"),
        ("kdp.devices:view", "PUT", "/devices/delete"),
        ("kdp.devices:manage", "GET", "/devices/status"),
        ("kdp.devices:manage", "GET", "/devices"),
        ("kdp.devices", "GET", "/customers/list"),
        ("kdp.devices", "GET", "/customers"),
        ("kdp.customers", "GET", "/profilealias/kme"),
    ],
)
def test_each_call_wants_its_scope(reseller: Account, scope: str, method: str, path: str) -> None:
    assert_refused(reseller.call(method, path, token=reseller.new_token(scope=scope)), 40300000)


@pytest.mark.parametrize(
    ("headers", "status", "body"),
    [
        ({"Authorization": "Bearer nonsense"}, 401, INVALID_TOKEN),
        (
            {"x-knox-apitoken": "nonsense"},
            401,
            b'{"code":4012250,"message":"ACCESS_TOKEN_BAD_REQUEST",'
            b'"data":"ACCESS_TOKEN_BAD_REQUEST"}',
        ),
        (
            {"X-WSM-API-TOKEN": "nonsense"},
            401,
            b'{"code":4010000,"message":"AUTHORIZATION_FAIL","data":"Invalid Api Key"}',
        ),
    ],
)
def test_a_bad_credential_gets_the_answer_of_its_kind(
    reseller: Account, headers: dict[str, str], status: int, body: bytes
) -> None:
    answer = reseller.call("GET", "/devices", token=None, headers=headers)
    assert (answer.status_code, answer.content) == (status, body)


def test_an_empty_knox_token_is_a_bad_request(reseller: Account) -> None:
    answer = reseller.call("GET", "/devices", token=None, headers={"x-knox-apitoken": ""})
    assert (answer.status_code, answer.json()["code"]) == (400, 4000000)
    assert answer.json()["message"] == "RESOURCE_INVALID_PARAM"


def test_exactly_one_credential_is_wanted(reseller: Account) -> None:
    assert_refused(reseller.call("GET", "/devices", token=None), 40100000)
    basic = {"Authorization": "Basic Og=="}
    assert_refused(reseller.call("GET", "/devices", token=None, headers=basic), 40100000)
    both = reseller.call("GET", "/devices", headers={"x-knox-apitoken": "x"})
    assert_refused(both, 40000001, "Authorization, x-knox-apitoken")
