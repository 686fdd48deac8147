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


def find(tx: Tx, customer_id: str, reseller: int | None = None) -> Customer | None:
    """The customer with this ID; `associated` is about `reseller`."""
    row = tx.execute(
        "select c.no, c.id, c.name, c.state,"
        " exists (select from association a where a.reseller = %s and a.customer = c.no)"
        " from customer c where c.id = %s",
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


def insert_alias(
    tx: Tx, reseller: int, customer: int, alias: str, profile_id: str, at: datetime
) -> bool:
    """Shares a profile alias of the customer with the reseller; False when it is there already."""
    done = tx.execute(
        "insert into profile_alias (reseller, customer, alias, profile_id, created_at)"
        " values (%s, %s, %s, %s, %s) on conflict (reseller, customer, alias) do nothing",
        (reseller, customer, alias, profile_id, at),
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
        "select alias, profile_id from profile_alias where reseller = %s and customer = %s"
        " order by no",
        (reseller, customer),
    ).fetchall()
