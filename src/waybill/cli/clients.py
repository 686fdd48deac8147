"""`waybill clients`: how a reseller's software signs in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from waybill import clock
from waybill.auth import actions, store
from waybill.auth.rules import TOKEN_LIFE_MAX_S, TOKEN_LIFE_S
from waybill.auth.store import Registered
from waybill.cli import given, named
from waybill.cli.database import opened
from waybill.cli.failure import Conflict, Senseless
from waybill.cli.given import BY
from waybill.cli.output import note, one, show
from waybill.cli.where import HERE, Json, Where
from waybill.db.tx import Tx
from waybill.resellers import store as resellers
from waybill.wire.scopes import Scope

# A secret that leaked must not be kept alive for long by a slip of the finger.
_OVERLAP_MAX_H = 24 * 30

# The values of `Scope`: of an enumeration, the names would be the choices.
ScopeName = Literal[
    "kdp",
    "kdp.devices",
    "kdp.devices:view",
    "kdp.devices:manage",
    "kdp.profilealias",
    "kdp.customers",
]
Scopes = Annotated[list[ScopeName] | None, Parameter(name="--scope")]
Life = Annotated[int | None, Parameter(name="--token-life")]

app = App(
    name="clients",
    help="""OAuth clients: how a reseller's software signs in.

    As JSON, a client has the members `clientId`, `name`, `resellerId` (null: the operator's own),
    `state` (active or deleted), `scopes`, `tokenLifeSeconds`, `createdAt`, `oldSecretUntil` (while
    the secret before the last rotation works) and `deletedAt`; when it is made or its secret
    rotated, and never again, also `clientSecret`.
    """,
)


@app.command
def create(
    *,
    reseller: str | None = None,
    operator: given.Flag = False,
    name: str | None = None,
    scopes: Scopes = None,
    token_life_s: Life = None,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Create an OAuth client and print its secret, which is shown this once.

        waybill clients create --reseller "Harbour Mobile"
        waybill clients create --reseller 3811947052 --scope kdp.devices:view --name Dashboard

    Args:
        reseller: The reseller that it acts for: ID or name.
        operator: The operator's own client, which may name any reseller.
        name: What people call it; by default the reseller's name.
        scopes: What it may do; may be given several times. By default everything (`kdp`).
        token_life_s: Seconds that a token lives unless its request says otherwise, 1 to 3600.
    """
    if (reseller is None) == (not operator):
        raise Senseless("Say for whom: --reseller RESELLER, or --operator.")
    chosen = [Scope(each).value for each in scopes or ["kdp"]]
    with opened(where.settings()) as tx:
        found = named.reseller(tx, reseller) if reseller else None
        if found and found.state == "closed":
            raise Conflict(f"Reseller {found.id} {found.name} is closed.")
        called = name or (found.name if found else "Operator")
        made = actions.create_client(
            tx,
            reseller=found and found.no,
            name=given.name(called),
            scopes=chosen,
            token_life_s=_life(token_life_s) or TOKEN_LIFE_S,
            by=BY,
            at=clock.now(),
        )
        client = named.client(tx, made.client_id)
    _with_secret(client, made.client_secret, json=json)


@app.command(name="list")
def list_(
    *,
    reseller: str | None = None,
    operator: given.Flag = False,
    deleted: given.Flag = False,
    limit: given.Limit = 1_000,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """List OAuth clients, the newest first.

    Args:
        reseller: Only of this reseller: ID or name.
        operator: Only the operator's own.
        deleted: Deleted ones too.
    """
    if reseller and operator:
        raise Senseless("--reseller and --operator exclude each other.")
    with opened(where.settings()) as tx:
        found = store.clients(
            tx,
            reseller=named.reseller(tx, reseller).no if reseller else None,
            operators=operator,
            deleted=deleted,
            limit=given.limit(limit) + 1,
        )
    show(
        [_row(each) for each in found],
        json=json,
        limit=limit,
        empty="There is no client: waybill clients create --reseller RESELLER",
    )


@app.command(name="show")
def show_(client: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """Show one client. Its secret is kept as a fingerprint only: nobody can show it again.

    Args:
        client: Its ID, or its name where no other has it.
    """
    with opened(where.settings()) as tx:
        found = named.client(tx, client)
    one(_row(found), json=json)


@app.command
def change(
    client: str,
    /,
    *,
    name: str | None = None,
    scopes: Scopes = None,
    token_life_s: Life = None,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Change a client's name, scopes or life of tokens.

    A scope that it loses is lost within a second to the tokens too that it has.

        waybill clients change Dashboard --token-life 3600

    Args:
        client: Its ID, or its name where no other has it.
        name: What people call it.
        scopes: What it may do from now on; may be given several times.
        token_life_s: Seconds that a token lives unless its request says otherwise, 1 to 3600.
    """
    if name is None and scopes is None and token_life_s is None:
        raise Senseless("Say what to change: --name, --scope or --token-life.")
    with opened(where.settings()) as tx:
        old, reseller = _living(tx, client)
        new = old._replace(
            name=old.name if name is None else given.name(name),
            scopes=[Scope(each).value for each in scopes] if scopes else old.scopes,
            token_life_s=_life(token_life_s) or old.token_life_s,
        )
        if not actions.change_client(tx, old, new, reseller=reseller, by=BY, at=clock.now()):
            note("It is so already: nothing was changed.")
    one(_row(new), json=json)


@app.command
def rotate(
    client: str,
    /,
    *,
    overlap: float = 24,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Give a client a new secret, shown this once. The old one works on for a while.

    Only the last secret before this one works on: rotate twice, and the first is dead. Tokens
    stay alive; to end those too, delete the client.

        waybill clients rotate Dashboard
        waybill clients rotate Dashboard --overlap 0       the old secret has leaked

    Args:
        client: Its ID, or its name where no other has it.
        overlap: Hours for which the old secret works beside the new one, 0 to 720.
    """
    if not 0 <= overlap <= _OVERLAP_MAX_H:
        raise Senseless(f"--overlap must be 0 to {_OVERLAP_MAX_H} hours, not {overlap:g}.")
    with opened(where.settings()) as tx:
        old, reseller = _living(tx, client)
        made = actions.rotate_secret(
            tx,
            old.id,
            overlap=timedelta(hours=overlap),
            reseller=reseller,
            by=BY,
            at=clock.now(),
        )
        found = named.client(tx, old.id)
    _with_secret(found, made.client_secret, json=json)


@app.command
def delete(client: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """Delete a client: it cannot sign in, and within a second its tokens are dead.

    What it did stays in the activity log under its ID, which is never given again. There is no
    way back: `waybill clients create` makes another.

    Args:
        client: Its ID, or its name where no other has it.
    """
    with opened(where.settings()) as tx:
        found, reseller = _living(tx, client)
        actions.delete_client(tx, found, reseller=reseller, by=BY, at=clock.now())
        gone = named.client(tx, found.id)
    one(_row(gone), json=json)


def _living(tx: Tx, text: str) -> tuple[Registered, int | None]:
    """A client that was not deleted, and the number of its reseller."""
    found = named.client(tx, text)
    if found.deleted_at:
        raise Conflict(f"Client {found.id} {found.name} was deleted.")
    reseller = resellers.find(tx, found.reseller_id) if found.reseller_id else None
    return found, reseller and reseller.no


def _life(seconds: int | None) -> int | None:
    if seconds is not None and not 1 <= seconds <= TOKEN_LIFE_MAX_S:
        raise Senseless(f"--token-life must be 1 to {TOKEN_LIFE_MAX_S} seconds, not {seconds}.")
    return seconds


def _with_secret(client: Registered, secret: str, *, json: bool) -> None:
    row = _row(client)
    one({"clientId": row.pop("clientId"), "clientSecret": secret} | row, json=json)
    if not json:
        note("Keep the secret: it is shown this once.")


def _row(each: Registered) -> dict[str, Any]:
    overlapping = each.old_secret_until and each.old_secret_until > clock.now()
    return {
        "clientId": each.id,
        "name": each.name,
        "resellerId": each.reseller_id,
        "state": "deleted" if each.deleted_at else "active",
        "scopes": each.scopes,
        "tokenLifeSeconds": each.token_life_s,
        "createdAt": each.created_at,
        "oldSecretUntil": each.old_secret_until if overlapping else None,
        "deletedAt": each.deleted_at,
    }
