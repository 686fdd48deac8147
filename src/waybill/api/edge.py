"""What every call passes through, in the order in which defects count (contract §2).

Path and method were matched already. Then: credential, scope, a query parameter twice, the size of
the body, JSON; what follows is the handler's. Whatever goes wrong becomes an answer here, with its
log line, and never with a stack trace, a path or SQL in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
import psycopg
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from waybill import clock
from waybill.activity.store import Refusal
from waybill.api import strict
from waybill.api.caller import Callers, Shape, Unauthenticated, bearer_of, refuse_standing
from waybill.api.guesses import Guesses
from waybill.api.refusals import Refusals
from waybill.auth.rules import Caller
from waybill.config import Settings
from waybill.db.tx import Tx
from waybill.log import logger
from waybill.wire.calls import Described
from waybill.wire.codes import Code, Refused, error_object
from waybill.wire.oauth import OAuthRefused
from waybill.wire.scopes import Scope

T = TypeVar("T")
Headers = tuple[tuple[str, str], ...]

# More calls waiting for a thread than this, and the next one is told to come back.
_WAITING_MAX = 256
# What is read and dropped of a body that is too large, so that its sender hears why.
_DROPPED_MAX = 64 * 1024 * 1024
# Bodies larger than this are read two at a time: what a parser makes of them is many times as big.
_LARGE = 1024 * 1024
# The most that a body without devices may have.
_SMALL = 64 * 1024
_RETRY_AFTER = (("Retry-After", "1"),)
_LOG = logger("api")


@dataclass
class Answer:
    """What goes back: a body that is there, or one that is made while it is sent."""

    body: bytes | Generator[bytes]
    status: int = 200
    headers: Headers = ()
    media_type: str = "application/json"


@dataclass(frozen=True)
class Route:
    """One call: a row of the table in `routes.py`.

    Args:
        scope: what the caller's token must allow; None: no token is asked for.
        body: `json`, `form`, or none.
        probe: asked by machines, again and again.
        told: what clients are told of it; None: not part of the API.
    """

    method: str
    path: str
    handler: Callable[[Call], Answer]
    scope: Scope | None = None
    body: str | None = None
    probe: bool = False
    told: Described | None = None


@dataclass
class Services:
    """What calls share in one process."""

    settings: Settings
    pool: ConnectionPool[Tx]
    refusals: Refusals
    callers: Callers = field(default_factory=Callers)
    guesses: Guesses = field(default_factory=Guesses)

    def __post_init__(self) -> None:
        size = self.settings.database_pool
        self.threads = ThreadPoolExecutor(size, thread_name_prefix="call")
        # Each answer that is made while it is sent keeps a connection: some are left for others.
        self.streams = BoundedSemaphore(max(1, size // 2))
        self.large = asyncio.Semaphore(2)
        self.bodies_in_flight = 0
        self.waiting = 0

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Keeps one of the few places for an answer that is made while it is sent.

        Raises:
            Refused: 50000000 with 503 when all of them are taken.
        """
        if not self.streams.acquire(blocking=False):
            raise overloaded()
        try:
            yield
        finally:
            self.streams.release()

    async def parts(self, body: Generator[bytes]) -> AsyncIterator[bytes]:
        """An answer that is made while it is sent, part by part outside of the event loop."""
        # A client that goes away does so while a part is being made: close only after that.
        making = Lock()

        def part() -> bytes | None:
            with making:
                return next(body, None)

        def close() -> None:
            with making:
                body.close()

        try:
            loop = asyncio.get_running_loop()
            while (made := await loop.run_in_executor(self.threads, part)) is not None:
                yield made
        finally:
            self.threads.submit(close)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Runs what may wait for the database outside of the event loop.

        Raises:
            Refused: 50000000 with 503 when too many calls wait already.
        """
        if self.waiting >= _WAITING_MAX:
            raise overloaded()
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, work)
        finally:
            self.waiting -= 1


@dataclass
class Incoming:
    """A request as it comes off the wire."""

    route: Route
    path: str
    headers: list[tuple[bytes, bytes]]
    query_string: str
    parameters: dict[str, str]
    peer: str
    base_url: str
    body: Callable[[], AsyncIterator[bytes]]

    def header(self, name: bytes) -> str | None:
        """The first header of this (lower-case) name."""
        for each, value in self.headers:
            if each.lower() == name:
                return value.decode("latin-1").strip()
        return None


@dataclass
class Call:
    """A request whose envelope is in order, as a handler sees it."""

    services: Services
    incoming: Incoming
    caller: Caller | None = None
    query: dict[str, str] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)
    form: list[tuple[str, str]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The installation's settings."""
        return self.services.settings

    @property
    def acting(self) -> Caller:
        """The caller of a route that asks for a token."""
        assert self.caller is not None  # noqa: S101 - the route has a scope
        return self.caller

    def tx(self) -> AbstractContextManager[Tx]:
        """A database transaction: committed at the end of the block, unless that raises."""
        return self.services.pool.connection()


