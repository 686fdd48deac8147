"""Every row of the vectors, through the API: IMEI, MEID and SN by upload, the others by delete."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import httpx
import pytest

from support.answers import assert_refused, failure
from support.world import GEN2, World
from waybill.wire.identifiers import meid_decimal

FILE = Path(__file__).parents[1] / "vectors" / "identifiers.csv"
MEMBER = {"IMEI": "imei", "MEID": "meid", "SN": "serialNumber"}
# Many rows name one phone: that it is there already, or is not, says that it was understood.
UNDERSTOOD = {"upload": 40000005, "delete": 40000044}


def rows() -> list[dict[str, str]]:
    """The rows of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


ROWS = rows()


def sent(row: dict[str, str]) -> str:
    """The row's identifier, its Python escapes resolved."""
    text = row["input"]
    return text.encode("ascii").decode("unicode_escape") if "\\" in text else text


def send(world: World, row: dict[str, str], transaction_id: str) -> httpx.Response:
    """Sends the one identifier of a row."""
    auto = row["type"] == "auto"
    body = world.upload_body(["@"], transactionId=transaction_id, type=row["type"])
    if auto:
        del body["type"]
    raw = row["input"].removeprefix("JSON:")
    device = raw if row["input"].startswith("JSON:") else json.dumps(sent(row))
    content = json.dumps(body).replace('"@"', device).encode()
    headers = {"Authorization": f"Bearer {world.token}"}
    path = f"{GEN2}/devices/{'delete' if auto else 'upload'}"
    return world.http.put(path, content=content, headers=headers)


def test_no_row_is_left_out() -> None:
    assert len(ROWS) >= 144
    assert {row["type"] for row in ROWS} == {"IMEI", "MEID", "SN", "auto"}
    assert {row["verdict"] for row in ROWS} == {"accept", "reject", "flag"}


@pytest.mark.parametrize(
    "row", ROWS, ids=[f"{row['n']} {row['type']} {row['kind']} {row['verdict']}" for row in ROWS]
)
def test_the_api_gives_the_verdict_of_the_row(world: World, row: dict[str, str]) -> None:
    world.associated()
    answer = send(world, row, "T")
    expected = int((row["kdp_error_if_not_accepted"] or "0").split()[0])
    if expected == 40000000:
        # No string, or half a letter: that is the request's defect and no device's.
        named = "devices" if row["input"].startswith("JSON:") else "body"
        assert_refused(answer, 40000000, named)
        return
    assert answer.status_code == 200, answer.text
    world.work()
    failed = world.status(transactionId="T").json().get("devices", [])
    if row["verdict"] != "accept":
        member = MEMBER.get(row["type"], "imei")
        assert failed == [failure(member, sent(row), expected)]
        return
    call = "delete" if row["type"] == "auto" else "upload"
    assert [each["code"] for each in failed] in ([], [UNDERSTOOD[call]])
    if not failed and call == "upload":
        shown = row["canonical"]
        assert world.held() == [meid_decimal(shown) if row["type"] == "MEID" else shown]
        if row["meid_decimal"]:
            assert world.devices().json()["devices"][0]["meid"] == row["meid_decimal"]


def test_rows_of_one_type_sent_together_have_the_verdicts_that_they_have_alone(
    world: World,
) -> None:
    for kind, member in MEMBER.items():
        chosen = [
            row
            for row in ROWS
            if row["type"] == kind and not row["kdp_error_if_not_accepted"].startswith("40000000")
        ]
        failed = world.uploaded([sent(row) for row in chosen], type=kind)["devices"]
        refused = [
            failure(member, sent(row), int(row["kdp_error_if_not_accepted"].split()[0]))
            for row in chosen
            if row["verdict"] != "accept"
        ]
        assert [each for each in failed if each["code"] != UNDERSTOOD["upload"]] == refused
