"""What a real server withstands before there is a request at all, and while one comes in."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from support.answers import assert_refused
from support.invented import many
from support.processes import PATIENCE_S, until
from support.server import Connection, Server, request
from support.world import GEN2, World
from waybill.config import Settings
from waybill.wire.identifiers import Kind, generate

UPLOAD = f"{GEN2}/devices/upload"
INVALID = "The specified request parameters are not valid. "
TOO_MANY = "The specified list of devices exceeded the maximum count."
AWAY = "An unknown internal server error has occurred."
# Of what takes its time by design, the shortest that a busy machine still tells apart from nothing.
SHORT_S = 0.6


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Server]:
    """A server with little room."""
    small: dict[str, Any] = {"upload_devices_max": 10_000, "bodies_in_flight_max": 1024 * 1024}
    with Server(settings, log_level="info", **small) as running:
        yield running


@pytest.fixture(scope="module")
def impatient(settings: Settings) -> Iterator[Server]:
    """A server that waits for nobody, only to be asked what takes no time."""
    before = f"server._HEADERS_S = server._REST_S = {SHORT_S}; server._UNREAD_S = {3 * SHORT_S}"
    with Server(settings, before, request_time_s=SHORT_S) as running:
        yield running


@pytest.fixture
def remote(server: Server) -> World:
    """A world of the test's own on that server."""
    return World(server.settings, server.http)  # type: ignore[arg-type]


def bearer(world: World) -> str:
    """The header of its token."""
    return f"Authorization: Bearer {world.token}"


def upload(world: World, *headers: str, body: bytes | None = None) -> bytes:
    """The bytes of an upload that is in order."""
    body = json.dumps(world.upload_body()).encode() if body is None else body
    return request("PUT", UPLOAD, bearer(world), *headers, body=body)


def test_it_works(remote: World) -> None:
    devices = generate(Kind.IMEI, 3)
    assert remote.uploaded(devices)["state"] == "Complete"
    assert remote.held() == devices


# --- what is no HTTP ----------------------------------------------------------------------------

NO_HTTP = [
    b"\0" * 100 + b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / FTP/1.1\r\nHost: x\r\n\r\n",
    b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"FROBNICATE / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 100,
    b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx",
    b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\nx",
    b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nx",
    b"PUT / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
]


@pytest.mark.parametrize("data", NO_HTTP, ids=lambda data: ascii(data)[2:-1][:60])
def test_what_is_no_http_is_refused_and_the_connection_ends(server: Server, data: bytes) -> None:
    with server.connection() as connection:
        connection.send(data)
        reply = connection.answer()
        assert reply.status in (400, 404)
        if reply.status == 400:
            assert reply.refusal() == (400, 40000000, INVALID + "headers")
            assert reply.headers["connection"] == "close"
            assert connection.ended()
    assert server.ready()


def test_a_length_together_with_chunks_is_refused_for_a_call_that_is_in_order(
    remote: World, server: Server
) -> None:
    body = json.dumps(remote.upload_body(transactionId="smuggled")).encode()
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    for length in (0, len(chunked), len(body)):
        with server.connection() as connection:
            headers = (bearer(remote), f"Content-Length: {length}", "Transfer-Encoding: chunked")
            connection.send(request("PUT", UPLOAD, *headers, body=chunked, length=False))
            assert connection.answer().refusal() == (400, 40000000, INVALID + "headers")
            assert connection.ended()
    assert remote.status(transactionId="smuggled").json()["code"] == 40000013


def test_chunks_alone_are_fine(remote: World, server: Server) -> None:
    body = json.dumps(remote.upload_body()).encode()
    with server.connection() as connection:
        head = request("PUT", UPLOAD, bearer(remote), "Transfer-Encoding: chunked")
        connection.send(head)
        for at in range(0, len(body), 7):
            part = body[at : at + 7]
            connection.send(b"%x;extension=1\r\n%s\r\n" % (len(part), part))
        connection.send(b"0\r\nTrailer: x\r\n\r\n")
        assert connection.answer().status == 200


