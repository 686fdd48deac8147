"""Who calls: exactly one credential, and what each wrong one is answered."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from support.answers import assert_refused, refusal_of
from support.processes import until
from support.world import GEN2, World

INVALID_TOKEN = (401, b'{"error":"Invalid authentication token"}')
INVALID_JWT = (
    401,
    b'{"code":4012250,"message":"ACCESS_TOKEN_BAD_REQUEST","data":"ACCESS_TOKEN_BAD_REQUEST"}',
)
EMPTY_JWT = (
    400,
    b'{"code":4000000,"message":"RESOURCE_INVALID_PARAM",'
    b'"data":"The specified request parameters are not valid. x-knox-apitoken"}',
)
INVALID_API_KEY = (
    401,
    b'{"code":4010000,"message":"AUTHORIZATION_FAIL","data":"Invalid Api Key"}',
)
TWO = "Authorization, x-knox-apitoken"
CALLS = [
    ("PUT", "/devices/upload"),
    ("PUT", "/devices/delete"),
    ("GET", "/devices/status"),
    ("GET", "/devices"),
    ("GET", "/customers/list"),
    ("GET", "/customers"),
    ("GET", "/profilealias/kme"),
]


def ask(
    world: World, *headers: tuple[str, str], call: tuple[str, str] = ("GET", "/devices")
) -> httpx.Response:
    """A call with exactly these headers."""
    method, path = call
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return world.send(method, f"{GEN2}{path}?resellerId={world.reseller_id}", *encoded)


def told(answer: httpx.Response) -> tuple[int, bytes]:
    """Status and body of an answer that is JSON."""
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.content


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_every_call_wants_a_credential(refuser: World, call: tuple[str, str]) -> None:
    assert_refused(ask(refuser, call=call), 40100000)
    assert told(ask(refuser, ("Authorization", "Bearer x"), call=call)) == INVALID_TOKEN
    assert told(ask(refuser, ("x-knox-apitoken", "x"), call=call)) == INVALID_JWT


@pytest.mark.parametrize(
    "header",
    [
        "Basic dXNlcjpwYXNz",
        "basic",
        "Digest username=x",
        "Token abc",
        "",
        " ",
    ],
)
def test_what_is_no_credential_counts_as_none(refuser: World, header: str) -> None:
    assert_refused(ask(refuser, ("Authorization", header)), 40100000)


def test_names_and_scheme_are_read_in_any_case(refuser: World) -> None:
    for name in ("authorization", "Authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"):
        for scheme in ("Bearer", "bearer", "BEARER"):
            answer = ask(refuser, (name, f"{scheme} {refuser.token}"))
            assert answer.status_code == 200, answer.text
    for name in ("X-Knox-ApiToken", "X-KNOX-APITOKEN"):
        assert told(ask(refuser, (name, "x"))) == INVALID_JWT
    assert ask(refuser, ("Authorization", f"Bearer   {refuser.token} ")).status_code == 200


def test_a_basic_header_beside_a_credential_is_ignored(refuser: World) -> None:
    basic = ("Authorization", "Basic dXNlcjpwYXNz")
    answer = ask(refuser, basic, ("Authorization", f"Bearer {refuser.token}"))
    assert answer.status_code == 200, answer.text
    assert told(ask(refuser, basic, ("x-knox-apitoken", "x"))) == INVALID_JWT
    assert told(ask(refuser, basic, ("X-WSM-API-TOKEN", "x"))) == INVALID_API_KEY


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Bearer {}"), ("x-knox-apitoken", "x")],
        [("Authorization", "Bearer {}"), ("x-knox-apitoken", "")],
        [("Authorization", "Bearer {}"), ("X-Knox-ApiToken", " ")],
        [("Authorization", "Bearer {}"), ("Authorization", "Bearer {}")],
        [("Authorization", "Bearer "), ("x-knox-apitoken", "")],
        [("Authorization", "Bearer"), ("authorization", "bearer")],
        [("x-knox-apitoken", "x"), ("x-knox-apitoken", "x")],
        [("x-knox-apitoken", ""), ("x-knox-apitoken", "")],
        [("Authorization", "Bearer wrong"), ("x-knox-apitoken", "wrong")],
    ],
    ids=str,
)
def test_two_credentials_are_one_too_many(refuser: World, headers: list[tuple[str, str]]) -> None:
    filled = [(name, value.format(refuser.token)) for name, value in headers]
    assert_refused(ask(refuser, *filled), 40000001, TWO)


def test_a_key_of_the_oldest_scheme_beside_another_credential_is_ignored(refuser: World) -> None:
    key = ("X-WSM-API-TOKEN", "x")
    assert told(ask(refuser, key)) == INVALID_API_KEY
    assert told(ask(refuser, ("x-wsm-api-token", ""))) == INVALID_API_KEY
    answer = ask(refuser, key, ("Authorization", f"Bearer {refuser.token}"))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("token", ["", "x", "{}x", "x{}", "{} {}", "'", "é" * 10, "x" * 5000])
def test_a_token_that_is_none_is_told_so(refuser: World, token: str) -> None:
    bearer = token.format(refuser.token, refuser.token)
    answer = ask(refuser, ("Authorization", f"Bearer {bearer}"))
    assert told(answer) == INVALID_TOKEN
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert 'error="invalid_token"' in challenge


@pytest.mark.parametrize("value", ["", " ", "  "])
def test_an_empty_header_of_the_older_scheme_has_an_answer_of_its_own(
    refuser: World, value: str
) -> None:
    assert told(ask(refuser, ("x-knox-apitoken", value))) == EMPTY_JWT


@pytest.mark.parametrize("value", ["x", "a.b.c", "{}", "é", "e30.e30.", "null"])
def test_what_is_no_usable_jwt_is_told_so(refuser: World, value: str) -> None:
    assert told(ask(refuser, ("x-knox-apitoken", value))) == INVALID_JWT
    # A bearer token is no JWT.
    assert told(ask(refuser, ("x-knox-apitoken", refuser.token))) == INVALID_JWT


def test_a_token_is_taken_from_nowhere_else(refuser: World) -> None:
    for query in ({"access_token": refuser.token}, {"Authorization": f"Bearer {refuser.token}"}):
        answer = refuser.http.get("/kcs/v1/rp/devices", params=query)
        assert_refused(answer, 40100000)


@pytest.mark.parametrize(("state", "code"), [("blocked", 40300000), ("closed", 40400001)])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_reseller_that_was_blocked_or_closed_may_do_nothing(
    world: World, state: str, code: int, call: tuple[str, str]
) -> None:
    world.stand(state)
    assert_refused(ask(world, ("Authorization", f"Bearer {world.token}"), call=call), code)


def test_that_it_was_closed_counts_before_what_its_token_allows(world: World) -> None:
    token = world.new_token(scope="kdp.customers")
    world.stand("closed")
    assert_refused(ask(world, ("Authorization", f"Bearer {token}")), 40400001)


@pytest.mark.parametrize(("state", "code"), [("blocked", 40300000), ("closed", 40400001)])
def test_it_may_do_nothing_within_a_second(world: World, state: str, code: int) -> None:
    bearer = ("Authorization", f"Bearer {world.token}")
    assert ask(world, bearer).status_code == 200
    world.stand(state)
    until(lambda: ask(world, bearer).status_code != 200, "the end of the calls", 1.2)
    assert_refused(ask(world, bearer), code)
    world.stand("active")
    until(lambda: ask(world, bearer).status_code == 200, "the calls again", 1.2)


def test_the_operator_may_name_any_reseller_but_none_that_was_closed(world: World) -> None:
    bearer = ("Authorization", f"Bearer {world.operator_token()}")
    assert ask(world, bearer).status_code == 200
    world.stand("closed")
    assert_refused(ask(world, bearer), 40400001)


def test_a_resellers_calls_are_refused_alike_whoever_else_it_names(world: World) -> None:
    """Nobody may learn which resellers exist."""
    neighbour = world.neighbour()
    closed = world.neighbour()
    closed.stand("closed")
    seen: set[Any] = set()
    for named in (neighbour.reseller_id, closed.reseller_id, "unknown", "no id", "\0"):
        answer = world.call("GET", "/devices", params={"resellerId": named})
        assert_refused(answer, 40000010)
        seen.add((refusal_of(answer), tuple(sorted(answer.headers))))
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("method", "path", "code", "allow"),
    [
        ("GET", "/kcs/v1/rp/nothing", 40400000, None),
        ("GET", "/", 40400000, None),
        ("PUT", "/kcs/v1/rp", 40400000, None),
        ("GET", "/kcs/v1/rp/devices/upload/more", 40400000, None),
        ("GET", "/KCS/v1/rp/devices", 40400000, None),
        ("GET", "/kcs/v1/rp/devices/upload", 40500000, "PUT"),
        ("POST", "/kcs/v1/rp/devices/upload", 40500000, "PUT"),
        ("PUT", "/kcs/v1/rp/devices", 40500000, "GET"),
        ("DELETE", "/kcs/v1/rp/devices", 40500000, "GET"),
        ("OPTIONS", "/kcs/v1/rp/devices", 40500000, "GET"),
        ("PATCH", "/kcs/v1/rp/customers/list", 40500000, "GET"),
        ("PROPFIND", "/kcs/v1/rp/devices", 40500000, "GET"),
        ("TRACE", "/ams/v1/oauth2/token", 40500000, "POST"),
        ("PROPFIND", "/nothing", 40400000, None),
    ],
)
def test_path_and_method_come_before_any_credential(
    refuser: World, method: str, path: str, code: int, allow: str | None
) -> None:
    for headers in ({}, {"Authorization": f"Bearer {refuser.token}"}):
        answer = refuser.http.request(method, path, headers=headers)
        assert_refused(answer, code)
        assert answer.headers.get("allow") == allow
