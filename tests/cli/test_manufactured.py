"""`waybill manufactured`: a list comes in, and whoever brings it learns what did not and why."""

from __future__ import annotations

import csv
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.answers import failure
from support.cli import Cli
from support.manufactured import invented
from support.workbook import workbook
from support.world import World
from waybill.manufactured.rules import Phone
from waybill.wire.identifiers import Kind, generate, meid_decimal

_RUN = "from waybill.cli.main import main; main()"
HEADER = ["imei", "imei2", "meid", "serial", "model"]


def written(path: Path, phones: list[Phone], *more: list[str], delimiter: str = ",") -> Path:
    """A list as a CSV file; `more` are rows of its own making below the phones."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([HEADER, *phones, *more])
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a list may be written."""
    return tmp_path / "phones.csv"


def imported(cli: Cli, file: Path, *options: str, code: int = 0) -> dict[str, Any]:
    """Imports a file; gives what scripts are told."""
    ran = cli("manufactured", "import", str(file), "--json", *options)
    assert ran.code == code, ran
    return ran.json


def test_it_works(cli: Cli, world: World, file: Path) -> None:
    phone = invented()
    assert imported(cli, written(file, [phone])) == {
        "file": "phones.csv",
        "format": "CSV, UTF-8, delimiter comma",
        "columns": {name: name for name in HEADER},
        "notRead": [],
        "dryRun": False,
        "rows": 1,
        "added": 1,
        "changed": 0,
        "unchanged": 0,
        "refused": 0,
        "mended": 0,
        "rekeyed": 0,
        "refusals": [],
    }
    assert "devices" not in world.uploaded([phone.imei])
    assert world.uploaded([phone.imei2])["devices"] == [failure("imei", phone.imei2, 40000005)]
    assert cli.json("device", phone.serial)["resellerId"] == world.reseller_id


def test_of_many_phones_exactly_the_three_damaged_rows_are_refused_and_told(
    cli: Cli, file: Path, tmp_path: Path
) -> None:
    imeis, serials = generate(Kind.IMEI, 50_000), generate(Kind.SN, 25_000)
    phones = [
        Phone(imei=one, imei2=two, serial=serial)
        for one, two, serial in zip(imeis[::2], imeis[1::2], serials, strict=True)
    ]
    zero = "35" + imeis[0][2:12]
    wrong = imeis[2][:14] + str((int(imeis[2][14]) + 1) % 10)
    damaged = [["3.52099E+14"], [wrong], [zero]]
    written(file, phones, *damaged, delimiter=";")
    report = tmp_path / "refused.csv"
    told = imported(cli, file, "--report", str(report), code=1)
    assert (told["rows"], told["added"], told["refused"]) == (25_003, 25_000, 3)
    assert [(each["row"], each["column"], each["value"]) for each in told["refusals"]] == [
        (25_002, "imei", "3.52099E+14"),
        (25_003, "imei", wrong),
        (25_004, "imei", zero),
    ]
    with report.open(encoding="utf-8-sig", newline="") as kept:
        rows = list(csv.DictReader(kept))
    assert [row["reason"] for row in rows] == [each["reason"] for each in told["refusals"]]
    assert [row["what to do"] for row in rows] == [each["whatToDo"] for each in told["refusals"]]
    again = imported(cli, file, code=1)
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 25_000)
    assert again["refusals"] == told["refusals"]


def test_people_are_told_by_a_table(cli: Cli, file: Path) -> None:
    phone = invented()
    ran = cli("manufactured", "import", str(written(file, [phone], ["3,52099E+14"])))
    assert ran.code == 1
    assert re.search(r"^rows +2$", ran.out, re.MULTILINE)
    assert re.search(r"^added +1$", ran.out, re.MULTILINE)
    assert re.search(r"^ +3 +imei +3,52099E\+14 +Excel has shortened", ran.out, re.MULTILINE)


def test_a_workbook_is_imported_like_a_csv_file(cli: Cli, tmp_path: Path) -> None:
    phone = invented(meid="")
    number = int(phone.imei)
    rows = [["Delivery"], [], ["Model", "S/N", "IMEI 1", "IMEI 2"]]
    rows += [[phone.model, phone.serial, number, phone.imei2], ["x", "", 35209900176148.0, ""]]
    file = workbook(tmp_path / "phones.xlsx", {"Notes": [["hello"]], "Phones": rows})
    told = imported(cli, file, "--sheet", "Phones", code=1)
    assert told["format"] == "workbook, sheet “Phones” of 2"
    assert told["columns"] == {
        "Model": "model",
        "S/N": "serial",
        "IMEI 1": "imei",
        "IMEI 2": "imei2",
    }
    assert [(each["row"], each["column"], each["value"]) for each in told["refusals"]] == [
        (5, "IMEI 1", "35209900176148")
    ]
    assert cli.json("manufactured", "show", phone.serial)["imei"] == phone.imei


def test_a_column_is_called_as_its_header_calls_it_also_where_the_list_says_otherwise(
    cli: Cli, file: Path
) -> None:
    phone, other = invented(), invented()
    imported(cli, written(file, [phone]))
    file.write_text(f"Seriennummer;IMEI 1\n{other.serial};{phone.imei}\n")
    (refusal,) = imported(cli, file, code=1)["refusals"]
    assert (refusal["column"], refusal["value"]) == ("Seriennummer", other.serial)


