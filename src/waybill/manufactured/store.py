"""SQL of the manufacturing list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from waybill.db.tx import Tx
from waybill.manufactured.rules import Phone

_COLUMNS = (
    "coalesce(m.imei, ''), coalesce(m.imei2, ''), coalesce(m.meid, ''), coalesce(m.serial, ''),"
    " coalesce(m.model, '')"
)


class Lookup(NamedTuple):
    """What the list says to names, each spelled as `device.key` is.

    Args:
        phones: the phone of each name that is not a phone's key but another identifier of it.
        unlisted: names of which the list knows nothing; asked for only where it is enforced.
    """

    phones: dict[str, Phone]
    unlisted: set[str]


def look_up(tx: Tx, names: Iterable[str], *, enforced: bool) -> Lookup:
    """Finds the phones that names mean; costs nothing to speak of while there is no list."""
    # Where the list is not enforced, an identifier that names its phone by itself is as good as
    # one that it does not know: links are all there is to look at.
    chosen = _ALL if enforced else _LINKED
    phones: dict[str, Phone] = {}
    unlisted: set[str] = set()
    for name, listed, *phone in tx.execute(chosen, ("\n".join(names),)):
        if listed:
            phones[name] = Phone(*phone)
        else:
            unlisted.add(name)
    return Lookup(phones, unlisted)


_LINKED = (
    f"select a.name, true, {_COLUMNS}"  # noqa: S608
    " from unnest(string_to_array(%s, E'\\n')) as a(name)"
    " join identifier_link l on l.alias = a.name join manufactured m on m.key = l.key"
    " where exists (select from identifier_link)"
)
_ALL = (
    f"select a.name, m.key is not null, {_COLUMNS}"  # noqa: S608
    " from unnest(string_to_array(%s, E'\\n')) as a(name)"
    " left join identifier_link l on l.alias = a.name"
    " left join manufactured m on m.key = coalesce(l.key, a.name)"
    " where a.name <> '' and (l.alias is not null or m.key is null)"
)
