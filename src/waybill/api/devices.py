"""The four device calls of Gen2 (contract §4)."""

from __future__ import annotations

import hashlib
from collections.abc import Generator

import msgspec
from msgspec import UNSET

from waybill import clock
from waybill.api.edge import Answer, Call, json
from waybill.api.streaming import members, streamed
from waybill.customers import actions as customers
from waybill.db.tx import Tx, snapshot
from waybill.devices import store as devices
from waybill.devices.rules import KIND_OF, Outcome
from waybill.devices.store import Block, Listed
from waybill.resellers import actions as resellers
from waybill.resellers.store import Reseller
from waybill.transactions import actions
from waybill.transactions import store as transactions
from waybill.transactions.store import Status
from waybill.wire import gen2
from waybill.wire.codes import Code, Refused
from waybill.wire.identifiers import Kind, canonical, kind_of, meid_decimal


def upload(call: Call) -> Answer:
    """`PUT /devices/upload`: takes devices to register.

    A success means that the whole request is on disk and will be worked off, in the order in which
    this reseller's requests were accepted. What is wrong with the request as a whole is refused
    here and changes nothing; what is wrong with one device is told by the status, and the others
    are registered all the same.

    The first upload to a customer associates it with the reseller. Its devices stay `Pending` until
    the customer approves them, unless it approves whatever this reseller sends.
    """
    request = gen2.parse_upload(call.members)
    with call.tx() as tx:
        reseller = resellers.acting(tx, call.acting, request.reseller_id)
        actions.accept_upload(
            tx,
            reseller.no,
            request,
            by=call.acting.client,
            devices_max=call.settings.upload_devices_max,
            at=clock.now(),
        )
    return json(gen2.Accepted(transactionId=request.transaction_id, operationType="UPLOAD"))


def delete(call: Call) -> Answer:
    """`PUT /devices/delete`: takes devices to let go of.

    By their identifiers (`devices`), or all that an earlier upload registered and that is still
    there (`removeTransactionId`): one of the two. A removed device loses its profile, and may be
    uploaded again. As with an upload, the work is done after the answer, in order: an upload sent
    right after a delete finds the devices gone.
    """
    request = gen2.parse_delete(call.members)
    with call.tx() as tx:
        reseller = resellers.acting(tx, call.acting, request.reseller_id)
        actions.accept_delete(
            tx,
            reseller.no,
            request,
            by=call.acting.client,
            devices_max=call.settings.upload_devices_max,
            at=clock.now(),
        )
    return json(gen2.Accepted(transactionId=request.transaction_id, operationType="DELETE"))


def status(call: Call) -> Answer:
    """`GET /devices/status`: tells what became of uploads and deletes.

    With a `transactionId` and no paging the answer is that transaction, bare; else it is a page of
    the reseller's transactions, newest first, wrapped. Clients that expect pages always want the
    setting `status_shape` at `list`, for the installation or for their reseller.

    A transaction is `Progress`, then `Complete`, even if every device failed: look at `devices`,
    which names those that did. How often to ask is up to the client; most transactions are complete
    within a second.
    """
    query = call.query
    reseller_id = gen2.reseller_id_of(query)
    page = gen2.parse_page(query, call.settings.page_size_max)
    named = query.get("transactionId") or None
    if named is None:
        return streamed(call, _status_page(call, reseller_id, page), page)
    paged = bool(query.get("pageNum") or query.get("pageSize"))
    with call.tx() as tx:
        reseller, customer = _whose(call, tx, reseller_id)
        found = transactions.status(tx, reseller.no, named, customer) if gen2.is_id(named) else None
    if found is None:
        raise Refused(Code.TRANSACTION_ID_INVALID)
    shape = reseller.status_shape or call.settings.status_shape
    if shape == "documented" and not paged:
        return json(_bare(found))
    if page.num > 0:
        raise Refused(Code.PAGE_OUT_OF_BOUNDS)
    return Answer(_wrapped_head(1, page) + msgspec.json.encode([_listed(found)]) + b"}}")


def _whose(call: Call, tx: Tx, reseller_id: str) -> tuple[Reseller, int | None]:
    reseller = resellers.acting(tx, call.acting, reseller_id)
    return reseller, customers.filtered(tx, reseller.no, call.query.get("customerId") or None)


def _status_page(call: Call, reseller_id: str, page: gen2.Page) -> Generator[bytes]:
    with call.tx() as tx:
        snapshot(tx)
        reseller, customer = _whose(call, tx, reseller_id)
        counted = transactions.totals(tx, reseller.no, customer)
        offset, total = page.num * page.size, sum(counted)
        if page.num > 0 and offset >= total:
            raise Refused(Code.PAGE_OUT_OF_BOUNDS)
        yield _wrapped_head(total, page) + b"["
        portions = transactions.listed(tx, reseller.no, customer, counted, offset, page.size)
        yield from members([_listed(each) for each in portion] for portion in portions)
        yield b"]}}"


