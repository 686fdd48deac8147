"""The OpenAPI document of the calls, made from the table of routes and from `wire/`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from inspect import getdoc

import msgspec

from waybill.api.caller import EMPTY_JWT, INVALID_API_KEY, INVALID_JWT, INVALID_TOKEN
from waybill.api.curl import curl, shown_path
from waybill.api.edge import Answer, Call, Route, json
from waybill.api.schemas import Node, reference, schema_of, schemas, without_null
from waybill.wire import calls
from waybill.wire.calls import Described
from waybill.wire.codes import Code, ErrorObject, error_object
from waybill.wire.oauth import Problem
from waybill.wire.scopes import MEANING
from waybill.wire.sources import Source

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_ERROR_ID = "7D0F9A3C5B1E48F2A6C4E8B0D2F41357"

_ABOUT = """\
Waybill speaks the reseller API of the Knox Deployment Program, its second generation. There is no
official OpenAPI document of it; this one is made from the code that serves the calls, and from
what is publicly known. Waybill is not Samsung's, nor endorsed by Samsung.

**Sources.** `x-source` says where we know a thing from: `documented` (Samsung's public pages),
`sample` (shown in a sample on these pages), `observed` (real clients send it or rely on it),
`sister-api` (documented for another Knox API), `ours` (our choice where the pages are silent or
contradict each other). The page at `/docs` marks what is not `documented`. Where a text says
*Samsung:*, an oddity is kept on purpose.

**Requests.** Bodies are JSON whatever the `Content-Type` says. `null`, and an empty string, count
as absent. Members, query parameters and headers that no call knows are ignored. A query parameter
given twice, a member given twice, and text that is not Unicode are refused.

**Refusals.** A refused request changes nothing and does not use up its `transactionId`. Its
`errorId` is found in the activity log. Of several defects the first decides, in this order: path
and method, credential, scope, a query parameter twice, size of the body, JSON, presence and types
of all members, `resellerId`, `customerId`, `vendorId`, `transactionId`, `removeTransactionId`,
number of devices, `devices` beside `removeTransactionId`, form of `orderNo`, `orderTime` and
aliases.

**Any call** can also meet 404 (40400000) for a path that does not exist, 405 (40500000) with
`Allow` for a method that the path does not know, and 500 or 503 (50000000), the latter with
`Retry-After` while the database is away or the server has too much to do.
"""
_TAGS = {
    "Sign in": "OAuth 2.0 client credentials: the current scheme.",
    "Devices": "Upload and delete are asynchronous: the status tells what became of each device.",
    "Customers": "Whom the reseller serves, and the profiles that they share with it.",
    "Clients": "How a reseller's software signs in.",
    "Health": "For load balancers and supervisors. No part of KDP.",
}


class TokenRefused(msgspec.Struct):
    """A bearer token that is unknown, expired or revoked. Samsung: this shape has no `errorId`."""

    error: str


class KnoxRefused(msgspec.Struct):
    """A refused credential of the older schemes. Samsung: this shape has no `errorId`."""

    code: int
    message: str
    data: str


def of(routes: Sequence[Route]) -> Callable[[Call], Answer]:
    """Makes the handler of `GET /openapi.json`: these routes, at the address that was asked."""

    @lru_cache(maxsize=16)
    def made(base_url: str) -> Answer:
        return json(document(routes, base_url))

    return lambda call: made(call.incoming.base_url)


def document(routes: Sequence[Route], base_url: str) -> Node:
    """The OpenAPI 3.1 document of the routes that clients are told of."""
    shown = [(route, route.told) for route in routes if route.told is not None]
    paths: dict[str, Node] = {}
    for route, told_of in shown:
        operation = _operation(route, told_of, base_url)
        paths.setdefault(shown_path(route), {})[route.method.lower()] = operation
    components = schemas(_bodies(shown))
    failing = {code.code for _, told_of in shown for code in told_of.device_codes}
    components["FailedDevice"]["properties"]["code"]["enum"] = sorted(failing)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Waybill: the KDP reseller API",
            "summary": "Devices, customers and profiles of the Knox Deployment Program.",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "version": version("waybill"),
        },
        "servers": [{"url": base_url, "description": "This server."}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": _security_schemes(base_url),
        },
    }


def _bodies(shown: Iterable[tuple[Route, Described]]) -> Iterator[type[msgspec.Struct]]:
    """All that a body can hold; what comes in a query or in headers is told member by member."""
    for route, told_of in shown:
        yield from told_of.answers
        if route.body is not None and told_of.takes is not None:
            yield told_of.takes
    yield from (ErrorObject, Problem, TokenRefused, KnoxRefused)


def _operation(route: Route, told_of: Described, base_url: str) -> Node:
    summary, description = _words(route.handler)
    operation: Node = {
        "operationId": told_of.id,
        "tags": [told_of.tag],
        "summary": summary,
        "description": description,
        "x-source": told_of.source.value,
        "parameters": _parameters(route, told_of),
        "responses": _responses(route, told_of),
        "security": _security(route),
        "x-codeSamples": [
            {"lang": "Shell", "label": name, "source": curl(route, base_url, asked)}
            for name, asked in (told_of.asks or {"": {}}).items()
        ],
    }
    if route.body is not None and told_of.takes is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {
                JSON if route.body == "json" else FORM: {
                    "schema": reference(told_of.takes),
                    "examples": {n: {"value": value} for n, value in told_of.asks.items()},
                }
            },
        }
    if told_of.device_codes:
        operation["x-device-codes"] = [_coded(code) for code in told_of.device_codes]
        operation["description"] += (
            "\n\nA device of an accepted request can fail with these codes, which the status shows:"
            f"\n\n{_listed(told_of.device_codes)}"
        )
    return {name: value for name, value in operation.items() if value != []}


def _words(handler: Callable[..., object]) -> tuple[str, str]:
    """Summary and description of a call: its handler's docstring, after the method and path."""
    first, _, rest = (getdoc(handler) or "").partition("\n\n")
    said = first.partition(": ")[2]
    summary = said[:1].upper() + said[1:]
    return summary, rest or summary


def _parameters(route: Route, told_of: Described) -> list[Node]:
    named = [_IN_PATH[name] for name in re.findall(r"{(\w+)}", shown_path(route))]
    if told_of.takes is None or route.body is not None:
        return named
    schema = schema_of(told_of.takes)
    where = "header" if told_of.in_headers else "query"
    example = next(iter(told_of.asks.values()), {})
    return [
        {
            "name": name,
            "in": where,
            "description": member.pop("description", ""),
            "required": name in schema["required"],
            "x-source": member.pop("x-source"),
            # In a query there is no null; an empty value counts as absent.
            "schema": without_null(member),
            **({"example": example[name]} if name in example else {}),
        }
        for name, member in schema["properties"].items()
    ]


_IN_PATH: dict[str, Node] = {
    "clientId": {
        "name": "clientId",
        "in": "path",
        "description": "The client.",
        "required": True,
        "x-source": Source.DOCUMENTED.value,
        "schema": {"type": "string", "minLength": 1, "maxLength": 64},
        "example": "9f1c1f5be3f74c4d8f7f0d3f5a2b6c7d",
    }
}


# --- answers ------------------------------------------------------------------------------------


def _responses(route: Route, told_of: Described) -> Node:
    responses = {str(told_of.status): _success(told_of)}
    by_status: dict[str, list[Code]] = {}
    for code in told_of.codes:
        by_status.setdefault(str(code.status), []).append(code)
    if Code.INTERNAL_SERVER_ERROR in told_of.refusals:
        by_status["503"] = [Code.INTERNAL_SERVER_ERROR]
    for status in sorted({*by_status, *_others(route)}):
        responses[status] = _refusal(status, route, told_of, by_status.get(status, []))
    return responses


def _success(told_of: Described) -> Node:
    if not told_of.answers:
        return {"description": "Done. The body is empty."}
    kinds = [reference(each) for each in told_of.answers]
    examples = {
        name: {"value": msgspec.to_builtins(each)} for name, each in told_of.replies.items()
    }
    content: Node = {"schema": kinds[0] if len(kinds) == 1 else {"oneOf": kinds}}
    if examples:
        content["examples"] = examples
    named = " ".join((each.__doc__ or "").partition("\n")[0] for each in told_of.answers)
    return {"description": named, "content": {JSON: content}}


def _refusal(status: str, route: Route, told_of: Described, codes: Sequence[Code]) -> Node:
    schemas: list[Node] = []
    examples: Node = {}
    if codes:
        numbers = {"type": "object", "properties": {"code": {"enum": [c.code for c in codes]}}}
        schemas.append({"allOf": [reference(ErrorObject), numbers]})
    for code in codes:
        refused = error_object(code, _ERROR_ID, told_of.refusals[code])
        examples[f"{code.code} {code.message}"] = {
            "summary": _when(code, status, route),
            "value": msgspec.to_builtins(refused),
        }
    for name, (kind, when, body) in _others(route).get(status, {}).items():
        if reference(kind) not in schemas:
            schemas.append(reference(kind))
        examples[name] = {"summary": when, "value": body}
    said = [f"- {name}: {each['summary']}" for name, each in examples.items()]
    response: Node = {
        "description": "\n".join(said),
        "content": {
            JSON: {
                "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas},
                "examples": examples,
            }
        },
        "x-codes": [_coded(code) for code in codes],
    }
    if headers := _headers(status):
        response["headers"] = headers
    return response


def _when(code: Code, status: str, route: Route) -> str:
    """When a code is given, as far as it concerns this call."""
    match code, status:
        case Code.RESOURCE_DUPLICATE_PARAM, _ if route.scope is None:
            return "A query parameter twice."
        case Code.RESOURCE_DUPLICATE_PARAM, _ if route.told is not calls.DELETE:
            return "Two credentials, or a query parameter twice."
        case Code.INTERNAL_SERVER_ERROR, "500":
            return "Anything unforeseen."
        case Code.INTERNAL_SERVER_ERROR, _:
            return "The database is away, or the server has too much to do: come back soon."
        case _:
            return code.when


def _headers(status: str) -> Node:
    text = {"type": "string"}
    if status == "401":
        challenge = {"description": "What to authenticate with.", "schema": text}
        return {"WWW-Authenticate": challenge}
    if status in {"429", "503"}:
        wait = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
        return {"Retry-After": wait}
    return {}


_Other = tuple[type[msgspec.Struct], str, Mapping[str, object]]


def _others(route: Route) -> Mapping[str, Mapping[str, _Other]]:
    """Refusals that are no error object, by status and name."""
    if route.body == "form":
        bad = Problem(error="invalid_request", error_description="grant_type is missing")
        return {
            "400": {
                "invalid_request": (
                    Problem,
                    "The form is not in order, or asks for more than there is.",
                    msgspec.to_builtins(bad),
                )
            },
            "401": {
                "invalid_client": (
                    Problem,
                    "The client's ID or its secret is wrong, or its reseller is blocked or closed.",
                    msgspec.to_builtins(Problem(error="invalid_client")),
                )
            },
        }
    return _OF_CREDENTIALS if route.scope is not None else {}


_OF_CREDENTIALS: Mapping[str, Mapping[str, _Other]] = {
    "400": {
        "4000000 RESOURCE_INVALID_PARAM": (
            KnoxRefused,
            "`x-knox-apitoken` is there and empty.",
            EMPTY_JWT.body,
        )
    },
    "401": {
        "Invalid authentication token": (
            TokenRefused,
            "The bearer token is unknown, expired or revoked.",
            INVALID_TOKEN.body,
        ),
        "4012250 ACCESS_TOKEN_BAD_REQUEST": (
            KnoxRefused,
            "`x-knox-apitoken` holds no usable token.",
            INVALID_JWT.body,
        ),
        "4010000 AUTHORIZATION_FAIL": (
            KnoxRefused,
            "The only credential is `X-WSM-API-TOKEN`, which these calls do not take.",
            INVALID_API_KEY.body,
        ),
    },
}


def _coded(code: Code) -> Node:
    return {
        "code": code.code,
        "message": code.message,
        "data": code.data,
        "when": code.when,
        "x-source": Source.OURS if code.source == "ours" else Source.DOCUMENTED,
    }


def _listed(codes: Iterable[Code]) -> str:
    return "\n".join(f"- {code.code} {code.message}: {code.when}" for code in codes)


# --- signing in ---------------------------------------------------------------------------------


def _security(route: Route) -> list[Node]:
    if route.scope is not None:
        return [{"oauth2": [route.scope.value]}]
    return [{}, {"client": []}] if route.body == "form" else [{}]


def _security_schemes(base_url: str) -> Node:
    flow = {
        "tokenUrl": f"{base_url}/ams/v1/oauth2/token",
        "scopes": {scope.value: meaning for scope, meaning in MEANING.items()},
    }
    return {
        "oauth2": {
            "type": "oauth2",
            "description": "The current scheme: a token of the token call, as a bearer token."
            " Exactly one credential in a call.",
            "flows": {"clientCredentials": flow},
            "x-source": Source.DOCUMENTED.value,
        },
        "knox": {
            "type": "apiKey",
            "in": "header",
            "name": "x-knox-apitoken",
            "description": "The older scheme: a signed token. Not served yet: every value is"
            " answered with 401.",
            "x-source": Source.DOCUMENTED.value,
        },
        "client": {
            "type": "http",
            "scheme": "basic",
            "description": "The client's ID and secret, each form-encoded, in place of the form.",
            "x-source": Source.DOCUMENTED.value,
        },
    }
