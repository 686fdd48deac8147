"""Accepting a request, and working it off in its turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from waybill.activity import store as activity
from waybill.config import Settings
from waybill.customers import store as customers
from waybill.db.tx import Tx
from waybill.devices import actions as devices
from waybill.devices import store as device_store
from waybill.devices.rules import OF_FORM, Outcome, Piece
from waybill.transactions import store
from waybill.transactions.rules import CHUNK, order_refusal, pack, seconds, unpack
from waybill.wire.codes import Code, Refused
from waybill.wire.events import Event
from waybill.wire.gen2 import Delete, Upload, is_id
from waybill.wire.identifiers import Kind, Rules, parse_all

# Small transactions that one turn may take together.
_TOGETHER_MAX = 2_000


def accept_upload(
    tx: Tx, reseller: int, upload: Upload, *, by: str, devices_max: int, at: datetime
) -> None:
    """Takes an upload: once `tx` is committed it will be worked off, exactly once.

    The first upload to a customer associates it with the reseller (contract §4).

    Raises:
        Refused: by the first defect in the order of contract §2.
    """
    if not is_id(upload.customer_id):
        raise Refused(Code.CUSTOMER_ID_INVALID)
    met = store.circumstances(
        tx,
        reseller,
        customer_id=upload.customer_id,
        vendor_id=_nameable(upload.vendor_id),
        transaction_id=_nameable(upload.transaction_id),
    )
    if met.customer is None:
        raise Refused(Code.CUSTOMER_ID_INVALID)
    _refuse_vendor(upload.vendor_id, met)
    _refuse_transaction_id(upload.transaction_id, met)
    if len(upload.devices) > devices_max:
        raise Refused(Code.DEVICE_COUNT_EXCEEDED)
    if wrong := order_refusal(upload.order_no, upload.order_time, upload.target_service):
        raise Refused(Code.RESOURCE_INVALID_PARAM, wrong)
    if not met.aliases.issuperset(upload.profile_aliases):
        raise Refused(Code.RESOURCE_INVALID_PARAM, "profileAlias")
    if not met.associated and customers.associate(tx, reseller, met.customer, at):
        activity.add(
            tx, Event.RESELLER_REGISTERED, by=by, at=at, reseller=reseller, customer=met.customer
        )
    identifiers, starts = pack(upload.devices)
    request = store.Request(
        id=upload.transaction_id,
        operation="UPLOAD",
        customer=met.customer,
        vendor=upload.vendor_id,
        type=upload.kind.value,
        removes=None,
        order_no=upload.order_no,
        order_time=None if upload.order_time is None else seconds(upload.order_time),
        profile_aliases=upload.profile_aliases,
        target_service=upload.target_service or "KME",
        performed_by=by,
        identifiers=identifiers,
        chunk_starts=starts,
        device_count=len(upload.devices),
    )
    _accept(tx, reseller, request, Event.DEVICES_UPLOADED, at)


def accept_delete(
    tx: Tx, reseller: int, delete: Delete, *, by: str, devices_max: int, at: datetime
) -> None:
    """Takes a delete: once `tx` is committed it will be worked off, exactly once.

    Raises:
        Refused: by the first defect in the order of contract §2.
    """
    if not is_id(delete.customer_id):
        raise Refused(Code.CUSTOMER_ID_INVALID)
    met = store.circumstances(
        tx,
        reseller,
        customer_id=delete.customer_id,
        vendor_id=_nameable(delete.vendor_id),
        transaction_id=_nameable(delete.transaction_id),
        removes=_nameable(delete.remove_transaction_id),
    )
    if met.customer is None:
        raise Refused(Code.CUSTOMER_NOT_FOUND)
    if not met.associated:
        raise Refused(Code.ASSOCIATION_NOT_FOUND)
    _refuse_vendor(delete.vendor_id, met)
    _refuse_transaction_id(delete.transaction_id, met)
    if delete.remove_transaction_id is not None and met.removes is None:
        raise Refused(Code.TRANSACTION_ID_INVALID)
    if delete.devices is not None and len(delete.devices) > devices_max:
        raise Refused(Code.DEVICE_COUNT_EXCEEDED)
    if delete.devices is not None and delete.remove_transaction_id is not None:
        raise Refused(Code.RESOURCE_DUPLICATE_PARAM, "devices, removeTransactionId")
    identifiers, starts = pack(delete.devices or [])
    request = store.Request(
        id=delete.transaction_id,
        operation="DELETE",
        customer=met.customer,
        vendor=delete.vendor_id,
        type=delete.kind and delete.kind.value,
        removes=met.removes,
        order_no=None,
        order_time=None,
        profile_aliases=[],
        target_service=None,
        performed_by=by,
        identifiers=identifiers,
        chunk_starts=starts,
        device_count=len(delete.devices or []),
    )
    _accept(tx, reseller, request, Event.DEVICES_DELETED, at)


def _nameable(given: str | None) -> str | None:
    # What has no ID's form names nothing, and PostgreSQL would not even look for some of it (NUL).
    return given if given is not None and is_id(given) else None


def _refuse_vendor(vendor_id: str | None, met: store.Circumstances) -> None:
    if vendor_id is not None and not met.vendor:
        raise Refused(Code.VENDOR_NOT_FOUND)


def _refuse_transaction_id(transaction_id: str, met: store.Circumstances) -> None:
    if not is_id(transaction_id):
        raise Refused(Code.TRANSACTION_ID_INVALID)
    if met.used:
        raise Refused(Code.TRANSACTION_ID_DUPLICATE)


def _accept(tx: Tx, reseller: int, request: store.Request, event: Event, at: datetime) -> None:
    seq = store.insert(tx, reseller, request, at)
    if seq is None:
        raise Refused(Code.TRANSACTION_ID_DUPLICATE)
    activity.add(
        tx,
        event,
        by=request.performed_by,
        at=at,
        reseller=reseller,
        customer=request.customer,
        transaction=seq,
        transaction_id=request.id,
    )


@dataclass(frozen=True)
class Conduct:
    """The installation's settings that decide what becomes of a device."""

    rules: Rules
    kdp_release: str
    enforce_manufactured: bool

    @classmethod
    def of(cls, settings: Settings) -> Conduct:
        """What the settings say."""
        rules = Rules(settings.imei_check, settings.allow_test_ids, settings.serial_pattern)
        return cls(rules, settings.kdp_release, settings.enforce_manufactured)


