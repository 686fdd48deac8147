"""What counts as an identifier: the vectors, and laws that hold for every string."""

from __future__ import annotations

import csv
import re
import string
from itertools import pairwise
from pathlib import Path

import pytest
import stdnum.imei
import stdnum.meid
from hypothesis import given, settings
from hypothesis import strategies as st

from waybill.cli.identifiers import imei
from waybill.cli.main import main
from waybill.wire.codes import BY_NUMBER, Code
from waybill.wire.identifiers import (
    Identifier,
    Kind,
    Parsed,
    Rules,
    canonical,
    generate,
    luhn_digit,
    meid_decimal,
    parse,
    parse_all,
)

DEFAULT = Rules()
DIGITS = Rules(imei_check="digits")
GOOD = "352099001761481"
WRONG_CHECK_DIGIT = "352099001761480"
DASHED = "35-209900-176148-1"

few = settings(max_examples=100, deadline=None, database=None)


# --- the vectors


class Vector:
    """One row of the vectors; `sent` has its Python escapes resolved."""

    def __init__(self, row: dict[str, str]) -> None:
        self.row = row
        self.sent = row["input"]
        if "\\" in self.sent:
            self.sent = self.sent.encode("ascii").decode("unicode_escape")
        self.kind = None if row["type"] == "auto" else Kind(row["type"])
        self.verdict, self.canonical = row["verdict"], row["canonical"]
        self.code = row["kdp_error_if_not_accepted"]

    def expected(self) -> Code:
        return BY_NUMBER[int(self.code.split()[0])]

    def __repr__(self) -> str:
        return f"{self.row['n']}-{self.row['type']}-{self.row['kind']}"


def read_vectors() -> list[Vector]:
    path = Path(__file__).parent.parent / "vectors" / "identifiers.csv"
    with path.open(newline="", encoding="utf-8") as file:
        vectors = [Vector(row) for row in csv.DictReader(file)]
    # What is no string, or a lone surrogate, is refused as JSON before anybody asks here.
    return [v for v in vectors if not v.code.startswith("40000000")]


VECTORS = read_vectors()
every_vector = pytest.mark.parametrize("vector", VECTORS, ids=repr)


def test_no_vector_has_been_lost() -> None:
    assert len(VECTORS) == 139


@every_vector
def test_a_vector_gets_its_verdict(vector: Vector) -> None:
    found = parse(vector.kind, vector.sent, DEFAULT)
    if vector.verdict == "accept":
        assert isinstance(found, Identifier)
        assert found.canonical == vector.canonical
        assert found.canonical == canonical(found.kind, found.key)
    else:
        assert found is vector.expected()


@every_vector
def test_a_flagged_vector_passes_when_test_identifiers_do(vector: Vector) -> None:
    found = parse(vector.kind, vector.sent, Rules(allow_test_ids=True))
    if vector.verdict == "reject":
        assert found is vector.expected()
    else:
        assert isinstance(found, Identifier)
        assert found.canonical == vector.canonical


@pytest.mark.parametrize("kind", [*Kind, None])
def test_the_vectors_in_bulk_get_what_they_get_one_by_one(kind: Kind | None) -> None:
    assert_bulk_equals_single(kind, [v.sent for v in VECTORS], DEFAULT)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.row["meid_decimal"]], ids=repr)
def test_a_vector_has_its_decimal_meid(vector: Vector) -> None:
    found = parse(vector.kind, vector.sent, Rules(allow_test_ids=True))
    assert isinstance(found, Identifier)
    assert meid_decimal(found.key) == vector.row["meid_decimal"]


# --- one by one and in bulk


def parse_one_by_one(kind: Kind | None, texts: list[str], rules: Rules) -> Parsed:
    keys, refused, odd = [], {}, {}
    for at, text in enumerate(texts):
        found = parse(kind, text, rules)
        if isinstance(found, Code):
            keys.append("")
            refused[at] = found
        else:
            keys.append(found.key)
            if found.canonical != canonical(found.kind, found.key):
                odd[at] = found.canonical
    return Parsed(keys, refused, odd)


def assert_bulk_equals_single(kind: Kind | None, texts: list[str], rules: Rules) -> None:
    bulk = parse_all(kind, texts, rules)
    assert bulk == parse_one_by_one(kind, texts, rules)
    assert list(bulk.refused) == sorted(bulk.refused)


