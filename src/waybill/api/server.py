"""The HTTP server: uvicorn, with limits on what may come before there is a request at all."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from typing import Any

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from waybill import clock
from waybill.config import Settings
from waybill.log import logger
from waybill.wire.codes import Code, error_object

_HEADERS_MAX = 64 * 1024
_HEADERS_S = 15.0
# How long the rest of a body may take whose request was answered already.
_REST_S = 30.0
# How long an answer may lie about unread.
_UNREAD_S = 30.0
_LOG = logger("api")


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which reads without an end, and without a clock waits for its clients.

    What is no HTTP (Content-Length together with chunked, two lengths, a bad line) is refused by
    its parser; here the answer becomes an error object.
    """

    _header_bytes = 0
    # Bytes of headers that are not whole yet, which the parser keeps to itself; None: of a body.
    _pending_bytes: int | None = 0
    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _whole = True

    def connection_made(self, transport: Any) -> None:
        """Gives the first request its time."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(_HEADERS_S, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clocks."""
        self._in_time()
        super().connection_lost(exc)
        self._read()

    def data_received(self, data: bytes) -> None:
        """Counts what came and is not yet a request."""
        if self._pending_bytes is not None:
            self._pending_bytes += len(data)
        super().data_received(data)
        pending = self._pending_bytes or 0
        if pending > _HEADERS_MAX and not self.transport.is_closing():
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Counts the headers of each request anew."""
        super().on_message_begin()
        self._header_bytes = self._pending_bytes = 0
        self._whole = False
        if self._deadline is None:
            self._deadline = self.loop.call_later(_HEADERS_S, self._too_slow)

    def on_url(self, url: bytes) -> None:
        """Counts the path and the query."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Counts a header."""
        self._count(name, value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stops the clock; the body has its own."""
        self._in_time()
        self._pending_bytes = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stops the clock of a body that nobody wanted any more."""
        self._whole = True
        self._in_time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Gives the rest of a body its time when the request was answered before it was whole."""
        super().on_response_complete()
        if self.cycle.response_complete and not self._whole and self._deadline is None:
            self._deadline = self.loop.call_later(_REST_S, self.transport.close)

    def pause_writing(self) -> None:
        """Gives the client time to read."""
        super().pause_writing()
        self._unread = self.loop.call_later(_UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Stops that clock."""
        super().resume_writing()
        self._read()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP with an error object."""
        del msg
        error_id = clock.error_id()
        code = Code.RESOURCE_INVALID_PARAM
        _LOG.info("request", method="-", path="-", status=400, error_id=error_id, code=code.code)
        body = msgspec.json.encode(error_object(code, error_id, "headers"))
        head = (
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        self.transport.write(head + body)
        self.transport.close()

    def _count(self, *parts: bytes) -> None:
        self._header_bytes += sum(map(len, parts))
        if self._header_bytes > _HEADERS_MAX:
            # The parser turns it into its own error, and that into the answer above.
            raise ValueError("headers too large")

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _too_slow(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.send_400_response("")


def serve(app: Any, settings: Settings, listening: socket.socket | None = None) -> None:
    """Serves until SIGTERM or SIGINT, then lets requests in hand finish.

    Args:
        listening: a socket that listens already, kept open by the supervisor so that a restart of
            this process refuses nobody; None binds `settings.host` and `settings.port`.
    """
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=Protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=15,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    # It warns of what is no HTTP, which has its line already.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    server = uvicorn.Server(config)
    server.run(sockets=[listening] if listening else None)


def inherited() -> socket.socket | None:
    """The listening socket that the supervisor left us, if any."""
    number = os.environ.get("WAYBILL_LISTEN_FD")
    return socket.socket(fileno=int(number)) if number else None
