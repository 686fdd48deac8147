"""Client management (contract §9): a reseller's own clients, or all of them for the operator."""

from __future__ import annotations

from datetime import timedelta

from msgspec import UNSET

from waybill import clock
from waybill.api.edge import Answer, Call, json
from waybill.auth import actions, store
from waybill.auth.rules import TOKEN_LIFE_S
from waybill.auth.store import Registered
from waybill.db.tx import Tx
from waybill.resellers import actions as resellers
from waybill.wire import clients
from waybill.wire.clients import Client, ExpirationTimes
from waybill.wire.codes import Code, Refused
from waybill.wire.gen2 import is_id, maybe
from waybill.wire.scopes import Scope


def create(call: Call) -> Answer:
    """`POST /ams/v1/oauth2/clients`: makes a client.

    For the caller's own reseller; an operator's client may name one, and else makes another of its
    own kind. The secret is in this answer alone. That these calls exist is documented; what they
    take and answer is ours.
    """
    wish = clients.parse(call.members)
    with call.tx() as tx:
        reseller = call.acting.reseller
        if wish.reseller_id is not None:
            reseller = resellers.acting(tx, call.acting, wish.reseller_id).no
        made = actions.create_client(
            tx,
            reseller=reseller,
            name=wish.name or "API client",
            scopes=wish.scopes or [Scope.ALL.value],
            token_life_s=wish.life_s or TOKEN_LIFE_S,
            by=call.acting.client,
            at=clock.now(),
        )
        client = _client(_named(call, tx, made.client_id), made.client_secret)
    return json(client, status=201)


def listing(call: Call) -> Answer:
    """`GET /ams/v1/oauth2/clients`: lists the clients that the caller may manage.

    A reseller's client sees those of its reseller, an operator's all of them.
    """
    with call.tx() as tx:
        found = store.clients(
            tx, reseller=call.acting.reseller, operators=False, deleted=False, limit=None
        )
    return json(clients.Clients([_client(each) for each in found]))


def show(call: Call) -> Answer:
    """`GET /ams/v1/oauth2/clients/{clientId}`: shows a client."""
    with call.tx() as tx:
        return json(_client(_named(call, tx)))


def change(call: Call) -> Answer:
    """`PATCH /ams/v1/oauth2/clients/{clientId}`: changes a client, or renews its secret.

    With `{"renewSecret": true}` the answer holds a new secret; the old one works for `overlapHours`
    (24) more, so that software can be given the new one without a pause.
    """
    wish = clients.parse(call.members)
    with call.tx() as tx:
        old = _named(call, tx)
        new = old._replace(
            name=wish.name or old.name,
            scopes=wish.scopes or old.scopes,
            token_life_s=wish.life_s or old.token_life_s,
        )
        reseller, by, at = call.acting.reseller, call.acting.client, clock.now()
        actions.change_client(tx, old, new, reseller=reseller, by=by, at=at)
        secret = None
        if wish.renew_secret:
            overlap = timedelta(hours=wish.overlap_h)
            renewed = actions.rotate_secret(
                tx, old.id, overlap=overlap, reseller=reseller, by=by, at=at
            )
            secret = renewed.client_secret
    return json(_client(new, secret))


def change_times(call: Call) -> Answer:
    """`PUT /ams/v1/oauth2/clients/{clientId}/expirationTimes`: sets how long its tokens live.

    Tokens that were issued keep theirs.
    """
    life_s = clients.parse_times(call.members)
    with call.tx() as tx:
        old = _named(call, tx)
        new = old._replace(token_life_s=life_s)
        actions.change_client(
            tx, old, new, reseller=call.acting.reseller, by=call.acting.client, at=clock.now()
        )
    return json(ExpirationTimes(life_s))


def delete(call: Call) -> Answer:
    """`DELETE /ams/v1/oauth2/clients/{clientId}`: ends a client.

    It signs in no more, and its tokens are dead everywhere within a second.
    """
    with call.tx() as tx:
        actions.delete_client(
            tx,
            _named(call, tx),
            reseller=call.acting.reseller,
            by=call.acting.client,
            at=clock.now(),
        )
    return Answer(b"", 204)


def _named(call: Call, tx: Tx, client_id: str | None = None) -> Registered:
    # Another reseller's client and none at all look alike: nobody may learn which IDs exist.
    wanted = client_id or call.incoming.parameters.get("client_id", "")
    found = store.registered(tx, wanted) if is_id(wanted) else None
    own = call.acting.reseller_id
    if found is None or found.deleted_at or (own is not None and found.reseller_id != own):
        raise Refused(Code.RESOURCE_NOT_FOUND)
    return found


def _client(found: Registered, secret: str | None = None) -> Client:
    return Client(
        clientId=found.id,
        clientSecret=UNSET if secret is None else secret,
        name=found.name,
        resellerId=maybe(found.reseller_id),
        scopes=found.scopes,
        expirationTimes=ExpirationTimes(found.token_life_s),
    )
