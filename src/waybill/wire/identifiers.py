"""Device identifiers: what counts as an IMEI, an MEID and a serial number (contract §7).

Samsung publishes no syntax. These rules are ours, each one is a setting or a line below, and
`tests/vectors/identifiers.csv` holds an example of each. One device has one *key*, however it was
written: the 14-character body for IMEI and MEID, the serial for SN.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, NamedTuple

from waybill.wire.codes import Code


class Kind(StrEnum):
    """The values of `type` in an upload or a delete (contract §4)."""

    IMEI = "IMEI"
    MEID = "MEID"
    SN = "SN"


@dataclass(frozen=True)
class Rules:
    """The settings that decide what an identifier is.

    Args:
        imei_check: `luhn` wants a right check digit, `digits` takes any 15 digits: some of
            Samsung's published samples fail Luhn.
        allow_test_ids: accept placeholder and test identifiers.
        serial_pattern: what a serial number must match, whole, once folded to upper case.
    """

    imei_check: Literal["luhn", "digits"] = "luhn"
    allow_test_ids: bool = False
    serial_pattern: str = "R[0-9A-Z]{10}"

    def __post_init__(self) -> None:
        # A pattern that is no regular expression stops the start, not the first serial number.
        re.compile(self.serial_pattern)


class Identifier(NamedTuple):
    """One well-formed identifier: its kind, the key of its device, and how answers write it."""

    kind: Kind
    key: str
    canonical: str


class Parsed(NamedTuple):
    """The verdicts on a whole request.

    Args:
        keys: aligned with the request; empty where refused.
        refused: position to code, positions ascending.
        odd: position to canonical form where that is not `canonical(kind, key)`: an IMEI with a
            wrong check digit under `imei_check="digits"`.
    """

    keys: list[str]
    refused: dict[int, Code]
    odd: dict[int, str]


def parse(kind: Kind | None, text: str, rules: Rules) -> Identifier | Code:
    """Judge one identifier: form first, then whether it is a placeholder (contract §4, §7).

    Args:
        kind: what the request says it is; None for a delete without `type`, which goes by shape.
        text: as the client sent it, any string.
        rules: the settings.

    Returns:
        The identifier, or the code of its `type` (`DEVICE_ID_INVALID` without one) when the form
        is wrong, or `DEVICE_INVALID` for a placeholder or test identifier.
    """
    plain = _trim(text)
    actual = kind or _kind_by_shape(plain)
    found = _TYPES[actual].read(plain, rules) if plain else None
    if found is None:
        return _TYPES[kind].invalid if kind else Code.DEVICE_ID_INVALID
    if not rules.allow_test_ids and _TYPES[actual].is_placeholder(found.key):
        return Code.DEVICE_INVALID
    return found


def parse_all(kind: Kind | None, texts: Sequence[str], rules: Rules) -> Parsed:
    """Judge a request's identifiers: `parse` for each, some ten times as fast for plain ones.

    Args:
        kind: as for `parse`, one for all.
        texts: as the client sent them.
        rules: the settings.
    """
    # Without a type, 15 plain digits are an IMEI.
    keys = _TYPES[kind or Kind.IMEI].surely(texts, rules)
    if all(keys):
        return Parsed(keys, {}, {})
    refused: dict[int, Code] = {}
    odd: dict[int, str] = {}
    for at in [at for at, key in enumerate(keys) if not key]:
        found = parse(kind, texts[at], rules)
        if isinstance(found, Code):
            refused[at] = found
            continue
        keys[at] = found.key
        if found.canonical != canonical(found.kind, found.key):
            odd[at] = found.canonical
    return Parsed(keys, refused, odd)


def canonical(kind: Kind, key: str) -> str:
    """How `GET /devices` writes a device: an IMEI with its Luhn digit, else the key itself."""
    return key + luhn_digit(key) if kind is Kind.IMEI else key


def kind_of(text: str) -> Kind:
    """The kind of an identifier that was sent without `type` (contract §4), by its shape."""
    return _kind_by_shape(_trim(text))


def recognise(text: str, rules: Rules) -> Identifier | None:
    """What people write who look for a device, of any kind; placeholders are found as well.

    Digits that are an IMEI without its check digit are read as an MEID: the key is the same.
    """
    found = (parse(kind, text, replace(rules, allow_test_ids=True)) for kind in Kind)
    return next((each for each in found if isinstance(each, Identifier)), None)


def meid_decimal(key: str) -> str | None:
    """The 18 decimal digits of a 14-character key; None for the key of a serial number.

    Samsung: an IMEI device is given one as well, its first 14 digits read as hexadecimal
    (the sample of `GET /devices`).
    """
    if not _BODY.fullmatch(key):
        return None
    return f"{int(key[:8], 16):010}{int(key[8:], 16):08}"


def luhn_digit(body: str) -> str:
    """The check digit of ASCII digits: Luhn, in base 16 as soon as one of them is a letter.

    Base 10 is GSMA's for IMEI and TIA's for an all-decimal MEID, base 16 TIA's for the others.
    """
    base = 10 if body.isdecimal() else 16
    digits = body.encode("ascii")[::-1]
    total = sum(digits[::2].translate(_DOUBLED[base])) + sum(digits[1::2].translate(_VALUE))
    return f"{-total % base:X}"


def generate(kind: Kind, count: int) -> list[str]:
    """Random identifiers to try things with: valid, distinct, no placeholder.

    Args:
        kind: IMEIs begin with 35 (the reporting body of most Samsung phones), MEIDs with
            A0 to FF (so that no IMEI is meant), serials look like those on the label of a phone.
        count: how many.
    """
    made: dict[str, None] = {}
    while len(made) < count:
        text = _TYPES[kind].invent()
        if isinstance(parse(kind, text, Rules()), Identifier):
            made[text] = None
    return list(made)


# --- form ---------------------------------------------------------------------------------------


def _layouts(digit: str, separators: str, *layouts: tuple[int, ...]) -> re.Pattern[str]:
    """A pattern for digits in groups of the given sizes, one kind of separator throughout."""
    return re.compile(
        "|".join(
            separator.join(f"{digit}{{{size}}}" for size in sizes)
            for sizes in layouts
            for separator in separators
        )
    )


# `[0-9]` and not `\d`, which takes full-width and Arabic digits too.
_IMEI = _layouts("[0-9]", "- ", (15,), (2, 6, 6, 1), (8, 6, 1), (6, 2, 6, 1))
_MEID_HEX = _layouts("[0-9A-F]", " ", (14,), (15,), (2,) * 7, (2,) * 7 + (1,))
_MEID_DECIMAL = _layouts("[0-9]", " ", (18,), (19,), (5, 5, 4, 4), (5, 5, 4, 4, 1))
_BODY = re.compile("[0-9A-F]{14}")

# The longest layout takes 23 characters; what is longer was never one identifier.
_LENGTH_MAX = 40


def _trim(text: str) -> str:
    """Without the spaces around it, in upper case; empty for what no identifier can be.

    Only printable ASCII: other characters fold to letters or pass for digits, and no database
    stores NUL.
    """
    if len(text) > _LENGTH_MAX or not (text.isascii() and text.isprintable()):
        return ""
    return text.strip(" ").upper()


def _kind_by_shape(plain: str) -> Kind:
    """The kind of an identifier sent without `type`; a serial number is whatever is left.

    A 14-digit body is not taken for an MEID: it is far more often a truncated IMEI.
    """
    if _IMEI.fullmatch(plain):
        return Kind.IMEI
    bare = plain.replace(" ", "")
    if _MEID_DECIMAL.fullmatch(plain):
        return Kind.MEID
    if _MEID_HEX.fullmatch(plain) and len(bare) == 14 and not bare.isdecimal():
        return Kind.MEID
    return Kind.SN


def _read_imei(plain: str, rules: Rules) -> Identifier | None:
    if not _IMEI.fullmatch(plain):
        return None
    digits = plain.replace("-", "").replace(" ", "")
    key = digits[:14]
    if rules.imei_check == "luhn" and digits[14] != luhn_digit(key):
        return None
    return Identifier(Kind.IMEI, key, digits)


def _read_meid(plain: str, _rules: Rules) -> Identifier | None:
    bare = plain.replace(" ", "")
    if _MEID_HEX.fullmatch(plain):
        body, check = bare[:14], bare[14:]
        key = body
    elif _MEID_DECIMAL.fullmatch(plain):
        body, check = bare[:18], bare[18:]
        high, low = int(body[:10]), int(body[10:])
        if high > 0xFFFFFFFF or low > 0xFFFFFF:
            return None
        key = f"{high:08X}{low:06X}"
    else:
        return None
    if check and check != luhn_digit(body):
        return None
    return Identifier(Kind.MEID, key, key)


def _read_serial(plain: str, rules: Rules) -> Identifier | None:
    if not re.fullmatch(rules.serial_pattern, plain):
        return None
    return Identifier(Kind.SN, plain, plain)


# --- placeholders and test identifiers ----------------------------------------------------------

_TEST_IMEIS = {
    "12345678901234",  # documentation
    "49015420323751",  # textbooks
    "35824005111111",  # the Android emulator
    *(digit * 14 for digit in "0123456789"),
}


def _is_test_imei(key: str) -> bool:
    # 00 is the reporting body of test equipment; factory defaults begin so as well.
    return key.startswith("00") or key in _TEST_IMEIS


def _is_test_meid(key: str) -> bool:
    return key == key[0] * 14


def _is_test_serial(key: str) -> bool:
    return key[-10:] == key[-1] * 10


# --- whole requests -----------------------------------------------------------------------------
# Each function answers the keys of the texts that are beyond doubt, and "" for `parse` to look at.
# So a request is settled by `parse`, and these only spare it the plain ones.

_HEX = b"0123456789ABCDEF"


def _table(value_of: Callable[[int], int]) -> bytes:
    """A table for `bytes.translate` from a hexadecimal digit to a small number."""
    return bytes(value_of(_HEX.index(byte)) if byte in _HEX else 0 for byte in range(256))


_VALUE = _table(lambda digit: digit)
_DOUBLED = {
    10: _table(lambda digit: sum(divmod(2 * digit, 10))),
    16: _table(lambda digit: sum(divmod(2 * digit, 16))),
}
_LUHN_HOLDS = bytes(total % 10 == 0 for total in range(256))
_NO_IMEI = "000000000000001"  # fails Luhn

_PLAIN_MEID = re.compile(r"(?!(.)\1{13})[0-9A-F]{14}")
_PLAIN_SERIAL = re.compile(rf"[0-9A-Z]{{1,{_LENGTH_MAX}}}")


def _sure_imeis(texts: Sequence[str], _rules: Rules) -> list[str]:
    """Luhn for all texts at once, each column of digits one large integer.

    A byte of the sum is at most 15 x 9, so nothing carries over to its neighbour.
    """
    digits = "".join(texts).encode("ascii", "replace")
    if not digits.isdigit() or set(map(len, texts)) != {15}:
        texts = [
            text if len(text) == 15 and text.isascii() and text.isdigit() else _NO_IMEI
            for text in texts
        ]
        digits = "".join(texts).encode("ascii")
    columns = (digits[at::15].translate(_DOUBLED[10] if at % 2 else _VALUE) for at in range(15))
    total = sum(int.from_bytes(column, "big") for column in columns)
    holds = total.to_bytes(len(texts), "big").translate(_LUHN_HOLDS)
    # Of digits, only those that begin with 00 sort before "01".
    return [
        key if ok and key > "01" and key not in _TEST_IMEIS else ""
        for key, ok in zip([text[:14] for text in texts], holds, strict=True)
    ]


def _sure_meids(texts: Sequence[str], _rules: Rules) -> list[str]:
    plain = _PLAIN_MEID.fullmatch
    return [text if plain(text) else "" for text in texts]


def _sure_serials(texts: Sequence[str], rules: Rules) -> list[str]:
    plain, matches = _PLAIN_SERIAL.fullmatch, re.compile(rules.serial_pattern).fullmatch
    return [
        text if plain(text) and matches(text) and text[-10:] != text[-1] * 10 else ""
        for text in texts
    ]


# --- inventing ----------------------------------------------------------------------------------

_RANDOM = secrets.SystemRandom()


def _invent_imei() -> str:
    return canonical(Kind.IMEI, f"35{_RANDOM.randrange(10**12):012}")


def _invent_meid() -> str:
    return f"{_RANDOM.randrange(0xA0 << 48, 1 << 56):014X}"


def _invent_serial() -> str:
    # A factory, a letter for the year, a digit for the month, and six that tell phones apart.
    factory, year = _RANDOM.choice(("58", "5C", "9W", "F8", "FA", "V8")), _RANDOM.choice("MNRTWXY")
    month = _RANDOM.choice("123456789ABC")
    return f"R{factory}{year}{month}" + "".join(
        _RANDOM.choices("0123456789ABCDEFGHJKLMNPQRSTVWXYZ", k=6)
    )


# --- the table of types -------------------------------------------------------------------------


class _Type(NamedTuple):
    invalid: Code
    read: Callable[[str, Rules], Identifier | None]
    is_placeholder: Callable[[str], bool]
    surely: Callable[[Sequence[str], Rules], list[str]]
    invent: Callable[[], str]


_TYPES = {
    Kind.IMEI: _Type(
        Code.DEVICE_IMEI_INVALID, _read_imei, _is_test_imei, _sure_imeis, _invent_imei
    ),
    Kind.MEID: _Type(
        Code.DEVICE_MEID_INVALID, _read_meid, _is_test_meid, _sure_meids, _invent_meid
    ),
    Kind.SN: _Type(
        Code.DEVICE_SERIAL_INVALID, _read_serial, _is_test_serial, _sure_serials, _invent_serial
    ),
}
