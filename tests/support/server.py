"""A real API process, and conversations with it byte by byte."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx

from support.processes import PATIENCE_S, until
from waybill.config import Settings

_RUN = """
import sys
from waybill.api import edge, server
{before}
from waybill.api.__main__ import main
main()
"""


class Server:
    """`python -m waybill.api` on a free port, as the supervisor starts it.

    Args:
        settings: its settings; `changed` are those that differ.
        before: Python to run before it serves, to shorten what is no setting.
    """

    def __init__(self, settings: Settings, before: str = "", **changed: object) -> None:
        self.settings = Settings.model_validate(settings.model_dump() | changed)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by __exit__
        command = ["-c", _RUN.format(before=before)] if before else ["-m", "waybill.api"]
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            pass_fds=[self._listening.fileno()],
            env={name: value for name, value in os.environ.items() if "WAYBILL" not in name}
            | self.settings.environment()
            | {"WAYBILL_LISTEN_FD": str(self._listening.fileno())},
        )
        self._listening.close()
        self.http = httpx.Client(base_url=self.url, timeout=PATIENCE_S)

    def __enter__(self) -> Server:
        until(lambda: self.process.poll() is not None or self.ready(), "the server to be ready")
        assert self.process.poll() is None, self.said()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self._errors.close()

    def ready(self) -> bool:
        """Whether it serves, its database included."""
        with suppress(httpx.TransportError):
            return self.http.get("/readyz").status_code == 200
        return False

    def said(self) -> str:
        """All that it logged so far."""
        self._errors.flush()
        return os.pread(self._errors.fileno(), 1 << 24, 0).decode()

    def lines(self) -> list[dict[str, Any]]:
        """Its log lines so far; each must be JSON."""
        return [json.loads(line) for line in self.said().splitlines()]

    def open_files(self) -> int:
        """How many files and connections it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def connection(self, receives: int | None = None) -> Connection:
        """A connection of one's own; `receives` is how many bytes it takes without reading."""
        return Connection(self.port, receives)


class Connection:
    """One connection, on which a test sends what it wants."""

    def __init__(self, port: int, receives: int | None = None) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE_S)
        if receives is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self.socket.sendall(data)

    def answer(self, method: str = "GET") -> Reply:
        """The next answer."""
        response = HTTPResponse(self.socket, method=method)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, response.read())

    def ended(self, within_s: float = PATIENCE_S) -> bool:
        """Whether the server ends the connection within this time."""
        self.socket.settimeout(within_s)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True


class Reply:
    """An answer as it came off the wire."""

    def __init__(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.status = status
        self.headers = headers
        self.content = content

    def refusal(self) -> tuple[int, int, str]:
        """Status, code and data of an error object, which must be one in full."""
        assert self.headers["content-type"] == "application/json"
        told = json.loads(self.content)
        assert list(told) == ["errorId", "code", "message", "data"], told
        assert re.fullmatch("[0-9A-F]{32}", told["errorId"])
        return self.status, told["code"], told["data"]


def request(method: str, path: str, *headers: str, body: bytes = b"", length: bool = True) -> bytes:
    """The bytes of a request."""
    head = [f"{method} {path} HTTP/1.1", *headers]
    if not any(each.lower().startswith("host:") for each in headers):
        head.append("Host: localhost")
    if body and length:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body
