"""OAuth 2.0: tokens for clients (contract §9)."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_plus

import msgspec

from waybill import clock
from waybill.api.edge import Answer, Call, json
from waybill.auth import actions, store
from waybill.auth.rules import TOKEN_LIFE_MAX_S, fingerprint
from waybill.auth.store import Client
from waybill.db.tx import Tx
from waybill.wire.oauth import Metadata, OAuthRefused
from waybill.wire.scopes import Scope

_NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


def token(call: Call) -> Answer:
    """`POST /ams/v1/oauth2/token`: issues an access token.

    OAuth 2.0 client credentials (RFC 6749 §4.4). The client's ID and secret come in the form or by
    HTTP Basic. There is no refresh token: ask again before it expires.
    """
    form = _form(call)
    grant = form.get("grant_type")
    if grant is None:
        raise OAuthRefused("invalid_request", "grant_type is missing")
    if grant != "client_credentials":
        raise OAuthRefused("unsupported_grant_type", "grant_type must be client_credentials")
    client_id, client_secret = _credentials(call, form)
    life_s = _life(form.get("expires_in"))
    with call.tx() as tx:
        client = _authenticated(call, tx, client_id, client_secret)
        issued = actions.issue(tx, client, form.get("scope"), life_s, clock.now())
    return Answer(msgspec.json.encode(issued), headers=_NO_STORE)


def revoke(call: Call) -> Answer:
    """`POST /ams/v1/oauth2/revoke`: ends an access token.

    RFC 7009: an empty success, whatever the token was. Another client's token lives on. A revoked
    token is dead everywhere within a second.
    """
    form = _form(call)
    client_id, client_secret = _credentials(call, form)
    token = form.get("token")
    with call.tx() as tx:
        client = _authenticated(call, tx, client_id, client_secret)
        if token is None:
            raise OAuthRefused("invalid_request", "token is missing")
        store.revoke(tx, fingerprint(token), client.id, clock.now())
    call.services.callers.forget(token)
    return Answer(b"", headers=_NO_STORE)


def metadata(call: Call) -> Answer:
    """`GET /.well-known/oauth-authorization-server`: says where to sign in.

    RFC 8414, for the address that was asked.
    """
    issuer = call.incoming.base_url
    return json(
        Metadata(
            issuer=issuer,
            token_endpoint=f"{issuer}/ams/v1/oauth2/token",
            token_endpoint_auth_methods_supported=_METHODS,
            revocation_endpoint=f"{issuer}/ams/v1/oauth2/revoke",
            revocation_endpoint_auth_methods_supported=_METHODS,
            grant_types_supported=["client_credentials"],
            response_types_supported=[],
            scopes_supported=[scope.value for scope in Scope],
            service_documentation=f"{issuer}/docs",
        )
    )


_METHODS = ["client_secret_basic", "client_secret_post"]


def _authenticated(call: Call, tx: Tx, client_id: str, client_secret: str) -> Client:
    guesses = call.services.guesses
    # Ten thousand of them are remembered, and nobody's ID is longer.
    who = (call.incoming.peer, client_id[:64])
    guesses.refuse_too_many(who)
    try:
        return actions.authenticate(tx, client_id, client_secret, clock.now())
    except OAuthRefused:
        guesses.failed(who)
        raise


def _form(call: Call) -> dict[str, str]:
    form: dict[str, str] = {}
    for name, value in call.form:
        if name in form:
            raise OAuthRefused("invalid_request", f"{_printable(name)} is given twice")
        if value:
            # RFC 6749 §3.2: a parameter without a value counts as omitted.
            form[name] = value
    return form


def _credentials(call: Call, form: dict[str, str]) -> tuple[str, str]:
    basic = _basic(call.incoming.header(b"authorization"))
    if basic and "client_secret" in form:
        raise OAuthRefused("invalid_request", "give the client's secret once")
    if basic and form.get("client_id", basic[0]) != basic[0]:
        raise OAuthRefused("invalid_request", "two different clients are named")
    found = basic or (form.get("client_id", ""), form.get("client_secret", ""))
    if not all(found) or "\0" in "".join(found):
        raise OAuthRefused("invalid_client")
    return found


def _basic(header: str | None) -> tuple[str, str] | None:
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise OAuthRefused("invalid_client") from None
    client_id, _, client_secret = decoded.partition(":")
    # RFC 6749 §2.3.1: both were form-encoded first.
    return unquote_plus(client_id), unquote_plus(client_secret)


def _life(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise OAuthRefused("invalid_request", f"expires_in must be 1 to {TOKEN_LIFE_MAX_S}")
    if not 1 <= int(text) <= TOKEN_LIFE_MAX_S:
        raise OAuthRefused("invalid_request", f"expires_in must be 1 to {TOKEN_LIFE_MAX_S}")
    return int(text)


def _printable(name: str) -> str:
    return "".join(c for c in name if (c.isascii() and c.isalnum()) or c == "_")[:64] or "a member"