def texts_of(alphabet: str, *sizes: int) -> st.SearchStrategy[str]:
    return st.sampled_from(sizes).flatmap(
        lambda size: st.text(alphabet=alphabet, min_size=size, max_size=size)
    )


HEX = "0123456789ABCDEF"
imeis = texts_of(string.digits, 14).map(lambda body: body + luhn_digit(body))
meids = texts_of(HEX + "abcdef", 14)
serials = texts_of(string.digits + string.ascii_letters, 10).map(lambda tail: "R" + tail)
anything = st.text(alphabet=st.characters(), max_size=25)  # surrogates too
identifiers = st.one_of(
    imeis,
    imeis.map(lambda t: f"{t[:2]} {t[2:8]} {t[8:14]} {t[14]}"),
    meids,
    meids.map(lambda t: t.upper()),
    meids.map(lambda t: t + luhn_digit(t.upper())),
    meids.map(lambda t: str(meid_decimal(t.upper()))),
    serials,
    serials.map(lambda t: t.upper()),
    texts_of(string.digits, 13, 14, 15, 15, 15, 16, 18, 19),
    st.sampled_from([v.sent for v in VECTORS]),
    st.sampled_from(HEX).map(lambda digit: digit * 14),
    anything,
    st.text(alphabet="٠١٢٣４５６𝟕0123456789", min_size=15, max_size=15),
)
rule_sets = st.builds(
    Rules,
    imei_check=st.sampled_from(["luhn", "digits"]),
    allow_test_ids=st.booleans(),
    serial_pattern=st.sampled_from(["R[0-9A-Z]{10}", ".+", ".*", "[A-Z0-9]{1,60}", "[0-9A-F]{14}"]),
)
kinds = st.sampled_from([*Kind, None])


@settings(few, max_examples=500)
@given(kinds, st.lists(identifiers, max_size=12), rule_sets)
def test_bulk_gives_what_one_by_one_gives(
    kind: Kind | None, texts: list[str], rules: Rules
) -> None:
    assert_bulk_equals_single(kind, texts, rules)


@few
@given(st.lists(imeis | texts_of(string.digits, 15), min_size=1, max_size=40), rule_sets)
def test_bulk_gives_what_one_by_one_gives_for_plain_imeis(texts: list[str], rules: Rules) -> None:
    assert_bulk_equals_single(Kind.IMEI, texts, rules)


@few
@given(kinds, anything, rule_sets)
def test_every_string_has_a_verdict(kind: Kind | None, text: str, rules: Rules) -> None:
    found = parse(kind, text, rules)
    assert isinstance(found, Identifier | Code)
    if isinstance(found, Identifier):
        assert found.key
        assert found.key.isascii()
        assert found.key.isprintable()


@pytest.mark.parametrize("kind", [*Kind, None])
def test_a_lone_surrogate_is_refused_and_not_an_error(kind: Kind | None) -> None:
    assert isinstance(parse(kind, "\ud800", DEFAULT), Code)
    assert parse_all(kind, ["\ud800" * 15], DEFAULT).keys == [""]


@pytest.mark.parametrize("kind", [*Kind, None])
def test_nothing_gives_nothing(kind: Kind | None) -> None:
    assert parse_all(kind, [], DEFAULT) == Parsed([], {}, {})


def test_two_texts_that_are_thirty_digits_together_are_still_two() -> None:
    found = parse_all(Kind.IMEI, [GOOD[:14], GOOD[14] + GOOD], DEFAULT)
    assert found.refused == {0: Code.DEVICE_IMEI_INVALID, 1: Code.DEVICE_IMEI_INVALID}


# --- IMEI


@few
@given(texts_of(string.digits, 15))
def test_fifteen_plain_digits_are_judged_as_stdnum_judges_them(text: str) -> None:
    ours = isinstance(parse(Kind.IMEI, text, Rules(allow_test_ids=True)), Identifier)
    assert ours == stdnum.imei.is_valid(text)


@settings(few, max_examples=300)
@given(identifiers)
def test_an_imei_that_we_accept_stdnum_accepts(text: str) -> None:
    found = parse(Kind.IMEI, text, Rules(allow_test_ids=True))
    if isinstance(found, Identifier):
        assert stdnum.imei.is_valid(text)
        assert stdnum.imei.compact(text) == found.canonical