def _wrapped_head(total: int, page: gen2.Page) -> bytes:
    empty = gen2.WrappedStatus(gen2.StatusPage(total, -(-total // page.size), page.num, []))
    return msgspec.json.encode(empty).removesuffix(b"[]}}")


def _bare(found: Status) -> gen2.BareStatus:
    operation = "UPLOAD" if found.operation == "UPLOAD" else "DELETE"
    return gen2.BareStatus(
        transactionId=found.id,
        state=found.state,
        type=gen2.TYPE_OF[operation],
        orderNo=gen2.maybe(found.order_no),
        devices=_failed(found) or UNSET,
        operationType=operation,
    )


def _listed(found: Status) -> gen2.ListedStatus:
    bare = _bare(found)
    return gen2.ListedStatus(
        transactionId=bare.transactionId,
        state=bare.state,
        type=bare.type,
        operationType=bare.operationType,
        orderNo=bare.orderNo,
        devices=bare.devices,
    )


def _failed(found: Status) -> list[gen2.FailedDevice]:
    # Samsung: `devices` is absent while the transaction is in progress.
    if found.failures is None or found.state == "Progress":
        return []
    kind = Kind(found.type) if found.type else None
    failed: list[gen2.FailedDevice] = []
    for _, number, as_sent in _FAILURES.decode(b"[" + found.failures[:-1] + b"]"):
        outcome = Outcome(number)
        shown = kind or (None if outcome is Outcome.ID_INVALID else kind_of(as_sent))
        code = outcome.code
        assert code is not None  # noqa: S101 - only failures are kept among the failures
        failed.append(gen2.failed_device(shown, as_sent, code))
    return failed


_FAILURES = msgspec.json.Decoder(list[tuple[int, int, str]])


def listing(call: Call) -> Answer:
    """`GET /devices`: lists the devices that the reseller holds.

    Oldest first, so that a client that pages while uploads go on misses nothing. Any page costs the
    same, and all of one answer is of one moment. Identifiers are in canonical form here, while the
    status tells them as they were sent.
    """
    reseller_id = gen2.reseller_id_of(call.query)
    page = gen2.parse_page(call.query, call.settings.page_size_max)
    return streamed(call, _list(call, reseller_id, page), page)


def _list(call: Call, reseller_id: str, page: gen2.Page) -> Generator[bytes]:
    with call.tx() as tx:
        snapshot(tx)
        reseller, customer = _whose(call, tx, reseller_id)
        offset = page.num * page.size
        start = devices.locate(tx, reseller.no, customer or 0, offset)
        if page.num > 0 and offset >= start.total:
            raise Refused(Code.PAGE_OUT_OF_BOUNDS)
        yield _head(start, page)
        portions = devices.listed(tx, reseller.no, customer or 0, start, page.size)
        yield from members([_device(reseller.id, row) for row in portion] for portion in portions)
        yield b"]}"


def _head(start: Block, page: gen2.Page) -> bytes:
    empty = gen2.DevicePage(
        pageNum=page.num,
        pageSize=page.size,
        totalCount=start.total,
        totalPages=-(-start.total // page.size),
        size=min(page.size, max(0, start.total - page.num * page.size)),
    )
    return msgspec.json.encode(empty).removesuffix(b"]}")


def _device(reseller_id: str, row: Listed) -> gen2.Device:
    kind = KIND_OF[row.kind]
    identifier = row.odd or canonical(kind, row.key)
    # Dual-SIM phones and tablets share one shape: what is not known is left out.
    return gen2.Device(
        id=_id(reseller_id, row),
        createTime=int(row.registered_at.timestamp() * 1000),
        mei=gen2.maybe(row.imei or (identifier if kind is Kind.IMEI else None)),
        customerName=row.customer_name,
        customerId=row.customer_id,
        serialNumber=gen2.maybe(row.serial or (identifier if kind is Kind.SN else None)),
        meid=gen2.maybe(meid_decimal(row.meid or row.key)),
        model=gen2.maybe(row.model),
        state="Verified" if row.verified else "Pending",
        uploadId=str(row.upload_id),
    )


def _id(reseller_id: str, row: Listed) -> str:
    # 24 hex digits like Samsung's: the seconds, then what tells nothing about other resellers.
    rest = hashlib.blake2b(f"{reseller_id}/{row.seq}".encode(), digest_size=8)
    return f"{int(row.registered_at.timestamp()):08x}{rest.hexdigest()}"