def run(tx: Tx, conduct: Conduct, at: datetime, passing_over: Sequence[int] = ()) -> int | None:
    """Takes a turn: works off the next devices of one reseller that has work.

    At most `CHUNK` devices: a part of one transaction, or a run of small ones of one kind. All of
    it happens in `tx`, so that a killed worker leaves nothing half done.

    Args:
        conduct: the settings to judge by.
        at: the moment at which it happens.
        passing_over: resellers (numbers) whose last turn failed and that must wait.

    Returns:
        The reseller's number, or None when nobody has work.

    Raises:
        TurnFailed: something unforeseen; names the reseller.
    """
    turn = store.take_turn(tx, passing_over)
    if turn is None:
        return None
    try:
        head = store.waiting(tx, turn.reseller, _TOGETHER_MAX)
        if not head:
            return turn.reseller
        if head[0].removes is not None:
            _remove_upload(tx, turn.reseller, head[0], at)
        else:
            _work_off(tx, turn, _together(head), conduct, at)
    except Exception as error:
        raise TurnFailed(turn.reseller) from error
    return turn.reseller


class TurnFailed(Exception):  # noqa: N818 - reads as the sentence it is
    """A turn that ended in an error; its `tx` must be rolled back."""

    def __init__(self, reseller: int) -> None:
        super().__init__(f"the turn of reseller number {reseller} failed")
        self.reseller = reseller


def _together(head: Sequence[store.Waiting]) -> list[store.Waiting]:
    taken, devices_taken = [head[0]], head[0].device_count
    if head[0].chunks > 1:
        return taken
    for each in head[1:]:
        devices_taken += each.device_count
        same = each.operation == head[0].operation and each.removes is None
        if not same or each.chunks > 1 or devices_taken > CHUNK:
            break
        taken.append(each)
    return taken


