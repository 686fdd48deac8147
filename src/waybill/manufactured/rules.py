"""Phones as the manufacturing list knows them, and what a row of a file says about one.

Nothing is guessed: a value is mended only where no digit can be wrong (Excel's apostrophe, say),
and a row with anything else wrong about it is refused as a whole, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from waybill.spreadsheet.columns import Column, Field
from waybill.spreadsheet.damage import (
    Diagnosis,
    diagnose,
    distrusted,
    is_nothing,
    like_meid,
    mend,
    shorten,
    unwrap,
)
from waybill.wire.codes import Code
from waybill.wire.identifiers import Kind, Rules, canonical, parse, parse_all

MODEL_MAX = 100


class Phone(NamedTuple):
    """A phone of the list: its identifiers in canonical form; "" for what is not known."""

    imei: str = ""
    imei2: str = ""
    meid: str = ""
    serial: str = ""
    model: str = ""

    @property
    def key(self) -> str:
        """What names the phone wherever devices are kept."""
        return self.imei[:14] or self.meid or self.serial

    @property
    def kind(self) -> Kind:
        """Of which kind the key is."""
        return Kind.IMEI if self.imei else Kind.MEID if self.meid else Kind.SN

    @property
    def odd(self) -> str:
        """The canonical form of what the key names where it does not follow from kind and key."""
        return "" if self.imei == canonical(Kind.IMEI, self.imei[:14]) else self.imei

    @property
    def names(self) -> list[str]:
        """All that names the phone, spelled as `device.key` would be, each once; the key first."""
        imei, imei2, meid, serial, _ = self
        if imei and imei2 and meid and serial and meid != imei[:14] and meid != imei2[:14]:
            return [imei[:14], imei2[:14], meid, serial]
        return [*dict.fromkeys([name for name in (imei[:14], imei2[:14], meid, serial) if name])]


class Row(NamedTuple):
    """A row that is in order: its number as a spreadsheet shows it, and the phone it tells of."""

    number: int
    phone: Phone


class Defect(NamedTuple):
    """Why a row was refused: where, what stood there, what is wrong with it, and what to do."""

    row: int
    column: str
    value: str
    reason: str
    remedy: str


# --- rows ---------------------------------------------------------------------------------------


@dataclass
class Portion:
    """What some rows of a file say.

    Args:
        rows: those in order.
        defects: what is wrong with each of the others, one member a row.
        mended: how many values needed mending.
    """

    rows: list[Row] = field(default_factory=list)
    defects: list[list[Defect]] = field(default_factory=list)
    mended: int = 0


def read(lines: Sequence[tuple[int, list[str]]], columns: Sequence[Column], by: Rules) -> Portion:
    """Reads rows; those without any value in the columns are passed over.

    Args:
        lines: each row's number and cells.
        columns: which of the cells are read.
        by: the settings that decide what an identifier is.
    """
    portion = Portion()
    values: dict[Field, list[str]] = {each: [""] * len(lines) for each in _OF_PHONE}
    wrong: dict[int, list[Defect]] = {}

    def refuse(at: int, column: Column, why: Diagnosis) -> None:
        value = lines[at][1][column.at] if column.at < len(lines[at][1]) else ""
        defect = Defect(lines[at][0], column.title, shorten(value), why.reason, why.remedy)
        wrong.setdefault(at, []).append(defect)

    for column in columns:
        texts = [cells[column.at] if column.at < len(cells) else "" for _, cells in lines]
        for each, part in _parts(column.field, texts):
            read_as = _KIND_OF.get(each)
            found = _identify(read_as, part, by) if read_as else _models(part)
            portion.mended += found.mended
            for at, why in found.wrong.items():
                refuse(at, column, why)
            for at in _merge(values[each], found.values):
                refuse(at, column, _OTHERWISE)
    second = next((column for column in columns if column.field is Field.IMEI2), columns[0])
    for at, phone in enumerate(map(Phone._make, zip(*values.values(), strict=True))):
        if at not in wrong and phone.imei2:
            if not phone.imei:
                refuse(at, second, _NO_IMEI_1)
            elif phone.imei2[:14] == phone.imei[:14]:
                phone = phone._replace(imei2="")  # noqa: PLW2901
        if at in wrong:
            portion.defects.append(wrong[at])
        elif phone.imei or phone.meid or phone.serial:
            portion.rows.append(Row(lines[at][0], phone))
        elif phone.model:
            portion.defects.append([Defect(lines[at][0], "", "", *_NAMELESS)])
    return portion


_OF_PHONE = (Field.IMEI, Field.IMEI2, Field.MEID, Field.SERIAL, Field.MODEL)
_KIND_OF = {
    Field.IMEI: Kind.IMEI,
    Field.IMEI2: Kind.IMEI,
    Field.MEID: Kind.MEID,
    Field.SERIAL: Kind.SN,
}
_OTHERWISE = Diagnosis(
    "Another column of the row says otherwise.", "Correct the one that is wrong."
)
_NO_IMEI_1 = Diagnosis("An IMEI 2 without an IMEI 1.", "Give IMEI 1 as well.")
_NAMELESS = Diagnosis(
    "The row has no identifier.", "Give an IMEI, an MEID or a serial number, or delete the row."
)


def _parts(column: Field, texts: list[str]) -> list[tuple[Field, list[str]]]:
    if column is not Field.IMEI_OR_MEID:
        return [(column, texts)]
    is_meid = [like_meid(text) for text in texts]
    return [
        (Field.IMEI, ["" if meid else text for text, meid in zip(texts, is_meid, strict=True)]),
        (Field.MEID, [text if meid else "" for text, meid in zip(texts, is_meid, strict=True)]),
    ]


class _Found(NamedTuple):
    """The values of a column in canonical form, "" for none, and what is wrong with the others."""

    values: list[str]
    wrong: dict[int, Diagnosis]
    mended: int = 0


def _identify(kind: Kind, texts: list[str], by: Rules) -> _Found:
    given = [at for at, text in enumerate(texts) if text]
    parsed = parse_all(kind, [texts[at] for at in given], by)
    values, wrong, mended = [""] * len(texts), {}, 0
    for at, key in zip(given, parsed.keys, strict=True):
        # Fifteen characters that begin with the key are the IMEI as it should be written.
        text = texts[at]
        plain = kind is not Kind.IMEI or (len(text) == 15 and text.startswith(key))
        values[at] = (key if kind is not Kind.IMEI else text) if plain else canonical(kind, key)
    for number, form in parsed.odd.items():
        values[given[number]] = form
    for number in parsed.refused:
        at = given[number]
        values[at] = ""
        plain = mend(texts[at])
        if is_nothing(plain):
            continue
        again = parse(kind, plain, by)
        if isinstance(again, Code):
            wrong[at] = diagnose(kind, texts[at], by)
        else:
            values[at] = again.canonical
            mended += 1
    if kind is Kind.MEID:
        for at in given:
            if at not in wrong and (why := distrusted(kind, texts[at])):
                wrong[at] = why
    return _Found(values, wrong, mended)


def _models(texts: list[str]) -> _Found:
    # Few different ones, many times each.
    known = {
        text: "" if is_nothing(text) else " ".join(unwrap(text).split()) for text in set(texts)
    }
    values = [known[text] for text in texts]
    wrong = {
        at: Diagnosis("is too long for a model", f"{MODEL_MAX} characters are the most.")
        for at, value in enumerate(values)
        if len(value) > MODEL_MAX
    }
    return _Found([shorten(value, MODEL_MAX) for value in values], wrong)


def _merge(into: list[str], values: list[str]) -> list[int]:
    """Fills in values; the places where there was another one already."""
    if not any(into):
        into[:] = values
        return []
    clash = []
    for at, value in enumerate(values):
        if value and into[at] and value != into[at]:
            clash.append(at)
        into[at] = into[at] or value
    return clash


# --- what the list and the devices have to say --------------------------------------------------


class Change(NamedTuple):
    """A phone to be listed, or to be listed with more than is known of it.

    `names` are the new phone's, the key first: they are asked for often.
    """

    row: int
    old: Phone | None
    new: Phone
    names: list[str]


@dataclass
class Verdict:
    """What becomes of rows: `told` are the names that they tell of first."""

    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    defects: list[list[Defect]] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)


def judge(rows: Sequence[Row], listed: Mapping[str, Phone], told: Mapping[str, int]) -> Verdict:
    """Compares rows with those before them and with the list.

    A phone is told of by one row of a file. It may gain identifiers that the list does not have
    yet, but none is ever replaced: which of the two is right, nobody here can know.

    Args:
        rows: those in order.
        listed: the phones that their names mean in the list.
        told: names that earlier rows of the file told of, and those rows' numbers.
    """
    verdict = Verdict()
    told_here = verdict.told.keys()
    for row in rows:
        names = row.phone.names
        olds = {listed[name] for name in names if name in listed} if listed else set[Phone]()
        for old in olds:
            names = names + [name for name in old.names if name not in names]
        if not (told_here.isdisjoint(names) and told.keys().isdisjoint(names)):
            verdict.defects.append([_repeats(row, names, verdict.told, told)])
            continue
        verdict.told.update(dict.fromkeys(names, row.number))
        if not olds:
            verdict.changes.append(Change(row.number, None, row.phone, names))
        elif len(olds) > 1:
            verdict.defects.append([_joins_listed(row, sorted(olds))])
        elif clashes := _contradictions(row, old := olds.pop()):
            verdict.defects.append(clashes)
        elif (new := Phone._make(map(_either, row.phone, old))) != old:
            verdict.changes.append(Change(row.number, old, new, new.names))
        else:
            verdict.unchanged += 1
    return verdict


def _either(new: str, old: str) -> str:
    return new or old


def _contradictions(row: Row, old: Phone) -> list[Defect]:
    # A check digit is no part of what a phone is called.
    return [
        Defect(
            row.number,
            each.value,
            ours,
            f"In the list the phone with {describe(old)} has {theirs}.",
            "The list stays as it is: correct the row.",
        )
        for each, ours, theirs in zip(_OF_PHONE, row.phone, old, strict=True)
        if each is not Field.MODEL and ours and theirs and ours[:14] != theirs[:14]
    ]


def _repeats(row: Row, names: Sequence[str], *told: Mapping[str, int]) -> Defect:
    name, earlier = next((name, by[name]) for name in names for by in told if name in by)
    column, value = _named(row.phone, name)
    return Defect(
        row.number,
        column,
        value,
        f"Row {earlier} tells of the same phone.",
        "Keep one row for a phone, with all that is known of it.",
    )


def _joins_listed(row: Row, listed: Sequence[Phone]) -> Defect:
    phones = " and ".join(describe(phone) for phone in listed)
    return Defect(
        row.number,
        *_named(row.phone, row.phone.key),
        f"The identifiers are those of {len(listed)} phones in the list: {phones}.",
        "The list stays as it is: correct the row.",
    )


def joins_held(change: Change, periods: Mapping[str, list[int | None]]) -> Defect | None:
    """Why a phone cannot be listed, given what was registered under its names.

    Args:
        change: the phone.
        periods: by name, what ended each period of ownership: None while it lasts, else a delete.
    """
    named = [(name, end) for name in change.names for end in periods.get(name, ())]
    held = [name for name, ended_by in named if ended_by is None]
    ends = [ended_by for _, ended_by in named if ended_by is not None]
    if len(held) > 1:
        names = " and ".join(" ".join(_named(change.new, name)) for name in held)
        why = Diagnosis(
            f"Devices that are held separately now would be one: {names}.",
            "They stay apart: once all but one are deleted, import the row again.",
        )
    elif len(set(ends)) < len(ends):
        why = Diagnosis(
            "Devices that were held separately until one delete ended both would be one.",
            "They stay apart, as history has it: leave the row out.",
        )
    else:
        return None
    return Defect(change.row, *_named(change.new, change.new.key), *why)


def describe(phone: Phone) -> str:
    """A phone by what names it best."""
    return " ".join(_named(phone, phone.key))


def _named(phone: Phone, name: str) -> tuple[str, str]:
    """Which column a name of a phone stands in, and how it is written there."""
    for each, value in zip(_OF_PHONE, phone, strict=True):
        if each is not Field.MODEL and value and name in {value, value[:14]}:
            return each.value, value
    return "", name
