"""The bodies of the six Gen2 calls: what may be sent, and what is answered, member by member.

Everything here is pure. A request that lacks the right shape raises `Refused` with the code and the
parameter that a client sees; whether what it names exists is for the nouns to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from waybill.wire.codes import Code, Refused
from waybill.wire.identifiers import Kind
from waybill.wire.sources import Source, told

T = TypeVar("T")
Operation = Literal["UPLOAD", "DELETE"]

# Contract §2: letters and digits (documented for a sister API); `-`, `_` and `.` since clients
# send UUIDs.
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NUMBER = re.compile(r"[0-9]+")
# No list is as long: a page as far out as this is past the end, whatever its size.
_PAGE_NUM_MAX = 10**9
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
    num = _number(query, "pageNum", 0)
    size = _number(query, "pageSize", min(100, size_max))
    if not 1 <= size <= size_max:
        raise Refused(Code.RESOURCE_INVALID_PARAM, "pageSize")
    return Page(min(num, _PAGE_NUM_MAX), size)


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


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if text == "":
        return default
    if not _NUMBER.fullmatch(text):
        raise Refused(Code.RESOURCE_INVALID_PARAM, name)
    digits = text.lstrip("0") or "0"
    return int(digits) if len(digits) <= 18 else 10**18


# Answers. The order of members is the order on the wire.

_TRANSACTION_ID = told("The ID that the request gave.", Source.SAMPLE, "ORDER-1001")
_OPERATION = told("What was asked for.", Source.SAMPLE, "UPLOAD")
_STATE = told(
    "`Progress`, then `Complete`, even if every device failed.",
    Source.SAMPLE,
    "Complete",
    schema={"enum": ["Progress", "Complete"]},
)
_PUT = told(
    "`Put` for an upload, `Delete` for a delete.",
    Source.SAMPLE,
    "Put",
    schema={"enum": ["Put", "Delete"]},
)
_ORDER_NO = told("The upload's order number, if it gave one.", Source.SAMPLE, "PO-7731")
_FAILED = told(
    "The devices that failed, and only those, in request order. Left out while the transaction is"
    " in progress and when none failed.",
    Source.SAMPLE,
)
_TOTAL = told("How many there are on all pages together.", Source.SAMPLE, 1)
_PAGES = told("How many pages of this size there are; 0 when there is nothing.", Source.SAMPLE, 1)
_PAGE_NUM = told("The page, from 0.", Source.SAMPLE, 0)


class Accepted(msgspec.Struct, kw_only=True):
    """The answer to an upload or a delete: taken, on disk, and worked off soon."""

    transactionId: Annotated[str, _TRANSACTION_ID]
    state: Annotated[
        str, told("Always `Progress`.", Source.SAMPLE, schema={"const": "Progress"})
    ] = "Progress"
    code: Annotated[int, told("Always 2000000.", Source.SAMPLE, schema={"const": 2000000})] = (
        2000000
    )
    message: Annotated[
        str, told("Always `SUCCESS`.", Source.SAMPLE, schema={"const": "SUCCESS"})
    ] = "SUCCESS"
    operationType: Annotated[Operation, _OPERATION]


class FailedDevice(msgspec.Struct, kw_only=True):
    """A device that failed: exactly one identifier as it was sent, and why."""

    imei: (
        Annotated[
            str,
            told(
                "Of an IMEI. Also what a delete without `type` sent and no rule recognises.",
                Source.SAMPLE,
                "355012110834711",
            ),
        ]
        | UnsetType
    ) = UNSET
    meid: Annotated[str, told("Of an MEID.", Source.OURS)] | UnsetType = UNSET
    serialNumber: Annotated[str, told("Of a serial number.", Source.SISTER)] | UnsetType = UNSET
    code: Annotated[int, told("One of the codes per device.", Source.SAMPLE, 40000007)]
    message: Annotated[str, told("The code's name.", Source.SAMPLE, "DEVICE_IMEI_INVALID")]
    data: Annotated[
        str, told("The code's text.", Source.SAMPLE, "The specified IMEI is not valid.")
    ]

    also: ClassVar[dict[str, Any]] = {
        "oneOf": [{"required": [name]} for name in ("imei", "meid", "serialNumber")]
    }


def failed_device(kind: Kind | None, as_sent: str, code: Code) -> FailedDevice:
    """One failed device of a status answer, under the member of its type."""
    text = code.text(as_sent)
    match SHOWN_UNDER[kind]:
        case "meid":
            return FailedDevice(meid=as_sent, code=code.code, message=code.message, data=text)
        case "serialNumber":
            return FailedDevice(
                serialNumber=as_sent, code=code.code, message=code.message, data=text
            )
        case _:
            return FailedDevice(imei=as_sent, code=code.code, message=code.message, data=text)


class BareStatus(msgspec.Struct, kw_only=True):
    """The status of one transaction, as Samsung's page about troubleshooting shows it."""

    transactionId: Annotated[str, _TRANSACTION_ID]
    state: Annotated[str, _STATE]
    type: Annotated[str, _PUT]
    orderNo: Annotated[str, _ORDER_NO] | UnsetType = UNSET
    devices: Annotated[list[FailedDevice], _FAILED] | UnsetType = UNSET
    operationType: Annotated[Operation, _OPERATION]


