"""Input that nobody should send: it is refused with a code, and never breaks anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.answers import TEXTS, assert_refused, failure, refusal_of, refused
from support.world import GEN2, World, fresh
from waybill.wire.identifiers import Kind, generate

UPLOAD = f"{GEN2}/devices/upload"
DELETE = f"{GEN2}/devices/delete"

# What tells of the inside: stack traces, source files, SQL, the database, libraries.
INSIDE = [
    b"Traceback",
    b".py",
    b"site-packages",
    b"psycopg",
    b"postgres",
    b"litestar",
    b"msgspec",
    b"select ",
    b"insert ",
    b"update ",
    b"Exception",
    b"Error:",
    b"/src/",
    b"/usr/",
    b"/home/",
    b"line ",
    b"<html",
]


def send(world: World, body: bytes, path: str = UPLOAD) -> httpx.Response:
    """Sends these bytes as a body."""
    headers = {"Authorization": f"Bearer {world.token}"}
    return world.http.put(path, content=body, headers=headers)


def assert_sound(answer: httpx.Response) -> None:
    """Asserts an answer that the contract knows, with nothing of the inside in it."""
    assert answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    if answer.status_code == 200:
        return
    assert not [each for each in INSIDE if each in answer.content], answer.text
    if "errorId" in told:
        assert told["code"] in TEXTS
        assert answer.status_code == told["code"] // 100_000


def rendered(world: World, member: bytes = b"", **changed: Any) -> bytes:
    """An upload's body with one more member, written as the test wants it."""
    return json.dumps(world.upload_body(**changed)).encode()[:-1] + member + b"}"


# --- what is no JSON ----------------------------------------------------------------------------

NO_JSON = [
    b"",
    b" ",
    b"\0",
    b"{",
    b"}",
    b"{}}",
    b"{} {}",
    b"{},",
    b"{,}",
    b'{"a"}',
    b'{"a":}',
    b'{"a":1,}',
    b'{"a":1 "b":2}',
    b"{'a':1}",
    b"{a:1}",
    b'{"a":undefined}',
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":-Infinity}',
    b'{"a":nan}',
    b'{"a":True}',
    b'{"a":01}',
    b'{"a":+1}',
    b'{"a":.5}',
    b'{"a":1.}',
    b'{"a":1e}',
    b'{"a":0x1}',
    b'{"a":1_000}',
    b'{"a":--1}',
    b'{"a":"\n"}',
    b'{"a":"\t"}',
    b'{"a":"\0"}',
    b'{"a":"\\x41"}',
    b'{"a":"\\u12"}',
    b'{"a":"\\u+123"}',
    b'{"a":"\\u 123"}',
    b'{"a":"\\U00000041"}',
    b'{"a":"}',
    b'{"a":"\\"}',
    b'{/**/"a":1}',
    b'{"a":1}//',
    b'#\n{"a":1}',
    b'\xef\xbb\xbf{"a":1}',
    b'{"a":"\xff"}',
    b'{"a":"\xc0\x80"}',
    b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\xf4\x90\x80\x80"}',
    b"\xa0{}",
    b"\x0b{}",
    '{"a":1}'.encode("utf-16"),
    '{"a":1}'.encode("utf-16-le"),
    '{"a":1}'.encode("utf-32"),
    b"<upload/>",
    b"customerId=1&resellerId=2",
    b"--x\r\nContent-Disposition: form-data\r\n\r\n{}\r\n--x--",
    # Two members of one name, at any depth, however the name is written.
    b'{"a":1,"a":1}',
    b'{"a":1,"\\u0061":1}',
    b'{"x":{"a":1,"a":2}}',
    b'{"x":[{"a":1,"b":2,"a":3}]}',
    # Half a character.
    b'{"a":"\\ud800"}',
    b'{"a":"\\udc00"}',
    b'{"a":"\\udc00\\ud800"}',
    b'{"a":"\\ud800\\u0041"}',
    b'{"a":"\\ud83d"}',
    b'{"\\ud800":1}',
    b'{"a":[["\\udfff"]]}',
    # JSON, but no object.
    b"null",
    b"true",
    b"5",
    b'"{}"',
    b"[]",
    b"[{}]",
    b'[["a",1]]',
]


