"""Issuing tokens, and making the clients that ask for them."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from waybill import clock
from waybill.activity import store as activity
from waybill.auth import store
from waybill.auth.rules import fingerprint, granted
from waybill.db.tx import Tx
from waybill.wire.events import Event
from waybill.wire.oauth import OAuthRefused, Token

# Compared with when a client is unknown, so that both answers take the same time.
_NOBODY = fingerprint("")


def authenticate(tx: Tx, client_id: str, client_secret: str) -> store.Client:
    """The client whose ID and secret these are.

    Raises:
        OAuthRefused: `invalid_client`, alike for an unknown client and a wrong secret, and for a
            client whose reseller was closed or blocked.
    """
    client = store.find_client(tx, client_id)
    expected = client.secret_sha256 if client else _NOBODY
    right = hmac.compare_digest(expected, fingerprint(client_secret))
    if client is None or not right or client.reseller_state != "active":
        raise OAuthRefused("invalid_client")
    return client


def issue(tx: Tx, client: store.Client, scope: str | None, life_s: int, at: datetime) -> Token:
    """Issues an access token to a client that was authenticated.

    Raises:
        OAuthRefused: `invalid_scope` for more than the client may have.
    """
    scopes = granted(scope, client.scopes)
    if scopes is None:
        raise OAuthRefused("invalid_scope")
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
    tx: Tx, *, reseller: int | None, name: str, scopes: list[str], by: str, at: datetime
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
