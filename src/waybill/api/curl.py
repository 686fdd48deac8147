"""Example calls as shell commands that work when pasted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from shlex import quote
from urllib.parse import quote_plus, urlencode

import msgspec

from waybill.api.edge import Route


def shown_path(route: Route) -> str:
    """The path as clients are told it: `{clientId}` for the framework's `{client_id:str}`."""
    return re.sub(
        r"{(\w+):\w+}", lambda found: "{" + re.sub("_(.)", _capital, found[1]) + "}", route.path
    )


def _capital(found: re.Match[str]) -> str:
    return found[1].upper()


def curl(route: Route, base_url: str, asked: Mapping[str, object]) -> str:
    """The command that makes this call; `$TOKEN` stands for an access token."""
    path = shown_path(route).replace("{clientId}", "THE-CLIENT-ID")
    url = quote(f"{base_url}{path}")
    words = ["curl -sS"]
    if route.method != "GET":
        words[0] += f" -X {route.method}"
    lines: list[str] = []
    if route.scope is not None:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if route.body == "json":
        lines.append("-H 'Content-Type: application/json'")
        body = msgspec.json.format(msgspec.json.encode(asked), indent=2).decode()
        lines.append(f"-d {quote(body)}")
    elif route.body == "form":
        lines += [f"--data-urlencode {quote(f'{name}={value}')}" for name, value in asked.items()]
    elif route.told is not None and route.told.in_headers:
        lines += [f"-H {quote(f'{name}: {value}')}" for name, value in asked.items()]
    elif asked:
        url = quote(f"{base_url}{path}?{urlencode(asked, quote_via=quote_plus)}")
    return " \\\n  ".join([f"{words[0]} {url}", *lines])
