"""What clients may send, member by member, as the OpenAPI document tells it.

Nothing is decoded with these: the parsers (`gen2.py`, and the calls themselves) are more lenient in
some places and refuse each defect with its own code. A member that may be null is one for which
null and an empty string count as absent.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from waybill.wire.clients import NAME_MAX, OVERLAP_MAX_H, ExpirationTimes
from waybill.wire.gen2 import ORDER_TIME_MAX
from waybill.wire.scopes import Scope
from waybill.wire.sources import Source, told

DEVICES_MAX = 100_000
PAGE_SIZE_MAX = 1_000_000

_ID_FORM = {"minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9._-]{1,64}$"}
_TYPES = {"enum": ["IMEI", "MEID", "SN"]}

_RESELLER = told(
    "The caller's own reseller; an operator's client may name any.",
    Source.DOCUMENTED,
    "3811947052",
    schema=_ID_FORM,
)
_CUSTOMER = told("Whom the devices are for.", Source.DOCUMENTED, "4102938475", schema=_ID_FORM)
_TRANSACTION = told(
    "Chosen by the client, never used before by this reseller, for an upload or a delete.",
    Source.DOCUMENTED,
    "ORDER-1001",
    schema=_ID_FORM,
)
_VENDOR = told("One of the reseller's vendors.", Source.DOCUMENTED, "7350021864")
_ONLY_CUSTOMER = told("Only what is this customer's.", Source.OURS, "4102938475")
_NUM = told("The page, from 0.", Source.DOCUMENTED, 0, schema={"minimum": 0, "default": 0})
_SIZE = told(
    f"How many a page. The setting `page_size_max` bounds it ({PAGE_SIZE_MAX:,} by default).",
    Source.SAMPLE,
    100,
    schema={"minimum": 1, "maximum": PAGE_SIZE_MAX, "default": 100},
)


class ProfileChoice(msgspec.Struct):
    """A profile that the devices get."""

    profileAlias: Annotated[
        str,
        told(
            "An alias that the customer shares with this reseller.",
            Source.DOCUMENTED,
            "Drivers",
            schema={"minLength": 1},
        ),
    ]
    serviceId: Annotated[str | None, told("Taken and ignored.", Source.DOCUMENTED)] = None


class UploadRequest(msgspec.Struct):
    """Devices to register."""

    customerId: Annotated[str, _CUSTOMER]
    resellerId: Annotated[str, _RESELLER]
    transactionId: Annotated[str, _TRANSACTION]
    devices: Annotated[
        list[str],
        told(
            "The identifiers, all of one type. Each is judged by itself: a bad one fails alone and"
            " is named in the status. The setting `upload_devices_max` bounds how many"
            f" ({DEVICES_MAX:,} by default).",
            Source.DOCUMENTED,
            ["355012110834716", "355012110834724"],
            schema={"minItems": 1, "maxItems": DEVICES_MAX},
        ),
    ]
    type: Annotated[
        str, told("What the identifiers are.", Source.DOCUMENTED, "IMEI", schema=_TYPES)
    ]
    orderNo: Annotated[
        str | None,
        told(
            "The reseller's order number: printable, told again by the status.",
            Source.DOCUMENTED,
            "PO-7731",
            schema={"maxLength": 64},
        ),
    ] = None
    orderTime: Annotated[
        int | str | None,
        told(
            f"When it was ordered: epoch seconds, 0 to {ORDER_TIME_MAX}, as a number or as digits.",
            Source.DOCUMENTED,
            1762905600,
            schema={"minimum": 0, "maximum": ORDER_TIME_MAX, "pattern": "^([0-9]{1,10})?$"},
        ),
    ] = None
    vendorId: Annotated[str | None, _VENDOR] = None
    profileAliases: Annotated[
        list[ProfileChoice] | None,
        told("The profiles that the devices get.", Source.DOCUMENTED),
    ] = None
    targetService: Annotated[
        str | None, told("Kept as it is; `KME` when absent.", Source.OURS, "KME")
    ] = None


class DeleteRequest(msgspec.Struct):
    """Devices to let go of: by their identifiers, or all that an upload registered."""

    customerId: Annotated[str, _CUSTOMER]
    resellerId: Annotated[str, _RESELLER]
    transactionId: Annotated[str, _TRANSACTION]
    devices: Annotated[
        list[str] | None,
        told(
            "The identifiers. Exactly one of `devices` and `removeTransactionId` must be given.",
            Source.DOCUMENTED,
            ["355012110834716"],
            schema={"maxItems": DEVICES_MAX},
        ),
    ] = None
    type: Annotated[
        str | None,
        told(
            "What the identifiers are. Without it each goes by its shape: 15 digits are an IMEI,"
            " R with ten more a serial number, 14 hexadecimal digits with a letter or 18 to 19"
            " digits an MEID.",
            Source.SAMPLE,
            "IMEI",
            schema={"enum": [*_TYPES["enum"], "", None]},
        ),
    ] = None
    removeTransactionId: Annotated[
        str | None,
        told(
            "An upload of this reseller for this customer: what it registered and what is still"
            " there goes.",
            Source.DOCUMENTED,
            "ORDER-1001",
        ),
    ] = None
    vendorId: Annotated[str | None, _VENDOR] = None

    also: ClassVar[dict[str, Any]] = {
        "oneOf": [
            {"required": [name], "properties": {name: filled}}
            for name, filled in (
                ("devices", {"type": "array", "minItems": 1}),
                ("removeTransactionId", {"type": "string", "minLength": 1}),
            )
        ]
    }


class StatusQuery(msgspec.Struct):
    """Which transactions to tell of."""

    resellerId: Annotated[str, _RESELLER]
    transactionId: Annotated[
        str | None, told("Only this transaction.", Source.DOCUMENTED, "ORDER-1001")
    ] = None
    customerId: Annotated[
        str | None, told("Only what was for this customer.", Source.DOCUMENTED, "4102938475")
    ] = None
    pageNum: Annotated[int | None, _NUM] = None
    pageSize: Annotated[int | None, _SIZE] = None


class DevicesQuery(msgspec.Struct):
    """Which devices to list."""

    resellerId: Annotated[str, _RESELLER]
    customerId: Annotated[str | None, _ONLY_CUSTOMER] = None
    pageNum: Annotated[int | None, _NUM] = None
    pageSize: Annotated[int | None, _SIZE] = None


class CustomersQuery(msgspec.Struct):
    """Which customers to list."""

    resellerId: Annotated[str, _RESELLER]
    pageNum: Annotated[int | None, _NUM] = None
    pageSize: Annotated[int | None, _SIZE] = None


class AliasHeaders(msgspec.Struct):
    """Whose aliases to list. Samsung: in headers, in this call alone."""

    resellerId: Annotated[str, _RESELLER]
    customerId: Annotated[str, _CUSTOMER]


class TokenForm(msgspec.Struct):
    """A token request. The client's ID and secret may come by HTTP Basic as well."""

    grant_type: Annotated[
        Literal["client_credentials"],
        told("The one grant there is.", Source.DOCUMENTED, "client_credentials"),
    ]
    client_id: Annotated[
        str | None,
        told("The client; absent when HTTP Basic names it.", Source.DOCUMENTED),
    ] = None
    client_secret: Annotated[
        str | None, told("Its secret; absent when HTTP Basic carries it.", Source.DOCUMENTED)
    ] = None
    scope: Annotated[
        str | None,
        told(
            "What the token shall allow, separated by spaces; absent: all that the client may.",
            Source.DOCUMENTED,
            "kdp.devices:manage kdp.devices:view",
        ),
    ] = None
    expires_in: Annotated[
        int | None,
        told(
            "How long it shall live, in seconds; absent: as is set for the client (599).",
            Source.DOCUMENTED,
            599,
            schema={"minimum": 1, "maximum": 3600},
        ),
    ] = None


