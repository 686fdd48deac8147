"""The address that is served: taken by the supervisor itself, so no restart of a child loses it."""

from __future__ import annotations

import errno
import ipaddress
import socket
import ssl
import time
from contextlib import suppress
from typing import Self

from waybill.db.data_dir import CannotStart

_BACKLOG = 2048
_NEXT_PORTS = 20
_PROBE_S = 0.2


def listen(
    host: str, port: int, *, next_port: bool = False, patience_s: float = 0
) -> socket.socket:
    """Binds and listens.

    Args:
        host: a name or an address, IPv6 too.
        port: 0 takes a free one.
        next_port: of a taken port take the next that is free, up to 20 on.
        patience_s: how long a taken port may become free.

    Raises:
        CannotStart: the port is taken, or the address is not ours to take.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as problem:
        raise CannotStart(f"No address is known for --host {host}: {problem}.") from problem
    last = min(port + _NEXT_PORTS, 65535) if next_port and port else port
    deadline = time.monotonic() + patience_s
    while True:
        for candidate in range(port, last + 1):
            if found := _listen(family, (where[0], candidate, *where[2:]), host):
                return found
        if time.monotonic() >= deadline:
            break
        time.sleep(0.05)
    taken = f"Port {port}" if last == port else f"Each port from {port} to {last}"
    raise CannotStart(f"{taken} of {host} is taken: choose another with --port (0: any free one).")


def _listen(family: int, where: tuple[str | int, ...], host: str) -> socket.socket | None:
    """None when the port is taken: two listeners never share one (no SO_REUSEPORT)."""
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A port whose last connections are still dying out is free.
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(where)
        found.listen(_BACKLOG)
    except OSError as problem:
        found.close()
        if problem.errno == errno.EADDRINUSE:
            return None
        if problem.errno in (errno.EACCES, errno.EPERM):
            raise CannotStart(
                f"Not allowed to listen on port {where[1]}: choose one from 1024 with --port."
            ) from problem
        raise CannotStart(f"Cannot listen on --host {host}: {problem.strerror}.") from problem
    return found


def base_url(listener: socket.socket, *, tls: bool) -> str:
    """The URL by which this machine reaches it."""
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host.partition("%")[0])
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    shown = f"[{host}]" if address.version == 6 else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine can reach it."""
    host = listener.getsockname()[0]
    return ipaddress.ip_address(host.partition("%")[0]).is_loopback


class Probe:
    """Asks our own API whether it is ready, and waits in its queue until it takes requests."""

    def __init__(self, listener: socket.socket, *, tls: bool) -> None:
        host, port = base_url(listener, tls=False).removeprefix("http://").rsplit(":", 1)
        self._where = host.strip("[]"), int(port)
        self._tls = tls
        self._connection: socket.socket | None = None

    def __enter__(self) -> Self:
        """Nothing to open yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the queue."""
        self._close()

    def succeeds(self) -> bool:
        """Whether it has said yes; waits a moment for it."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            answer = self._connection.recv(64)
        except TimeoutError:
            return False
        except OSError:
            answer = b""
        self._close()
        return answer.split(b" ")[1:2] == [b"200"]

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(self._where, _PROBE_S)
        try:
            if self._tls:
                connection = _to_ourselves(connection)
            connection.sendall(
                b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
        except OSError:
            connection.close()
            raise
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None


def _to_ourselves(raw: socket.socket) -> ssl.SSLSocket:
    """TLS to our own child: whose certificate it shows does not matter."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(raw)
