"""The address that is served: taken by the supervisor itself, so no restart of a child loses it."""

from __future__ import annotations

import errno
import ipaddress
import socket
import time

from waybill.db.data_dir import CannotStart

_BACKLOG = 2048
_NEXT_PORTS = 20


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
