"""How each code is reached: one request a code, for the tests to send and for the docs to tell.

    .venv/bin/python tests/support/failures.py

writes the page docs/guide/failures.md.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from waybill.wire.codes import Code
from waybill.wire.identifiers import Kind, generate

if TYPE_CHECKING:
    import httpx

    from support.world import World

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "failures.md"
MIB = 1024 * 1024

# Names in requests, and what they are on a server with the seed: so the page tells them.
SEEDED = {
    "RESELLER": "3811947052",
    "OTHER-RESELLER": "6204918375",
    "CUSTOMER": "4102938475",
    "NEVER-SERVED": "8463025917",
    "NOBODY": "1111111111",
    "HELD": "352708111000008",
    "USED": "SEED-001",
}


@dataclass(frozen=True)
class Many:
    """As many identifiers."""

    count: int


@dataclass(frozen=True)
class Request:
    """A request: a call, and what makes it different from one that is in order.

    Args:
        call: method and path, below `/kcs/v1/rp` unless it is the token call.
        changed: members of the body, of the query or of the form; None leaves one out.
        scope: of the token that it is sent with.
        signs: as whom: `reseller`, `operator`, or None for no token.
        times: how often it is sent; the last answer counts.
    """

    call: str
    changed: Mapping[str, Any] = field(default_factory=dict)
    scope: str | None = None
    signs: str | None = "reseller"
    times: int = 1

    @property
    def told(self) -> str:
        """The request in a few words, for a table."""
        method, path = self.call.split()
        changed = {name: seeded(value) for name, value in self.changed.items()}
        if method == "GET":
            asked = "&".join(f"{name}={value}" for name, value in changed.items())
            said = f"`{method} {path}{'?' if asked else ''}{asked}`"
        else:
            gone = [name for name, value in changed.items() if value is None]
            there = {name: value for name, value in changed.items() if value is not None}
            many = next((each.count for each in there.values() if isinstance(each, Many)), None)
            there = {n: v for n, v in there.items() if not isinstance(v, Many)}
            said = f"`{self.call}`"
            said += f" with `{json.dumps(there)}`" if there else ""
            said += f" without `{'`, `'.join(gone)}`" if gone else ""
            said += f" with {many:,} devices" if many else ""
        said += f", by a token asked for with `scope={self.scope}`" if self.scope else ""
        said += ", by the operator's token" if self.signs == "operator" else ""
        said += ", without a token" if self.signs is None else ""
        return said + (f", {self.times} times within a minute" if self.times > 1 else "")


@dataclass(frozen=True)
class Failure:
    """How a code is reached.

    Args:
        parameter: what fills `{parameter}` in the text of the code.
        setting: what the server must be set to.
        device: for a code of a device: as it was sent, and under which member it is told.
        command: for a code that no call gives: the command that does.
    """

    code: Code
    request: Request | None = None
    parameter: str = ""
    setting: tuple[str, int] | None = None
    device: tuple[str, str] | None = None
    command: Sequence[str] = ()

    @property
    def told(self) -> str:
        """How the code is reached, in a few words."""
        if self.request is None:
            return f"`waybill {' '.join(str(seeded(each)) for each in self.command)}`"
        said = self.request.told
        if self.setting is not None:
            name, value = self.setting
            said += f", on a server with `WAYBILL_{name.upper()}={value}`"
        return said + (", told by the status" if self.device else "")


def seeded(value: object) -> object:
    """A value with the names of the seed's world in it."""
    if isinstance(value, str):
        return SEEDED.get(value, value)
    return [seeded(each) for each in value] if isinstance(value, list) else value


def _of_device(code: Code, sent: str, member: str = "imei", **changed: Any) -> Failure:
    request = Request("PUT /devices/upload", {**changed, "devices": [sent]})
    return Failure(code, request, device=(sent, member))