@pytest.mark.parametrize("body", NO_JSON, ids=lambda body: ascii(body)[2:-1][:40])
@pytest.mark.parametrize("path", [UPLOAD, DELETE])
def test_what_is_no_strict_json_object_is_refused(refuser: World, path: str, body: bytes) -> None:
    assert_refused(send(refuser, body, path), 40000000, "body")


@pytest.mark.parametrize(
    "member",
    [spoilt[1:-1] for spoilt in NO_JSON if spoilt.startswith(b'{"') and spoilt.endswith(b'"}')],
    ids=lambda member: ascii(member)[2:-1],
)
def test_it_is_refused_anywhere_in_a_body_that_is_otherwise_in_order(
    refuser: World, member: bytes
) -> None:
    assert_refused(send(refuser, rendered(refuser, b"," + member)), 40000000, "body")


def test_strict_json_may_be_written_in_many_ways(world: World) -> None:
    body = world.upload_body()
    for written in (
        json.dumps(body, indent=4).encode(),
        b" \r\n\t" + json.dumps(body).encode() + b"\n ",
        json.dumps(dict(reversed(body.items()))).encode(),
        rendered(world, b',"x":"\\ud83d\\ude9a \\u0000","y":1E+2,"z":-0.0e-5'),
        json.dumps(body).replace("customerId", "customer\\u0049d").encode(),
    ):
        answer = send(world, written.replace(body["transactionId"].encode(), fresh("T").encode()))
        assert answer.status_code == 200, answer.text


def test_devices_that_are_no_strings_are_refused_by_name(refuser: World) -> None:
    for device in ("5", "5.0", "true", "null", "[]", "{}", '["352099001761481"]'):
        body = rendered(refuser, devices=["@"]).replace(b'"@"', f'"1",{device}'.encode())
        assert_refused(send(refuser, body), 40000000, "devices")


# --- too deep, too large, too many --------------------------------------------------------------


@pytest.mark.parametrize("depth", [500, 5_000, 200_000])
@pytest.mark.parametrize(
    ("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")]
)
def test_json_too_deep_is_refused_or_passed_over(
    refuser: World, depth: int, opening: bytes, closing: bytes
) -> None:
    for end in (closing * depth, b""):
        nested = opening * depth + b"1" + end
        answers = [send(refuser, nested), send(refuser, rendered(refuser, b',"x":' + nested))]
        for answer in answers:
            assert_sound(answer)
            if depth > 1_000 or not end:
                assert_refused(answer, 40000000, "body")


@pytest.mark.parametrize(
    "number",
    ["9" * 50_000, "-" + "9" * 50_000, "1e999999999", "-1E+400", "0." + "3" * 50_000, "1e-999999"],
    ids=lambda number: number[:10],
)
def test_numbers_beyond_measure_break_nothing(refuser: World, number: str) -> None:
    assert_sound(send(refuser, rendered(refuser, b',"x":' + number.encode())))
    answer = send(refuser, rendered(refuser, b',"orderTime":' + number.encode()))
    assert refusal_of(answer) in (
        refused(40000000, "orderTime"),
        refused(40000000, "body"),
    )


def test_a_body_of_brackets_is_refused(refuser: World) -> None:
    for body in (b"[" + b"[]," * 400_000 + b"[]]", b'{"x":[' + b"{}," * 400_000 + b"{}]}"):
        assert_refused(send(refuser, body), 40000000, "body")


def test_a_body_up_to_the_limit_is_read_and_one_byte_more_is_refused(
    world_with: Callable[..., World],
) -> None:
    world = world_with(upload_devices_max=5)
    limit = 64 * 1024 + 80 * 5
    body = rendered(world)
    assert_refused(send(world, body + b" " * (limit + 1 - len(body))), 40000003)
    assert_refused(send(world, b"x" * (limit + 1)), 40000003)
    assert_refused(send(world, b" " * 3_000_000), 40000003)
    assert_refused(send(world, b"x" * limit), 40000000, "body")
    assert send(world, body + b" " * (limit - len(body))).status_code == 200


def test_a_form_that_is_too_large_is_refused(refuser: World) -> None:
    answer = refuser.http.post("/ams/v1/oauth2/token", content=b"x=" + b"1" * 70_000)
    assert answer.status_code == 400
    assert_sound(answer)


def test_many_members_and_long_names_are_passed_over(world: World) -> None:
    more = {f"member {number}": number for number in range(5_000)} | {"x" * 50_000: "y" * 50_000}
    assert world.upload(None, **more).status_code == 200


