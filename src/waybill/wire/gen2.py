"""The bodies of the six Gen2 calls: what may be sent, and what is answered, member by member.

Everything here is pure. A request that lacks the right shape raises `Refused` with the code and the
parameter that a client sees; whether what it names exists is for the nouns to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from waybill.wire.codes import Code, Refused
from waybill.wire.identifiers import Kind

T = TypeVar("T")
Operation = Literal["UPLOAD", "DELETE"]

# Contract §2: letters and digits (documented for a sister API); `-`, `_` and `.` since clients
# send UUIDs.
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PAGE = re.compile(r"[0-9]{1,9}", re.ASCII)
ORDER_TIME_MAX = 4_102_444_800

# Under which member a failed device is shown. Samsung: `imei` is in every sample; `serialNumber` is
# Gen1's; a device of a delete without `type` that is no identifier at all goes under `imei`.
SHOWN_UNDER: dict[Kind | None, str] = {
    Kind.IMEI: "imei",
    Kind.MEID: "meid",
    Kind.SN: "serialNumber",
    None: "imei",
}
# Samsung: `type` says Put or Delete where `operationType` says UPLOAD or DELETE.
TYPE_OF: dict[Operation, str] = {"UPLOAD": "Put", "DELETE": "Delete"}


def is_id(text: str) -> bool:
    """Whether a reseller, customer, vendor or transaction ID has an ID's form (contract §2)."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True)
class Upload:
    """`PUT /devices/upload`, its shape checked."""

    customer_id: str
    reseller_id: str
    transaction_id: str
    devices: list[str]
    kind: Kind
    order_no: str | None
    order_time: int | str | None
    vendor_id: str | None
    profile_aliases: list[str]
    target_service: str | None


@dataclass(frozen=True)
class Delete:
    """`PUT /devices/delete`, its shape checked; `kind` None when the client left `type` out."""

    customer_id: str
    reseller_id: str
    transaction_id: str
    devices: list[str] | None
    kind: Kind | None
    remove_transaction_id: str | None
    vendor_id: str | None


@dataclass(frozen=True)
class Page:
    """Which page is asked for: `num` from 0, `size` in rows."""

    num: int
    size: int


def parse_upload(body: Mapping[str, Any]) -> Upload:
    """Reads an upload.

    Raises:
        Refused: 40000000 naming the first parameter that is missing or of the wrong type, in the
            order in which the call is documented.
    """
    return Upload(
        customer_id=required(_text(body, "customerId"), "customerId"),
        reseller_id=required(_text(body, "resellerId"), "resellerId"),
        transaction_id=required(_text(body, "transactionId"), "transactionId"),
        devices=required(_devices(body), "devices"),
        kind=required(_kind(body), "type"),
        order_no=_text(body, "orderNo"),
        order_time=_order_time(body),
        vendor_id=_text(body, "vendorId"),
        profile_aliases=_profile_aliases(body),
        target_service=_text(body, "targetService"),
    )


def parse_delete(body: Mapping[str, Any]) -> Delete:
    """Reads a delete; an empty `devices` beside `removeTransactionId` counts as absent.

    Raises:
        Refused: 40000000 as for an upload; neither `devices` nor `removeTransactionId` names
            `devices`.
    """
    customer_id = required(_text(body, "customerId"), "customerId")
    reseller_id = required(_text(body, "resellerId"), "resellerId")
    transaction_id = required(_text(body, "transactionId"), "transactionId")
    devices = _devices(body)
    removes = _text(body, "removeTransactionId")
    if devices is None and removes is None:
        raise Refused(Code.RESOURCE_INVALID_PARAM, "devices")
    return Delete(
        customer_id=customer_id,
        reseller_id=reseller_id,
        transaction_id=transaction_id,
        devices=devices,
        kind=_kind(body),
        remove_transaction_id=removes,
        vendor_id=_text(body, "vendorId"),
    )


def parse_page(query: Mapping[str, str], size_max: int) -> Page:
    """Reads `pageNum` and `pageSize` (contract §2).

    Raises:
        Refused: 40000000 for what is not a whole number in range.
    """
    num = _number(query, "pageNum", 0, 0, 999_999_999)
    size = _number(query, "pageSize", min(100, size_max), 1, size_max)
    return Page(num, size)