class RevokeForm(msgspec.Struct):
    """A token to end. The client's ID and secret may come by HTTP Basic as well."""

    token: Annotated[
        str, told("The access token to end.", Source.DOCUMENTED, schema={"minLength": 1})
    ]
    client_id: Annotated[
        str | None, told("The client; absent when HTTP Basic names it.", Source.DOCUMENTED)
    ] = None
    client_secret: Annotated[
        str | None, told("Its secret; absent when HTTP Basic carries it.", Source.DOCUMENTED)
    ] = None


_SCOPES = told(
    "What it may do.",
    Source.OURS,
    ["kdp.devices"],
    schema={
        "minItems": 1,
        "items": {"type": "string", "enum": [scope.value for scope in Scope]},
    },
)


class NewClient(msgspec.Struct):
    """A client to make: all that is left out has a default."""

    name: Annotated[
        str | None,
        told("What people call it.", Source.OURS, "Warehouse", schema={"maxLength": NAME_MAX}),
    ] = None
    scopes: Annotated[list[str] | None, _SCOPES] = None
    expirationTimes: Annotated[
        ExpirationTimes | None, told("How long its tokens live.", Source.OURS)
    ] = None
    resellerId: Annotated[
        str | None,
        told("Whom it acts for: named by an operator's client.", Source.OURS, "3811947052"),
    ] = None


class ChangedClient(msgspec.Struct):
    """What to change of a client: all that is left out stays."""

    name: Annotated[
        str | None,
        told("What people call it.", Source.OURS, "Warehouse", schema={"maxLength": NAME_MAX}),
    ] = None
    scopes: Annotated[list[str] | None, _SCOPES] = None
    expirationTimes: Annotated[
        ExpirationTimes | None, told("How long its tokens live.", Source.OURS)
    ] = None
    renewSecret: Annotated[
        bool | None, told("True: the answer holds a new secret.", Source.OURS, True)
    ] = None
    overlapHours: Annotated[
        int | None,
        told(
            "How long the old secret works beside the new one; 24 when absent.",
            Source.OURS,
            24,
            schema={"minimum": 0, "maximum": OVERLAP_MAX_H},
        ),
    ] = None
