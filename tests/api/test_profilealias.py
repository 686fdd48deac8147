"""`GET /profilealias/kme`: whose parameters are request headers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from support.answers import assert_refused
from support.world import World, fresh

PATH = "/profilealias/kme"


def ask(world: World, **changed: str | None) -> httpx.Response:
    """Asks for the aliases; None leaves a header out."""
    headers: dict[str, Any] = {
        "resellerId": world.reseller_id,
        "customerId": world.customer_id,
    } | changed
    return world.call("GET", PATH, headers={k: v for k, v in headers.items() if v is not None})


def test_it_works(world: World) -> None:
    world.associated()
    first, second = world.alias("Kiosk"), world.alias("Außendienst")
    answer = ask(world)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert (
        answer.content
        == (
            '{"profileAliases":['
            f'{{"profileAlias":"Kiosk","profileId":"{first}"}},'
            f'{{"profileAlias":"Außendienst","profileId":"{second}"}}]}}'
        ).encode()
    )


def test_no_alias_is_an_empty_list(world: World) -> None:
    world.associated()
    assert ask(world).content == b'{"profileAliases":[]}'


def test_the_headers_are_read_in_any_case(world: World) -> None:
    world.associated()
    headers = {"RESELLERID": world.reseller_id, "customerid": world.customer_id}
    assert world.call("GET", PATH, headers=headers).status_code == 200


def test_the_query_says_nothing(world: World) -> None:
    world.associated()
    query = {"resellerId": world.reseller_id, "customerId": world.customer_id}
    assert_refused(world.call("GET", PATH, params=query), 40000000, "resellerId")
    answer = world.call("GET", PATH, params={"customerId": "x"}, headers=query)
    assert answer.status_code == 200


def test_aliases_of_other_customers_and_resellers_are_not_told(world: World) -> None:
    world.associated()
    world.alias("Kiosk")
    neighbour, another = world.neighbour(), world.another_customer()
    neighbour.associated(world.customer_id)
    world.associated(another)
    assert ask(neighbour, customerId=world.customer_id).json() == {"profileAliases": []}
    assert ask(world, customerId=another).json() == {"profileAliases": []}


def test_an_alias_that_is_no_longer_shared_is_neither_told_nor_taken(world: World) -> None:
    world.associated()
    world.alias("Kiosk")
    world.sql("update profile_alias set closed_at = now() where reseller = %s", world.number)
    assert ask(world).json() == {"profileAliases": []}
    answer = world.upload(None, profileAliases=[{"profileAlias": "Kiosk"}])
    assert_refused(answer, 40000000, "profileAlias")


@pytest.mark.parametrize(
    ("changed", "code", "parameter"),
    [
        ({"resellerId": None}, 40000000, "resellerId"),
        ({"resellerId": ""}, 40000000, "resellerId"),
        ({"customerId": None}, 40000000, "customerId"),
        ({"customerId": ""}, 40000000, "customerId"),
        ({"resellerId": "a b"}, 40000010, ""),
        ({"resellerId": "unknown"}, 40000010, ""),
        ({"customerId": "a b"}, 40000011, ""),
        ({"customerId": "x" * 65}, 40000011, ""),
        ({"customerId": "unknown"}, 40400002, ""),
    ],
    ids=str,
)
def test_it_refuses(
    refuser: World, changed: dict[str, str | None], code: int, parameter: str
) -> None:
    assert_refused(ask(refuser, **changed), code, parameter)


def test_a_customer_that_was_never_served_is_refused(world: World) -> None:
    assert_refused(ask(world), 40400004)


def test_the_operator_names_any_reseller_that_exists(world: World) -> None:
    world.associated()
    token = world.operator_token()
    headers = {"resellerId": world.reseller_id, "customerId": world.customer_id}
    assert world.call("GET", PATH, headers=headers, token=token).status_code == 200
    headers["resellerId"] = fresh("R")
    assert_refused(world.call("GET", PATH, headers=headers, token=token), 40400001)