UPLOAD, DELETE = "PUT /devices/upload", "PUT /devices/delete"
FAILURES: tuple[Failure, ...] = (
    Failure(Code.RESOURCE_INVALID_PARAM, Request(UPLOAD, {"type": "PHONE"}), "type"),
    Failure(
        Code.RESOURCE_DUPLICATE_PARAM,
        Request(DELETE, {"removeTransactionId": "USED"}),
        "devices, removeTransactionId",
    ),
    Failure(Code.PAGE_OUT_OF_BOUNDS, Request("GET /devices", {"pageNum": 999})),
    Failure(Code.DEVICE_COUNT_EXCEEDED, Request(UPLOAD, {"devices": Many(100_001)})),
    _of_device(Code.DEVICE_INVALID, "490154203237518"),
    _of_device(Code.DEVICE_DUPLICATE, "HELD"),
    Failure(
        Code.DEVICE_ID_INVALID,
        Request(DELETE, {"devices": ["not-a-device"], "type": None}),
        device=("not-a-device", "imei"),
    ),
    _of_device(Code.DEVICE_IMEI_INVALID, "352708111000009"),
    _of_device(Code.DEVICE_MEID_INVALID, "A0000012345", "meid", type="MEID"),
    _of_device(Code.DEVICE_SERIAL_INVALID, "X58M3141593", "serialNumber", type="SN"),
    Failure(Code.RESELLER_ID_INVALID, Request("GET /devices", {"resellerId": "OTHER-RESELLER"})),
    Failure(Code.CUSTOMER_ID_INVALID, Request(UPLOAD, {"customerId": "NOBODY"})),
    Failure(
        Code.CUSTOMER_RESELLER_ALREADY_ASSOCIATED,
        command=("customers", "associate", "CUSTOMER", "--reseller", "RESELLER"),
    ),
    Failure(
        Code.TRANSACTION_ID_INVALID, Request("GET /devices/status", {"transactionId": "NOBODY"})
    ),
    Failure(Code.TRANSACTION_ID_DUPLICATE, Request(UPLOAD, {"transactionId": "USED"})),
    Failure(
        Code.RESELLER_CUSTOMER_DEVICE_NOT_FOUND,
        Request(DELETE, {"devices": ["359077335182049"]}),
        "359077335182049",
        device=("359077335182049", "imei"),
    ),
    Failure(Code.AUTHENTICATION_MISSING, Request("GET /devices", signs=None)),
    Failure(Code.AUTHORIZATION_FAIL, Request(UPLOAD, scope="kdp.devices:view")),
    Failure(Code.RESOURCE_NOT_FOUND, Request("GET /nothing")),
    Failure(
        Code.RESELLER_NOT_FOUND, Request("GET /devices", {"resellerId": "NOBODY"}, signs="operator")
    ),
    Failure(Code.CUSTOMER_NOT_FOUND, Request(DELETE, {"customerId": "NOBODY"})),
    Failure(Code.VENDOR_NOT_FOUND, Request(UPLOAD, {"vendorId": "NOBODY"})),
    Failure(Code.ASSOCIATION_NOT_FOUND, Request(DELETE, {"customerId": "NEVER-SERVED"})),
    Failure(Code.METHOD_NOT_ALLOWED, Request("POST /devices")),
    Failure(
        Code.TOO_MANY_REQUESTS,
        Request("POST /ams/v1/oauth2/token", {"client_secret": "wrong"}, signs=None, times=21),
    ),
    Failure(
        Code.INTERNAL_SERVER_ERROR,
        Request(UPLOAD, {"devices": Many(60_000)}),
        setting=("bodies_in_flight_max", MIB),
    ),
)


# --- sending ------------------------------------------------------------------------------------


def send(world: World, request: Request) -> httpx.Response:
    """Sends a request in a world of its own: what the page names, the world has."""
    names = SEEDED | {
        "RESELLER": world.reseller_id,
        "OTHER-RESELLER": world.neighbour().reseller_id,
        "CUSTOMER": world.customer_id,
        "NEVER-SERVED": world.another_customer(),
        "NOBODY": secrets.token_hex(8),
        "HELD": generate(Kind.IMEI, 1)[0],
        "USED": secrets.token_hex(8),
    }
    world.uploaded([names["HELD"]], transactionId=names["USED"])

    def actual(value: Any) -> Any:
        if isinstance(value, Many):
            return ["355012110834716"] * value.count
        if isinstance(value, list):
            return [actual(each) for each in value]
        return names.get(value, value) if isinstance(value, str) else value

    changed = {name: actual(value) for name, value in request.changed.items()}
    method, path = request.call.split()
    if path.startswith("/ams/"):
        form = world.token_form(**changed)
        answers = [world.http.request(method, path, data=form) for _ in range(request.times)]
        return answers[-1]
    token = {
        "reseller": lambda: world.new_token(scope=request.scope or "kdp"),
        "operator": world.operator_token,
        None: lambda: None,
    }[request.signs]()
    if method == "PUT":
        return world.call(method, path, json=world.upload_body(**changed), token=token)
    asked = {"resellerId": world.reseller_id} | changed
    return world.call(method, path, params=asked, token=token)


# --- telling ------------------------------------------------------------------------------------


def page() -> str:
    """The page of the docs."""
    rows = "\n".join(
        f"| `{each.code.code}` | `{each.code.message}` | {each.told.replace('|', chr(92) + '|')} |"
        for each in FAILURES
    )
    return f"""\
# Failures on demand

<!-- Written by tests/support/failures.py: change the table there, not this page. -->

Your software should meet every code before it meets the real service. Here is a request for each,
with the names that `make run` has seeded; the tests send the same ones. Paths are below
`/kcs/v1/rp`. What a request does not say is in order: its own reseller, a customer that it serves
(4102938475), a `transactionId` that was never used, `type` IMEI, one good device, and a token for
everything.

| Code | `message` | The request that reaches it |
| --- | --- | --- |
{rows}

[every-code.sh](every-code.sh) sends requests of this kind with curl. What each code means:
[codes](../reference/codes.md); which call can meet which: [endpoints](../reference/endpoints.md).
"""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stdout.write(f"{PAGE}\n")