def reseller_id_of(query: Mapping[str, str]) -> str:
    """The required `resellerId` of a query or of headers."""
    return required(query.get("resellerId") or None, "resellerId")


def required(value: T | None, name: str) -> T:
    """The value of a required parameter; 40000000 names it when it is missing."""
    if value is None:
        raise Refused(Code.RESOURCE_INVALID_PARAM, name)
    return value


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refused(Code.RESOURCE_INVALID_PARAM, name)
    return value


def _devices(body: Mapping[str, Any]) -> list[str] | None:
    value = body.get("devices")
    if value is None or value == []:
        return None
    # What is inside was looked at when the JSON was: every member is a string.
    if not isinstance(value, list):
        raise Refused(Code.RESOURCE_INVALID_PARAM, "devices")
    return value


def _kind(body: Mapping[str, Any]) -> Kind | None:
    value = _text(body, "type")
    if value is None:
        return None
    try:
        return Kind(value)
    except ValueError:
        raise Refused(Code.RESOURCE_INVALID_PARAM, "type") from None


def _order_time(body: Mapping[str, Any]) -> int | str | None:
    value = body.get("orderTime")
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Refused(Code.RESOURCE_INVALID_PARAM, "orderTime")
    return value


def _profile_aliases(body: Mapping[str, Any]) -> list[str]:
    value = body.get("profileAliases")
    if value is None:
        return []
    if not isinstance(value, list):
        raise Refused(Code.RESOURCE_INVALID_PARAM, "profileAliases")
    aliases: list[str] = []
    for entry in value:
        if not isinstance(entry, dict):
            raise Refused(Code.RESOURCE_INVALID_PARAM, "profileAliases")
        _text(entry, "serviceId")
        aliases.append(required(_text(entry, "profileAlias"), "profileAlias"))
    return aliases


def _number(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = query.get(name, "")
    if text == "":
        return default
    if not _PAGE.fullmatch(text) or not low <= int(text) <= high:
        raise Refused(Code.RESOURCE_INVALID_PARAM, name)
    return int(text)


# Answers. The order of members is the order on the wire.


class Accepted(msgspec.Struct, kw_only=True):
    """The answer to an upload or a delete: taken, on disk, and worked off soon."""

    transactionId: str
    state: str = "Progress"
    code: int = 2000000
    message: str = "SUCCESS"
    operationType: Operation


def failed_device(kind: Kind | None, as_sent: str, code: Code) -> dict[str, str | int]:
    """One failed device of a status answer, under the member of its type."""
    return {
        SHOWN_UNDER[kind]: as_sent,
        "code": code.code,
        "message": code.message,
        "data": code.text(as_sent),
    }


class BareStatus(msgspec.Struct):
    """The status of one transaction (Samsung: the troubleshooting page's "async result")."""

    transactionId: str
    state: str
    type: str
    orderNo: str | UnsetType
    devices: list[dict[str, str | int]] | UnsetType
    operationType: Operation


class ListedStatus(msgspec.Struct):
    """A transaction in a page of them (Samsung: the migration guide)."""

    transactionId: str
    state: str
    type: str
    operationType: Operation
    orderNo: str | UnsetType
    devices: list[dict[str, str | int]] | UnsetType


class Device(msgspec.Struct):
    """A device of `GET /devices`. Samsung: the key of the IMEI really is `mei`."""

    id: str
    createTime: int
    mei: str | UnsetType
    customerName: str
    customerId: str
    serialNumber: str | UnsetType
    meid: str | UnsetType
    model: str | UnsetType
    state: str
    uploadId: str


def maybe(value: str | None) -> str | UnsetType:
    """A member that is left out when its value is unknown."""
    return UNSET if value is None else value


class Customer(msgspec.Struct):
    """A customer of `GET /customers/list`."""

    name: str
    customerId: str


class Customers(msgspec.Struct):
    """A page of customers. Samsung: it tells neither its size nor how many pages there are."""

    totalCount: int
    pageNum: int
    customers: list[Customer]


class ProfileAlias(msgspec.Struct):
    """An alias of `GET /profilealias/kme`."""

    profileAlias: str
    profileId: str


class ProfileAliases(msgspec.Struct):
    """The answer of `GET /profilealias/kme`."""

    profileAliases: list[ProfileAlias]
