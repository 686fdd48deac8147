"""SQL of resellers and their vendors."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from waybill.db.tx import Tx


class Reseller(NamedTuple):
    """A reseller; the last three are None where the installation decides."""

    no: int
    id: str
    name: str
    state: str
    kdp_release: str | None
    status_shape: str | None
    enforce_manufactured: bool | None


_COLUMNS = "no, id, name, state, kdp_release, status_shape, enforce_manufactured"


def find(tx: Tx, reseller_id: str, *, to_change: bool = False) -> Reseller | None:
    """The reseller with this ID; `to_change` keeps others from changing it until `tx` ends."""
    row = tx.execute(
        f"select {_COLUMNS} from reseller where id = %s"  # noqa: S608
        + (" for no key update" if to_change else ""),
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


def update(tx: Tx, reseller: Reseller) -> None:
    """Writes what can change of a reseller: name, state and its own settings."""
    tx.execute(
        "update reseller set name = %s, state = %s, kdp_release = %s, status_shape = %s,"
        " enforce_manufactured = %s where no = %s",
        (
            reseller.name,
            reseller.state,
            reseller.kdp_release,
            reseller.status_shape,
            reseller.enforce_manufactured,
            reseller.no,
        ),
    )


class Vendor(NamedTuple):
    """A vendor of a reseller."""

    reseller: int
    id: str
    name: str
    state: str


def find_vendor(tx: Tx, reseller: int, vendor_id: str) -> Vendor | None:
    """The reseller's vendor with this ID, closed or not; kept from changes until `tx` ends."""
    row = tx.execute(
        "select reseller, id, name, state from vendor where reseller = %s and id = %s"
        " for no key update",
        (reseller, vendor_id),
    ).fetchone()
    return Vendor(*row) if row else None


def insert_vendor(tx: Tx, reseller: int, vendor_id: str, name: str, at: datetime) -> bool:
    """Creates a vendor of the reseller; False when the ID is taken."""
    done = tx.execute(
        "insert into vendor (reseller, id, name, created_at) values (%s, %s, %s, %s)"
        " on conflict do nothing",
        (reseller, vendor_id, name, at),
    )
    return done.rowcount == 1


def update_vendor(tx: Tx, vendor: Vendor) -> None:
    """Writes what can change of a vendor."""
    tx.execute(
        "update vendor set name = %s, state = %s where reseller = %s and id = %s",
        (vendor.name, vendor.state, vendor.reseller, vendor.id),
    )


def any_exists(tx: Tx) -> bool:
    """Whether there is a reseller at all."""
    row = tx.execute("select exists (select from reseller)").fetchone()
    return bool(row and row[0])


# --- For the operator: all resellers ------------------------------------------------------------


class Overview(NamedTuple):
    """A reseller and how much there is of it; `devices` are those that it holds."""

    id: str
    name: str
    state: str
    kdp_release: str | None
    status_shape: str | None
    enforce_manufactured: bool | None
    created_at: datetime
    customers: int
    vendors: int
    clients: int
    devices: int
    waiting: int
    last_request_at: datetime | None


def overviews(
    tx: Tx, *, state: str | None = None, no: int | None = None, limit: int | None = None
) -> list[Overview]:
    """Resellers, the newest first: all of them, those in one state, or the one with a number."""
    found = tx.execute(
        "select r.id, r.name, r.state, r.kdp_release, r.status_shape, r.enforce_manufactured,"
        " r.created_at,"
        " (select count(*) from association a where a.reseller = r.no),"
        " (select count(*) from vendor v where v.reseller = r.no and v.state = 'active'),"
        " (select count(*) from oauth_client o where o.reseller = r.no and o.deleted_at is null),"
        " (select coalesce(sum(b.live), 0)::bigint from device_block b"
        "   where b.reseller = r.no and b.customer = 0),"
        " (select count(*) from transaction t where t.reseller = r.no and t.state = 'Progress'),"
        " (select t.accepted_at from transaction t where t.reseller = r.no"
        "   order by t.number desc nulls first, t.seq desc limit 1)"
        " from reseller r where (%(state)s::text is null or r.state = %(state)s)"
        " and (%(no)s::int is null or r.no = %(no)s)"
        " order by r.no desc limit %(limit)s",
        {"state": state, "no": no, "limit": limit},
    )
    return [Overview(*row) for row in found]


def vendors(tx: Tx, reseller: int | None) -> list[tuple[str, Vendor, datetime]]:
    """Vendors of one reseller or of all, each with its reseller's ID, the oldest first."""
    found = tx.execute(
        "select r.id, v.created_at, v.reseller, v.id, v.name, v.state from vendor v"
        " join reseller r on r.no = v.reseller"
        " where %(reseller)s::int is null or v.reseller = %(reseller)s"
        " order by v.reseller, v.created_at, v.id",
        {"reseller": reseller},
    )
    return [(reseller_id, Vendor(*vendor), at) for reseller_id, at, *vendor in found]


def named(tx: Tx, name: str) -> list[str]:
    """The IDs of the resellers of this name, in any case; a few of them if there are many."""
    found = tx.execute("select id from reseller where lower(name) = lower(%s) limit 6", (name,))
    return [reseller_id for (reseller_id,) in found]


def similar(tx: Tx, text: str) -> list[tuple[str, str]]:
    """IDs and names to look through for what `text` may have meant, the likeliest first."""
    return tx.execute(
        "select id, name from reseller order by"
        " left(id, 3) = left(%(text)s, 3) or lower(left(name, 3)) = lower(left(%(text)s, 3)) desc,"
        " no desc limit 5000",
        {"text": text},
    ).fetchall()