def _work_off(
    tx: Tx, turn: store.Turn, taken: Sequence[store.Waiting], conduct: Conduct, at: datetime
) -> None:
    packed = store.next_chunks(tx, [each.seq for each in taken])
    requests = [(each, unpack(packed[each.seq])) for each in taken]
    pieces = [_piece(each, identifiers, conduct.rules) for each, identifiers in requests]
    enforced = turn.enforce_manufactured
    if enforced is None:
        enforced = conduct.enforce_manufactured
    if taken[0].operation == "UPLOAD":
        release = turn.kdp_release or conduct.kdp_release
        # Samsung: release 23.12 alone passes over what the same reseller holds for the same
        # customer.
        devices.register(
            tx, turn.reseller, pieces, skip_own=release == "23.12", at=at, enforced=enforced
        )
    else:
        devices.remove(tx, turn.reseller, pieces, enforced=enforced)
    results = [
        _result(each, piece, identifiers)
        for (each, identifiers), piece in zip(requests, pieces, strict=True)
    ]
    store.advance(tx, results)
    ended = [each.seq for each in taken if each.chunk + 1 == each.chunks]
    if ended:
        store.complete(tx, turn.reseller, ended, at)


def _piece(each: store.Waiting, identifiers: list[str], rules: Rules) -> Piece:
    kind = Kind(each.type) if each.type else None
    parsed = parse_all(kind, identifiers, rules)
    outcomes = bytearray(len(identifiers))
    for position, code in parsed.refused.items():
        outcomes[position] = OF_FORM[code]
    return Piece(
        transaction=each.seq,
        customer=each.customer,
        keys=parsed.keys,
        outcomes=outcomes,
        kind=kind,
        approved=each.auto_approve,
        odd=parsed.odd,
    )


def _result(each: store.Waiting, piece: Piece, identifiers: list[str]) -> store.Result:
    ok = piece.outcomes.count(Outcome.OK)
    skipped = piece.outcomes.count(Outcome.SKIPPED)
    failed = len(piece.outcomes) - ok - skipped
    first = each.chunk * CHUNK
    failures = b"".join(
        msgspec.json.encode((first + position, outcome, identifiers[position])) + b","
        for position, outcome in enumerate(piece.outcomes)
        if outcome > Outcome.SKIPPED
    )
    return store.Result(
        seq=each.seq,
        ok=ok,
        failed=failed,
        skipped=skipped,
        outcomes=bytes(piece.outcomes) if ok < len(piece.outcomes) else None,
        failures=failures or None,
        first_device_seq=piece.seqs and piece.seqs[0],
        last_device_seq=piece.seqs and piece.seqs[1],
    )


def _remove_upload(tx: Tx, reseller: int, each: store.Waiting, at: datetime) -> None:
    assert each.removes is not None  # noqa: S101 - the caller looked
    removed = devices.remove_upload(
        tx, reseller, each.customer, each.removes, delete=each.seq, limit=CHUNK
    )
    store.advance_removal(tx, each.seq, pack(removed)[0], len(removed))
    if len(removed) < CHUNK:
        store.complete(tx, reseller, [each.seq], at)


@dataclass(frozen=True)
class Approved:
    """What an approval did.

    Args:
        devices: how many went from Pending to Verified.
        in_progress: uploads whose other devices will be Verified as soon as they are registered.
    """

    devices: int
    in_progress: int


def approve(
    tx: Tx,
    reseller: int,
    customer: int,
    *,
    upload: tuple[int, str] | None = None,
    by: str,
    at: datetime,
) -> Approved:
    """The customer's side approves an upload (seq and ID), or all that it has from the reseller.

    An approval covers what was accepted before it: an upload in progress is approved as a whole,
    with what it has not registered yet. It happens in the reseller's turn, so that no device slips
    in between. One entry in the activity log, unless nothing waited.
    """
    store.await_turn(tx, reseller)
    seq, transaction_id = upload or (None, None)
    in_progress = store.approve(tx, reseller, customer, seq, at)
    verified = devices.verify(tx, reseller, customer, upload=seq, at=at)
    if verified or in_progress:
        activity.add(
            tx,
            Event.UPLOAD_APPROVED,
            by=by,
            at=at,
            reseller=reseller,
            customer=customer,
            transaction_id=transaction_id,
            detail={"devices": verified} | ({"inProgress": in_progress} if in_progress else {}),
        )
    return Approved(verified, in_progress)


def approve_devices(
    tx: Tx, reseller: int, customer: int, seqs: Sequence[int], *, by: str, at: datetime
) -> Approved:
    """The customer's side approves single devices (their seqs); pending ones become Verified."""
    store.await_turn(tx, reseller)
    verified = device_store.verify(tx, reseller, seqs, at)
    if verified:
        activity.add(
            tx,
            Event.UPLOAD_APPROVED,
            by=by,
            at=at,
            reseller=reseller,
            customer=customer,
            detail={"devices": verified},
        )
    return Approved(verified, 0)
