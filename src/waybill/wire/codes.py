"""Every code that an answer can carry: one line each.

Texts are frozen: they are Samsung's, byte for byte, save the rows marked `ours`, which cover cases
for which Samsung documents no code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, NamedTuple

import msgspec

from waybill.wire.sources import Source, told


class _Row(NamedTuple):
    code: int
    message: str
    data: str
    source: str
    when: str


class Code(_Row, Enum):
    """A code of the KDP table with its frozen texts, where it is known from, and when it is given.

    `source` is `samsung` (the official table) or `ours` (shaped after sister APIs).
    """

    RESOURCE_INVALID_PARAM = (
        40000000,
        "RESOURCE_INVALID_PARAM",
        "The specified request parameters are not valid. {parameter}",
        "samsung",
        "Malformed JSON, a missing or wrongly typed field, an unknown `type`, bad paging.",
    )
    RESOURCE_DUPLICATE_PARAM = (
        40000001,
        "RESOURCE_DUPLICATE_PARAM",
        "Must provide only one of the following request parameters. {parameter}",
        "samsung",
        "`devices` together with `removeTransactionId`, two credentials, a query parameter twice.",
    )
    PAGE_OUT_OF_BOUNDS = (
        40000002,
        "PAGE_OUT_OF_BOUNDS",
        "The requested page is not valid or is out of bounds.",
        "samsung",
        "A page past the end; page 0 of nothing is an empty answer.",
    )
    DEVICE_COUNT_EXCEEDED = (
        40000003,
        "DEVICE_COUNT_EXCEEDED",
        "The specified list of devices exceeded the maximum count.",
        "samsung",
        "More devices, or a larger body, than `upload_devices_max` allows.",
    )
    DEVICE_INVALID = (
        40000004,
        "DEVICE_INVALID",
        "The specified device is not valid.",
        "samsung",
        "Per device: well formed, but a placeholder or test identifier, or not in the"
        " manufacturing list when that is enforced.",
    )
    DEVICE_DUPLICATE = (
        40000005,
        "DEVICE_DUPLICATE",
        "The specified device already exists.",
        "samsung",
        "Per device of an upload: somebody holds it already, or it came earlier in the request.",
    )
    DEVICE_ID_INVALID = (
        40000006,
        "DEVICE_ID_INVALID",
        "The specified device ID is not valid.",
        "samsung",
        "Per device of a delete without `type`: no identifier of any type.",
    )
    DEVICE_IMEI_INVALID = (
        40000007,
        "DEVICE_IMEI_INVALID",
        "The specified IMEI is not valid.",
        "samsung",
        "Per device: not an IMEI.",
    )
    DEVICE_MEID_INVALID = (
        40000008,
        "DEVICE_MEID_INVALID",
        "The specified MEID is not valid.",
        "samsung",
        "Per device: not an MEID.",
    )
    DEVICE_SERIAL_INVALID = (
        40000009,
        "DEVICE_SERIAL_INVALID",
        "The specified Serial Number is not valid.",
        "samsung",
        "Per device: not a serial number.",
    )
    RESELLER_ID_INVALID = (
        40000010,
        "RESELLER_ID_INVALID",
        "The specified reseller ID is not valid.",
        "samsung",
        "Malformed, or any reseller but the caller's own.",
    )
    CUSTOMER_ID_INVALID = (
        40000011,
        "CUSTOMER_ID_INVALID",
        "The specified customer ID is not valid.",
        "samsung",
        "Malformed; on upload also an ID that is no customer's.",
    )
    CUSTOMER_RESELLER_ALREADY_ASSOCIATED = (
        40000012,
        "CUSTOMER_RESELLER_ALREADY_ASSOCIATED",
        "The specified customer is already associated with the reseller.",
        "samsung",
        "Adding a customer to a reseller a second time.",
    )
    TRANSACTION_ID_INVALID = (
        40000013,
        "TRANSACTION_ID_INVALID",
        "The specified transaction ID is not valid.",
        "samsung",
        "Malformed; a status filter or `removeTransactionId` that names none of this reseller's.",
    )
    TRANSACTION_ID_DUPLICATE = (
        40000014,
        "TRANSACTION_ID_DUPLICATE",
        "The specified transaction ID already exists.",
        "samsung",
        "Used before by this reseller, for an upload or a delete.",
    )
    RESELLER_CUSTOMER_DEVICE_NOT_FOUND = (
        40000044,
        "RESELLER_CUSTOMER_DEVICE_NOT_FOUND",
        "This device {parameter} does not exist for current customer and reseller.",
        "samsung",
        "Per device of a delete: unknown, another customer's or another reseller's.",
    )
    AUTHENTICATION_MISSING = (
        40100000,
        "AUTHORIZATION_FAIL",
        "Authorization for the API is required, but the request has not been authenticated.",
        "samsung",
        "No credential.",
    )
    AUTHORIZATION_FAIL = (
        40300000,
        "AUTHORIZATION_FAIL",
        "The current user is unauthorized to use this service.",
        "samsung",
        "A scope is missing, or the reseller is blocked.",
    )
    RESOURCE_NOT_FOUND = (
        40400000,
        "RESOURCE_NOT_FOUND",
        "The requested path does not exist.",
        "ours",
        "An unknown path, or a client to manage that is none of the caller's.",
    )
    RESELLER_NOT_FOUND = (
        40400001,
        "RESELLER_NOT_FOUND",
        "The specified reseller does not exist.",
        "samsung",
        "The operator named a reseller that does not exist; the caller's reseller was closed.",
    )
    CUSTOMER_NOT_FOUND = (
        40400002,
        "CUSTOMER_NOT_FOUND",
        "The specified customer does not exist.",
        "samsung",
        "Well formed but unknown, in a delete, a filter or the alias call.",
    )
    VENDOR_NOT_FOUND = (
        40400003,
        "VENDOR_NOT_FOUND",
        "The specified vendor does not exist.",
        "samsung",
        "`vendorId` is not one of this reseller's.",
    )
    ASSOCIATION_NOT_FOUND = (
        40400004,
        "ASSOCIATION_NOT_FOUND",
        "The specified customer is not associated with current user.",
        "samsung",
        "Delete, filter or alias call for a customer this reseller never served.",
    )
    METHOD_NOT_ALLOWED = (
        40500000,
        "METHOD_NOT_ALLOWED",
        "This path does not allow the method.",
        "ours",
        "A known path with another method; `Allow` names those that work.",
    )
    TOO_MANY_REQUESTS = (
        42900000,
        "TOO_MANY_REQUESTS",
        "Too many requests. Please try again later.",
        "ours",
        "Too many failed attempts to authenticate; `Retry-After` says when to come back.",
    )
    INTERNAL_SERVER_ERROR = (
        50000000,
        "INTERNAL_SERVER_ERROR",
        "An unknown internal server error has occurred.",
        "samsung",
        "Anything unforeseen; with status 503 and `Retry-After` when the database is away or the"
        " server sheds load.",
    )

    @property
    def status(self) -> int:
        """The HTTP status: the first three digits of the code."""
        return self.code // 100_000

    def text(self, parameter: str = "") -> str:
        """`data` with the name of the parameter (or the device as sent) filled in."""
        return self.data.replace("{parameter}", parameter).rstrip()


BY_NUMBER: dict[int, Code] = {c.code: c for c in Code}


@dataclass
class Refused(Exception):  # noqa: N818 - a refusal is an outcome that we foresee, no error of ours
    """A call that is refused as a whole; nothing of it was done.

    Args:
        code: what the caller is told.
        parameter: fills `{parameter}` in the text of the code.
        status: overrides the HTTP status (503 for an overloaded server).
        headers: extra answer headers (`Allow`, `Retry-After`).
    """

    code: Code
    parameter: str = ""
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()


class ErrorObject(msgspec.Struct):
    """A refusal, its members in Samsung's order."""

    errorId: Annotated[
        str,
        told(
            "Names this one answer; the activity log finds it by this.",
            Source.SAMPLE,
            "7D0F9A3C5B1E48F2A6C4E8B0D2F41357",
            schema={"pattern": "^[0-9A-F]{32}$"},
        ),
    ]
    code: Annotated[int, told("What to go by. A number, in every answer.", Source.SAMPLE, 40000011)]
    message: Annotated[str, told("The code's name.", Source.DOCUMENTED, "CUSTOMER_ID_INVALID")]
    data: Annotated[
        str,
        told("The code's text.", Source.DOCUMENTED, "The specified customer ID is not valid."),
    ]


def error_object(code: Code, error_id: str, parameter: str = "") -> ErrorObject:
    """The error body for a code, its texts filled in."""
    return ErrorObject(error_id, code.code, code.message, code.text(parameter))