@few
@given(imeis, st.integers(0, 14), st.integers(1, 9))
def test_one_wrong_digit_is_always_refused(text: str, at: int, shift: int) -> None:
    wrong = text[:at] + str((int(text[at]) + shift) % 10) + text[at + 1 :]
    assert parse(Kind.IMEI, wrong, DEFAULT) is Code.DEVICE_IMEI_INVALID
    assert parse_all(Kind.IMEI, [wrong], DEFAULT).refused == {0: Code.DEVICE_IMEI_INVALID}


@pytest.mark.parametrize("mark", "- ")
@pytest.mark.parametrize("layout", [(2, 6, 6, 1), (8, 6, 1), (6, 2, 6, 1)])
def test_an_imei_may_come_in_a_known_layout(layout: tuple[int, ...], mark: str) -> None:
    ends = [sum(layout[:n]) for n in range(len(layout) + 1)]
    sent = mark.join(GOOD[a:b] for a, b in pairwise(ends))
    assert parse(Kind.IMEI, sent, DEFAULT) == (Kind.IMEI, GOOD[:14], GOOD)


@pytest.mark.parametrize("kind", [Kind.IMEI, None])
@pytest.mark.parametrize("sent", [WRONG_CHECK_DIGIT, "35-209900-176148-0"])
def test_without_check_a_wrong_check_digit_is_kept_as_odd(kind: Kind | None, sent: str) -> None:
    assert parse(kind, sent, DIGITS) == (Kind.IMEI, GOOD[:14], WRONG_CHECK_DIGIT)
    found = parse_all(kind, [GOOD, sent, DASHED], DIGITS)
    assert found == Parsed([GOOD[:14]] * 3, {}, {1: WRONG_CHECK_DIGIT})


def test_without_check_an_imei_still_needs_fifteen_digits_in_a_known_layout() -> None:
    for sent in ("35209900176148", GOOD + "0", "3520-9900-1761-481", "35209900176148A"):
        assert parse(Kind.IMEI, sent, DIGITS) is Code.DEVICE_IMEI_INVALID


def test_without_check_a_test_imei_is_one_whatever_its_check_digit() -> None:
    assert parse(Kind.IMEI, "123456789012345", DIGITS) is Code.DEVICE_INVALID
    assert parse_all(Kind.IMEI, ["111111111111111"], DIGITS).refused == {0: Code.DEVICE_INVALID}


def test_without_check_of_imeis_an_meid_is_checked_as_ever() -> None:
    assert parse(Kind.MEID, WRONG_CHECK_DIGIT, DIGITS) is Code.DEVICE_MEID_INVALID


# --- MEID


@settings(few, max_examples=300)
@given(identifiers)
def test_an_meid_that_we_accept_stdnum_accepts(text: str) -> None:
    found = parse(Kind.MEID, text, Rules(allow_test_ids=True))
    if isinstance(found, Identifier):
        assert stdnum.meid.is_valid(text)
        assert stdnum.meid.compact(text) == found.key


@few
@given(texts_of(HEX, 14).filter(lambda body: len(set(body)) > 1))
def test_both_forms_of_an_meid_are_one_device(body: str) -> None:
    decimal = meid_decimal(body)
    assert decimal is not None
    assert len(decimal) == 18
    for sent in (body, body + luhn_digit(body), decimal, decimal + luhn_digit(decimal)):
        assert parse(Kind.MEID, sent, DEFAULT) == (Kind.MEID, body, body)


@few
@given(texts_of(HEX, 14), st.integers(0, 14), st.integers(1, 9))
def test_one_wrong_digit_of_an_meid_with_check_digit_is_refused(
    body: str, at: int, shift: int
) -> None:
    whole = body + luhn_digit(body)
    # A letter that becomes a digit, or the reverse, may change the base: another sum altogether.
    alphabet = string.digits if whole[at].isdecimal() else "ABCDEF"
    other = alphabet[(alphabet.index(whole[at]) + shift % len(alphabet)) % len(alphabet)]
    if other != whole[at]:
        wrong = whole[:at] + other + whole[at + 1 :]
        assert parse(Kind.MEID, wrong, DEFAULT) is Code.DEVICE_MEID_INVALID


def test_an_imei_device_has_a_decimal_meid() -> None:
    decimal = meid_decimal("35163899" + "000001")
    assert decimal == "0890648729" + "00000001"


@pytest.mark.parametrize("key", ["R58M315CL4T", "", GOOD, "af0123450abcde", "AF0123450ABCDG"])
def test_what_is_no_body_has_no_decimal_meid(key: str) -> None:
    assert meid_decimal(key) is None


