"""SQL of OAuth clients and access tokens."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from waybill.auth.rules import TOKEN_LIFE_S, Caller
from waybill.db.tx import Tx
from waybill.wire.scopes import expand


class Client(NamedTuple):
    """An OAuth client that may sign in; `reseller_state` is `active` for the operator's own.

    `old_sha256` is of the secret before the last rotation while that still works, else None.
    """

    id: str
    secret_sha256: bytes
    old_sha256: bytes | None
    scopes: list[str]
    token_life_s: int
    reseller_state: str


def find_client(tx: Tx, client_id: str, at: datetime) -> Client | None:
    """The client with this ID, unless it was deleted."""
    row = tx.execute(
        "select c.id, c.secret_sha256,"
        " case when c.old_secret_until > %s then c.old_secret_sha256 end,"
        " c.scopes, c.token_life_s, coalesce(r.state, 'active')"
        " from oauth_client c left join reseller r on r.no = c.reseller"
        " where c.id = %s and c.deleted_at is null",
        (at, client_id),
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
    token_life_s: int = TOKEN_LIFE_S,
    at: datetime,
) -> None:
    """Registers a client; `reseller` None makes it the operator's."""
    tx.execute(
        "insert into oauth_client"
        " (id, reseller, name, secret_sha256, scopes, token_life_s, created_at)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        (client_id, reseller, name, secret_sha256, scopes, token_life_s, at),
    )


def renew_secret(
    tx: Tx, client_id: str, secret_sha256: bytes, old_until: datetime | None = None
) -> bool:
    """Replaces a client's secret; False when there is no such client.

    Args:
        old_until: how long the secret that it had works beside the new one; None: no longer. A
            still older one ends in any case.
    """
    done = tx.execute(
        "update oauth_client set secret_sha256 = %(new)s,"
        " old_secret_sha256 = case when %(until)s::timestamptz is not null then secret_sha256 end,"
        " old_secret_until = %(until)s where id = %(id)s and deleted_at is null",
        {"new": secret_sha256, "until": old_until, "id": client_id},
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
        "select c.id, r.no, r.id, coalesce(r.state, 'active'), t.scopes, c.scopes"
        " from access_token t join oauth_client c on c.id = t.client"
        " left join reseller r on r.no = c.reseller"
        " where t.sha256 = %s and t.expires_at > %s and t.revoked_at is null"
        " and c.deleted_at is null",
        (sha256, at),
    ).fetchone()
    if row is None:
        return None
    client, reseller, reseller_id, state, scopes, registered = row
    # What was taken from a client is taken from its tokens too.
    allowed = expand(scopes) & expand(registered)
    return Caller(client, reseller, reseller_id, state, allowed)


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


# --- For the operator: all clients --------------------------------------------------------------


class Registered(NamedTuple):
    """A client as it is registered; `reseller_id` is None for the operator's own."""

    id: str
    name: str
    reseller_id: str | None
    scopes: list[str]
    token_life_s: int
    created_at: datetime
    old_secret_until: datetime | None
    deleted_at: datetime | None


_REGISTERED = (
    "select c.id, c.name, r.id, c.scopes, c.token_life_s, c.created_at, c.old_secret_until,"
    " c.deleted_at from oauth_client c left join reseller r on r.no = c.reseller"
)


def registered(tx: Tx, client_id: str) -> Registered | None:
    """The client with this ID, deleted or not; kept from changes until `tx` ends."""
    row = tx.execute(
        _REGISTERED + " where c.id = %s for no key update of c", (client_id,)
    ).fetchone()
    return Registered(*row) if row else None


def clients(
    tx: Tx, *, reseller: int | None, operators: bool, deleted: bool, limit: int | None
) -> list[Registered]:
    """Clients, the newest first: of one reseller, the operator's own, or all."""
    found = tx.execute(
        _REGISTERED + " where (%(reseller)s::int is null or c.reseller = %(reseller)s)"
        " and (not %(operators)s or c.reseller is null)"
        " and (c.deleted_at is null or %(deleted)s)"
        " order by c.created_at desc, c.id limit %(limit)s",
        {"reseller": reseller, "operators": operators, "deleted": deleted, "limit": limit},
    )
    return [Registered(*row) for row in found]


def change_client(tx: Tx, client: Registered) -> None:
    """Writes what can change of a client: name, scopes, life of its tokens."""
    tx.execute(
        "update oauth_client set name = %s, scopes = %s, token_life_s = %s where id = %s",
        (client.name, client.scopes, client.token_life_s, client.id),
    )


def delete_client(tx: Tx, client_id: str, at: datetime) -> None:
    """Ends a client and with it its tokens; its row stays, since history names it."""
    tx.execute("update oauth_client set deleted_at = %s where id = %s", (at, client_id))


def named(tx: Tx, name: str) -> list[str]:
    """The IDs of the clients of this name that may sign in, in any case; a few if many."""
    found = tx.execute(
        "select id from oauth_client where lower(name) = lower(%s) and deleted_at is null limit 6",
        (name,),
    )
    return [client_id for (client_id,) in found]


def similar(tx: Tx, text: str) -> list[tuple[str, str]]:
    """IDs and names to look through for what `text` may have meant, the likeliest first."""
    return tx.execute(
        "select id, name from oauth_client where deleted_at is null order by"
        " left(id, 3) = left(%(text)s, 3) or lower(left(name, 3)) = lower(left(%(text)s, 3)) desc,"
        " created_at desc limit 5000",
        {"text": text},
    ).fetchall()
