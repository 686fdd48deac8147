"""SQL of customers, their associations with resellers, and profile aliases."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from waybill.db.tx import Tx


class Customer(NamedTuple):
    """A customer, and the reseller's association with it where one was asked about."""

    no: int
    id: str
    name: str
    state: str
    associated: bool


def find(
    tx: Tx, customer_id: str, reseller: int | None = None, *, to_change: bool = False
) -> Customer | None:
    """The customer with this ID; `associated` is about `reseller`.

    `to_change` keeps others from changing it until `tx` ends.
    """
    row = tx.execute(
        "select c.no, c.id, c.name, c.state,"  # noqa: S608
        " exists (select from association a where a.reseller = %s and a.customer = c.no)"
        " from customer c where c.id = %s" + (" for no key update" if to_change else ""),
        (reseller, customer_id),
    ).fetchone()
    return Customer(*row) if row else None


def insert(tx: Tx, customer_id: str, name: str, at: datetime) -> int | None:
    """Creates a customer; None when the ID is taken."""
    row = tx.execute(
        "insert into customer (id, name, created_at) values (%s, %s, %s)"
        " on conflict (id) do nothing returning no",
        (customer_id, name, at),
    ).fetchone()
    return row[0] if row else None


def update(tx: Tx, customer: Customer) -> None:
    """Writes what can change of a customer."""
    tx.execute(
        "update customer set name = %s, state = %s where no = %s",
        (customer.name, customer.state, customer.no),
    )


def associate(
    tx: Tx, reseller: int, customer: int, at: datetime, *, auto_approve: bool = False
) -> bool:
    """Associates a customer with a reseller; False when they are already."""
    done = tx.execute(
        "insert into association (reseller, customer, auto_approve, created_at)"
        " values (%s, %s, %s, %s) on conflict (reseller, customer) do nothing",
        (reseller, customer, auto_approve, at),
    )
    return done.rowcount == 1


def auto_approve(tx: Tx, reseller: int, customer: int) -> bool | None:
    """Whether devices of the reseller need no approval; None when they are not associated.

    Nobody else changes it until `tx` ends.
    """
    row = tx.execute(
        "select auto_approve from association where reseller = %s and customer = %s"
        " for no key update",
        (reseller, customer),
    ).fetchone()
    return row[0] if row else None


def set_auto_approve(tx: Tx, reseller: int, customer: int, *, on: bool) -> None:
    """Decides for devices that are registered from now on."""
    tx.execute(
        "update association set auto_approve = %s where reseller = %s and customer = %s",
        (on, reseller, customer),
    )


def insert_alias(
    tx: Tx, reseller: int, customer: int, alias: str, profile_id: str, at: datetime
) -> bool:
    """Shares a profile alias with the reseller, again if it was closed; False when it is shared."""
    done = tx.execute(
        "insert into profile_alias (reseller, customer, alias, profile_id, created_at)"
        " values (%s, %s, %s, %s, %s) on conflict (reseller, customer, alias)"
        " do update set profile_id = excluded.profile_id, closed_at = null"
        " where profile_alias.closed_at is not null",
        (reseller, customer, alias, profile_id, at),
    )
    return done.rowcount == 1


def close_alias(tx: Tx, reseller: int, customer: int, alias: str, at: datetime) -> bool:
    """Ends the sharing of an alias; False when it is not shared."""
    done = tx.execute(
        "update profile_alias set closed_at = %s"
        " where reseller = %s and customer = %s and alias = %s and closed_at is null",
        (at, reseller, customer, alias),
    )
    return done.rowcount == 1


def count_associated(tx: Tx, reseller: int) -> int:
    """How many customers the reseller serves."""
    row = tx.execute(
        "select count(*) from association a join customer c on c.no = a.customer"
        " where a.reseller = %s and c.state = 'active'",
        (reseller,),
    ).fetchone()
    assert row is not None  # noqa: S101 - count always gives a row
    return row[0]


def associated(tx: Tx, reseller: int, offset: int, limit: int) -> list[tuple[str, str]]:
    """ID and name of the customers that the reseller serves, the oldest association first."""
    return tx.execute(
        "select c.id, c.name from association a join customer c on c.no = a.customer"
        " where a.reseller = %s and c.state = 'active' order by a.no offset %s limit %s",
        (reseller, offset, limit),
    ).fetchall()


def aliases(tx: Tx, reseller: int, customer: int) -> list[tuple[str, str]]:
    """Alias and profile ID of what the customer shares with the reseller, the oldest first."""
    return tx.execute(
        "select alias, profile_id from profile_alias"
        " where reseller = %s and customer = %s and closed_at is null order by no",
        (reseller, customer),
    ).fetchall()