class ListedStatus(msgspec.Struct, kw_only=True):
    """A transaction in a page of them, as Samsung's migration guide shows it."""

    transactionId: Annotated[str, _TRANSACTION_ID]
    state: Annotated[str, _STATE]
    type: Annotated[str, _PUT]
    operationType: Annotated[Operation, _OPERATION]
    orderNo: (
        Annotated[str, told("The upload's order number, if it gave one.", Source.OURS, "PO-7731")]
        | UnsetType
    ) = UNSET
    devices: Annotated[list[FailedDevice], _FAILED] | UnsetType = UNSET


class StatusPage(msgspec.Struct):
    """A page of transactions, in a member that is called `devices` all the same."""

    totalCount: Annotated[int, _TOTAL]
    totalPage: Annotated[int, _PAGES]
    pageNum: Annotated[int, _PAGE_NUM]
    transactions: Annotated[list[ListedStatus], told("Newest first.", Source.OURS)]


class WrappedStatus(msgspec.Struct):
    """The status of transactions, wrapped."""

    devices: Annotated[StatusPage, told("The page.", Source.SAMPLE)]


class Device(msgspec.Struct, kw_only=True):
    """A device of `GET /devices`. Samsung: the key of the IMEI really is `mei`."""

    id: Annotated[
        str,
        told(
            "Names this device in this reseller's list: 24 hexadecimal digits.",
            Source.SAMPLE,
            "68c21875cca00dfa936d4e49",
            schema={"pattern": "^[0-9a-f]{24}$"},
        ),
    ]
    createTime: Annotated[
        int, told("When it was uploaded: epoch milliseconds.", Source.SAMPLE, 1757550709832)
    ]
    mei: (
        Annotated[
            str,
            told(
                "The IMEI in canonical form, 15 digits. The name of the member is no mistake of"
                " ours.",
                Source.SAMPLE,
                "355012110834716",
            ),
        ]
        | UnsetType
    ) = UNSET
    customerName: Annotated[str, told("Whose device it is.", Source.SAMPLE, "Alder Logistics")]
    customerId: Annotated[str, told("Whose device it is.", Source.SAMPLE, "4102938475")]
    serialNumber: (
        Annotated[str, told("The serial number, where known.", Source.SAMPLE, "R58M31415ZX")]
        | UnsetType
    ) = UNSET
    meid: (
        Annotated[
            str,
            told(
                "18 decimal digits. A device uploaded by IMEI has one too: the first 14 digits of"
                " its IMEI read as hexadecimal.",
                Source.SAMPLE,
                "089443995300537713",
                schema={"pattern": "^[0-9]{18}$"},
            ),
        ]
        | UnsetType
    ) = UNSET
    model: (
        Annotated[str, told("The model, where known.", Source.SAMPLE, "SM-G981B/DS")] | UnsetType
    ) = UNSET
    state: Annotated[
        str,
        told(
            "`Pending` until the customer approves, then `Verified`.",
            Source.SAMPLE,
            "Verified",
            schema={"enum": ["Pending", "Verified"]},
        ),
    ]
    uploadId: Annotated[
        str,
        told(
            "Names the upload that brought it; no `transactionId`.",
            Source.SAMPLE,
            "7c1f0f2e-9d0b-4b1e-8a55-0d6f2f9f3c11",
        ),
    ]


class DevicePage(msgspec.Struct, kw_only=True):
    """A page of `GET /devices`. Samsung: `code` is a string here, a number everywhere else."""

    code: Annotated[str, told("Always 2000000.", Source.SAMPLE, schema={"const": "2000000"})] = (
        "2000000"
    )
    message: Annotated[
        str, told("Always `SUCCESS`.", Source.SAMPLE, schema={"const": "SUCCESS"})
    ] = "SUCCESS"
    pageNum: Annotated[int, _PAGE_NUM]
    pageSize: Annotated[int, told("The size that was asked for.", Source.SAMPLE, 100)]
    totalCount: Annotated[int, _TOTAL]
    totalPages: Annotated[int, _PAGES]
    size: Annotated[int, told("How many are on this page.", Source.SAMPLE, 1)]
    devices: Annotated[list[Device], told("Oldest first.", Source.OURS)] = []


def maybe(value: str | None) -> str | UnsetType:
    """A member that is left out when its value is unknown."""
    return UNSET if value is None else value


class Customer(msgspec.Struct):
    """A customer of `GET /customers/list`."""

    name: Annotated[str, told("What people call it.", Source.SAMPLE, "Alder Logistics")]
    customerId: Annotated[str, told("What calls name it by.", Source.SAMPLE, "4102938475")]


class Customers(msgspec.Struct):
    """A page of customers. Samsung: it tells neither its size nor how many pages there are."""

    totalCount: Annotated[int, _TOTAL]
    pageNum: Annotated[int, _PAGE_NUM]
    customers: Annotated[list[Customer], told("Oldest association first.", Source.OURS)]


class ProfileAlias(msgspec.Struct):
    """An alias of `GET /profilealias/kme`."""

    profileAlias: Annotated[
        str, told("What an upload names the profile by.", Source.OURS, "Drivers")
    ]
    profileId: Annotated[str, told("The profile behind it.", Source.OURS, "profile-drivers")]


class ProfileAliases(msgspec.Struct):
    """The answer of `GET /profilealias/kme`."""

    profileAliases: Annotated[
        list[ProfileAlias], told("At most 10 for a customer and a reseller.", Source.OURS)
    ]