@pytest.mark.parametrize(
    "host",
    [
        "Host:",
        "Host: us-kcs-api.samsungknox.com",
        "Host: [::1]:8080",
        "Host: a_b:0",
        "Host: x:99999999",
        "Host: x:y",
        "Host: " + "x" * 10_000,
        "Host: x\r\nHost: y",
    ],
)
def test_any_host_is_served(remote: World, server: Server, host: str) -> None:
    query = f"{GEN2}/devices?resellerId={remote.reseller_id}"
    with server.connection() as connection:
        connection.send(request("GET", query, bearer(remote), host))
        assert connection.answer().status == 200
        connection.send(request("GET", "/nothing", host))
        assert connection.answer().refusal()[:2] == (404, 40400000)
        connection.send(request("GET", "/.well-known/oauth-authorization-server", host))
        assert connection.answer().status == 200


@pytest.mark.parametrize("host", ["a b", "[", "]", "[::1", "\xff", "a@b/c?d#e", "<script>", '"'])
def test_what_no_host_can_be_is_served_or_refused(remote: World, server: Server, host: str) -> None:
    query = f"{GEN2}/devices?resellerId={remote.reseller_id}"
    with server.connection() as connection:
        for path in (query, "/nothing", "/.well-known/oauth-authorization-server"):
            connection.send(request("GET", path, bearer(remote), f"Host: {host}"))
            reply = connection.answer()
            if reply.status != 200:
                assert reply.refusal()[:2] in ((400, 40000000), (404, 40400000))


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("OPTIONS *", 404),
        ("GET http://elsewhere/healthz", 200),
        ("GET //healthz", 200),
        ("GET /./healthz", 404),
        ("GET /%68ealthz", 200),
        ("GET /%00", 404),
        ("GET /%ff%fe", 404),
        ("GET /%", 404),
        ("GET /healthz?%00&&==%", 200),
        ("GET /healthz/", 200),
        ("HEAD /healthz", 200),
        ("HEAD /openapi.json", 405),
        ("GET /" + "a/" * 5_000, 404),
        ("GET /../../etc/passwd", 404),
    ],
)
def test_odd_addresses_are_answered(server: Server, line: str, status: int) -> None:
    method, path = line.split(" ", 1)
    with server.connection() as connection:
        connection.send(request(method, path))
        reply = connection.answer(method)
        assert reply.status == status, reply.content
        if method == "HEAD":
            assert reply.content == b""
        elif status != 200:
            assert reply.refusal()[0] == status


def test_a_wish_to_speak_another_protocol_is_passed_over(server: Server) -> None:
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eA==")
    with server.connection() as connection:
        connection.send(request("GET", "/healthz", *upgrade))
        assert connection.answer().status == 200


def test_any_bytes_leave_the_server_standing(server: Server) -> None:
    parts = [
        b"GET ", b"PUT ", b"/", b" HTTP/1.1", b"\r\n", b"\r\n\r\n", b"Host: x", b"\0", b"\xff" * 9,
        b"Content-Length: 5", b"Transfer-Encoding: chunked", b"5\r\nhello\r\n", b"0\r\n\r\n",
        b"Connection: close", b" ", b":", b"x" * 70_000, UPLOAD.encode(),
    ]  # fmt: skip
    for _ in range(60):
        with server.connection() as connection:
            data = b"".join(random.choices(parts, k=random.randint(1, 12)))
            try:
                connection.send(data)
                connection.socket.shutdown(1)
            except OSError:
                continue
            assert connection.ended()
    assert server.ready()


# --- headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 600_000,
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: 1234567890\r\n" * 7_000,
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x",
        b"GET /?" + b"x=1&" * 20_000,
        b"GET / HTTP/1.1\r\n" + b"x" * 600_000,
        b"GET / HTTP/1.1\r\nHost: x\r\nX:" + b" " * 600_000,
        b"G" * 70_000,
    ],
    ids=lambda head: ascii(head)[2:30],
)
def test_headers_without_an_end_are_refused(server: Server, head: bytes) -> None:
    with server.connection() as connection:
        connection.send(head)
        began = time.monotonic()
        assert connection.answer().refusal() == (400, 40000000, INVALID + "headers")
        assert connection.ended()
        # At once, not when their time is over.
        assert time.monotonic() - began < 2 * SHORT_S


def test_headers_of_some_size_are_fine(remote: World, server: Server) -> None:
    with server.connection() as connection:
        query = f"{GEN2}/devices?resellerId={remote.reseller_id}&x={'x' * 20_000}"
        connection.send(request("GET", query, bearer(remote), "X: " + "x" * 30_000))
        assert connection.answer().status == 200


