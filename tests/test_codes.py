"""Every code is reached by a request, told of by the calls that give it, and documented."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.answers import assert_refused, failure
from support.cli import Cli
from support.failures import FAILURES, PAGE, Failure, page, send
from support.world import World
from waybill.api.routes import GEN2, ROUTES
from waybill.config import Settings
from waybill.wire.calls import Described
from waybill.wire.codes import BY_NUMBER, Code

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "waybill"
BY_CALL = {f"{each.method} {each.path.removeprefix(GEN2)}": each.told for each in ROUTES}
# No call's own: any path or method that does not exist gives them.
OF_NO_CALL = {Code.RESOURCE_NOT_FOUND, Code.METHOD_NOT_ALLOWED}

by_request = pytest.mark.parametrize(
    "told", [each for each in FAILURES if each.request], ids=lambda each: each.code.name
)


def test_every_code_is_in_the_table_once() -> None:
    assert Counter(each.code for each in FAILURES) == Counter(Code)


@by_request
def test_the_request_reaches_the_code(
    world: World, world_with: Callable[..., World], told: Failure
) -> None:
    if told.setting is not None:
        name, value = told.setting
        world = world_with(**{name: value})
    assert told.request is not None
    answer = send(world, told.request)
    if told.device is None:
        status = 503 if told.code is Code.INTERNAL_SERVER_ERROR else None
        assert_refused(answer, told.code.code, told.parameter, status)
        return
    assert answer.status_code == 200, answer.text
    world.work()
    sent, member = told.device
    (failed,) = world.status(transactionId=answer.json()["transactionId"]).json()["devices"]
    assert failed == failure(member, failed[member], told.code.code)
    assert failed[member] == sent or sent == "HELD"


@pytest.mark.parametrize(
    "told", [each for each in FAILURES if each.command], ids=lambda each: each.code.name
)
def test_the_command_reaches_the_code(world: World, settings: Settings, told: Failure) -> None:
    world.associated()
    names = {"CUSTOMER": world.customer_id, "RESELLER": world.reseller_id}
    command = [names.get(each, each) for each in told.command]
    ran = Cli(settings)(*command, "--json")
    assert ran.code != 0
    assert ran.json | {"errorId": ""} == {
        "errorId": "",
        "code": told.code.code,
        "message": told.code.message,
        "data": told.code.text(),
    }
    assert re.fullmatch("[0-9A-F]{32}", ran.json["errorId"])


@by_request
def test_the_call_tells_of_the_code_that_it_gives(told: Failure) -> None:
    assert told.request is not None
    described = BY_CALL.get(told.request.call)
    if described is None or told.code in OF_NO_CALL:
        assert told.code in OF_NO_CALL
        return
    assert told.code in (described.codes if told.device is None else described.device_codes)


# --- reached and not listed ---------------------------------------------------------------------


def test_no_code_is_listed_in_vain() -> None:
    """Each is named by what refuses, not only by what describes."""
    describing = {SRC / "wire" / "codes.py", SRC / "wire" / "calls.py"}
    used = {name for path in SRC.rglob("*.py") if path not in describing for name in _named(path)}
    assert {code.name for code in Code} <= used


def test_no_code_is_given_that_is_not_listed() -> None:
    """Numbers stand in the table alone, save those of shapes that have no `errorId`."""
    shapes = {4000000, 4010000, 4012250}
    found = {
        number
        for path in SRC.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
        for number in _numbers(node.value)
    }
    assert found <= {*BY_NUMBER, *shapes}


def _named(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Attribute(value=ast.Name(id="Code"), attr=name):
                yield name


def _numbers(value: object) -> Iterator[int]:
    if isinstance(value, int) and re.fullmatch("[45]0[0-9]{5,6}", str(value)):
        yield value


def test_what_a_call_describes_can_happen() -> None:
    """Of a code per device and one of a whole call, each is described as what it is."""
    device = {each.code for each in FAILURES if each.device}
    for described in filter(None, BY_CALL.values()):
        assert device.isdisjoint(described.codes), described.id
        assert device.issuperset(described.device_codes), described.id
    told = [each for each in BY_CALL.values() if isinstance(each, Described)]
    assert device == {code for each in told for code in each.device_codes}


# --- documented ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["codes.md", "endpoints.md"])
def test_every_code_is_in_the_reference(name: str) -> None:
    text = (ROOT / "docs" / "reference" / name).read_text("utf-8")
    missing = {code.name for code in Code if str(code.code) not in text}
    # An association is made by a command, not by a call.
    apart = {"CUSTOMER_RESELLER_ALREADY_ASSOCIATED"} if name == "endpoints.md" else set()
    assert missing == apart


def test_the_page_of_failures_is_the_table() -> None:
    assert PAGE.read_text("utf-8") == page(), "run .venv/bin/python tests/support/failures.py"