# --- wrong types, field by field ----------------------------------------------------------------

VALUES: dict[str, list[Any]] = {
    "number": [0, 1, -1, 1.5, 10**20],
    "boolean": [True, False],
    "array": [["x"], [1], [[]]],
    "object": [{"x": 1}, {}],
    "string": ["x"],
}
STRINGS = ["customerId", "resellerId", "transactionId", "type", "vendorId"]
WANTED = {
    UPLOAD: dict.fromkeys([*STRINGS, "orderNo", "targetService"], ("string",))
    | {"orderTime": ("string", "number"), "devices": ("array",), "profileAliases": ("array",)},
    DELETE: dict.fromkeys([*STRINGS, "removeTransactionId"], ("string",)) | {"devices": ("array",)},
}


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, fields in WANTED.items() for name in fields]
)
def test_a_value_of_another_type_is_refused_by_the_name_of_its_field(
    refuser: World, path: str, name: str
) -> None:
    for kind, values in VALUES.items():
        if kind in WANTED[path][name]:
            continue
        for value in values:
            body = refuser.upload_body() | {name: value}
            assert_refused(send(refuser, json.dumps(body).encode(), path), 40000000, name)


# --- NUL and other letters that databases and terminals choke on --------------------------------

CHOKING = ["\0", "a\0b", "\x1b[31m", "\u202e", "\ufffe", "%00", "'", '"', "\\", "${x}", "%s", "\n"]


@pytest.mark.parametrize("value", CHOKING, ids=ascii)
def test_letters_that_choke_are_sound_in_every_field(world: World, value: str) -> None:
    world.associated()
    names = [*WANTED[UPLOAD], *WANTED[DELETE], value]
    for path in (UPLOAD, DELETE):
        for name in names:
            for given_value in (value, [value], {value: value}):
                body = world.upload_body() | {name: given_value}
                assert_sound(send(world, json.dumps(body).encode(), path))
    body = world.upload_body(profileAliases=[{"profileAlias": value, "serviceId": value}])
    assert_sound(send(world, json.dumps(body).encode()))
    world.work()


@pytest.mark.parametrize("value", CHOKING, ids=ascii)
def test_they_are_sound_in_queries_headers_and_paths(refuser: World, value: str) -> None:
    names = ["resellerId", "customerId", "transactionId", "pageNum", "pageSize", value]
    bearer = {"Authorization": f"Bearer {refuser.token}"}
    for path in ("/devices", "/devices/status", "/customers/list"):
        for name in names:
            query = {"resellerId": refuser.reseller_id} | {name: value}
            assert_sound(refuser.http.get(GEN2 + path, params=query, headers=bearer))
        twice = urlencode([(value, "1"), (value, "2")])
        assert_sound(refuser.http.get(f"{GEN2}{path}?{twice}", headers=bearer))
    if value.isascii() and value.isprintable():
        for name in ("resellerId", "customerId"):
            headers = {"resellerId": refuser.reseller_id, "customerId": "C"} | bearer
            address = f"{GEN2}/profilealias/kme"
            assert_sound(refuser.http.get(address, headers=headers | {name: value}))
    assert_sound(refuser.http.get(f"{GEN2}/devices/{value.encode().hex('%')}"))


def test_devices_of_any_letters_are_judged_and_echoed(world: World) -> None:
    devices = [*CHOKING, "\ud7ff\ue000\uffff", "\U0010ffff", "a" * 5_000]
    assert world.uploaded(devices)["devices"] == [
        failure("imei", each, 40000007) for each in devices
    ]


# --- whatever else ------------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from([*CHOKING, "", "IMEI", "SN", "MEID", "U", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
FUZZ = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@FUZZ
@given(
    path=st.sampled_from([UPLOAD, DELETE]),
    changed=st.dictionaries(
        st.sampled_from([*WANTED[UPLOAD], "removeTransactionId"]) | st.text(max_size=5),
        ANYTHING,
        max_size=3,
    ),
    without=st.sets(st.sampled_from(["devices", "type", "customerId"]), max_size=1),
)
def test_any_members_are_accepted_or_refused_and_what_is_accepted_gets_done(
    refuser: World, path: str, changed: dict[str, Any], without: set[str]
) -> None:
    body = refuser.upload_body() | changed
    kept = {name: value for name, value in body.items() if name not in without}
    answer = send(refuser, json.dumps(kept).encode(), path)
    assert_sound(answer)
    if answer.status_code == 200:
        refuser.work()
        done = refuser.status(transactionId=kept["transactionId"])
        assert done.json()["state"] == "Complete"


