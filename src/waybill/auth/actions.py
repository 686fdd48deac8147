"""Issuing tokens, and making, changing and ending the clients that ask for them."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from waybill import clock
from waybill.activity import store as activity
from waybill.activity.rules import differences
from waybill.auth import store
from waybill.auth.rules import TOKEN_LIFE_S, fingerprint, granted
from waybill.db.tx import Tx
from waybill.wire.events import Event
from waybill.wire.oauth import OAuthRefused, Token

# Compared with when a client is unknown, so that both answers take the same time.
_NOBODY = fingerprint("")


def authenticate(tx: Tx, client_id: str, client_secret: str, at: datetime) -> store.Client:
    """The client whose ID and secret these are; after a rotation the old secret does for a while.

    Raises:
        OAuthRefused: `invalid_client`, alike for an unknown client and a wrong secret, and for a
            client whose reseller was closed or blocked.
    """
    client = store.find_client(tx, client_id, at)
    expected = client.secret_sha256 if client else _NOBODY
    overlapping = (client and client.old_sha256) or _NOBODY
    given = fingerprint(client_secret)
    # Both are compared, whatever the first says: the time tells nothing. No secret is empty.
    new, old = hmac.compare_digest(expected, given), hmac.compare_digest(overlapping, given)
    right = bool(client_secret) and (new or old)
    if client is None or not right or client.reseller_state != "active":
        raise OAuthRefused("invalid_client")
    return client


def issue(
    tx: Tx, client: store.Client, scope: str | None, life_s: int | None, at: datetime
) -> Token:
    """Issues an access token to a client that was authenticated.

    Args:
        scope: what it asks for; None: all that it may have.
        life_s: how long the token shall live; None: as its registration says.

    Raises:
        OAuthRefused: `invalid_scope` for more than the client may have.
    """
    scopes = granted(scope, client.scopes)
    if scopes is None:
        raise OAuthRefused("invalid_scope")
    life_s = client.token_life_s if life_s is None else life_s
    token = clock.secret()
    store.insert_token(
        tx, fingerprint(token), client.id, scopes, at, at + timedelta(seconds=life_s)
    )
    return Token(access_token=token, scope=" ".join(scopes), expires_in=life_s)


@dataclass(frozen=True)
class Credentials:
    """A client's ID and its secret, which is shown this once."""

    client_id: str
    client_secret: str


def create_client(
    tx: Tx,
    *,
    reseller: int | None,
    name: str,
    scopes: list[str],
    token_life_s: int = TOKEN_LIFE_S,
    by: str,
    at: datetime,
) -> Credentials:
    """Makes a client for a reseller, or for the operator when `reseller` is None."""
    made = Credentials(clock.identifier(), clock.secret())
    store.insert_client(
        tx,
        made.client_id,
        reseller=reseller,
        name=name,
        secret_sha256=fingerprint(made.client_secret),
        scopes=scopes,
        token_life_s=token_life_s,
        at=at,
    )
    activity.add(
        tx,
        Event.CLIENT_CREATED,
        by=by,
        at=at,
        reseller=reseller,
        detail={"clientId": made.client_id, "name": name, "scopes": scopes},
    )
    return made


def change_client(
    tx: Tx,
    old: store.Registered,
    new: store.Registered,
    *,
    reseller: int | None,
    by: str,
    at: datetime,
) -> bool:
    """Changes name, scopes or life of tokens; False when nothing differs.

    A scope that is taken away is taken from the tokens too that it has.
    """
    if new == old:
        return False
    store.change_client(tx, new)
    detail = {"clientId": new.id} | differences(old, new)
    activity.add(tx, Event.CLIENT_CHANGED, by=by, at=at, reseller=reseller, detail=detail)
    return True


def rotate_secret(
    tx: Tx, client_id: str, *, overlap: timedelta, reseller: int | None, by: str, at: datetime
) -> Credentials:
    """Gives a client a new secret; the one it had works for `overlap` longer, if that is not 0."""
    made = Credentials(client_id, clock.secret())
    until = at + overlap if overlap else None
    store.renew_secret(tx, client_id, fingerprint(made.client_secret), until)
    detail = {"clientId": client_id, "oldSecretUntil": until and until.isoformat()}
    activity.add(tx, Event.CLIENT_SECRET_RENEWED, by=by, at=at, reseller=reseller, detail=detail)
    return made


def delete_client(
    tx: Tx, client: store.Registered, *, reseller: int | None, by: str, at: datetime
) -> None:
    """Ends a client: it signs in no more, and its tokens are dead."""
    store.delete_client(tx, client.id, at)
    detail = {"clientId": client.id, "name": client.name}
    activity.add(tx, Event.CLIENT_DELETED, by=by, at=at, reseller=reseller, detail=detail)
