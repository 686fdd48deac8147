"""Rows of a manufacturing list: what they say, what is mended, what is refused and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.manufactured.rules import (
    Change,
    Phone,
    Portion,
    Row,
    joins_held,
    judge,
    read,
)
from waybill.spreadsheet.columns import Field, Unclear, layout
from waybill.wire.identifiers import Kind, Rules, canonical, generate, luhn_digit, meid_decimal

IMEI, IMEI_2 = "352099001761481", "356938035643809"
MEID, SERIAL = "A0000012345678", "R58M1234567"
HEADER = ["imei", "imei2", "meid", "serial", "model"]


def portion(*rows: list[str], header: list[str] | None = None, rules: Rules | None = None):
    """What rows say that stand below a header, the first one in row 2."""
    lines = list(enumerate([header or HEADER, *rows], 1))
    found = layout(lines)
    return read(lines[found.header :], found.columns, rules or Rules())


def phones(found: Portion) -> list[Phone]:
    """The phones of rows that are in order; there must be no other rows."""
    assert found.defects == []
    return [row.phone for row in found.rows]


def reason(column: str, value: str, header: str | None = None) -> tuple[str, str]:
    """Why a row is refused that has only this value, in this column."""
    found = portion([value], header=[header or column])
    ((defect,),) = found.defects
    assert found.rows == []
    assert (defect.row, defect.column, defect.value) == (2, header or column, value)
    return defect.reason, defect.remedy


# --- columns ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "headers"),
    [
        (
            Field.IMEI,
            "imei|IMEI|imei1|IMEI 1|imei_1|IMEI-1|IMEI (1)|IMEI No.|IMEI Number|Primary IMEI|mei|"
            "IMEI-Nummer|Numéro IMEI| imei ",
        ),
        (
            Field.IMEI2,
            "imei2|IMEI 2|IMEI_2|imei (2)|Secondary IMEI|IMEI SIM2",
        ),
        (Field.MEID, "meid|MEID|MEID DEC|meid (hex)|MEID_HEX|Meid Decimal"),
        (Field.IMEI_OR_MEID, "IMEI/MEID|imei / meid|IMEI or MEID|MEID/IMEI"),
        (
            Field.SERIAL,
            "serial|Serial Number|serial_number|S/N|SN|serialNo|Serial No.|SERIAL#|Seriennummer|"
            "Serien-Nr.|Numéro de série|N° de série",
        ),
        (
            Field.MODEL,
            "model|Model Number|MODEL_CODE|Model Name|sku|SKU Code|Modell|Modèle|Modellnummer",
        ),
    ],
)
def test_headers_are_known_in_the_usual_spellings(field: Field, headers: str) -> None:
    for header in headers.split("|"):
        beside = ["serial"] if field is not Field.SERIAL else ["imei"]
        found = layout([(1, [header, *beside])])
        assert found.columns[0].field is field, header


def test_columns_stand_in_any_order_and_others_are_passed_over_and_told() -> None:
    found = layout([(1, ["Colour", "S/N", "", "Model", "IMEI 1"])])
    assert [(each.at, each.field) for each in found.columns] == [
        (1, Field.SERIAL),
        (3, Field.MODEL),
        (4, Field.IMEI),
    ]
    assert found.skipped == ["Colour"]


def test_a_header_may_stand_below_a_title() -> None:
    lines = [
        (1, ["Shipment of March"]),
        (2, ["", ""]),
        (3, ["imei", "serial"]),
        (4, [IMEI, SERIAL]),
    ]
    assert layout(lines).header == 3


def test_of_model_and_sku_the_model_is_read() -> None:
    (row,) = phones(portion([IMEI, "SM-G981BZAD", "SM-G981B"], header=["imei", "SKU", "Model"]))
    assert row == Phone(imei=IMEI, model="SM-G981B")


@pytest.mark.parametrize("header", [["imei", "IMEI 1"], ["serial", "S/N"], ["imei2", "imei 2"]])
def test_two_columns_that_say_the_same_are_unclear(header: list[str]) -> None:
    with pytest.raises(Unclear, match="Columns A and B"):
        layout([(1, [*header, "meid"])])


def test_without_a_header_columns_are_told_by_what_is_in_them() -> None:
    imeis, serials = generate(Kind.IMEI, 5), generate(Kind.SN, 5)
    lines = [
        (at, ["", s, "SM-G981B", i])
        for at, (i, s) in enumerate(zip(imeis, serials, strict=True), 1)
    ]
    found = layout(lines)
    assert found.header == 0
    assert [(each.at, each.field, each.title) for each in found.columns] == [
        (1, Field.SERIAL, "B"),
        (2, Field.MODEL, "C"),
        (3, Field.IMEI, "D"),
    ]


def test_without_a_header_a_damaged_first_row_is_no_header() -> None:
    lines = [
        (1, ["3.52099E+14"]),
        *((at, [imei]) for at, imei in enumerate(generate(Kind.IMEI, 5), 2)),
    ]
    assert layout(lines).header == 0


def test_without_a_header_two_columns_of_imeis_are_unclear() -> None:
    with pytest.raises(Unclear, match="which is IMEI 1"):
        layout([(1, generate(Kind.IMEI, 2))])


@pytest.mark.parametrize(
    "rows", [[["Gerät", "Farbe"], ["x", "y"]], [["model"], ["SM-G981B"]], [["x"], [IMEI], [IMEI_2]]]
)
def test_a_header_of_unknown_words_is_unclear_and_an_example_is_shown(
    rows: list[list[str]],
) -> None:
    with pytest.raises(Unclear, match="imei,imei2,meid,serial,model"):
        layout(list(enumerate(rows, 1)))


def test_an_empty_file_is_unclear() -> None:
    with pytest.raises(Unclear):
        layout([(1, [""]), (2, [])])


def test_columns_can_be_named_from_the_left() -> None:
    lines = [(1, [IMEI, IMEI_2, "red", SERIAL])]
    found = layout(lines, ["imei", "imei2", "", "serial"])
    assert found.header == 0
    assert phones(read(lines, found.columns, Rules())) == [Phone(IMEI, IMEI_2, "", SERIAL)]


def test_columns_that_are_named_win_over_the_header_which_is_passed_over() -> None:
    assert layout([(1, ["Gerät", "Farbe"]), (2, [IMEI, "red"])], ["imei", ""]).header == 1


def test_a_column_that_is_named_by_an_unknown_word_is_unclear() -> None:
    with pytest.raises(Unclear, match="colour"):
        layout([(1, [IMEI])], ["colour"])


# --- values -------------------------------------------------------------------------------------


def test_a_row_tells_of_a_phone() -> None:
    found = portion([IMEI, IMEI_2, MEID, SERIAL, "SM-G981B/DS"])
    assert found.rows == [Row(2, Phone(IMEI, IMEI_2, MEID, SERIAL, "SM-G981B/DS"))]
    assert found.mended == 0


def test_short_rows_and_empty_ones_are_no_defect() -> None:
    found = portion([IMEI], [], ["", " ", ""], ["", "", "", SERIAL])
    assert phones(found) == [Phone(imei=IMEI), Phone(serial=SERIAL)]
    assert [row.number for row in found.rows] == [2, 5]


@pytest.mark.parametrize("nothing", ["", " ", "-", "n/a", "N/A", "none", "NULL", "0", "'-"])
def test_words_for_nothing_are_nothing(nothing: str) -> None:
    assert phones(portion([IMEI, nothing, nothing, nothing, nothing])) == [Phone(imei=IMEI)]


def test_identifiers_are_kept_in_their_canonical_form() -> None:
    meid = generate(Kind.MEID, 1)[0]
    decimal = meid_decimal(meid)
    assert decimal
    (phone,) = phones(portion([" 35-209900-176148-1 ", "", decimal, "r58m1234567"]))
    assert phone == Phone(IMEI, "", meid, SERIAL)


def test_both_forms_of_one_meid_may_stand_in_a_row_and_must_agree() -> None:
    one, two = generate(Kind.MEID, 2)
    header = ["MEID hex", "MEID dec"]
    assert phones(portion([one, meid_decimal(one) or ""], header=header)) == [Phone(meid=one)]
    found = portion([one, meid_decimal(two) or ""], header=header)
    ((defect,),) = found.defects
    assert (defect.column, defect.value) == ("MEID dec", meid_decimal(two))


def test_a_mixed_column_takes_each_for_what_it_is() -> None:
    meid, hexadecimal = "089077500000423281", "A0000012345678"
    header = ["IMEI/MEID"]
    found = phones(portion([IMEI], [hexadecimal], [meid], header=header))
    assert [(phone.imei, bool(phone.meid)) for phone in found] == [
        (IMEI, False),
        ("", True),
        ("", True),
    ]


def test_imei_2_that_repeats_imei_1_is_none() -> None:
    assert phones(portion([IMEI, IMEI])) == [Phone(imei=IMEI)]


def test_imei_2_alone_is_refused() -> None:
    ((defect,),) = portion(["", IMEI]).defects
    assert (defect.column, defect.value, defect.reason) == (
        "imei2",
        IMEI,
        "An IMEI 2 without an IMEI 1.",
    )


def test_a_row_without_identifier_is_refused() -> None:
    ((defect,),) = portion(["", "", "", "", "SM-G981B"]).defects
    assert defect.reason == "The row has no identifier."


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    ((first, second),) = portion(["352099001761482", "", "", "R5"]).defects
    assert (first.column, second.column) == ("imei", "serial")


@pytest.mark.parametrize(
    "written",
    [
        f" {IMEI} ",
        f"\u00a0{IMEI}\u200b",
        f'="{IMEI}"',
        f"'{IMEI}",
        f"{IMEI}.0",
        f"{IMEI},00",
        "3.52099001761481E+14",
        "3,52099001761481e14",
        "35 209900 176148 1",
    ],
)
def test_what_leaves_no_doubt_about_a_digit_is_mended(written: str) -> None:
    assert phones(portion([written])) == [Phone(imei=IMEI)]


@given(st.sampled_from(["imei", "meid", "serial"]), st.text(max_size=30))
def test_whatever_stands_in_a_cell_is_read_or_refused_with_a_reason(column: str, cell: str) -> None:
    found = portion([cell, "x"], header=[column, "model"])
    assert len(found.rows) + len(found.defects) == 1
    for defects in found.defects:
        for defect in defects:
            assert defect.reason.endswith(".")
            assert defect.remedy.endswith(".")
            assert defect.value.isprintable()


@given(st.text(alphabet="0123456789.,E+-=\"' ", min_size=10, max_size=22))
def test_mending_never_invents_a_digit(cell: str) -> None:
    for row in portion([cell, "x"], header=["imei", "model"]).rows:
        digits = "".join(each for each in cell.upper().split("E")[0] if each.isdecimal())
        assert digits.startswith(row.phone.imei)


@pytest.mark.parametrize("written", ["3.52099E+14", "3,52099E+14", "3.5209900176148E+14", "4E14"])
def test_an_exponent_has_lost_digits_for_good(written: str) -> None:
    why, remedy = reason("imei", written)
    assert "digits that it does not show are lost" in why
    assert "as text" in remedy


def test_a_leading_zero_that_may_be_lost_is_told_and_not_put_back() -> None:
    whole = canonical(Kind.IMEI, "01154600000001")
    why, remedy = reason("imei", whole[1:])
    assert whole in why
    assert whole in remedy


def test_a_missing_check_digit_is_told() -> None:
    body = next(
        body
        for body in (f"3520990017{n:04}" for n in range(999))
        if luhn_digit("0" + body[:13]) != body[13]
    )
    why, remedy = reason("imei", body)
    assert why == "14 digits: the check digit at the end is missing."
    assert canonical(Kind.IMEI, body) in remedy


@pytest.mark.parametrize(
    ("column", "written", "told"),
    [
        ("imei", "352099001761482", "The check digit is 2, the other digits call for 1."),
        ("imei", "3520990017614812", "an IMEISV"),
        ("imei", "35209900176", "11 digits; an IMEI has 15."),
        ("imei", "352099001761481234", "18 digits; an IMEI has 15."),
        ("imei", "123456789012347", "A placeholder"),
        ("imei", "000000000000000", "A placeholder"),
        ("imei", f"{IMEI}/{IMEI_2}", "Two identifiers in one cell."),
        ("imei", f"{IMEI} {IMEI_2}", "Two identifiers in one cell."),
        ("imei", "#N/A", "An error of a formula."),
        ("imei", "########", "An error of a formula."),
        ("imei", SERIAL, "it would be a right serial number"),
        ("imei", "unknown", "those are 15 digits"),
        ("imei", "٣٥٢٠٩٩٠٠١٧٦١٤٨١", "those are 15 digits"),
        ("meid", "A0000012345678F", "The check digit is F"),
        ("meid", "12345678901234567", "a leading zero may have been dropped"),
        ("meid", "1.23457E+17", "digits that it does not show are lost"),
        ("meid", "123456789012345000", "ends in 000"),
        ("meid", "999999999999999999", "too large"),
        ("meid", "FFFFFFFFFFFFFF", "A placeholder"),
        ("serial", "R58M12345", "11 characters"),
        ("serial", IMEI, "it would be a right IMEI"),
    ],
)
def test_a_refused_value_is_told_for_what_it_is(column: str, written: str, told: str) -> None:
    assert told in reason(column, written)[0]


def test_the_settings_decide_what_is_an_identifier() -> None:
    rules = Rules("digits", allow_test_ids=True, serial_pattern="X[0-9]{3}")
    (phone,) = phones(portion(["352099001761482", "", "", "X123"], rules=rules))
    assert (phone.imei, phone.odd) == ("352099001761482", "352099001761482")
    ((defect,),) = portion([IMEI, "", "", SERIAL], rules=rules).defects
    assert "X[0-9]{3}" in defect.reason


def test_a_long_value_is_shown_short() -> None:
    ((defect,),) = portion(["x" * 5000]).defects
    assert len(defect.value) <= 60


def test_a_model_that_is_too_long_is_refused() -> None:
    assert portion([IMEI, "", "", "", "x" * 101]).defects
    assert phones(portion([IMEI, "", "", "", "a\tb\x00  c" + "x" * 90]))[0].model.isprintable()


# --- keys and names -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone", "key", "kind", "names"),
    [
        (
            Phone(IMEI, IMEI_2, MEID, SERIAL),
            IMEI[:14],
            Kind.IMEI,
            [IMEI[:14], IMEI_2[:14], MEID, SERIAL],
        ),
        (Phone(IMEI, meid=IMEI[:14]), IMEI[:14], Kind.IMEI, [IMEI[:14]]),
        (Phone(meid=MEID, serial=SERIAL), MEID, Kind.MEID, [MEID, SERIAL]),
        (Phone(serial=SERIAL), SERIAL, Kind.SN, [SERIAL]),
    ],
)
def test_a_phone_is_called_by_imei_1_else_meid_else_serial(
    phone: Phone, key: str, kind: Kind, names: list[str]
) -> None:
    assert (phone.key, phone.kind, phone.names) == (key, kind, names)
    assert phone.odd == ""


# --- judging ------------------------------------------------------------------------------------


def test_an_unknown_phone_is_a_change() -> None:
    row = Row(2, Phone(IMEI, IMEI_2))
    verdict = judge([row], {}, {})
    assert verdict.changes == [Change(2, None, row.phone, row.phone.names)]
    assert verdict.told == {IMEI[:14]: 2, IMEI_2[:14]: 2}


def test_what_the_list_knows_of_a_phone_counts_as_told() -> None:
    old = Phone(IMEI, serial=SERIAL)
    verdict = judge(
        [Row(2, Phone(IMEI)), Row(3, Phone(serial=SERIAL))], dict.fromkeys(old.names, old), {}
    )
    assert verdict.unchanged == 1
    assert [each[0].row for each in verdict.defects] == [3]


def test_devices_under_one_name_or_over_are_joined_and_two_that_are_held_are_not() -> None:
    phone = Phone(IMEI, IMEI_2)
    change = Change(2, None, phone, phone.names)
    one, two = change.names
    assert joins_held(change, {two: [None]}) is None
    assert joins_held(change, {one: [None, 5], two: [3, 4]}) is None
    assert joins_held(change, {one: [None], two: [None]}) is not None
    assert joins_held(change, {one: [3], two: [3]}) is not None
