"""`GET /customers/list`, and the older path `GET /customers`."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from support.answers import assert_refused
from support.world import World, fresh

PATHS = ["/customers/list", "/customers"]


def ask(world: World, path: str = PATHS[0], **query: Any) -> httpx.Response:
    """Asks for the customers."""
    return world.call("GET", path, params={"resellerId": world.reseller_id} | query)


def serve(world: World, count: int) -> list[str]:
    """Lets the reseller serve so many customers, one after another."""
    served = [world.another_customer() for _ in range(count)]
    for each in served:
        world.associated(each)
    return served


@pytest.mark.parametrize("path", PATHS)
def test_it_works(world: World, path: str) -> None:
    world.associated()
    answer = ask(world, path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (
        b'{"totalCount":1,"pageNum":0,"customers":[{"name":"Customer","customerId":"%s"}]}'
        % world.customer_id.encode()
    )


@pytest.mark.parametrize("path", PATHS)
def test_nobody_is_an_empty_page(world: World, path: str) -> None:
    assert ask(world, path).content == b'{"totalCount":0,"pageNum":0,"customers":[]}'
    assert_refused(ask(world, path, pageNum=1), 40000002)


def test_customers_come_by_the_age_of_their_association_and_each_once(world: World) -> None:
    made = [world.another_customer() for _ in range(6)]
    # Not by their own age.
    order = [made[at] for at in (3, 0, 5, 1, 4, 2)]
    for each in order[:3]:
        world.associated(each)
    for each in order[3:]:
        world.uploaded(customerId=each)
    world.upload(customerId=order[0])
    for size in (1, 2, 4, 6, 7):
        pages = -(-6 // size)
        found: list[str] = []
        for num in range(pages):
            told = ask(world, pageNum=num, pageSize=size).json()
            assert (told["totalCount"], told["pageNum"]) == (6, num)
            found += [each["customerId"] for each in told["customers"]]
        assert found == order
        assert_refused(ask(world, pageNum=pages, pageSize=size), 40000002)


def test_a_page_has_100_unless_told_otherwise(world: World) -> None:
    served = serve(world, 101)
    first, second = ask(world).json(), ask(world, pageNum=1).json()
    assert len(first["customers"]) == 100
    assert [each["customerId"] for each in second["customers"]] == served[100:]
    assert len(ask(world, pageSize=1_000_000).json()["customers"]) == 101


def test_a_customer_that_was_closed_is_not_listed(world: World) -> None:
    first, second = serve(world, 2)
    world.sql("update customer set state = 'closed' where id = %s", first)
    told = ask(world).json()
    assert told["totalCount"] == 1
    assert [each["customerId"] for each in told["customers"]] == [second]


def test_a_customer_is_listed_for_each_reseller_that_serves_it(world: World) -> None:
    neighbour = world.neighbour()
    for each in (world, neighbour):
        each.associated(world.customer_id)
        assert [one["customerId"] for one in ask(each).json()["customers"]] == [world.customer_id]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ({"resellerId": ""}, 40000000, "resellerId"),
        ({"resellerId": "a b"}, 40000010, ""),
        ({"resellerId": "unknown"}, 40000010, ""),
        ({"pageNum": "-1"}, 40000000, "pageNum"),
        ({"pageNum": "one"}, 40000000, "pageNum"),
        ({"pageSize": "0"}, 40000000, "pageSize"),
        ({"pageSize": "1000001"}, 40000000, "pageSize"),
        ({"pageNum": "1"}, 40000002, ""),
    ],
    ids=str,
)
def test_it_refuses(
    refuser: World, path: str, query: dict[str, str], code: int, parameter: str
) -> None:
    assert_refused(ask(refuser, path, **query), code, parameter)


def test_the_operator_names_any_reseller_that_exists(world: World) -> None:
    world.associated()
    token = world.operator_token()
    query = {"resellerId": world.reseller_id}
    listed = world.call("GET", PATHS[0], params=query, token=token)
    assert listed.json()["totalCount"] == 1
    unknown = world.call("GET", PATHS[0], params={"resellerId": fresh("R")}, token=token)
    assert_refused(unknown, 40400001)
