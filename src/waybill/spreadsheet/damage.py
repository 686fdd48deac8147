"""What spreadsheets and people do to identifiers: what can be mended, and what to say of the rest.

Mended is only what leaves no doubt about any digit.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from waybill.wire.codes import Code
from waybill.wire.identifiers import Identifier, Kind, Rules, canonical, luhn_digit, parse

# Blanks, also those that do not break or have no width, and marks of direction and byte order.
_INVISIBLE = " \t\r\n\v\f\u00a0\u2007\u202f\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_EXCEL_TEXT = re.compile(r'="([^"]*)"')
# Up to fifteen digits survive being a number; of longer ones nothing is sure.
_WITH_FRACTION = re.compile(r"([0-9]{1,15})[.,]0+")
_SCIENTIFIC = re.compile(r"([0-9])(?:[.,]([0-9]*))?E\+?([0-9]{1,3})", re.IGNORECASE)
_NOTHING = frozenset({"", "-", "--", "n/a", "na", "none", "null", "nil", "n.a.", "0"})
_FORMULA_ERRORS = ("#N/A", "#NV", "#REF", "#VALUE", "#WERT", "#NAME", "#NUM", "#DIV", "###")
_SEVERAL = re.compile(
    r"[0-9A-Z]{11,}\s*[/,;|&+\s]\s*[0-9A-Z]{11,}(\s*[/,;|&+\s]\s*[0-9A-Z]{11,})*", re.IGNORECASE
)

_AS_TEXT = "Export the list again with this column as text, and do not open it in Excel between."


class Diagnosis(NamedTuple):
    """What is wrong with a value, and what to do about it."""

    reason: str
    remedy: str


def is_nothing(text: str) -> bool:
    """Whether a cell says that there is no value: it is empty, or `-`, `n/a`, `none`, `0` ..."""
    return unwrap(text).lower() in _NOTHING


def unwrap(text: str) -> str:
    """A cell without blanks around it, and without what makes Excel take it for text."""
    plain = text.strip(_INVISIBLE)
    if match := _EXCEL_TEXT.fullmatch(plain):
        plain = match[1].strip(_INVISIBLE)
    if len(plain) > 1 and plain[0] in "'\u2019":
        plain = plain[1:].strip(_INVISIBLE)
    return plain


def mend(text: str) -> str:
    """The value without what a spreadsheet put around it; the same where nothing is certain.

    Blanks around it, `="…"`, a leading apostrophe, `.0` behind it, and an exponent that still has
    every digit.
    """
    plain = unwrap(text)
    if match := _WITH_FRACTION.fullmatch(plain):
        return match[1]
    if match := _SCIENTIFIC.fullmatch(plain):
        digits = match[1] + (match[2] or "")
        if len(digits) == int(match[3]) + 1 <= 15:
            return digits
    return plain


def shorten(text: str, most: int = 60) -> str:
    """A value as it can be shown: printable, and not longer than people can read."""
    shown = "".join(each if each.isprintable() else "\ufffd" for each in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def like_meid(text: str) -> bool:
    """Whether a value that is an IMEI or an MEID is meant as an MEID: by letters, or its length."""
    return _LIKE_MEID.match(mend(text)) is not None


_LIKE_MEID = re.compile(r"(?![0-9.,]+E\+?[0-9]+$)[0-9A-F ]*[A-F]|[0-9 ]{17,}", re.IGNORECASE)


def distrusted(kind: Kind, text: str) -> Diagnosis | None:
    """A value that has the form of an identifier, and yet looks as Excel leaves one."""
    # Excel turns the digits after the fifteenth into zeros.
    if kind is Kind.MEID and len(text) == 18 and text.isdecimal() and text.endswith("000"):
        return Diagnosis(
            "It ends in 000, as Excel leaves eighteen digits that it took for a number.",
            "Compare it with the phone; if it is right, give the MEID in its hexadecimal form.",
        )
    return None


def diagnose(kind: Kind, text: str, rules: Rules) -> Diagnosis:
    """Why a value is no identifier of its kind, and what to do about it.

    Args:
        kind: what it should be.
        text: as it stood in the cell.
        rules: the settings by which it was refused.
    """
    plain = mend(text)
    if plain.upper().startswith(_FORMULA_ERRORS):
        return Diagnosis("An error of a formula.", "Mend the formula and export again.")
    if (match := _SCIENTIFIC.fullmatch(plain)) and int(match[3]) > 5:
        return Diagnosis(
            "Excel has shortened the number: the digits that it does not show are lost.",
            f"Take the value from where the list came from. {_AS_TEXT}",
        )
    if _SEVERAL.fullmatch(plain):
        return Diagnosis("Two identifiers in one cell.", "Give the second a column of its own.")
    if parse(kind, plain, rules) is Code.DEVICE_INVALID:
        return Diagnosis(
            "A placeholder or test identifier, no real device.",
            "Give the real one, or leave the cell empty if the phone has none.",
        )
    found = {Kind.IMEI: _imei, Kind.MEID: _meid, Kind.SN: _serial}[kind](plain, rules)
    return found or _other(kind, plain, rules)


def _imei(plain: str, rules: Rules) -> Diagnosis | None:
    digits = plain.replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdecimal()):
        return None
    match len(digits):
        case 15:
            return _check_digit(digits)
        case 14 if isinstance(parse(Kind.IMEI, f"0{digits}", rules), Identifier):
            return Diagnosis(
                f"14 digits: Excel dropped a leading zero and it was 0{digits}, or the check digit"
                " at the end is missing.",
                f"Compare it with the phone (*#06#); if it has the zero, write 0{digits} as text.",
            )
        case 14:
            return Diagnosis(
                "14 digits: the check digit at the end is missing.",
                f"If the others are right, it is {canonical(Kind.IMEI, digits)}: compare it with"
                " the phone (*#06#).",
            )
        case 16:
            return Diagnosis(
                "16 digits: an IMEISV, which ends in the version of the software.",
                f"The IMEI would be {canonical(Kind.IMEI, digits[:14])}: compare it with the"
                " phone (*#06#).",
            )
        case count if count < 14:
            return Diagnosis(
                f"{_digits(count)}; an IMEI has 15.",
                f"Digits are lost: take it from where the list came from. {_AS_TEXT}",
            )
        case count:
            return Diagnosis(
                f"{_digits(count)}; an IMEI has 15.", "Compare it with the phone (*#06#)."
            )


def _digits(count: int) -> str:
    return "1 digit" if count == 1 else f"{count} digits"


def _check_digit(identifier: str) -> Diagnosis:
    want = luhn_digit(identifier[:-1])
    return Diagnosis(
        f"The check digit is {identifier[-1]}, the other digits call for {want}.",
        "One of the digits is wrong: compare it with the phone (*#06#) or its box.",
    )


def _meid(plain: str, _rules: Rules) -> Diagnosis | None:
    bare = plain.replace(" ", "").upper()
    if not re.fullmatch("[0-9A-F]+", bare):
        return None
    if len(bare) == 15 or (len(bare) == 19 and bare.isdecimal()):
        return _check_digit(bare)
    if len(bare) == 18 and bare.isdecimal():
        return Diagnosis(
            "No decimal MEID: its first ten or its last eight digits are too large a number.",
            "Compare it with the phone (*#06#) or its box.",
        )
    lost = ": a leading zero may have been dropped" * (len(bare) in {13, 17} and bare.isdecimal())
    return Diagnosis(
        f"{_digits(len(bare))}; an MEID has 14 hexadecimal or 18 decimal ones{lost}.",
        f"Take it from where the list came from. {_AS_TEXT}",
    )


def _serial(plain: str, rules: Rules) -> Diagnosis | None:
    if any(isinstance(parse(kind, plain, rules), Identifier) for kind in (Kind.IMEI, Kind.MEID)):
        return None
    form = "11 characters, R and then ten digits or capitals"
    if rules.serial_pattern != Rules().serial_pattern:
        form = f"the setting serial_pattern wants {rules.serial_pattern}"
    return Diagnosis(
        f"No serial number: {form}.",
        "Compare it with the phone's label, or change the setting serial_pattern.",
    )


def _other(kind: Kind, plain: str, rules: Rules) -> Diagnosis:
    for other in Kind:
        if other is not kind and isinstance(parse(other, plain, rules), Identifier):
            return Diagnosis(
                f"No {_WORDS[kind]}, but it would be a right {_WORDS[other]}.",
                "Put it into its own column, or correct the header.",
            )
    return Diagnosis(
        f"No {_WORDS[kind]}{_FORMS.get(kind, '')}.", "Give the real one, or leave the cell empty."
    )


_WORDS = {Kind.IMEI: "IMEI", Kind.MEID: "MEID", Kind.SN: "serial number"}
_FORMS = {
    Kind.IMEI: ": those are 15 digits",
    Kind.MEID: ": those are 14 hexadecimal or 18 decimal digits",
}
