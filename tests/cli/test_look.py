"""`waybill device`, `transactions` and `transaction`: what they tell, to people and to scripts."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from support.cli import Cli
from support.world import World, fresh
from waybill import clock
from waybill.cli.transactions import safe_cell
from waybill.db.connect import connect
from waybill.devices.rules import REASONS, Outcome
from waybill.transactions import actions
from waybill.transactions.actions import Conduct
from waybill.transactions.rules import CHUNK
from waybill.wire.identifiers import Kind, generate, luhn_digit, meid_decimal


def spoilt(imei: str) -> str:
    return imei[:-1] + str((int(imei[-1]) + 1) % 10)


# --- one device ---------------------------------------------------------------------------------


def test_it_works(cli: Cli, world: World) -> None:
    (imei,) = generate(Kind.IMEI, 1)
    upload = world.uploaded([imei], orderNo="O-1", vendorId=world.vendor())["transactionId"]
    told = cli.json("device", imei)
    (period,) = told["history"]
    assert told == {
        "imei": imei,
        "imei2": None,
        "meid": imei[:14],
        "meidDecimal": meid_decimal(imei[:14]),
        "serialNumber": None,
        "model": None,
        "listedAt": None,
        "state": "Pending",
        "resellerId": world.reseller_id,
        "resellerName": "Reseller",
        "customerId": world.customer_id,
        "customerName": "Customer",
        "since": period["registeredAt"],
        "history": [period],
        "refused": [],
    }
    assert period["transactionId"] == upload
    assert period["orderNo"] == "O-1"
    assert period["vendorId"]
    assert period["removedBy"] is None


def test_the_history_tells_each_holder_and_what_ended_it(cli: Cli, world: World) -> None:
    (imei,) = generate(Kind.IMEI, 1)
    other = world.neighbour()
    first = world.uploaded([imei])["transactionId"]
    removed = world.deleted([imei])["transactionId"]
    second = other.uploaded([imei])["transactionId"]
    told = cli.json("device", imei)
    assert told["resellerId"] == other.reseller_id
    assert [
        (each["resellerId"], each["customerId"], each["transactionId"], each["removedBy"])
        for each in told["history"]
    ] == [
        (other.reseller_id, other.customer_id, second, None),
        (world.reseller_id, world.customer_id, first, removed),
    ]
    newest, oldest = told["history"]
    assert (newest["state"], oldest["state"]) == ("Pending", "Removed")
    assert oldest["registeredAt"] <= oldest["removedAt"] <= newest["registeredAt"]


def test_a_device_that_nobody_holds_now_has_its_history(cli: Cli, world: World) -> None:
    (imei,) = generate(Kind.IMEI, 1)
    world.uploaded([imei])
    world.deleted([imei])
    told = cli.json("device", imei)
    assert (told["state"], told["resellerId"], told["since"]) == ("not held", None, None)
    assert len(told["history"]) == 1


def test_a_device_is_found_however_it_is_written(cli: Cli, world: World) -> None:
    (imei,) = generate(Kind.IMEI, 1)
    (meid,) = generate(Kind.MEID, 1)
    (serial,) = generate(Kind.SN, 1)
    world.uploaded([imei])
    world.uploaded([meid], type="MEID")
    world.uploaded([serial], type="SN")
    decimal = meid_decimal(meid) or ""
    for writings in (
        (
            imei,
            f" {imei} ",
            imei[:14],
            f"{imei[:2]}-{imei[2:8]}-{imei[8:14]}-{imei[14]}",
            f"{imei[:8]} {imei[8:14]} {imei[14]}",
            meid_decimal(imei[:14]) or "",
        ),
        (
            meid,
            meid.lower(),
            meid + luhn_digit(meid),
            " ".join(meid[at : at + 2] for at in range(0, 14, 2)),
            decimal,
            f"{decimal[:5]} {decimal[5:10]} {decimal[10:14]} {decimal[14:]}",
        ),
        (serial, serial.lower()),
    ):
        told = [cli.json("device", each) for each in writings]
        assert all(each == told[0] for each in told), writings
        assert told[0]["resellerId"] == world.reseller_id
    assert cli.json("device", meid)["meid"] == meid
    assert cli.json("device", decimal)["meidDecimal"] == decimal
    assert cli.json("device", serial)["serialNumber"] == serial


def test_what_was_refused_lately_is_told_with_the_reason(cli: Cli, world: World) -> None:
    (imei,) = generate(Kind.IMEI, 1)
    other = world.neighbour()
    world.uploaded([imei])
    refused = other.uploaded(["another", imei])["transactionId"]
    missed = other.deleted([imei], customerId=other.customer_id)["transactionId"]
    told = cli.json("device", imei)["refused"]
    assert [(each["transactionId"], each["code"], each["reason"]) for each in told] == [
        (missed, 40000044, "notHeld"),
        (refused, 40000005, "otherReseller"),
    ]
    assert told[1]["resellerId"] == other.reseller_id


def test_a_device_that_nobody_sent_is_not_found(cli: Cli) -> None:
    (imei,) = generate(Kind.IMEI, 1)
    code, sentence = cli.refused("device", imei)
    assert code == 3
    assert sentence == f"{imei} is a well-formed IMEI, and nobody has ever sent it."


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("352099001761482", "if they are right, it is 352099001761481."),
        ("35209900176148123", "An IMEI has 15 digits, these are 17."),
        ("hello", "a serial number fits R[0-9A-Z]{10}."),
        ("", "a serial number fits R[0-9A-Z]{10}."),
        ("３５２０９９００１７６１４８１", "a serial number fits R[0-9A-Z]{10}."),
    ],
)
def test_what_is_no_identifier_gets_a_hint(cli: Cli, text: str, hint: str) -> None:
    code, sentence = cli.refused("device", text)
    assert code == 2
    assert sentence.startswith(f"{text} is no identifier of a device. ")
    assert sentence.endswith(hint)


# --- many transactions --------------------------------------------------------------------------


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["transactionId"] for row in rows]


def test_transactions_are_listed_newest_first_those_that_wait_too(cli: Cli, world: World) -> None:
    device = generate(Kind.IMEI, 1)
    done = world.uploaded(device)["transactionId"]
    removed = world.deleted(device)["transactionId"]
    waiting = [world.upload().json()["transactionId"] for _ in range(2)]
    listed = cli.json("transactions", "--reseller", world.reseller_id)
    assert ids(listed) == [*reversed(waiting), removed, done]
    assert listed[-1] == {
        "acceptedAt": listed[-1]["acceptedAt"],
        "transactionId": done,
        "resellerId": world.reseller_id,
        "customerId": world.customer_id,
        "operation": "UPLOAD",
        "state": "Complete",
        "devices": 1,
        "ok": 1,
        "failed": 0,
        "skipped": 0,
        "orderNo": None,
        "completedAt": listed[-1]["completedAt"],
    }
    assert ids(cli.json("transactions", "-n", "4")) == ids(listed)
    world.work()


def test_transactions_are_filtered(cli: Cli, world: World) -> None:
    (good,) = generate(Kind.IMEI, 1)
    ok = world.uploaded([good])["transactionId"]
    bad = world.uploaded([good])["transactionId"]
    removed = world.deleted([good])["transactionId"]
    elsewhere = world.another_customer()
    other = world.uploaded(customerId=elsewhere)["transactionId"]
    waiting = world.upload().json()["transactionId"]
    world.sql("update transaction set accepted_at = now() - interval '3 days' where id = %s", ok)

    def fit(*options: str) -> list[str]:
        return ids(cli.json("transactions", "--reseller", world.reseller_id, *options))

    assert fit("--with-errors") == [bad]
    assert fit("--operation", "DELETE") == [removed]
    assert fit("--state", "Progress") == [waiting]
    assert fit("--state", "Complete", "--operation", "UPLOAD") == [other, bad, ok]
    assert fit("--customer", elsewhere) == [other]
    assert fit("--days", "2") == [waiting, other, removed, bad]
    assert ids(cli.json("transactions", "--customer", elsewhere)) == [other]
    assert cli.refused("transactions", "--days", "-1")[0] == 2
    assert cli.refused("transactions", "--state", "Done")[0] == 2
    assert cli.refused("transactions", "--customer", fresh("C"))[0] == 3
    world.work()


def test_people_are_told_the_sums(cli: Cli, world: World) -> None:
    world.uploaded([*generate(Kind.IMEI, 2), "no"])
    world.upload()
    ran = cli("transactions", "--reseller", world.reseller_id)
    last = ran.out.splitlines()[-1]
    assert last == "2 transactions, 1 in progress, 4 devices, 2 ok, 1 failed."
    world.work()


# --- one transaction ----------------------------------------------------------------------------


def test_one_transaction_is_told_in_full(cli: Cli, world: World) -> None:
    world.associated()
    world.alias("Drivers")
    vendor, imeis = world.vendor(), generate(Kind.IMEI, 2)
    transaction_id = world.uploaded(
        [*imeis, spoilt(imeis[0])],
        orderNo="O-7",
        orderTime=1_700_000_000,
        vendorId=vendor,
        profileAliases=[{"profileAlias": "Drivers"}],
    )["transactionId"]
    told = cli.json("transaction", transaction_id)
    listed = world.devices().json()["devices"][0]
    reason = REASONS[Outcome.IMEI_INVALID]
    assert told == {
        "transactionId": transaction_id,
        "operation": "UPLOAD",
        "state": "Complete",
        "resellerId": world.reseller_id,
        "resellerName": "Reseller",
        "customerId": world.customer_id,
        "customerName": "Customer",
        "vendorId": vendor,
        "type": "IMEI",
        "removeTransactionId": None,
        "uploadId": listed["uploadId"],
        "orderNo": "O-7",
        "orderTime": "2023-11-14T22:13:20Z",
        "profileAliases": ["Drivers"],
        "targetService": "KME",
        "performedBy": world.client_id,
        "acceptedAt": told["acceptedAt"],
        "completedAt": told["completedAt"],
        "approvedAt": None,
        "devices": 3,
        "done": 3,
        "ok": 2,
        "failed": 1,
        "skipped": 0,
        "byCode": [{"code": 40000007, "message": "DEVICE_IMEI_INVALID", "count": 1}],
        "byReason": [
            {
                "reason": "noImei",
                "code": 40000007,
                "count": 1,
                "meaning": reason.meaning,
                "next": reason.advice,
            }
        ],
    }


def test_each_reason_is_told_apart_where_the_code_is_one(cli: Cli, world: World) -> None:
    same, elsewhere, foreign, new = generate(Kind.IMEI, 4)
    world.uploaded([same])
    world.uploaded([elsewhere], customerId=world.another_customer())
    world.neighbour().uploaded([foreign])
    done = world.uploaded([same, elsewhere, foreign, new, new])["transactionId"]
    told = cli.json("transaction", done, "--outcomes")
    assert told["byCode"] == [{"code": 40000005, "message": "DEVICE_DUPLICATE", "count": 4}]
    assert [each["reason"] for each in told["byReason"]] == [
        "sameCustomer",
        "otherCustomer",
        "otherReseller",
        "repeated",
    ]
    assert [(each["device"], each["outcome"], each["reason"]) for each in told["outcomes"]] == [
        (same, "Error", "sameCustomer"),
        (elsewhere, "Error", "otherCustomer"),
        (foreign, "Error", "otherReseller"),
        (new, "OK", None),
        (new, "Error", "repeated"),
    ]
    failed = cli.json("transaction", done, "--failed")["outcomes"]
    assert [each["position"] for each in failed] == [1, 2, 3, 5]


def test_a_silent_release_skips_and_says_so_here(cli: Cli, world: World) -> None:
    cli.json("resellers", "change", world.reseller_id, "--kdp-release", "23.12")
    (device,) = generate(Kind.IMEI, 1)
    world.uploaded([device])
    done = world.uploaded([device])["transactionId"]
    told = cli.json("transaction", done, "--outcomes")
    assert (told["ok"], told["failed"], told["skipped"], told["byCode"]) == (0, 0, 1, [])
    assert [each["reason"] for each in told["byReason"]] == ["alreadyHeld"]
    assert told["outcomes"][0]["outcome"] == "Skipped"
    assert cli.json("transaction", done, "--failed")["outcomes"] == []


def test_progress_is_told_while_it_goes_on(cli: Cli, world: World) -> None:
    devices = generate(Kind.IMEI, CHUNK + 5)
    accepted = world.upload(devices).json()["transactionId"]
    with connect(world.settings.database_url) as tx:
        actions.run(tx, Conduct.of(world.settings), clock.now())
    told = cli.json("transaction", accepted, "--outcomes")
    assert (told["state"], told["done"], told["devices"]) == ("Progress", CHUNK, CHUNK + 5)
    assert [each["outcome"] for each in told["outcomes"][-6:]] == ["OK"] + ["In progress"] * 5
    assert [each["device"] for each in told["outcomes"]] == devices
    world.work()


def test_a_delete_by_upload_lists_what_it_removed(cli: Cli, world: World) -> None:
    devices = generate(Kind.IMEI, 3)
    upload = world.uploaded(devices)["transactionId"]
    removal = world.deleted(removeTransactionId=upload)["transactionId"]
    told = cli.json("transaction", removal, "--outcomes")
    assert (told["operation"], told["removeTransactionId"]) == ("DELETE", upload)
    assert [each["device"] for each in told["outcomes"]] == devices


def test_an_id_that_two_resellers_used_asks_for_the_reseller(cli: Cli, world: World) -> None:
    other, shared = world.neighbour(), fresh("T")
    world.uploaded(transactionId=shared)
    other.uploaded(transactionId=shared)
    code, sentence = cli.refused("transaction", shared)
    assert code == 2
    assert world.reseller_id in sentence
    assert other.reseller_id in sentence
    told = cli.json("transaction", shared, "--reseller", other.reseller_id)
    assert told["resellerId"] == other.reseller_id


def test_a_mistyped_transaction_names_the_nearest(cli: Cli, world: World) -> None:
    done = world.uploaded()["transactionId"]
    whose = ("--reseller", world.reseller_id)
    code, sentence = cli.refused("transaction", done[:-1], *whose)
    assert code == 3
    assert sentence == (
        f"There is no transaction {done[:-1]} of reseller {world.reseller_id}. Did you mean {done}?"
    )


# --- CSV ----------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "\n=1"]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_outcomes_are_written_as_csv_in_request_order(
    cli: Cli, world: World, tmp_path: Path
) -> None:
    devices = [*generate(Kind.IMEI, 2), "no", 'a "quoted", one', "two\nlines"]
    done = world.uploaded(devices)["transactionId"]
    ran = cli("transaction", done, "--csv", "-")
    assert (ran.code, ran.err) == (0, "")
    written = rows(ran.out)
    assert [each["device"] for each in written] == devices
    assert [each["position"] for each in written] == ["1", "2", "3", "4", "5"]
    assert written[2] == {
        "position": "3",
        "device": "no",
        "outcome": "Error",
        "code": "40000007",
        "message": "DEVICE_IMEI_INVALID",
        "reason": "noImei",
        "next": REASONS[Outcome.IMEI_INVALID].advice,
    }
    file = tmp_path / "failed.csv"
    told = cli.json("transaction", done, "--failed", "--csv", str(file))
    assert "outcomes" not in told
    assert [each["device"] for each in rows(file.read_bytes().decode())] == devices[2:]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula(cli: Cli, world: World, formula: str) -> None:
    done = world.uploaded([formula])["transactionId"]
    (written,) = rows(cli("transaction", done, "--csv", "-").out)
    assert written["device"] == f"'{formula}"


def test_a_harmless_cell_stays_as_it_is() -> None:
    assert [safe_cell(each) for each in (None, 7, "a=b", "352099001761481", "")] == [
        *("", "7", "a=b", "352099001761481", ""),
    ]


def test_csv_and_json_cannot_share_the_standard_output(cli: Cli, world: World) -> None:
    done = world.uploaded()["transactionId"]
    assert cli("transaction", done, "--csv", "-", "--json").code == 2


def test_a_file_that_cannot_be_written_is_one_sentence(cli: Cli, world: World) -> None:
    done = world.uploaded()["transactionId"]
    code, sentence = cli.refused("transaction", done, "--csv", "/nowhere/at/all.csv")
    assert (code, sentence) == (1, "/nowhere/at/all.csv: No such file or directory.")


def test_what_a_client_sent_cannot_steer_a_terminal(cli: Cli, world: World) -> None:
    done = world.uploaded(["\x1b[2J\u202e7"])["transactionId"]
    out = cli("transaction", done, "--failed").out
    assert "\\x1b[2J\\u202e7" in out
    assert "\x1b" not in out


# --- by its other identifiers -------------------------------------------------------------------


def test_a_listed_phone_is_found_by_each_of_its_identifiers(
    cli: Cli, world: World, tmp_path: Path
) -> None:
    imei, imei2 = generate(Kind.IMEI, 2)
    (serial,) = generate(Kind.SN, 1)
    world.uploaded([imei])
    file = tmp_path / "list.csv"
    file.write_text(f"IMEI1,IMEI2,Serial,Model\n{imei},{imei2},{serial},SM-S911B\n")
    assert cli("manufactured", "import", str(file)).code == 0
    told = cli.json("device", serial)
    assert cli.json("device", imei) == cli.json("device", imei2) == told
    assert told["listedAt"]
    named = {"imei": imei, "imei2": imei2, "serialNumber": serial, "model": "SM-S911B"}
    assert named.items() <= told.items()
    assert told["resellerId"] == world.reseller_id
    refused = world.uploaded([imei2])["transactionId"]
    assert ids(cli.json("device", serial)["refused"]) == [refused]
    assert cli.json("approve", serial)[0]["approved"] == 1
