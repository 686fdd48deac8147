"""What answers must look like: the contract's texts a second time, and assertions byte by byte."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import httpx

ERROR_ID = re.compile(rb'"errorId":"([0-9A-F]{32})"')

# Written down here and not taken from the code under test: texts are frozen.
TEXTS: dict[int, tuple[str, str]] = {
    40000000: (
        "RESOURCE_INVALID_PARAM",
        "The specified request parameters are not valid. {parameter}",
    ),
    40000001: (
        "RESOURCE_DUPLICATE_PARAM",
        "Must provide only one of the following request parameters. {parameter}",
    ),
    40000002: ("PAGE_OUT_OF_BOUNDS", "The requested page is not valid or is out of bounds."),
    40000003: (
        "DEVICE_COUNT_EXCEEDED",
        "The specified list of devices exceeded the maximum count.",
    ),
    40000004: ("DEVICE_INVALID", "The specified device is not valid."),
    40000005: ("DEVICE_DUPLICATE", "The specified device already exists."),
    40000006: ("DEVICE_ID_INVALID", "The specified device ID is not valid."),
    40000007: ("DEVICE_IMEI_INVALID", "The specified IMEI is not valid."),
    40000008: ("DEVICE_MEID_INVALID", "The specified MEID is not valid."),
    40000009: ("DEVICE_SERIAL_INVALID", "The specified Serial Number is not valid."),
    40000010: ("RESELLER_ID_INVALID", "The specified reseller ID is not valid."),
    40000011: ("CUSTOMER_ID_INVALID", "The specified customer ID is not valid."),
    40000012: (
        "CUSTOMER_RESELLER_ALREADY_ASSOCIATED",
        "The specified customer is already associated with the reseller.",
    ),
    40000013: ("TRANSACTION_ID_INVALID", "The specified transaction ID is not valid."),
    40000014: ("TRANSACTION_ID_DUPLICATE", "The specified transaction ID already exists."),
    40000044: (
        "RESELLER_CUSTOMER_DEVICE_NOT_FOUND",
        "This device {parameter} does not exist for current customer and reseller.",
    ),
    40100000: (
        "AUTHORIZATION_FAIL",
        "Authorization for the API is required, but the request has not been authenticated.",
    ),
    40300000: (
        "AUTHORIZATION_FAIL",
        "The current user is unauthorized to use this service.",
    ),
    40400000: ("RESOURCE_NOT_FOUND", "The requested path does not exist."),
    40400001: ("RESELLER_NOT_FOUND", "The specified reseller does not exist."),
    40400002: ("CUSTOMER_NOT_FOUND", "The specified customer does not exist."),
    40400003: ("VENDOR_NOT_FOUND", "The specified vendor does not exist."),
    40400004: (
        "ASSOCIATION_NOT_FOUND",
        "The specified customer is not associated with current user.",
    ),
    40500000: ("METHOD_NOT_ALLOWED", "This path does not allow the method."),
    42900000: ("TOO_MANY_REQUESTS", "Too many requests. Please try again later."),
    50000000: ("INTERNAL_SERVER_ERROR", "An unknown internal server error has occurred."),
}


class Refusal(NamedTuple):
    """A refusal in full, save its errorId: what tells two of them apart."""

    status: int
    body: bytes
    content_type: str


def refusal_of(answer: httpx.Response) -> Refusal:
    """A refusal without its errorId; every answer must be exactly one error object."""
    body, count = ERROR_ID.subn(b'"errorId":"*"', answer.content)
    assert count == 1, answer.text
    return Refusal(answer.status_code, body, answer.headers["content-type"])


def refused(code: int, parameter: str = "", status: int | None = None) -> Refusal:
    """The refusal that the contract wants; `parameter` fills the text's `{parameter}`."""
    message, data = TEXTS[code]
    text = data.replace("{parameter}", parameter).strip()
    body = f'{{"errorId":"*","code":{code},"message":"{message}","data":"{text}"}}'
    return Refusal(status or code // 100_000, body.encode(), "application/json")


def assert_refused(
    answer: httpx.Response, code: int, parameter: str = "", status: int | None = None
) -> str:
    """Asserts that an answer is this refusal, byte by byte; gives its errorId."""
    assert refusal_of(answer) == refused(code, parameter, status)
    return answer.json()["errorId"]


def failure(member: str, as_sent: str, code: int) -> dict[str, Any]:
    """A failed device as a status shows it."""
    message, data = TEXTS[code]
    return {
        member: as_sent,
        "code": code,
        "message": message,
        "data": data.replace("{parameter}", as_sent),
    }
