"""`waybill transactions` and `waybill transaction`: uploads and deletes, many or one."""

from __future__ import annotations

import csv
import difflib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

from cyclopts import Parameter

from waybill.cli import given, named
from waybill.cli.database import opened
from waybill.cli.failure import NotFound, Senseless
from waybill.cli.output import Row, note, one, show
from waybill.cli.where import HERE, Json, Where
from waybill.db.tx import Tx
from waybill.devices.rules import REASONS, Outcome
from waybill.transactions import rules, store
from waybill.transactions.store import Filter, Summary
from waybill.wire.gen2 import is_id


def transactions(
    *,
    reseller: str | None = None,
    customer: str | None = None,
    state: Literal["Progress", "Complete"] | None = None,
    operation: Literal["UPLOAD", "DELETE"] | None = None,
    with_errors: given.Flag = False,
    days: int | None = None,
    limit: given.Limit = 50,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Show uploads and deletes, newest first.

        waybill transactions --with-errors --days 7
        waybill transactions --reseller "Harbour Mobile" --state Progress

    As JSON, an array: `acceptedAt`, `transactionId`, `resellerId`, `customerId`, `operation`,
    `state`, `devices`, `ok`, `failed`, `skipped` (how many), `orderNo`, `completedAt`.

    Args:
        reseller: Only of this reseller: ID or name.
        customer: Only for this customer: ID or name.
        state: Only those in progress, or only those that are complete.
        operation: Only uploads, or only deletes.
        with_errors: Only those in which a device failed.
        days: Only those that came in within the last so many days.
    """
    with opened(where.settings()) as tx:
        wanted = Filter(
            reseller=named.reseller(tx, reseller).no if reseller else None,
            customer=named.customer(tx, customer).no if customer else None,
            state=state,
            operation=operation,
            with_errors=with_errors,
            since=given.ago(days),
        )
        found = store.summaries(tx, wanted, given.limit(limit) + 1)
    fits = any(each not in (None, False) for each in vars(wanted).values())
    show(
        [_row(each) for each in found],
        json=json,
        limit=limit,
        people=_briefly,
        empty="No transaction fits." if fits else "Nothing was uploaded or deleted yet.",
    )
    if found and not json:
        _foot(found[:limit])


def _foot(shown: list[Summary]) -> None:
    sums = {
        "devices": sum(each.devices for each in shown),
        "ok": sum(each.ok for each in shown),
        "failed": sum(each.failed for each in shown),
    }
    waiting = sum(each.state == "Progress" for each in shown)
    parts = [f"{len(shown)} transactions", f"{waiting} in progress"]
    parts += [f"{count} {what}" for what, count in sums.items()]
    print(f"\n{', '.join(parts)}.")


def transaction(
    transaction_id: str,
    /,
    *,
    reseller: str | None = None,
    outcomes: given.Flag = False,
    failed: given.Flag = False,
    csv_file: Annotated[str | None, Parameter(name="--csv", allow_leading_hyphen=True)] = None,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Show one upload or delete in full: progress, counts by code and reason, what to do next.

        waybill transaction T-0042
        waybill transaction T-0042 --failed              each failed device and why
        waybill transaction T-0042 --outcomes --csv -    every device, in request order, as CSV

    In CSV a cell that a spreadsheet would take for a formula begins with '. The columns are those
    of `outcomes`.

    As JSON: the members of `waybill transactions`, and `resellerName`, `customerName`, `vendorId`,
    `type`, `removeTransactionId`, `uploadId`, `orderTime`, `profileAliases`, `targetService`,
    `performedBy`, `approvedAt`, `done` (devices so far); `byCode`, each with `code`, `message`,
    `count`; `byReason`, each with `reason`, `code`, `count`, `meaning`, `next`; and where asked
    for `outcomes`, each with `position` (from 1), `device` (as sent), `outcome` (OK, Error,
    Skipped or In progress), `code`, `message`, `reason`, `next`.

    Args:
        transaction_id: Its ID, as the reseller chose it.
        reseller: The reseller (ID or name), where several have used this ID.
        outcomes: Every device in request order, with what became of it.
        failed: Those devices alone that failed.
        csv_file: Write the devices as CSV to this file, or to standard output (`-`).
    """
    if json and csv_file == "-":
        raise Senseless("--json and --csv - exclude each other: both go to standard output.")
    with opened(where.settings()) as tx:
        found = find(tx, transaction_id, reseller)
        content = store.content(tx, found.seq)
    if csv_file is not None:
        count = _write_csv(csv_file, _devices(found, content, failed_only=failed))
        if csv_file == "-":
            return
        note(f"{count} devices were written to {csv_file}.")
    shown = _shown(found, content)
    counted = Counter(map(Outcome, content.outcomes or b""))
    shown["byCode"], shown["byReason"] = _by_code(counted), _by_reason(counted)
    people = {}
    if (outcomes or failed) and csv_file is None:
        shown["outcomes"] = list(_devices(found, content, failed_only=failed))
        # The message follows from the code, and what to do next stands beside the reason above.
        people["outcomes"] = [
            {name: each[name] for name in each if name not in ("message", "next")}
            for each in shown["outcomes"]
        ]
    one(shown, json=json, people=people)


def find(tx: Tx, transaction_id: str, reseller: str | None) -> Summary:
    """The transaction that a command names.

    Raises:
        NotFound: there is none.
        Senseless: several resellers have one of this ID.
    """
    of = named.reseller(tx, reseller) if reseller else None
    number = of and of.no
    wanted = Filter(id=transaction_id, reseller=number)
    found = store.summaries(tx, wanted, 20) if is_id(transaction_id) else []
    if len(found) > 1:
        resellers = ", ".join(each.reseller_id for each in found)
        raise Senseless(
            f"Several resellers have a transaction {transaction_id}: say --reseller ({resellers})."
        )
    if not found:
        lately = [each.id for each in store.summaries(tx, Filter(reseller=number), 2_000)]
        nearest = difflib.get_close_matches(transaction_id, lately, n=1)
        hint = f" Did you mean {nearest[0]}?" if nearest else ""
        whose = f" of reseller {of.id}" if of else ""
        raise NotFound(f"There is no transaction {transaction_id}{whose}.{hint}")
    return found[0]


def _row(each: Summary) -> dict[str, Any]:
    return {
        "acceptedAt": each.accepted_at,
        "transactionId": each.id,
        "resellerId": each.reseller_id,
        "customerId": each.customer_id,
        "operation": each.operation,
        "state": each.state,
        "devices": each.devices,
        "ok": each.ok,
        "failed": each.failed,
        "skipped": each.skipped,
        "orderNo": each.order_no,
        "completedAt": each.completed_at,
    }


def _briefly(row: Row) -> Row:
    """What fits on a line: how many succeeded follows from the others."""
    return {name: row[name] for name in row if name not in ("ok", "skipped", "completedAt")}


def _shown(each: Summary, content: store.Content) -> dict[str, Any]:
    done = each.ok + each.failed + each.skipped
    ordered = content.order_time
    return {
        "transactionId": each.id,
        "operation": each.operation,
        "state": each.state,
        "resellerId": each.reseller_id,
        "resellerName": each.reseller_name,
        "customerId": each.customer_id,
        "customerName": each.customer_name,
        "vendorId": content.vendor,
        "type": each.type,
        "removeTransactionId": content.removes,
        "uploadId": content.upload_id if each.operation == "UPLOAD" else None,
        "orderNo": each.order_no,
        "orderTime": None if ordered is None else datetime.fromtimestamp(ordered, UTC),
        "profileAliases": content.profile_aliases,
        "targetService": content.target_service,
        "performedBy": each.performed_by,
        "acceptedAt": each.accepted_at,
        "completedAt": each.completed_at,
        "approvedAt": content.approved_at,
        "devices": each.devices,
        "done": done,
        "ok": each.ok,
        "failed": each.failed,
        "skipped": each.skipped,
    }


def _by_code(counted: Counter[Outcome]) -> list[dict[str, Any]]:
    sums: Counter[Any] = Counter()
    for outcome, count in counted.items():
        if outcome.code is not None:
            sums[outcome.code] += count
    return [
        {"code": code.code, "message": code.message, "count": sums[code]}
        for code in sorted(sums, key=lambda code: (-sums[code], code.code))
    ]


def _by_reason(counted: Counter[Outcome]) -> list[dict[str, Any]]:
    return [
        {
            "reason": REASONS[outcome].name,
            "code": outcome.code and outcome.code.code,
            "count": counted[outcome],
            "meaning": REASONS[outcome].meaning,
            "next": REASONS[outcome].advice,
        }
        for outcome in sorted(counted, key=lambda outcome: (-counted[outcome], outcome))
        if outcome in REASONS
    ]


def _devices(
    each: Summary, content: store.Content, *, failed_only: bool
) -> Iterator[dict[str, Any]]:
    done = each.ok + each.failed + each.skipped
    for position, sent, outcome in rules.judged(content.identifiers, content.outcomes, done):
        code = outcome.code if outcome is not None else None
        if failed_only and code is None:
            continue
        reason = REASONS.get(outcome) if outcome is not None else None
        yield {
            "position": position,
            "device": sent,
            "outcome": _word(outcome),
            "code": code and code.code,
            "message": code and code.message,
            "reason": reason and reason.name,
            "next": reason and reason.advice,
        }


def _word(outcome: Outcome | None) -> str:
    if outcome is None:
        return "In progress"
    if outcome is Outcome.SKIPPED:
        return "Skipped"
    return "OK" if outcome is Outcome.OK else "Error"


_COLUMNS = ("position", "device", "outcome", "code", "message", "reason", "next")
# What a spreadsheet takes for the beginning of a formula; it trims some of what stands before.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def _write_csv(target: str, rows: Iterable[dict[str, Any]]) -> int:
    count = 0
    with _csv_file(target) as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for count, row in enumerate(rows, 1):  # noqa: B007 - the last one is the answer
            writer.writerow([safe_cell(row[name]) for name in _COLUMNS])
    return count


def _csv_file(target: str) -> Any:
    standard: TextIO = sys.stdout
    if target == "-":
        return nullcontext(standard)
    return Path(target).open("w", encoding="utf-8", newline="")


def safe_cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
