"""Files as people have them: CSV of any kind, and workbooks."""

from __future__ import annotations

import datetime
import re
import zipfile
from pathlib import Path

import pytest

from support.workbook import workbook
from waybill.spreadsheet.files import Unreadable, opened

ROWS = [["imei", "serial"], ["352099001761481", "R58M1234567"], ["356938035643809", "Ä"]]


def rows(path: Path, sheet: str | None = None) -> list[tuple[int, list[str]]]:
    """All rows of a file."""
    with opened(path, sheet) as found:
        return list(found.rows())


def refusal(path: Path, sheet: str | None = None) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(Unreadable) as refused:
        rows(path, sheet)
    return str(refused.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "list.csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiter_and_encoding_are_found_out(
    file: Path, delimiter: str, encoding: str, end: str
) -> None:
    file.write_bytes("".join(delimiter.join(row) + end for row in ROWS).encode(encoding))
    assert rows(file) == list(enumerate(ROWS, 1))


def test_one_column_needs_no_delimiter(file: Path) -> None:
    file.write_text("imei\n352099001761481\n")
    assert rows(file) == [(1, ["imei"]), (2, ["352099001761481"])]


def test_commas_in_numbers_and_models_are_no_delimiters(file: Path) -> None:
    file.write_text("imei;model\n3,52099E+14;SM-G981B, black\n352099001761481;SM-A155F\n")
    assert rows(file)[1] == (2, ["3,52099E+14", "SM-G981B, black"])


def test_excel_s_line_that_names_the_delimiter_is_followed_and_no_row(file: Path) -> None:
    file.write_text("sep=|\nimei,1|serial,1\n")
    assert rows(file) == [(2, ["imei,1", "serial,1"])]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(file: Path) -> None:
    file.write_text('imei,model\n\n1,"two\nlines"\n3,x\n')
    assert [number for number, _ in rows(file)] == [1, 2, 3, 4]


def test_excel_s_way_to_write_text_survives(file: Path) -> None:
    file.write_text('imei\n"=""352099001761481"""\n="352099001761482"\n')
    assert [cells for _, cells in rows(file)][1:] == [
        ['="352099001761481"'],
        ['="352099001761482"'],
    ]


def test_a_quotation_mark_that_nothing_closes_is_told_with_its_row(file: Path) -> None:
    file.write_text("imei,model\n1,a\n2,b\n" + '3,"c\n' + "4,d\n" * 500_000)
    assert "Row 4 (line 4 of the file)" in refusal(file)


def test_how_far_it_is_goes_from_0_to_1(file: Path) -> None:
    file.write_text("imei\n" + "352099001761481\n" * 50_000)
    with opened(file) as found:
        seen = [found.done for _ in found.rows()]
    assert seen == sorted(seen)
    assert seen[0] < 0.2
    assert seen[-1] == 1


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no workbook", b"\xd0\xcf\x11\xe0 neither"])
def test_what_cannot_be_read_is_told_in_a_sentence(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert re.fullmatch(r".+\.", refusal(file))


def test_no_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.csv").startswith("There is no ")
    assert "is no file" in refusal(tmp_path)


def test_a_workbook_gives_text_whatever_its_cells_are(tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "list.xlsx",
        {
            "Phones": [
                ["imei", "model", 7, True],
                [352099001761481, "SM", 0.5, datetime.date(2025, 1, 2)],
                ["352099001761481", None, 123456789012345678, -3],
            ]
        },
    )
    assert rows(file) == [
        (1, ["imei", "model", "7", "True"]),
        (2, ["352099001761481", "SM", "5.00000000000000E-01", "2025-01-02"]),
        (3, ["352099001761481", "", "1.23456789012346E+17", "-3"]),
    ]


def test_rows_of_a_workbook_are_numbered_from_its_first_one_also_if_that_is_empty(
    tmp_path: Path,
) -> None:
    file = workbook(tmp_path / "list.xlsx", {"Phones": [[], [], ["imei"], [], ["1"]]})
    assert [(number, cells) for number, cells in rows(file) if any(cells)] == [
        (3, ["imei"]),
        (5, ["1"]),
    ]


def test_the_first_visible_sheet_with_something_in_it_is_read(tmp_path: Path) -> None:
    sheets = {"Hidden": [["a"]], "Empty": [], "Phones": [["b"]], "Others": [["c"]]}
    file = workbook(tmp_path / "list.xlsx", sheets, hidden={"Hidden"})
    assert rows(file) == [(1, ["b"])]
    assert rows(file, "Others") == [(1, ["c"])]
    assert "“Phones”" in refusal(file, "None such")


def test_a_workbook_is_known_by_its_content(tmp_path: Path) -> None:
    file = workbook(tmp_path / "list.csv", {"Phones": [["b"]]})
    assert rows(file) == [(1, ["b"])]


def test_a_workbook_without_anything_is_told(tmp_path: Path) -> None:
    assert "empty" in refusal(workbook(tmp_path / "list.xlsx", {"Phones": []}))


def test_another_zip_file_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "list.xlsx", "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert "no workbook" in refusal(tmp_path / "list.xlsx")


def test_text_has_no_sheets(file: Path) -> None:
    file.write_text("imei\n")
    assert "--sheet" in refusal(file, "Phones")