# --- For the operator: all customers ------------------------------------------------------------


class Overview(NamedTuple):
    """A customer and how much there is of it; `devices` are those that are held for it now."""

    id: str
    name: str
    state: str
    created_at: datetime
    resellers: int
    devices: int
    last_request_at: datetime | None


def overviews(
    tx: Tx,
    *,
    state: str | None = None,
    reseller: int | None = None,
    no: int | None = None,
    limit: int | None = None,
) -> list[Overview]:
    """Customers, the newest first: all, those in one state or of one reseller, or a certain one.

    With a reseller, `devices` and `last_request_at` are about what that one does for it.
    """
    found = tx.execute(
        "select c.id, c.name, c.state, c.created_at,"
        " (select count(*) from association a where a.customer = c.no),"
        " (select coalesce(sum(b.live), 0)::bigint from association a"
        "   join device_block b on b.reseller = a.reseller and b.customer = a.customer"
        "   where a.customer = c.no and (%(reseller)s::int is null or a.reseller = %(reseller)s)),"
        " (select max(t.accepted_at) from association a cross join lateral"
        "   (select accepted_at from transaction where reseller = a.reseller"
        "     and customer = a.customer order by customer_number desc nulls first, seq desc"
        "     limit 1) as t"
        "   where a.customer = c.no and (%(reseller)s::int is null or a.reseller = %(reseller)s))"
        " from customer c where (%(state)s::text is null or c.state = %(state)s)"
        " and (%(no)s::int is null or c.no = %(no)s)"
        " and (%(reseller)s::int is null or exists (select from association a"
        "   where a.reseller = %(reseller)s and a.customer = c.no))"
        " order by c.no desc limit %(limit)s",
        {"state": state, "reseller": reseller, "no": no, "limit": limit},
    )
    return [Overview(*row) for row in found]


class Association(NamedTuple):
    """A reseller that serves a customer; `devices` are those that it holds for it."""

    reseller_id: str
    reseller_name: str
    auto_approve: bool
    created_at: datetime
    aliases: int
    devices: int


def associations(tx: Tx, customer: int) -> list[Association]:
    """The resellers that serve a customer, the oldest association first."""
    found = tx.execute(
        "select r.id, r.name, a.auto_approve, a.created_at,"
        " (select count(*) from profile_alias p where p.reseller = a.reseller"
        "   and p.customer = a.customer and p.closed_at is null),"
        " (select coalesce(sum(b.live), 0)::bigint from device_block b"
        "   where b.reseller = a.reseller and b.customer = a.customer)"
        " from association a join reseller r on r.no = a.reseller"
        " where a.customer = %s order by a.no",
        (customer,),
    )
    return [Association(*row) for row in found]


class Alias(NamedTuple):
    """A profile alias of a customer for a reseller; `closed_at` None while it is shared."""

    customer_id: str
    reseller_id: str
    alias: str
    profile_id: str
    created_at: datetime
    closed_at: datetime | None


def all_aliases(
    tx: Tx, *, reseller: int | None, customer: int | None, closed: bool, limit: int | None
) -> list[Alias]:
    """Profile aliases, the oldest first; with those that were closed, if asked for."""
    found = tx.execute(
        "select c.id, r.id, p.alias, p.profile_id, p.created_at, p.closed_at"
        " from profile_alias p join customer c on c.no = p.customer"
        " join reseller r on r.no = p.reseller"
        " where (%(reseller)s::int is null or p.reseller = %(reseller)s)"
        " and (%(customer)s::int is null or p.customer = %(customer)s)"
        " and (p.closed_at is null or %(closed)s) order by p.no limit %(limit)s",
        {"reseller": reseller, "customer": customer, "closed": closed, "limit": limit},
    )
    return [Alias(*row) for row in found]


def named(tx: Tx, name: str) -> list[str]:
    """The IDs of the customers of this name, in any case; a few of them if there are many."""
    found = tx.execute("select id from customer where lower(name) = lower(%s) limit 6", (name,))
    return [customer_id for (customer_id,) in found]


def similar(tx: Tx, text: str) -> list[tuple[str, str]]:
    """IDs and names to look through for what `text` may have meant, the likeliest first."""
    return tx.execute(
        "select id, name from customer order by"
        " left(id, 3) = left(%(text)s, 3) or lower(left(name, 3)) = lower(left(%(text)s, 3)) desc,"
        " no desc limit 5000",
        {"text": text},
    ).fetchall()
