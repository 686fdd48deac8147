"""What happens to devices, always as sets, always inside the turn of their reseller."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from waybill.db.tx import Tx
from waybill.devices import store
from waybill.devices.rules import BLOCK, KIND_NUMBER, KIND_OF, Outcome, Piece
from waybill.devices.store import Holder, Rows
from waybill.manufactured.store import Lookup, look_up
from waybill.wire.identifiers import canonical


def register(
    tx: Tx,
    reseller: int,
    pieces: Sequence[Piece],
    *,
    skip_own: bool,
    at: datetime,
    enforced: bool = False,
) -> None:
    """Gives the reseller every device of the pieces that nobody holds, as if one after another.

    Args:
        reseller: its number.
        pieces: in the order of acceptance; their `outcomes` and `seqs` are filled in.
        skip_own: release 23.12: a device that the reseller already holds for the same customer
            is passed over in silence.
        at: the moment of registration.
        enforced: only devices of the manufacturing list are taken.
    """
    store.hold_links_still(tx)
    named = _name(tx, pieces, enforced=enforced)
    if named.unlisted:
        _refuse_unlisted(pieces, named.unlisted)
    starts, seqs = _number(tx, reseller, pieces)
    if not seqs:
        return
    inserted = store.insert(
        tx,
        reseller,
        _rows(seqs, starts, pieces, named),
        customers=[piece.customer for piece in pieces],
        uploads=[piece.transaction for piece in pieces],
        kinds=[KIND_NUMBER[piece.kind] if piece.kind else 0 for piece in pieces],
        approved=[piece.approved for piece in pieces],
        at=at,
    )
    won: Counter[tuple[int, int]] = Counter()
    for piece, (start, end) in zip(pieces, pairwise(starts), strict=True):
        own: Sequence[int] = range(start, end)
        if inserted is not None:
            own = [seq for seq in own if seq in inserted]
        if own:
            piece.seqs = (own[0], own[-1])
            for block, count in _by_block(own):
                won[piece.customer, block] += count
    _count(tx, reseller, won, +1)
    if won.total() < sum(len(piece.keys) - piece.keys.count("") for piece in pieces):
        lost = set() if inserted is None else {k for k, s in seqs.items() if s not in inserted}
        _judge(tx, reseller, pieces, lost, skip_own=skip_own)


def _name(tx: Tx, pieces: Sequence[Piece], *, enforced: bool) -> Lookup:
    """Puts a listed phone's key in the place of whatever else of its identifiers was sent."""
    named = look_up(tx, [key for piece in pieces for key in piece.keys], enforced=enforced)
    if keys := named.keys:
        for piece in pieces:
            piece.odd = {at: form for at, form in piece.odd.items() if piece.keys[at] not in keys}
            piece.keys = [keys.get(key, key) for key in piece.keys]
    return named


def _refuse_unlisted(pieces: Sequence[Piece], unlisted: set[str]) -> None:
    for piece in pieces:
        for position, key in enumerate(piece.keys):
            if key in unlisted:
                piece.outcomes[position] = Outcome.INVALID
        piece.keys = ["" if key in unlisted else key for key in piece.keys]


def _number(tx: Tx, reseller: int, pieces: Sequence[Piece]) -> tuple[list[int], dict[str, int]]:
    """Gives each key a sequence number once, in request order.

    Returns:
        Where the numbers of each piece begin, and where the last one's end; and each key's number.
    """
    keys: dict[str, None] = {}
    counts = [0]
    for piece in pieces:
        keys.update(dict.fromkeys(piece.keys))
        keys.pop("", None)
        counts.append(len(keys))
    first = store.take_seqs(tx, reseller, len(keys)) if keys else 0
    seqs = dict(zip(keys, range(first, first + len(keys)), strict=True))
    return [first + count for count in counts], seqs


def _rows(
    seqs: dict[str, int], starts: Sequence[int], pieces: Sequence[Piece], named: Lookup
) -> Rows:
    # Sequence numbers follow the request, rows follow the key. What is shown of a device follows
    # from kind and key: they must fit each other, whichever of a phone's identifiers was sent.
    keys = sorted(seqs)
    ordered = [seqs[key] for key in keys]
    odd = {piece.keys[at]: form for piece in pieces for at, form in piece.odd.items()}
    odd |= named.odd
    kinds = {key: KIND_NUMBER[kind] for key, kind in named.kinds.items()}
    return Rows(
        keys,
        ordered,
        [bisect_right(starts, seq) for seq in ordered] if len(pieces) > 1 else [],
        [odd.get(key, "") for key in keys] if odd else [],
        [kinds.get(key, 0) for key in keys] if kinds else [],
    )


