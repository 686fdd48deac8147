"""The OpenAPI document as a page that people read: one file, which needs no network.

It works without JavaScript; with it, calls can be filtered, copied and tried.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path

from waybill.api.docs.codes import all_codes, codes
from waybill.api.docs.examples import VALUES, attempt, replies, samples
from waybill.api.docs.html import Html, el, join, prose
from waybill.api.docs.members import answered, asked
from waybill.api.edge import Answer, Call, Route
from waybill.api.openapi import document
from waybill.api.schemas import Node

_FOLDER = Path(__file__).parent


def of(routes: Sequence[Route]) -> Callable[[Call], Answer]:
    """Makes the handler of `GET /docs`: these routes, with the address that was asked."""

    @lru_cache(maxsize=16)
    def made(base_url: str) -> Answer:
        body = page(document(routes, base_url)).encode()
        return Answer(body, headers=_headers(), media_type="text/html")

    return lambda call: made(call.incoming.base_url)


@cache
def _headers() -> tuple[tuple[str, str], ...]:
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        f" connect-src 'self'; img-src data:; style-src {_hash('page.css')};"
        f" script-src {_hash('page.js')}"
    )
    return (("Content-Security-Policy", policy), ("X-Content-Type-Options", "nosniff"))


@cache
def _static(name: str) -> Html:
    return Html((_FOLDER / name).read_text("utf-8"))


def _hash(name: str) -> str:
    digest = hashlib.sha256(_static(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def page(told: Node) -> Html:
    """The whole page of a document."""
    server, version = told["servers"][0]["url"], told["info"]["version"]
    tags = [
        (tag["name"], tag["description"], list(_calls(told, tag["name"]))) for tag in told["tags"]
    ]
    first, _, rules = told["info"]["description"].partition("\n\n")
    main = el(
        "main",
        el("h1", told["info"]["title"]),
        el("p", "Version ", version, " at ", el("code", server), class_="where"),
        el("div", prose(first), class_="about"),
        _values(),
        el("section", el("h2", "Of every call"), prose(rules), id="rules", class_="about"),
        [_group(told, *tag) for tag in tags],
        all_codes(told),
        id="main",
    )
    head = el(
        "head",
        Html('<meta charset="utf-8">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="color-scheme" content="light dark">'),
        Html(f'<link rel="icon" href="{_ICON}">'),
        el("title", told["info"]["title"]),
        el("style", _static("page.css")),
    )
    body = el(
        "body",
        el("a", "To the calls", href="#main", class_="skip"),
        _contents(tags),
        main,
        el("div", role="status", aria_live="polite", class_="toast", id="toast"),
        el("script", _static("page.js")),
        data_server=server,
    )
    return join([Html("<!doctype html>"), el("html", head, body, lang="en")])


_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='3' fill='%230b6e7f'/%3E"
    "%3Cpath d='M3 5l2 6 3-5 3 5 2-6' fill='none' stroke='white' stroke-width='1.6'/%3E%3C/svg%3E"
)

_Called = tuple[str, str, Node]


def _calls(told: Node, tag: str) -> Iterator[_Called]:
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield method.upper(), path, operation


def _contents(tags: Iterable[tuple[str, str, list[_Called]]]) -> Html:
    def entry(method: str, path: str, operation: Node) -> Html:
        short = path.removeprefix("/kcs/v1/rp").removeprefix("/ams/v1/oauth2")
        link = el("a", _method(method), " ", short, href=f"#{operation['operationId']}", title=path)
        return el("li", link, data_for=operation["operationId"])

    return el(
        "nav",
        el("p", "Waybill", class_="brand"),
        el(
            "label",
            el("span", "Find a call, a member, a code"),
            Html('<input type="search" id="find" placeholder="press /" autocomplete="off">'),
        ),
        [
            join([el("h2", name), el("ul", [entry(*each) for each in calls])])
            for name, _, calls in tags
        ],
        el("h2", el("a", "Of every call", href="#rules")),
        el("h2", el("a", "All codes", href="#codes")),
        el("p", el("a", "openapi.json", href="openapi.json"), class_="file"),
        aria_label="Calls",
    )


def _values() -> Html:
    def field(name: str, label: str, example: str) -> Html:
        kind = "password" if name in {"clientSecret", "token"} else "text"
        box = f'<input type="{kind}" data-sets="{name}" placeholder="{example}" autocomplete="off"'
        return el("label", el("span", label), Html(f'{box} spellcheck="false">'))

    return el(
        "section",
        el("h2", "Your values"),
        el(
            "p",
            "What ",
            el("code", "make run"),
            " printed, or what the operator gave you. The examples below then hold them, and can be"
            " sent from here. They stay in this tab.",
        ),
        el("div", [field(name, *told) for name, told in VALUES.items()], class_="fields"),
        el(
            "p",
            el("button", "Get a token", type="button", id="sign-in"),
            " ",
            el("output", id="signed-in"),
        ),
        id="values",
        class_="values needs-script",
    )


def _group(told: Node, name: str, description: str, calls: Iterable[_Called]) -> Html:
    return el(
        "section",
        el("h2", name),
        el("p", description),
        [_call(told, *each) for each in calls],
        class_="group",
    )


def _call(told: Node, method: str, path: str, operation: Node) -> Html:
    name = operation["operationId"]
    link = el("a", "#", href=f"#{name}", class_="anchor", aria_label=f"Link to {path}")
    heading = el("h3", _method(method), " ", el("code", path), " ", link)
    return el(
        "article",
        heading,
        el("p", operation["summary"], class_="summary"),
        _facts(operation),
        el(
            "div",
            el(
                "div",
                _described(operation),
                asked(told, operation),
                answered(told, operation),
                class_="words",
            ),
            el("div", samples(operation), replies(operation), attempt(method, path, operation)),
            class_="columns",
        ),
        codes(operation),
        id=name,
        class_="call",
    )


def _described(operation: Node) -> Html | None:
    # What follows tells of the codes, which have a table here.
    said, _, _ = operation["description"].partition("\n\nA device of an accepted request")
    return None if said == operation["summary"] else prose(said)


def _method(method: str) -> Html:
    return el("span", method, class_=f"method {method.lower()}")


def _facts(operation: Node) -> Html:
    scopes = [scope for each in operation["security"] for scope in each.get("oauth2", [])]
    facts: list[Html] = [join(["scope ", el("code", scope)]) for scope in scopes]
    if not scopes:
        facts.append(Html("no token"))
    if "x-device-codes" in operation:
        facts.append(Html("asynchronous"))
    facts.append(join(["known from: ", operation["x-source"]]))
    return el("ul", [el("li", fact) for fact in facts], class_="facts")