def test_headers_that_do_not_come_end_the_connection(impatient: Server) -> None:
    began = time.monotonic()
    starts = [b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x"]
    connections = [impatient.connection() for _ in starts]
    for connection, start in zip(connections, starts, strict=True):
        connection.send(start)
    for connection in connections:
        with connection:
            assert connection.answer().refusal() == (400, 40000000, INVALID + "headers")
            assert connection.ended()
    assert time.monotonic() - began >= SHORT_S * 0.9


def test_headers_that_come_drop_by_drop_do_so_too(impatient: Server) -> None:
    with impatient.connection() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        assert drip(connection).startswith(b"HTTP/1.1 400")


def drip(connection: Connection) -> bytes:
    """Sends letter after letter until there is an answer, or the end of the connection."""
    connection.socket.settimeout(0.02)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            connection.send(b" ")
            return connection.socket.recv(65536)
        except TimeoutError:
            pass
        except ConnectionError:
            return b""
    raise AssertionError("neither an answer nor an end")


# --- bodies -------------------------------------------------------------------------------------


def test_a_body_that_does_not_come_is_refused_in_time(world: World, impatient: Server) -> None:
    body = json.dumps(world.upload_body(transactionId="slow")).encode()
    connections = []
    for came in (0, 1, len(body) - 1):
        connections.append(impatient.connection())
        connections[-1].send(upload(world, body=body)[: came - len(body)])
    for connection in connections:
        with connection:
            assert connection.answer().refusal() == (400, 40000000, INVALID + "body")
            assert connection.ended()
    assert world.status(transactionId="slow").json()["code"] == 40000013


def test_a_body_that_comes_drop_by_drop_is_refused_in_time(world: World, impatient: Server) -> None:
    began = time.monotonic()
    with impatient.connection() as connection:
        connection.send(request("PUT", UPLOAD, bearer(world), "Content-Length: 5000"))
        reply = drip(connection)
        assert reply.startswith(b"HTTP/1.1 400")
        assert b'"code":40000000' in reply
    assert time.monotonic() - began >= SHORT_S * 0.9


def test_a_client_that_goes_away_leaves_nothing_behind(remote: World, server: Server) -> None:
    body = json.dumps(remote.upload_body(transactionId="gone")).encode()
    for came in (1, len(body) // 2, len(body) - 1):
        with server.connection() as connection:
            connection.send(upload(remote, body=body)[: came - len(body)])
    until(lambda: all_is_let_go_of(server), "the connections to be let go of")
    assert remote.status(transactionId="gone").json()["code"] == 40000013
    assert not [line for line in server.lines() if line["level"] == "error"]


def all_is_let_go_of(server: Server) -> bool:
    """Whether there is room again for a body of nearly all the room there is."""
    body = b" " * 850_000
    with server.connection() as connection:
        connection.send(request("POST", "/ams/v1/oauth2/token", body=b"x=1"))
        connection.answer()
    answer = httpx.put(server.url + UPLOAD, content=body)
    return answer.status_code == 401


def test_a_body_too_large_is_told_so_though_it_is_still_being_sent(
    remote: World, server: Server
) -> None:
    for size in (900_000, 5_000_000, 40_000_000):
        with server.connection() as connection:
            connection.send(upload(remote, body=b" " * size))
            assert connection.answer().refusal() == (400, 40000003, TOO_MANY)
            # The connection is as good as before.
            connection.send(upload(remote))
            assert connection.answer().status == 200


def test_a_body_without_an_end_is_told_so_and_cut_off(remote: World, server: Server) -> None:
    with server.connection() as connection:
        connection.send(request("PUT", UPLOAD, bearer(remote), "Transfer-Encoding: chunked"))
        chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        refused = threading.Event()

        def pour() -> None:
            try:
                while not refused.is_set():
                    connection.send(chunk)
            except OSError:
                pass

        pouring = threading.Thread(target=pour)
        pouring.start()
        try:
            assert connection.answer().refusal() == (400, 40000003, TOO_MANY)
        finally:
            refused.set()
            pouring.join()
        assert connection.ended(5)
    assert server.ready()


def test_a_refused_call_whose_body_keeps_dripping_is_cut_off(impatient: Server) -> None:
    with impatient.connection() as connection:
        connection.send(request("PUT", UPLOAD, "Content-Length: 100000"))
        assert connection.answer().refusal()[:2] == (401, 40100000)
        assert drip(connection) == b""


def test_bodies_beyond_the_room_for_all_are_sent_away_and_told_when_to_come_back(
    remote: World, server: Server
) -> None:
    body = json.dumps(remote.upload_body()).encode()
    large = body + b" " * (600_000 - len(body))
    with held_body(server, remote, large) as first, server.connection() as second:
        second.send(upload(remote, body=large))
        reply = second.answer()
        assert reply.refusal() == (503, 50000000, AWAY)
        assert int(reply.headers["retry-after"]) >= 1
        # Whoever was there first gets through; and then there is room again.
        first.send(large[-1:])
        assert first.answer().status == 200
        again = json.dumps(remote.upload_body()).encode()
        second.send(upload(remote, body=again + b" " * (600_000 - len(again))))
        assert second.answer().status == 200


@contextmanager
def held_body(server: Server, world: World, body: bytes) -> Iterator[Connection]:
    """A connection on which all of a body came but its last letter, and which the server holds."""
    for _ in range(50):
        with server.connection() as connection:
            connection.send(upload(world, body=body)[:-1])
            # Until there is no room for another; if that one was there first, this one was refused.
            for _ in range(20):
                probe = b"{" + b" " * (len(body) - 1)
                if world.call("PUT", "/devices/upload", content=probe).status_code == 503:
                    yield connection
                    return
    raise AssertionError("never held")


def test_many_large_bodies_at_once_are_all_answered(remote: World, server: Server) -> None:
    body = b" " * 300_000
    answers: list[int] = []

    def send() -> None:
        with server.connection() as connection:
            connection.send(upload(remote, body=body))
            answers.append(connection.answer().refusal()[1])

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 12
    assert set(answers) <= {40000000, 50000000}
    assert all_is_let_go_of(server)


# --- connections --------------------------------------------------------------------------------


def test_a_connection_is_kept_after_each_refusal(remote: World, server: Server) -> None:
    token = remote.token
    refusals: list[tuple[bytes, int]] = [
        (request("GET", "/nothing"), 404),
        (request("POST", UPLOAD, body=b"x" * 100), 405),
        (request("PUT", UPLOAD, body=b"x" * 500_000), 401),
        (request("PUT", UPLOAD, "Authorization: Bearer x", body=b"x" * 500_000), 401),
        (upload(remote, body=b"x" * 500_000), 400),
        (upload(remote, body=b"{}"), 400),
        (request("PUT", f"{UPLOAD}?x=1&x=1", f"Authorization: Bearer {token}", body=b"{}"), 400),
        (request("POST", "/ams/v1/oauth2/token", body=b"x=" + b"1" * 100_000), 400),
    ]
    with server.connection() as connection:
        for data, status in refusals:
            connection.send(data)
            assert connection.answer().status == status
            connection.send(request("GET", "/healthz"))
            assert connection.answer().content == b'{"status":"ok"}'


def test_requests_sent_one_after_another_without_waiting_are_answered_in_order(
    remote: World, server: Server
) -> None:
    with server.connection() as connection:
        connection.send(
            request("GET", "/healthz")
            + upload(remote)
            + request("GET", "/nothing", "Connection: close")
        )
        answers = b""
        while part := connection.socket.recv(65536):
            answers += part
    found = [answers.find(told) for told in (b'"ok"', b'"state":"Progress"', b"40400000")]
    assert -1 not in found, answers
    assert found == sorted(found)
    assert answers.count(b"HTTP/1.1 ") == 3


def test_who_asks_before_sending_is_answered_first(remote: World, server: Server) -> None:
    data = upload(remote, "Expect: 100-continue")
    head, _, body = data.partition(b"\r\n\r\n")
    with server.connection() as connection:
        connection.send(head + b"\r\n\r\n")
        assert connection.socket.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(body)
        assert connection.answer().status == 200
    with server.connection() as connection:
        connection.send(head.replace(b"Bearer ", b"Bearer x") + b"\r\n\r\n")
        assert connection.answer().status == 401


def test_no_connection_is_left_open_after_all_that(remote: World, server: Server) -> None:
    before = server.open_files()
    for data in (b"", b"GET / HT", b"\0\r\n\r\n", upload(remote)[:-5], request("GET", "/healthz")):
        some: list[Connection] = []
        for _ in range(20):
            some.append(server.connection())
            some[-1].send(data)
        for connection in some[::2]:
            connection.socket.close()
        for connection in some[1::2]:
            connection.socket.close()
    # Connections to the database come and go by themselves.
    most = before + server.settings.database_pool
    until(lambda: server.open_files() <= most, "the files to be closed")
    assert server.ready()


def test_readers_that_do_not_read_hold_up_nobody_and_are_sent_away(
    world: World, impatient: Server
) -> None:
    # More than the kernel takes in while nobody reads.
    world.uploaded(many(Kind.SN, 40_000), type="SN")
    remote = World(impatient.settings, impatient.http)  # type: ignore[arg-type]
    remote.token, remote.reseller_id = world.token, world.reseller_id
    remote.customer_id = world.customer_id
    path = f"{GEN2}/devices?resellerId={remote.reseller_id}&pageSize=1000000"
    sleepers: list[Connection] = []
    try:
        # Each takes its place with the first bytes of its answer; then comes one too many.
        while not sleepers or b" 200 " in sleepers[-1].socket.recv(13):
            sleepers.append(impatient.connection(receives=4096))
            sleepers[-1].send(request("GET", path, bearer(remote)))
            assert len(sleepers) <= impatient.settings.database_pool
        refusal = remote.devices(pageSize=1_000_000)
        assert_refused(refusal, 50000000, status=503)
        assert int(refusal.headers["retry-after"]) >= 1
        # What is small is served all the same.
        assert remote.devices(pageSize=100).status_code == 200
        assert remote.upload().status_code == 200
        until(lambda: remote.devices(pageSize=1_000_000).status_code == 200, "room again")
    finally:
        for sleeper in sleepers:
            sleeper.socket.close()
    assert len(remote.held()) == 40_000


# --- log and end --------------------------------------------------------------------------------


def test_each_request_is_one_line_of_json_with_its_error_id_and_no_secret(
    remote: World, server: Server
) -> None:
    answer = remote.upload(None, transactionId="T-logged", type="?")
    remote.new_token()
    error_id = answer.json()["errorId"]
    lines = until(
        lambda: [line for line in server.lines() if line.get("error_id") == error_id], "its line"
    )
    (line,) = lines
    assert line["event"] == "request"
    assert (line["status"], line["code"]) == (400, 40000000)
    assert (line["method"], line["path"]) == ("PUT", UPLOAD)
    assert line["transaction_id"] == "T-logged"
    assert line["client"] == remote.client_id
    said = server.said()
    for secret in (remote.token, remote.client_secret):
        assert secret not in said


def test_what_was_no_request_has_its_line_too(server: Server) -> None:
    with server.connection() as connection:
        connection.send(b"no HTTP\r\n\r\n")
        error_id = json.loads(connection.answer().content)["errorId"]
    (line,) = until(
        lambda: [line for line in server.lines() if line.get("error_id") == error_id], "its line"
    )
    assert (line["status"], line["code"]) == (400, 40000000)


def test_an_error_that_nobody_foresaw_is_logged_without_secrets(
    settings: Settings, world: World
) -> None:
    before = "from waybill.wire import gen2; gen2.parse_upload = lambda members: 1 / 0"
    for form in ("json", "console"):
        with Server(settings, before, log_format=form, log_level="info") as broken:
            body = json.dumps(world.upload_body(orderNo="private")).encode()
            headers = {"Authorization": f"Bearer {world.token}"}
            answer = broken.http.put(UPLOAD, content=body, headers=headers)
            assert answer.status_code == 500
            said = broken.said()
        assert answer.json()["errorId"] in said
        assert "ZeroDivisionError" in said
        for secret in (world.token, "private", settings.database_url):
            assert secret not in said


def test_a_request_in_hand_is_finished_before_the_end(settings: Settings, world: World) -> None:
    with Server(settings) as server:
        body = json.dumps(world.upload_body(transactionId="last")).encode()
        with server.connection() as connection:
            data = upload(world, body=body)
            connection.send(data[:-1])
            until(server.ready, "the rest to be waited for")
            os.kill(server.process.pid, signal.SIGTERM)
            until(lambda: refused_connection(server), "no more to be let in")
            connection.send(data[-1:])
            assert connection.answer().status == 200
        assert server.process.wait(10) in (0, -signal.SIGTERM)
    world.work()
    assert world.status(transactionId="last").json()["state"] == "Complete"


def refused_connection(server: Server) -> bool:
    """Whether nobody listens any more."""
    try:
        server.connection().socket.close()
    except ConnectionRefusedError:
        return True
    return False
