"""Wiring: the table of routes becomes an application, with what its calls share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException, InternalServerException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from waybill.api import edge, health
from waybill.api.edge import Answer, Headers, Incoming, Route, Services
from waybill.api.refusals import Refusals
from waybill.api.routes import ROUTES
from waybill.config import Settings
from waybill.db.connect import pool
from waybill.wire.codes import Code, Refused

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def build(settings: Settings) -> Litestar:
    """The application of one API process; `settings.database_url` names its database."""
    connections = pool(settings.database_url, settings.database_pool)
    services = Services(settings, connections, Refusals(connections, settings.refusals_per_minute))

    @asynccontextmanager
    async def running(_app: Litestar) -> AsyncIterator[None]:
        connections.open(wait=False)
        services.refusals.start()
        try:
            yield
        finally:
            services.threads.shutdown()
            services.refusals.stop()
            connections.close()

    by_path: dict[str, dict[str, Route]] = defaultdict(dict)
    for route in ROUTES:
        by_path[route.path][route.method] = route
    return Litestar(
        route_handlers=[_handler(path, routes, services) for path, routes in by_path.items()],
        lifespan=[running],
        exception_handlers={Exception: _unmatched(services, by_path)},
        openapi_config=None,
        logging_config=None,
        # The edge has a limit of its own, which follows the settings.
        request_max_body_size=None,
    )


def _handler(path: str, routes: dict[str, Route], services: Services) -> HTTPRouteHandler:
    async def respond(request: Request[Any, Any, Any]) -> Response[Any]:
        incoming = _incoming(services, request, routes.get(request.method))
        if request.method in routes:
            return _response(await edge.answer(services, incoming), services)
        refused = Refused(Code.METHOD_NOT_ALLOWED, headers=_allow(routes))
        return _response(edge.refuse(services, incoming, refused), services)

    return HTTPRouteHandler(path, http_method=_METHODS)(respond)  # type: ignore[arg-type]


def _allow(routes: dict[str, Route]) -> Headers:
    return (("Allow", ", ".join(sorted(routes))),)


def _unmatched(services: Services, by_path: dict[str, dict[str, Route]]) -> Any:
    """Answers what the framework itself refuses: a path or a method that it does not know."""

    def respond(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        status = error.status_code if isinstance(error, HTTPException) else 500
        code = _CODE_OF.get(status, Code.INTERNAL_SERVER_ERROR)
        refused = Refused(code, "path" if code is Code.RESOURCE_INVALID_PARAM else "")
        if code is Code.METHOD_NOT_ALLOWED:
            refused.headers = _allow(by_path.get(request.scope["path"].rstrip("/"), {}))
        return _response(edge.refuse(services, _incoming(services, request), refused), services)

    return respond


_CODE_OF = {
    400: Code.RESOURCE_INVALID_PARAM,
    404: Code.RESOURCE_NOT_FOUND,
    405: Code.METHOD_NOT_ALLOWED,
}


def _incoming(
    services: Services, request: Request[Any, Any, Any], route: Route | None = None
) -> Incoming:
    return Incoming(
        route=route or Route(request.method, request.scope["path"][:200], health.alive),
        path=request.scope["path"],
        headers=list(request.scope["headers"]),
        query_string=request.scope["query_string"].decode("latin-1"),
        parameters=request.path_params,
        peer=request.client.host if request.client else "",
        base_url=services.settings.public_url.rstrip("/") or _base_url(request),
        body=lambda: _body(request),
    )


def _base_url(request: Request[Any, Any, Any]) -> str:
    # Put together here: any `Host` is served, also one that is no host.
    return f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}"


async def _body(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    try:
        async for part in request.stream():
            yield part
    except InternalServerException:
        # The client went away in the middle of it.
        raise Refused(Code.RESOURCE_INVALID_PARAM, "body") from None


def _response(answer: Answer, services: Services) -> Response[Any]:
    headers = dict(answer.headers)
    if isinstance(answer.body, bytes):
        return Response(
            answer.body,
            status_code=answer.status,
            headers=headers,
            media_type=answer.media_type,
        )
    return Stream(
        services.parts(answer.body),
        status_code=answer.status,
        headers=headers,
        media_type=answer.media_type,
    )
