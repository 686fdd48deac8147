"""SQL of OAuth clients and access tokens."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from waybill.auth.rules import Caller
from waybill.db.tx import Tx
from waybill.wire.scopes import expand


class Client(NamedTuple):
    """An OAuth client; `reseller_state` is `active` for the operator's own."""

    id: str
    secret_sha256: bytes
    scopes: list[str]
    reseller_state: str


def find_client(tx: Tx, client_id: str) -> Client | None:
    """The client with this ID, unless it was deleted."""
    row = tx.execute(
        "select c.id, c.secret_sha256, c.scopes, coalesce(r.state, 'active')"
        " from oauth_client c left join reseller r on r.no = c.reseller"
        " where c.id = %s and c.deleted_at is null",
        (client_id,),
    ).fetchone()
    return Client(*row) if row else None


def insert_client(
    tx: Tx,
    client_id: str,
    *,
    reseller: int | None,
    name: str,
    secret_sha256: bytes,
    scopes: list[str],
    at: datetime,
) -> None:
    """Registers a client; `reseller` None makes it the operator's."""
    tx.execute(
        "insert into oauth_client (id, reseller, name, secret_sha256, scopes, created_at)"
        " values (%s, %s, %s, %s, %s, %s)",
        (client_id, reseller, name, secret_sha256, scopes, at),
    )


def renew_secret(tx: Tx, client_id: str, secret_sha256: bytes) -> bool:
    """Replaces a client's secret; False when there is no such client."""
    done = tx.execute(
        "update oauth_client set secret_sha256 = %s where id = %s and deleted_at is null",
        (secret_sha256, client_id),
    )
    return done.rowcount == 1


def insert_token(
    tx: Tx, sha256: bytes, client_id: str, scopes: list[str], at: datetime, expires_at: datetime
) -> None:
    """Keeps an issued token, by its fingerprint alone."""
    tx.execute(
        "insert into access_token (sha256, client, scopes, issued_at, expires_at)"
        " values (%s, %s, %s, %s, %s)",
        (sha256, client_id, scopes, at, expires_at),
    )


def caller(tx: Tx, sha256: bytes, at: datetime) -> Caller | None:
    """Who holds a token that is alive at this moment."""
    row = tx.execute(
        "select c.id, r.no, r.id, coalesce(r.state, 'active'), t.scopes"
        " from access_token t join oauth_client c on c.id = t.client"
        " left join reseller r on r.no = c.reseller"
        " where t.sha256 = %s and t.expires_at > %s and t.revoked_at is null"
        " and c.deleted_at is null",
        (sha256, at),
    ).fetchone()
    if row is None:
        return None
    client, reseller, reseller_id, state, scopes = row
    return Caller(client, reseller, reseller_id, state, expand(scopes))


def revoke(tx: Tx, sha256: bytes, client_id: str, at: datetime) -> None:
    """Ends a token of this client; another client's stays alive (contract §9)."""
    tx.execute(
        "update access_token set revoked_at = %s"
        " where sha256 = %s and client = %s and revoked_at is null",
        (at, sha256, client_id),
    )


def forget_expired(tx: Tx, before: datetime) -> int:
    """Drops tokens that ended before this moment; returns how many."""
    return tx.execute("delete from access_token where expires_at < %s", (before,)).rowcount
