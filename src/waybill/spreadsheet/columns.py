"""What the columns of a file hold: told by the header, or else by what stands in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from waybill.spreadsheet.damage import is_nothing, mend, shorten
from waybill.wire.codes import Code
from waybill.wire.identifiers import Kind, Rules, parse


class Field(StrEnum):
    """What a column can hold."""

    IMEI = "imei"
    IMEI2 = "imei2"
    MEID = "meid"
    IMEI_OR_MEID = "imei/meid"
    SERIAL = "serial"
    MODEL = "model"


# Without case, accents, blanks and signs: “IMEI (1)”, “imei_1” and “IMEI1” are one spelling.
_SPELLINGS: dict[Field, str] = {
    Field.IMEI: "imei imei1 mei primaryimei imeiprimary firstimei mainimei imeinumber imeinumber1"
    " imei1number imeino imeino1 imei1no imeinr imeinr1 imeinummer imeinummer1 imeicode imeisim1"
    " sim1imei imeislot1 slot1imei deviceimei phoneimei ersteimei numeroimei numeroimei1",
    Field.IMEI2: "imei2 secondaryimei imeisecondary secondimei imeinumber2 imei2number imeino2"
    " imei2no imeinr2 imeinummer2 imeisim2 sim2imei imeislot2 slot2imei zweiteimei deuxiemeimei"
    " numeroimei2 esimimei imeiesim",
    Field.MEID: "meid meidhex hexmeid meidhexadecimal meiddec decmeid meiddecimal decimalmeid"
    " meidnumber meidno meidnr meidnummer numeromeid",
    Field.IMEI_OR_MEID: "imeimeid imeiormeid imeiodermeid imeioumeid meidimei",
    Field.SERIAL: "serial serialnumber serialno serialnr serialnum sn snr deviceserial"
    " deviceserialnumber seriennummer seriennr seriennum numerodeserie numerodeserial numserie"
    " nserie ndeserie nodeserie serienummer",
    Field.MODEL: "model modelnumber modelno modelcode modelname modelid devicemodel phonemodel"
    " modell modellnummer modellnr modellcode modele numerodemodele codemodele referencemodele"
    " sku skucode productcode",
}
_FIELD_OF = {
    spelling: column for column, spellings in _SPELLINGS.items() for spelling in spellings.split()
}
_HEADER_ROWS = 20
_SAMSUNG_MODEL = re.compile(r"(SM|GT|SC|SCG|SCV)-?[A-Z0-9]{3,}.*", re.IGNORECASE)


class Unclear(Exception):  # noqa: N818 - reads as the sentence it is
    """Columns that cannot be told; the sentence says how to name them."""


class Column(NamedTuple):
    """A column that is read: where, what it holds, and what people call it."""

    at: int
    field: Field
    title: str


@dataclass(frozen=True)
class Layout:
    """Which columns of a file are read.

    Args:
        columns: those that are.
        skipped: the titles of those that are not.
        header: the number of the row that says so; 0 for a file without one.
    """

    columns: list[Column]
    skipped: list[str]
    header: int


def layout(head: Sequence[tuple[int, list[str]]], named: Sequence[str] | None = None) -> Layout:
    """Tells the columns by the header, or else by what is in them.

    Args:
        head: the first rows of the file.
        named: the columns as the operator names them from the left, "" for one to skip.

    Raises:
        Unclear: the columns cannot be told for sure.
    """
    filled = [(number, cells) for number, cells in head if any(map(str.strip, cells))]
    if not filled:
        raise Unclear("There is no row in it.")
    if named is not None:
        return _by_name(named, filled[0])
    for number, cells in filled[:_HEADER_ROWS]:
        fields = [_FIELD_OF.get(_plain(cell)) for cell in cells]
        if any(each not in {None, Field.MODEL} for each in fields):
            return _by_header(number, cells, fields)
    return _by_content([cells for _, cells in filled])


def _plain(title: str) -> str:
    decomposed = unicodedata.normalize("NFKD", title.casefold())
    return "".join(each for each in decomposed if each.isascii() and each.isalnum())


def _by_name(named: Sequence[str], first: tuple[int, list[str]]) -> Layout:
    fields = [_FIELD_OF.get(_plain(each)) for each in named]
    for name, each in zip(named, fields, strict=True):
        if each is None and _plain(name):
            raise Unclear(
                f"“{name}” is no column: there are imei, imei2, meid, imei/meid, serial and model;"
                " leave the name of a column empty that is not to be read."
            )
    headed = not any(map(_is_data, first[1]))
    titles = [each or "" for each in fields]
    return _checked(titles, fields, first[0] if headed else 0)


def _by_header(number: int, cells: list[str], fields: Sequence[Field | None]) -> Layout:
    # Of several columns for the model the best known word wins: “model” before “sku”.
    order = [*_SPELLINGS[Field.MODEL].split()]
    models = [at for at, each in enumerate(fields) if each is Field.MODEL]
    models.sort(key=lambda at: order.index(_plain(cells[at])))
    kept = [None if at in models[1:] else each for at, each in enumerate(fields)]
    return _checked([cell.strip() for cell in cells], kept, number)


def _checked(titles: Sequence[str], fields: Sequence[Field | None], header: int) -> Layout:
    columns = [Column(at, each, titles[at]) for at, each in enumerate(fields) if each]
    for each in (Field.IMEI, Field.IMEI2, Field.SERIAL, Field.MODEL, Field.IMEI_OR_MEID):
        if len(twice := [column for column in columns if column.field is each]) > 1:
            raise Unclear(
                f"Columns {_letter(twice[0].at)} and {_letter(twice[1].at)} both say {each}:"
                f" tell them apart by their headers, or by --columns. {_EXAMPLE}"
            )
    if not any(column.field is not Field.MODEL for column in columns):
        raise Unclear(f"No column holds an identifier. {_EXAMPLE}")
    skipped = [title for title, each in zip(titles, fields, strict=True) if title and not each]
    return Layout(columns, skipped, header)


_EXAMPLE = "Example of a header: imei,imei2,meid,serial,model"


def _by_content(rows: Sequence[list[str]]) -> Layout:
    """Without a header a column is what most of its cells are."""
    fields: list[Field | None] = []
    for at in range(max(map(len, rows))):
        cells = [row[at] for row in rows if at < len(row) and not is_nothing(row[at])]
        kinds = [_looks(cell) for cell in cells]
        common = [each for each in Field if 2 * kinds.count(each) > len(cells)]
        fields.append(common[0] if common else None)
    if fields.count(Field.IMEI) > 1:
        raise Unclear(
            f"{fields.count(Field.IMEI)} columns hold IMEIs, and no header says which is IMEI 1."
            f" Name the columns by --columns imei,imei2,… or by a header. {_EXAMPLE}"
        )
    told = any(each not in {None, Field.MODEL} for each in fields)
    if not told or not any(map(_is_data, rows[0])):
        shown = ", ".join(f"“{cell.strip()}”" for cell in rows[0] if cell.strip())
        raise Unclear(
            f"No column is known among {shorten(shown, 200)}. Name the columns by --columns"
            f" imei,serial,… or by a header. {_EXAMPLE}"
        )
    return _checked([_letter(at) for at in range(len(fields))], fields, 0)


def _looks(cell: str) -> Field | None:
    plain = mend(cell)
    found = parse(None, plain, Rules())
    if not isinstance(found, Code):
        return {Kind.IMEI: Field.IMEI, Kind.MEID: Field.MEID, Kind.SN: Field.SERIAL}[found.kind]
    return Field.MODEL if _SAMSUNG_MODEL.fullmatch(plain) else None


def _is_data(cell: str) -> bool:
    """Whether a cell cannot be a header: an identifier, whole or damaged."""
    return sum(map(str.isdecimal, cell)) >= 5


def _letter(at: int) -> str:
    """A column's name in a spreadsheet."""
    name = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