def json(body: object, status: int = 200) -> Answer:
    """An answer whose body is there as an object."""
    return Answer(msgspec.json.encode(body), status)


def overloaded() -> Refused:
    """The refusal of a server that cannot serve now and hopes to soon."""
    return Refused(Code.INTERNAL_SERVER_ERROR, status=503, headers=_RETRY_AFTER)


async def answer(services: Services, incoming: Incoming) -> Answer:
    """Answers one call, whatever happens, and writes its line to the log."""
    began = time.perf_counter()
    call = Call(services, incoming)
    try:
        reply = await _handle(call)
        _line(call, reply.status, began)
    except Exception as error:
        reply = _failed(call, error, began)
    return reply


def refuse(services: Services, incoming: Incoming, refused: Refused) -> Answer:
    """Answers what no handler is there for: an unknown path, another method."""
    return _failed(Call(services, incoming), refused, time.perf_counter())


def _failed(call: Call, error: Exception, began: float) -> Answer:
    if isinstance(error, Unauthenticated | OAuthRefused):
        reply = _shaped(error.shape) if isinstance(error, Unauthenticated) else _oauth(error)
        _line(call, reply.status, began)
        return reply
    error_id = clock.error_id()
    refused = error if isinstance(error, Refused) else _unforeseen(error, error_id)
    reply = refusal_answer(refused, error_id)
    if refused is error:
        _keep(call, refused, error_id)
    _line(call, reply.status, began, error_id=error_id, code=refused.code.code)
    return reply


def _line(call: Call, status: int, began: float, **failure: object) -> None:
    known = {
        "client": call.caller and call.caller.client,
        "transaction_id": storable(call.members.get("transactionId")),
    }
    # Probes come every second and say nothing while they succeed.
    write = _LOG.debug if call.incoming.route.probe and status == 200 else _LOG.info
    write(
        "request",
        method=call.incoming.route.method,
        path=call.incoming.route.path,
        status=status,
        ms=round((time.perf_counter() - began) * 1000, 1),
        **{name: value for name, value in known.items() if value is not None},
        **failure,
    )


async def _handle(call: Call) -> Answer:
    route, services = call.incoming.route, call.services
    if route.scope is not None:
        call.caller = await _caller(services, call.incoming)
        refuse_standing(call.caller)
        if route.scope not in call.caller.scopes:
            raise Refused(Code.AUTHORIZATION_FAIL)
    call.query = _query(call.incoming.query_string)
    if route.body is None:
        return await services.in_thread(lambda: route.handler(call))
    held = 0
    try:
        body = bytearray()
        async for part in _body(call):
            held += len(part)
            services.bodies_in_flight += len(part)
            body += part
        async with services.large if held > _LARGE else nullcontext():
            return await services.in_thread(lambda: _with_body(call, bytes(body)))
    finally:
        services.bodies_in_flight -= held


def _with_body(call: Call, body: bytes) -> Answer:
    if call.incoming.route.body == "json":
        call.members = strict.decode(body)
    else:
        call.form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return call.incoming.route.handler(call)