@FUZZ
@given(
    devices=st.lists(
        st.text(max_size=25)
        | st.text("0123456789ABCDEF -", min_size=13, max_size=20)
        | st.sampled_from(["352099001761481", "352099001761480", "AF0123450ABCDE", "R58M315CL4T"]),
        min_size=1,
        max_size=8,
    ),
    kind=st.sampled_from(["IMEI", "MEID", "SN", None]),
    path=st.sampled_from([UPLOAD, DELETE]),
)
def test_any_devices_are_judged_and_failures_echoed_in_order(
    refuser: World, devices: list[str], kind: str | None, path: str
) -> None:
    body = refuser.upload_body(devices, type=kind or ("IMEI" if path == UPLOAD else None))
    if path == DELETE:
        # Deletes want a customer that is served; uploads make it so.
        send(refuser, json.dumps(refuser.upload_body(generate(Kind.SN, 1))).encode())
    answer = send(refuser, json.dumps(body).encode(), path)
    assert answer.status_code == 200, answer.text
    refuser.work()
    done = refuser.status(transactionId=body["transactionId"]).json()
    assert done["state"] == "Complete"
    failed = [
        next(value for name, value in each.items() if name in ("imei", "meid", "serialNumber"))
        for each in done.get("devices", [])
    ]
    rest = iter(devices)
    assert all(each in rest for each in failed)


@FUZZ
@given(
    body=st.binary(max_size=200) | st.text('{}[]",:\\ \n0123456789.eEtruefalsn-').map(str.encode)
)
def test_any_bytes_are_refused(refuser: World, body: bytes) -> None:
    for path in (UPLOAD, DELETE):
        answer = send(refuser, body, path)
        assert_sound(answer)
        assert answer.status_code == 400


@FUZZ
@given(query=st.binary(max_size=80) | st.text("&=%0aresllIdpgNum;+#?", max_size=60).map(str.encode))
def test_any_query_is_answered(refuser: World, query: bytes) -> None:
    written = "".join(
        chr(byte) if chr(byte).isalnum() or byte in b"&=%;+" else f"%{byte:02X}" for byte in query
    )
    for path in ("/devices", "/devices/status", "/customers/list"):
        for address in (f"{path}?{written}", f"{path}?resellerId={refuser.reseller_id}&{written}"):
            assert_sound(refuser.call("GET", address))


@FUZZ
@given(
    form=st.binary(max_size=100)
    | st.dictionaries(
        st.sampled_from(["grant_type", "client_id", "client_secret", "scope", "expires_in"]),
        st.text(max_size=20) | st.sampled_from(["client_credentials", "kdp", "5"]),
    ),
    header=st.none() | st.binary(max_size=30),
)
def test_any_form_is_answered(
    refuser: World, form: bytes | dict[str, str], header: bytes | None
) -> None:
    content = form if isinstance(form, bytes) else str(httpx.QueryParams(form)).encode()
    headers = {} if header is None else {"authorization": b"Basic " + header.hex().encode()}
    for path in ("/ams/v1/oauth2/token", "/ams/v1/oauth2/revoke"):
        answer = refuser.http.post(path, content=content, headers=headers)  # type: ignore[arg-type]
        assert_sound(answer)
        # Nobody guesses a client here; being slowed down after many failures is in order.
        assert answer.status_code in (400, 401, 429)


# --- what nobody foresaw ------------------------------------------------------------------------


def test_an_error_that_nobody_foresaw_tells_nothing_of_the_inside(
    refuser: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("select secret from /usr/lib/inside.py")

    monkeypatch.setattr("waybill.transactions.store.circumstances", broken)
    answer = refuser.upload()
    assert_refused(answer, 50000000)
    assert "inside" not in answer.text
    assert "retry-after" not in answer.headers


def test_a_server_with_too_much_to_do_says_when_to_come_back(
    refuser: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waybill.api.edge._WAITING_MAX", 0)
    for answer in (refuser.upload(), refuser.devices(), refuser.status()):
        assert_refused(answer, 50000000, status=503)
        assert int(answer.headers["retry-after"]) >= 1
    monkeypatch.undo()
    assert refuser.devices().status_code == 200