def _by_block(seqs: Sequence[int]) -> Iterator[tuple[int, int]]:
    """How many of some ascending sequence numbers lie in each block."""
    blocks = range(seqs[0] // BLOCK, seqs[-1] // BLOCK + 1)
    ends = [bisect_left(seqs, (block + 1) * BLOCK) for block in blocks]
    for block, (start, end) in zip(blocks, pairwise([0, *ends]), strict=True):
        yield block, end - start


def _judge(
    tx: Tx, reseller: int, pieces: Sequence[Piece], lost: set[str], *, skip_own: bool
) -> None:
    times = Counter(key for piece in pieces for key in piece.keys if key)
    repeated = {key for key, count in times.items() if count > 1} - lost
    holders = store.holders(tx, lost | repeated)
    for piece in pieces:
        for position, key in enumerate(piece.keys):
            if key in repeated:
                # Nobody held it, so the first of its key was registered.
                repeated.discard(key)
                lost.add(key)
            elif key in lost:
                piece.outcomes[position] = _exists(piece, reseller, holders.get(key), skip_own)


def _exists(piece: Piece, reseller: int, holder: Holder | None, skip_own: bool) -> Outcome:
    # No holder: it had one when we tried, and was let go since. Its reseller is not this one,
    # whose turn this is.
    if holder is None or holder.reseller != reseller:
        return Outcome.OTHER_RESELLER
    if holder.customer != piece.customer:
        return Outcome.OTHER_CUSTOMER
    if skip_own:
        return Outcome.SKIPPED
    return Outcome.REPEATED if holder.upload == piece.transaction else Outcome.SAME_CUSTOMER


def remove(tx: Tx, reseller: int, pieces: Sequence[Piece], *, enforced: bool = False) -> None:
    """Ends the reseller's holding of the pieces' devices, as if one after another.

    A device that the reseller does not hold for the piece's customer is not found, and so is one
    that came earlier in the pieces.

    Args:
        reseller: its number.
        pieces: in the order of acceptance; their `outcomes` are filled in.
        enforced: what is neither held nor in the manufacturing list is no device at all. What is
            held can be let go of, listed or not: else enforcing would shut it in.
    """
    store.hold_links_still(tx)
    named = _name(tx, pieces, enforced=enforced)
    holders = store.holders(tx, {key for piece in pieces for key in piece.keys if key})
    closed_by: dict[int, int] = {}
    gone: list[tuple[int, int]] = []
    for piece in pieces:
        for position, key in enumerate(piece.keys):
            if not key:
                continue
            holder = holders.get(key)
            if holder is None or (holder.reseller, holder.customer) != (reseller, piece.customer):
                unlisted = key in named.unlisted
                piece.outcomes[position] = Outcome.INVALID if unlisted else Outcome.NOT_FOUND
                continue
            del holders[key]
            closed_by[holder.seq] = piece.transaction
            gone.append((piece.customer, holder.seq // BLOCK))
    if gone:
        store.remove(tx, reseller, closed_by)
        _count(tx, reseller, Counter(gone), -1)


def remove_upload(
    tx: Tx, reseller: int, customer: int, upload: int, *, delete: int, limit: int
) -> list[str]:
    """Ends the holding of what an upload registered, at most `limit` devices at a time.

    Returns:
        The canonical identifiers of the devices that were removed, oldest first; fewer than
        `limit` when none is left.
    """
    store.hold_links_still(tx)
    left = store.upload_left(tx, reseller, customer, upload, limit)
    if left:
        store.remove(tx, reseller, {each.seq: delete for each in left})
        _count(tx, reseller, Counter((customer, each.seq // BLOCK) for each in left), -1)
    return [each.odd or canonical(KIND_OF[each.kind], each.key) for each in left]


def _count(tx: Tx, reseller: int, live: Counter[tuple[int, int]], step: int) -> None:
    changes: Counter[tuple[int, int]] = Counter()
    for (customer, block), count in live.items():
        changes[customer, block] += step * count
        changes[0, block] += step * count
    store.count(tx, reseller, changes)


def verify(tx: Tx, reseller: int, customer: int, *, upload: int | None = None, at: datetime) -> int:
    """Takes devices from Pending to Verified: all from the reseller, or those of one upload.

    Returns:
        How many were pending. Needs the reseller's turn.
    """
    total, after = 0, -1
    while True:
        count, after = store.verify_next(tx, reseller, customer, at, after=after, upload=upload)
        if not count:
            return total
        total += count