async def _caller(services: Services, incoming: Incoming) -> Caller:
    token = bearer_of(incoming.headers)

    def look_up() -> Caller:
        with services.pool.connection() as tx:
            return services.callers.look_up(tx, token)

    return services.callers.remembered(token) or await services.in_thread(look_up)


def _query(query_string: str) -> dict[str, str]:
    pairs = parse_qsl(query_string, keep_blank_values=True)
    query: dict[str, str] = {}
    for name, value in pairs:
        if name in query:
            raise Refused(Code.RESOURCE_DUPLICATE_PARAM, name)
        query[name] = value
    return query


async def _body(call: Call) -> AsyncIterator[bytes]:
    services, incoming = call.services, call.incoming
    told = incoming.route.told
    of_devices = told is not None and Code.DEVICE_COUNT_EXCEEDED in told.refusals
    most = services.settings.body_max if of_devices else _SMALL
    refused: Refused | None = None
    read = 0
    try:
        async with asyncio.timeout(services.settings.request_time_s):
            async for part in incoming.body():
                read += len(part)
                if read > most:
                    refused = refused or _too_large(of_devices)
                elif services.bodies_in_flight + len(part) > services.settings.bodies_in_flight_max:
                    refused = refused or overloaded()
                if refused is None:
                    yield part
                elif read > _DROPPED_MAX:
                    refused.headers += _CLOSE
                    break
    except TimeoutError:
        raise Refused(Code.RESOURCE_INVALID_PARAM, "body", headers=_CLOSE) from None
    if refused is not None:
        raise refused


_CLOSE = (("Connection", "close"),)


def _too_large(of_devices: bool) -> Refused:
    if of_devices:
        return Refused(Code.DEVICE_COUNT_EXCEEDED)
    return Refused(Code.RESOURCE_INVALID_PARAM, "body")


def refusal_answer(refused: Refused, error_id: str) -> Answer:
    """The error object of a refusal, with its status and headers."""
    body = msgspec.json.encode(error_object(refused.code, error_id, refused.parameter))
    return Answer(body, refused.status or refused.code.status, refused.headers)


def _shaped(shape: Shape) -> Answer:
    return Answer(msgspec.json.encode(shape.body), shape.status, shape.headers)


def _oauth(refused: OAuthRefused) -> Answer:
    challenge = (("WWW-Authenticate", 'Basic realm="waybill"'),) if refused.status == 401 else ()
    headers = (("Cache-Control", "no-store"), ("Pragma", "no-cache"), *challenge)
    return Answer(msgspec.json.encode(refused.body()), refused.status, headers)


def _unforeseen(error: Exception, error_id: str) -> Refused:
    if isinstance(error, _AWAY):
        _LOG.warning("database away", error_id=error_id, error=type(error).__name__)
        return overloaded()
    _LOG.error("unforeseen", error_id=error_id, exc_info=error)
    return Refused(Code.INTERNAL_SERVER_ERROR)


_AWAY = (psycopg.OperationalError, PoolTimeout, PoolClosed, TooManyRequests)


def _keep(call: Call, refused: Refused, error_id: str) -> None:
    # Only what a known reseller was refused; the rest is in the log alone.
    if call.caller is None or call.caller.reseller is None:
        return
    named = call.members.get("transactionId") or call.query.get("transactionId")
    call.services.refusals.add(
        Refusal(
            reseller=call.caller.reseller,
            at=clock.now(),
            call=f"{call.incoming.route.method} {call.incoming.path}",
            by=call.caller.client,
            error_id=error_id,
            code=refused.code.code,
            # A parameter's name is the client's to choose.
            data=storable(refused.code.text(refused.parameter), 500) or "",
            transaction_id=storable(named),
        )
    )


def storable(sent: object, length_max: int = 64) -> str | None:
    """What a client sent, short enough to keep and without what PostgreSQL refuses."""
    if not isinstance(sent, str) or not sent:
        return None
    return sent.replace("\0", "\N{REPLACEMENT CHARACTER}")[:length_max]
