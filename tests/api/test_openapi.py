"""`GET /openapi.json`, and `GET /docs` that is made from it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from support.world import World
from waybill.api.docs.html import el, prose
from waybill.api.docs.page import page
from waybill.api.openapi import document
from waybill.api.routes import ROUTES
from waybill.sandbox import seed
from waybill.wire import gen2, requests
from waybill.wire.codes import Code, Refused
from waybill.wire.scopes import Scope
from waybill.wire.sources import Source

HERE = "http://127.0.0.1:8080"
TOLD = [(route, route.told) for route in ROUTES if route.told is not None]


@cache
def told() -> dict[str, Any]:
    """The document as it goes over the wire."""
    return json.loads(json.dumps(document(ROUTES, HERE)))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation of each call."""
    for path, methods in told()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Validates by a schema of the document."""
    return Draft202012Validator(schema | {"components": told()["components"]})


def test_it_works(world: World) -> None:
    answer = world.http.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json()["servers"][0]["url"] == str(world.http.base_url)
    assert answer.json()["paths"] == json.loads(
        json.dumps(document(ROUTES, str(world.http.base_url))["paths"])
    )


def test_it_is_valid() -> None:
    validate(told())


def test_every_route_is_told_of_but_the_documents_themselves() -> None:
    assert {(method, path) for method, path, _ in operations()} == {
        (route.method, route.path.replace("{client_id:str}", "{clientId}"))
        for route in ROUTES
        if route.path not in {"/openapi.json", "/docs"} and route.method != "HEAD"
    }


def test_every_operation_has_an_id_words_and_a_source_of_its_own() -> None:
    found = [operation for _, _, operation in operations()]
    assert len({each["operationId"] for each in found}) == len(found)
    for each in found:
        assert each["summary"].endswith(".")
        assert each["description"]
        assert each["x-source"] in list(Source)
        assert each["tags"][0] in {tag["name"] for tag in told()["tags"]}


def test_every_member_has_words_and_a_source() -> None:
    whole = {"Metadata", "Health", "KnoxRefused", "TokenRefused"}
    lacking = [
        f"{name}.{member}"
        for name, schema in told()["components"]["schemas"].items()
        for member, said in schema["properties"].items()
        if name not in whole and not {"description", "x-source"} <= said.keys()
    ]
    assert not lacking


def test_every_scope_is_explained() -> None:
    flow = told()["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    assert set(flow["scopes"]) == {scope.value for scope in Scope}


def test_example_requests_are_valid() -> None:
    checked = 0
    for _, _, operation in operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for example in content["examples"].values():
                validator(content["schema"]).validate(example["value"])
                checked += 1
        for parameter in operation.get("parameters", []):
            if "example" in parameter:
                validator(parameter["schema"]).validate(parameter["example"])
    assert checked >= 8


def test_example_answers_are_valid() -> None:
    checked = 0
    for _, _, operation in operations():
        for response in operation["responses"].values():
            for content in response.get("content", {}).values():
                for example in content.get("examples", {}).values():
                    validator(content["schema"]).validate(example["value"])
                    checked += 1
    assert checked >= 80


def test_an_answer_of_another_shape_is_not_valid() -> None:
    schemas = told()["components"]["schemas"]
    failed = {"imei": "x", "code": 40000007, "message": "", "data": ""}
    assert validator(schemas["FailedDevice"]).is_valid(failed)
    assert not validator(schemas["FailedDevice"]).is_valid(failed | {"meid": "x"})
    assert not validator(schemas["FailedDevice"]).is_valid(failed | {"code": 40000000})
    assert not validator(schemas["Accepted"]).is_valid({"transactionId": "T"})


@pytest.mark.parametrize(
    ("name", "parse", "valid"),
    [
        ("UploadRequest", gen2.parse_upload, {"type": "IMEI"}),
        ("DeleteRequest", gen2.parse_delete, {}),
    ],
)
def test_a_body_is_told_of_as_it_is_read(name: str, parse: Any, valid: dict[str, Any]) -> None:
    """What the parsers refuse for its form is what the schemas do not allow."""
    schema = told()["components"]["schemas"][name]
    valid |= {"customerId": "C", "resellerId": "R", "transactionId": "T", "devices": ["x"]}
    wrong = (0, -1, 1.5, True, [], [1], {}, "", None, "x" * 65, "no id", "IMEI", [{}])
    odd = {"orderTime", "orderNo", "customerId", "resellerId", "transactionId"}
    for member in schema["properties"]:
        for value in wrong:
            body = valid | {member: value}
            try:
                parse(body)
                taken = True
            except Refused:
                taken = False
            if member in odd and isinstance(value, int | str) and not isinstance(value, bool):
                # Their form is looked at later, and has codes of its own.
                continue
            if member == "devices" and value in ([1], [{}]):
                # Devices that are no strings are found while the JSON is read.
                continue
            if member == "removeTransactionId" and value not in ("", None):
                # Both ways to name devices at once: refused with 40000001, after the form.
                continue
            assert validator(schema).is_valid(body) == taken, (member, value)
    for member in schema["required"]:
        with pytest.raises(Refused) as refused:
            parse({key: value for key, value in valid.items() if key != member})
        assert (refused.value.code, refused.value.parameter) == (
            Code.RESOURCE_INVALID_PARAM,
            member,
        )


def test_the_bounds_it_tells_are_the_settings_defaults(world: World) -> None:
    assert world.settings.page_size_max == requests.PAGE_SIZE_MAX
    assert world.settings.upload_devices_max == requests.DEVICES_MAX


def test_examples_name_what_the_seed_makes() -> None:
    made = {each.id for each in seed._RESELLERS} | {no for no, *_ in seed._CUSTOMERS}
    text = json.dumps([operation["x-codeSamples"] for _, _, operation in operations()])
    assert set(re.findall(r"\b\d{10}\b", text)) - {"1762905600"} <= made


def test_every_code_is_told_of_where_it_can_be_met() -> None:
    everywhere = {Code.RESOURCE_NOT_FOUND, Code.METHOD_NOT_ALLOWED}
    by_hand = {Code.CUSTOMER_RESELLER_ALREADY_ASSOCIATED}
    met = {code for _, each in TOLD for code in (*each.codes, *each.device_codes)}
    assert met | everywhere | by_hand == set(Code)
    for code in everywhere:
        assert str(code.code) in told()["info"]["description"]


# --- the page -----------------------------------------------------------------------------------


def test_the_page_shows_every_call_and_every_code(world: World) -> None:
    answer = world.http.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!doctype html>")
    for _, path, operation in operations():
        assert f'id="{operation["operationId"]}"' in answer.text
        assert f"{world.http.base_url}{path.partition('{')[0]}" in answer.text
    for _, each in TOLD:
        for code in (*each.codes, *each.device_codes):
            assert f'id="code-{code.code}"' in answer.text


def test_the_page_needs_no_network(world: World) -> None:
    page = world.http.get("/docs").text
    loads = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"')>\s]+)", page)
    assert not [each for each in loads if not each.startswith(("#", "data:", "openapi.json"))]
    assert "@import" not in page


def test_the_page_may_run_its_own_script_and_style_only(world: World) -> None:
    answer = world.http.get("/docs")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    for name in ("script", "style"):
        (text,) = re.findall(rf"<{name}>(.*?)</{name}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_what_a_client_says_of_the_address_is_only_text() -> None:
    """The address comes from the `Host` that a client sends."""
    odd = document(ROUTES, "http://a';touch x;'\"<script>x</script>.example")
    assert "<script>x" not in page(odd)
    for methods in odd["paths"].values():
        for operation in methods.values():
            for sample in operation["x-codeSamples"]:
                assert any("<script>x" in word for word in shlex.split(sample["source"]))
                assert "touch" not in shlex.split(sample["source"])


def test_text_is_escaped() -> None:
    assert el("p", "<b>", title='"') == '<p title="&quot;">&lt;b&gt;</p>'
    assert prose("a `<b>` **c**\n\n- *d*\n- e") == (
        "<p>a <code>&lt;b&gt;</code> <strong>c</strong></p><ul><li><em>d</em></li><li>e</li></ul>"
    )
