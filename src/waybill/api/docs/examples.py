"""Example calls and answers, with the reader's own values, and a form to send a call."""

from __future__ import annotations

import re

import msgspec

from waybill.api.docs.html import Html, el, join
from waybill.api.schemas import Node

# What a reader replaces by values of his own, and where the page shows them.
VALUES = {
    "resellerId": ("Reseller ID", "3811947052"),
    "customerId": ("Customer ID", "4102938475"),
    "clientId": ("Client ID", "YOUR-CLIENT-ID"),
    "clientSecret": ("Client secret", "YOUR-CLIENT-SECRET"),
    "token": ("Access token", "YOUR-ACCESS-TOKEN"),
}


def samples(operation: Node) -> Html:
    """The call as commands for a shell."""
    return join(
        _block(each["label"] or "Example", each["source"]) for each in operation["x-codeSamples"]
    )


def replies(operation: Node) -> Html:
    """Answers to it."""
    content = next(iter(operation["responses"].values())).get("content", {})
    examples = next(iter(content.values()), {}).get("examples", {})
    return join(
        _block(f"Answer: {name}", _pretty(each["value"])) for name, each in examples.items()
    )


def _block(label: str, text: str) -> Html:
    return el(
        "figure",
        el(
            "figcaption",
            label,
            el("button", "Copy", type="button", class_="copy needs-script"),
        ),
        el("pre", el("code", _with_values(text)), tabindex="0"),
    )


def _with_values(text: str) -> Html:
    """Text whose placeholders the reader's own values take the place of."""
    parts = re.split("(" + "|".join(map(re.escape, _NAMES)) + ")", text)
    return join(
        el("span", part, data_value=_NAMES[part]) if part in _NAMES else part for part in parts
    )


# In a shell the token is a variable, as long as the reader has given none.
_NAMES = {example: name for name, (_, example) in VALUES.items()} | {"$TOKEN": "token"}


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def attempt(method: str, path: str, operation: Node) -> Html:
    """A form to send the call from here."""
    fields: list[Html] = []
    for each in operation.get("parameters", []):
        value = str(each.get("example", ""))
        fields.append(_field(each["name"], value, each["in"], each["required"]))
    body = operation.get("requestBody")
    if body is not None:
        media, content = next(iter(body["content"].items()))
        example = next(iter(content["examples"].values()))["value"]
        if media.endswith("json"):
            text = el("textarea", _pretty(example), data_in="body", rows="12", spellcheck="false")
            fields.append(el("label", el("span", "Body"), text))
        else:
            fields += [_field(name, str(value), "form", False) for name, value in example.items()]
    signed = any("oauth2" in each for each in operation["security"])
    send = el("button", "Send", type="submit")
    form = el("form", fields, el("p", send), data_method=method, data_path=path, data_token=signed)
    shown = el("pre", class_="outcome", tabindex="0", hidden=True)
    return el("details", el("summary", "Try it"), form, shown, class_="try needs-script")


def _field(name: str, value: str, where: str, required: bool) -> Html:
    kind = "password" if name in {"client_secret", "token"} else "text"
    box = el("input", type=kind, value=value, name=name, data_in=where, spellcheck="false")
    star = " *" if required else ""
    return el("label", el("span", name, star), Html(box.removesuffix("</input>")))