def test_a_file_that_is_not_understood_leaves_no_report(
    cli: Cli, file: Path, tmp_path: Path
) -> None:
    file.write_text("colour,size\nred,1\n")
    report = tmp_path / "refused.csv"
    assert cli("manufactured", "import", str(file), "--report", str(report)).code == 2
    assert not report.exists()


def test_a_trial_run_tells_and_changes_nothing(cli: Cli, file: Path) -> None:
    phone = invented()
    told = imported(cli, written(file, [phone], ["3,52099E+14"]), "--dry-run", code=1)
    assert (told["dryRun"], told["added"], told["refused"]) == (True, 1, 1)
    assert cli.refused("manufactured", "show", phone.imei)[0] == 3
    ran = cli("manufactured", "import", str(file), "--dry-run")
    assert "Nothing was changed." in ran.err


def test_columns_without_a_header_can_be_named(cli: Cli, file: Path) -> None:
    phone = invented(meid="", model="")
    file.write_text(f"{phone.imei2},x,{phone.imei},{phone.serial}\n")
    code, sentence = cli.refused("manufactured", "import", str(file))
    assert code == 2
    assert "--columns" in sentence
    told = imported(cli, file, "--columns", "imei2,,imei,serial")
    assert told["added"] == 1
    assert cli.json("manufactured", "show", phone.imei2)["imei"] == phone.imei


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is empty"),
        ("colour,size\nred,1\n", "“colour”, “size”"),
        ("imei,imei\n1,2\n", "Columns A and B"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_whole(
    cli: Cli, file: Path, content: str, told: str
) -> None:
    file.write_text(content)
    code, sentence = cli.refused("manufactured", "import", str(file))
    assert code == 2
    assert told in sentence


def test_a_missing_file_and_a_report_onto_the_list_make_no_sense(cli: Cli, file: Path) -> None:
    assert cli.refused("manufactured", "import", str(file))[0] == 2
    written(file, [invented()])
    assert cli.refused("manufactured", "import", str(file), "--report", str(file))[0] == 2
    assert len(file.read_text().splitlines()) == 2


def test_a_file_that_breaks_off_keeps_what_came_before(cli: Cli, file: Path) -> None:
    phones = [invented() for _ in range(10_001)]
    written(file, phones)
    with file.open("a") as more:
        more.write('1,"2\n' + "3,4\n" * 300_000)
    ran = cli("manufactured", "import", str(file))
    assert ran.code == 1
    assert "Row 10003 " in ran.err
    assert "10,000 rows were taken in" in ran.err
    assert cli.json("manufactured", "show", phones[0].imei)["imei2"] == phones[0].imei2


def test_only_so_many_refused_rows_are_shown_and_the_report_has_all(
    cli: Cli, file: Path, tmp_path: Path
) -> None:
    written(file, [], *([f"35209900176{number:04}X"] for number in range(1_200)))
    report = tmp_path / "refused.csv"
    ran = cli("manufactured", "import", str(file), "--report", str(report))
    assert len([line for line in ran.out.splitlines() if "35209900176" in line]) == 20
    assert "1,180 more" in ran.err
    assert len(report.read_text().splitlines()) == 1_201
    assert len(imported(cli, file, code=1)["refusals"]) == 1_000


def test_a_value_that_a_spreadsheet_would_run_is_harmless_in_the_report(
    cli: Cli, file: Path, tmp_path: Path
) -> None:
    written(file, [], ['=HYPERLINK("http://example.com")'])
    report = tmp_path / "refused.csv"
    cli("manufactured", "import", str(file), "--report", str(report))
    with report.open(encoding="utf-8-sig", newline="") as kept:
        assert list(csv.reader(kept))[1][2].startswith("'=")


@pytest.mark.parametrize("how", ["imei", "imei2", "meid", "serial"])
def test_a_phone_is_shown_by_any_of_its_identifiers(cli: Cli, file: Path, how: str) -> None:
    phone = invented()
    before = cli.json("manufactured", "count")["phones"]
    imported(cli, written(file, [phone]))
    shown = cli.json("manufactured", "show", getattr(phone, how))
    del shown["importedAt"]
    assert shown == {
        "imei": phone.imei,
        "imei2": phone.imei2,
        "meid": phone.meid,
        "meidDecimal": meid_decimal(phone.meid),
        "serialNumber": phone.serial,
        "model": phone.model,
    }
    assert cli.json("manufactured", "show", meid_decimal(phone.meid) or "")["imei"] == phone.imei
    assert cli.json("manufactured", "count")["phones"] == before + 1


def test_an_unlisted_phone_is_not_found_and_nonsense_is_no_identifier(cli: Cli) -> None:
    assert cli.refused("manufactured", "show", generate(Kind.IMEI, 1)[0])[0] == 3
    assert cli.refused("manufactured", "show", "hello")[0] == 2


def test_a_terminal_sees_how_far_it_is_how_fast_and_how_long_still(cli: Cli, file: Path) -> None:
    written(file, [invented() for _ in range(20_001)])
    ours, theirs = pty.openpty()
    url = cli.settings.database_url
    process = subprocess.Popen(
        [sys.executable, "-c", _RUN, "manufactured", "import", str(file), "--database-url", url],
        stderr=theirs,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:
        # The other side was closed.
        pass
    finally:
        os.close(ours)
    assert process.wait(60) == 0
    assert re.search(rb"[12]0,000 rows, [0-9,]+ a second", seen)
    assert re.search(rb"\d:\d\d:\d\d", seen)


def test_no_terminal_no_progress(cli: Cli, file: Path) -> None:
    ran = cli("manufactured", "import", str(written(file, [invented()])))
    assert ran.err == ""
