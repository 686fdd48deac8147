"""The calls, one by one: what each takes, answers, and can be refused with, and examples of both.

The OpenAPI document, the reference and the tests are made from this. The examples name what the
seed makes, so that they work as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec

from waybill.wire import clients, gen2, oauth, requests
from waybill.wire.codes import Code
from waybill.wire.identifiers import Kind
from waybill.wire.sources import Source


@dataclass(frozen=True)
class Described:
    """What a client is told of one call.

    Args:
        id: the operation's ID, which generated clients name a method by.
        source: where we know the call from.
        takes: the query, the body, or (`in_headers`) the headers.
        answers: the body of a success; several where it has several shapes; none: it is empty.
        status: of a success.
        refusals: the codes that an answer can carry, each with what fills `{parameter}` in its
            example.
        device_codes: the codes that one device of an accepted request can fail with.
        asks: example requests, by what each shows.
        replies: example answers, by what each shows.
    """

    id: str
    tag: str
    source: Source
    takes: type[msgspec.Struct] | None = None
    in_headers: bool = False
    answers: tuple[type[msgspec.Struct], ...] = ()
    status: int = 200
    refusals: Mapping[Code, str] = field(default_factory=dict)
    device_codes: tuple[Code, ...] = ()
    asks: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    replies: Mapping[str, object] = field(default_factory=dict)

    @property
    def codes(self) -> tuple[Code, ...]:
        """The codes that an answer can carry, in their order."""
        return tuple(sorted(self.refusals))


# What any call can meet, and what every call can that asks for a token.
_ANY = {Code.RESOURCE_DUPLICATE_PARAM: "resellerId", Code.INTERNAL_SERVER_ERROR: ""}
_WITH_TOKEN = {
    **_ANY,
    Code.RESOURCE_INVALID_PARAM: "resellerId",
    Code.RESELLER_ID_INVALID: "",
    Code.AUTHENTICATION_MISSING: "",
    Code.AUTHORIZATION_FAIL: "",
    Code.RESELLER_NOT_FOUND: "",
}
_OF_CUSTOMER = {
    Code.CUSTOMER_ID_INVALID: "",
    Code.CUSTOMER_NOT_FOUND: "",
    Code.ASSOCIATION_NOT_FOUND: "",
}
_OF_PAGING = {Code.RESOURCE_INVALID_PARAM: "pageSize", Code.PAGE_OUT_OF_BOUNDS: ""}
_OF_REQUEST = {
    Code.DEVICE_COUNT_EXCEEDED: "",
    Code.CUSTOMER_ID_INVALID: "",
    Code.TRANSACTION_ID_INVALID: "",
    Code.TRANSACTION_ID_DUPLICATE: "",
    Code.VENDOR_NOT_FOUND: "",
}
_OF_FORM = {
    **_ANY,
    Code.RESOURCE_INVALID_PARAM: "body",
    Code.TOO_MANY_REQUESTS: "",
}
_BY_TYPE = (
    Code.DEVICE_IMEI_INVALID,
    Code.DEVICE_MEID_INVALID,
    Code.DEVICE_SERIAL_INVALID,
)

_RESELLER, _CUSTOMER, _VENDOR = "3811947052", "4102938475", "7350021864"
_IMEIS = ["355012110834716", "355012110834724"]
_WRONG = "355012110834711"
_CLIENT = "YOUR-CLIENT-ID"
_SECRET, _TOKEN = "YOUR-CLIENT-SECRET", "YOUR-ACCESS-TOKEN"


def _to(transaction: str, **members: object) -> dict[str, object]:
    return {
        "customerId": _CUSTOMER,
        "resellerId": _RESELLER,
        "transactionId": transaction,
        **members,
    }


_FAILED = [gen2.failed_device(Kind.IMEI, _WRONG, Code.DEVICE_IMEI_INVALID)]
_LISTED = gen2.ListedStatus(
    transactionId="ORDER-1001",
    state="Complete",
    type="Put",
    operationType="UPLOAD",
    orderNo="PO-7731",
    devices=_FAILED,
)

UPLOAD = Described(
    "uploadDevices",
    "Devices",
    Source.DOCUMENTED,
    requests.UploadRequest,
    answers=(gen2.Accepted,),
    refusals={**_WITH_TOKEN, **_OF_REQUEST, Code.RESOURCE_INVALID_PARAM: "type"},
    device_codes=(Code.DEVICE_INVALID, Code.DEVICE_DUPLICATE, *_BY_TYPE),
    asks={
        "Two phones": _to("ORDER-1001", type="IMEI", devices=_IMEIS, orderNo="PO-7731"),
        "With a profile": _to(
            "ORDER-1002",
            type="SN",
            devices=["R58M31415ZX"],
            orderNo="PO-7732",
            orderTime=1762905600,
            profileAliases=[{"profileAlias": "Drivers"}],
        ),
    },
    replies={"Taken": gen2.Accepted(transactionId="ORDER-1001", operationType="UPLOAD")},
)
DELETE = Described(
    "deleteDevices",
    "Devices",
    Source.DOCUMENTED,
    requests.DeleteRequest,
    answers=(gen2.Accepted,),
    refusals={
        **_WITH_TOKEN,
        **_OF_REQUEST,
        **_OF_CUSTOMER,
        Code.RESOURCE_INVALID_PARAM: "devices",
        Code.RESOURCE_DUPLICATE_PARAM: "devices, removeTransactionId",
    },
    device_codes=(
        Code.DEVICE_INVALID,
        Code.DEVICE_ID_INVALID,
        *_BY_TYPE,
        Code.RESELLER_CUSTOMER_DEVICE_NOT_FOUND,
    ),
    asks={
        "All that an upload brought": _to("RETURN-1", removeTransactionId="ORDER-1001"),
        "One phone": _to("RETURN-2", type="IMEI", devices=_IMEIS[:1]),
    },
    replies={"Taken": gen2.Accepted(transactionId="RETURN-1", operationType="DELETE")},
)
STATUS = Described(
    "getStatus",
    "Devices",
    Source.DOCUMENTED,
    requests.StatusQuery,
    answers=(gen2.BareStatus, gen2.WrappedStatus),
    refusals={**_WITH_TOKEN, **_OF_PAGING, **_OF_CUSTOMER, Code.TRANSACTION_ID_INVALID: ""},
    asks={
        "One transaction": {"resellerId": _RESELLER, "transactionId": "ORDER-1001"},
        "All of them": {"resellerId": _RESELLER, "pageNum": 0, "pageSize": 20},
    },
    replies={
        "One transaction, one device failed": gen2.BareStatus(
            transactionId="ORDER-1001",
            state="Complete",
            type="Put",
            orderNo="PO-7731",
            devices=_FAILED,
            operationType="UPLOAD",
        ),
        "In progress": gen2.BareStatus(
            transactionId="RETURN-1", state="Progress", type="Delete", operationType="DELETE"
        ),
        "A page": gen2.WrappedStatus(gen2.StatusPage(1, 1, 0, [_LISTED])),
    },
)
DEVICES = Described(
    "listDevices",
    "Devices",
    Source.DOCUMENTED,
    requests.DevicesQuery,
    answers=(gen2.DevicePage,),
    refusals={**_WITH_TOKEN, **_OF_PAGING, **_OF_CUSTOMER},
    asks={"The first hundred": {"resellerId": _RESELLER, "pageNum": 0, "pageSize": 100}},
    replies={
        "One device": gen2.DevicePage(
            pageNum=0,
            pageSize=100,
            totalCount=1,
            totalPages=1,
            size=1,
            devices=[
                gen2.Device(
                    id="68c21875cca00dfa936d4e49",
                    createTime=1757550709832,
                    mei=_IMEIS[0],
                    customerName="Alder Logistics",
                    customerId=_CUSTOMER,
                    meid="089443995300537713",
                    state="Verified",
                    uploadId="7c1f0f2e-9d0b-4b1e-8a55-0d6f2f9f3c11",
                )
            ],
        ),
        "Nothing": gen2.DevicePage(pageNum=0, pageSize=100, totalCount=0, totalPages=0, size=0),
    },
)


CUSTOMERS = Described(
    "listCustomers",
    "Customers",
    Source.DOCUMENTED,
    requests.CustomersQuery,
    answers=(gen2.Customers,),
    refusals={**_WITH_TOKEN, **_OF_PAGING},
    asks={"The first hundred": {"resellerId": _RESELLER}},
    replies={"One customer": gen2.Customers(1, 0, [gen2.Customer("Alder Logistics", _CUSTOMER)])},
)
CUSTOMERS_OLD = replace(CUSTOMERS, id="listCustomersByOldPath")
ALIASES = Described(
    "listProfileAliases",
    "Customers",
    Source.DOCUMENTED,
    requests.AliasHeaders,
    in_headers=True,
    answers=(gen2.ProfileAliases,),
    refusals={**_WITH_TOKEN, **_OF_CUSTOMER, Code.RESOURCE_INVALID_PARAM: "customerId"},
    asks={"A customer's": {"resellerId": _RESELLER, "customerId": _CUSTOMER}},
    replies={
        "One alias": gen2.ProfileAliases([gen2.ProfileAlias("Drivers", "profile-drivers")]),
    },
)

_ME = {"client_id": _CLIENT, "client_secret": _SECRET}
TOKEN = Described(
    "issueToken",
    "Sign in",
    Source.DOCUMENTED,
    requests.TokenForm,
    answers=(oauth.Token,),
    refusals=_OF_FORM,
    asks={
        "All that the client may": {"grant_type": "client_credentials", **_ME},
        "A narrow one": {
            "grant_type": "client_credentials",
            **_ME,
            "scope": "kdp.devices:view",
            "expires_in": 60,
        },
    },
    replies={"A token": oauth.Token(access_token=_TOKEN, scope="kdp", expires_in=599)},
)
REVOKE = Described(
    "revokeToken",
    "Sign in",
    Source.DOCUMENTED,
    requests.RevokeForm,
    refusals=_OF_FORM,
    asks={"A token": {"token": _TOKEN, **_ME}},
)
METADATA = Described(
    "getMetadata",
    "Sign in",
    Source.OURS,
    answers=(oauth.Metadata,),
    refusals=_ANY,
)


_MANAGEMENT = {
    **_ANY,
    Code.AUTHENTICATION_MISSING: "",
    Code.AUTHORIZATION_FAIL: "",
    Code.RESELLER_NOT_FOUND: "",
}
_OF_CLIENT = {**_MANAGEMENT, Code.RESOURCE_NOT_FOUND: ""}
_OF_WISH = {Code.RESOURCE_INVALID_PARAM: "scopes"}
_NEW_ID = "9f1c1f5be3f74c4d8f7f0d3f5a2b6c7d"
_CLIENT_SHOWN = clients.Client(
    clientId=_NEW_ID,
    name="Warehouse",
    resellerId=_RESELLER,
    scopes=["kdp.devices"],
    expirationTimes=clients.ExpirationTimes(599),
)
_CLIENT_MADE = msgspec.structs.replace(_CLIENT_SHOWN, clientSecret=_SECRET)

CLIENT_NEW = Described(
    "createClient",
    "Clients",
    Source.DOCUMENTED,
    requests.NewClient,
    answers=(clients.Client,),
    status=201,
    refusals={**_MANAGEMENT, **_OF_WISH, Code.RESELLER_ID_INVALID: ""},
    asks={"For devices": {"name": "Warehouse", "scopes": ["kdp.devices"]}},
    replies={"Made": _CLIENT_MADE},
)
CLIENTS = Described(
    "listClients",
    "Clients",
    Source.DOCUMENTED,
    answers=(clients.Clients,),
    refusals=_MANAGEMENT,
    replies={"One client": clients.Clients([_CLIENT_SHOWN])},
)
CLIENT = Described(
    "getClient",
    "Clients",
    Source.DOCUMENTED,
    answers=(clients.Client,),
    refusals=_OF_CLIENT,
    replies={"A client": _CLIENT_SHOWN},
)
CLIENT_CHANGED = Described(
    "changeClient",
    "Clients",
    Source.DOCUMENTED,
    requests.ChangedClient,
    answers=(clients.Client,),
    refusals={**_OF_CLIENT, **_OF_WISH},
    asks={"A new secret": {"renewSecret": True, "overlapHours": 24}},
    replies={"With a new secret": _CLIENT_MADE},
)
CLIENT_DELETED = Described(
    "deleteClient", "Clients", Source.DOCUMENTED, status=204, refusals=_OF_CLIENT
)
CLIENT_TIMES = Described(
    "changeExpirationTimes",
    "Clients",
    Source.DOCUMENTED,
    clients.ExpirationTimes,
    answers=(clients.ExpirationTimes,),
    refusals={**_OF_CLIENT, **_OF_WISH, Code.RESOURCE_INVALID_PARAM: "accessToken"},
    asks={"A quarter of an hour": {"accessToken": 900}},
    replies={"Changed": clients.ExpirationTimes(900)},
)


class Health(msgspec.Struct):
    """How the server is."""

    status: str


ALIVE = Described(
    "isAlive",
    "Health",
    Source.OURS,
    answers=(Health,),
    refusals=_ANY,
    replies={"It lives": Health("ok")},
)
READY = Described(
    "isReady",
    "Health",
    Source.OURS,
    answers=(Health,),
    refusals=_ANY,
    replies={"It serves": Health("ready")},
)
