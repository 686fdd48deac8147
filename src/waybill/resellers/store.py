"""SQL of resellers and their vendors."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from waybill.db.tx import Tx


class Reseller(NamedTuple):
    """A reseller; `kdp_release` and `status_shape` are None where the installation decides."""

    no: int
    id: str
    name: str
    state: str
    kdp_release: str | None
    status_shape: str | None


def find(tx: Tx, reseller_id: str) -> Reseller | None:
    """The reseller with this ID."""
    row = tx.execute(
        "select no, id, name, state, kdp_release, status_shape from reseller where id = %s",
        (reseller_id,),
    ).fetchone()
    return Reseller(*row) if row else None


def insert(tx: Tx, reseller_id: str, name: str, at: datetime) -> int | None:
    """Creates a reseller and its turn; None when the ID is taken."""
    row = tx.execute(
        "with new as (insert into reseller (id, name, created_at) values (%s, %s, %s)"
        " on conflict (id) do nothing returning no)"
        " insert into turn (reseller) select no from new returning reseller",
        (reseller_id, name, at),
    ).fetchone()
    return row[0] if row else None


def insert_vendor(tx: Tx, reseller: int, vendor_id: str, name: str, at: datetime) -> bool:
    """Creates a vendor of the reseller; False when the ID is taken."""
    done = tx.execute(
        "insert into vendor (reseller, id, name, created_at) values (%s, %s, %s, %s)"
        " on conflict do nothing",
        (reseller, vendor_id, name, at),
    )
    return done.rowcount == 1


def any_exists(tx: Tx) -> bool:
    """Whether there is a reseller at all."""
    row = tx.execute("select exists (select from reseller)").fetchone()
    return bool(row and row[0])