def test_an_meid_is_not_grouped_by_hyphens() -> None:
    for sent in ("AF-01-23-45-0A-BC-DE", "29360-87365-0070-3710", "AF 01 23 45 0A BC DEC"):
        assert parse(Kind.MEID, sent, DEFAULT) is Code.DEVICE_MEID_INVALID


# --- serial numbers


def test_a_serial_follows_the_pattern_that_is_set() -> None:
    rules = Rules(serial_pattern="SN-[0-9]{4}")
    assert parse(Kind.SN, " sn-1234 ", rules) == (Kind.SN, "SN-1234", "SN-1234")
    assert parse(Kind.SN, "SN-12345", rules) is Code.DEVICE_SERIAL_INVALID
    assert parse(Kind.SN, "R58M315CL4T", rules) is Code.DEVICE_SERIAL_INVALID


@pytest.mark.parametrize("sent", ["", " ", "A\x00B", "A\nB", "É1234", "R58M315CL4Т", "A" * 41])
def test_no_pattern_lets_through_what_nobody_could_store_or_read(sent: str) -> None:
    rules = Rules(serial_pattern="(?s).*")
    assert parse(Kind.SN, sent, rules) is Code.DEVICE_SERIAL_INVALID
    assert parse_all(Kind.SN, [sent], rules).refused == {0: Code.DEVICE_SERIAL_INVALID}


def test_a_serial_may_be_shorter_than_a_placeholder() -> None:
    assert isinstance(parse(Kind.SN, "AA", Rules(serial_pattern="A+")), Identifier)


def test_a_pattern_that_is_none_is_refused_when_it_is_set() -> None:
    with pytest.raises(re.error, match="unterminated"):
        Rules(serial_pattern="R[0-9")


# --- without a type


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (DASHED, Kind.IMEI),
        (" r58m315cl4t ", Kind.SN),
        ("af 01 23 45 0a bc de", Kind.MEID),
        ("29360 87365 0070 3710 0", Kind.MEID),
    ],
)
def test_without_type_the_shape_tells_the_kind(sent: str, kind: Kind) -> None:
    found = parse(None, sent, DEFAULT)
    assert isinstance(found, Identifier)
    assert found.kind is kind


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "R58M315CL4",
        "S58M315CL4T",
        "AF0123450ABCDEC",
        "2936087365007037101",
        "35 20 99 00 17 61 48",
    ],
)
def test_without_type_what_fits_no_kind_is_no_device_id(sent: str) -> None:
    assert parse(None, sent, DEFAULT) is Code.DEVICE_ID_INVALID


@pytest.mark.parametrize("sent", ["111111111111119", "R0000000000", "FFFFFFFFFFFFFF"])
def test_without_type_a_placeholder_is_one_all_the_same(sent: str) -> None:
    assert parse(None, sent, DEFAULT) is Code.DEVICE_INVALID


# --- inventing


@pytest.mark.parametrize("kind", Kind)
def test_what_is_invented_is_accepted_and_comes_once(kind: Kind) -> None:
    made = generate(kind, 2000)
    assert len(set(made)) == 2000
    for rules in (DEFAULT, DIGITS):
        found = parse_all(kind, made, rules)
        assert not found.refused
        assert not found.odd
        assert len(set(found.keys)) == 2000
        assert parse_all(None, made, rules) == found


def test_what_is_invented_looks_like_its_kind() -> None:
    assert all(text.startswith("35") for text in generate(Kind.IMEI, 500))
    assert all(0xA0 <= int(text[:2], 16) <= 0xFF for text in generate(Kind.MEID, 500))
    assert all(text[0] == "R" and len(text) == 11 for text in generate(Kind.SN, 500))


def test_the_command_prints_one_identifier_on_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    imei()
    imei(3)
    imei(2, meid=True)
    imei(2, serial=True)
    lines = capsys.readouterr().out.splitlines()
    kinds = [Kind.IMEI] * 4 + [Kind.MEID] * 2 + [Kind.SN] * 2
    for line, kind in zip(lines, kinds, strict=True):
        assert isinstance(parse(kind, line, DEFAULT), Identifier)


@pytest.mark.parametrize(("count", "both"), [(0, False), (-1, False), (100_001, False), (1, True)])
def test_the_command_refuses_what_it_cannot_give(
    count: int, both: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = ["--meid", "--serial"] if both else []
    with pytest.raises(SystemExit) as stopped:
        main(["imei", f"--count={count}", *kinds])
    assert stopped.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
