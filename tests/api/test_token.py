"""`POST /ams/v1/oauth2/token` and `/revoke`."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from support.answers import assert_refused
from support.processes import until
from support.world import World, fresh

TOKEN = "/ams/v1/oauth2/token"
REVOKE = "/ams/v1/oauth2/revoke"
SCOPES = [
    "kdp",
    "kdp.devices",
    "kdp.devices:view",
    "kdp.devices:manage",
    "kdp.profilealias",
    "kdp.customers",
]


def ask(world: World, **changed: str | None) -> httpx.Response:
    """A token request that is in order, save what the test changes."""
    return world.http.post(TOKEN, data=world.token_form(**changed))


def basic(name: str, secret: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def assert_error(answer: httpx.Response, error: str) -> None:
    """Asserts a refusal in the shape of RFC 6749."""
    body = answer.json()
    assert body.pop("error") == error, answer.text
    description = body.pop("error_description", "")
    assert body == {}
    # RFC 6749 §5.2: what a description may be made of.
    assert re.fullmatch(r"[\x20-\x21\x23-\x5B\x5D-\x7E]*", description)
    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.headers["content-type"] == "application/json"
    assert_not_stored(answer)
    if error == "invalid_client":
        assert answer.headers["www-authenticate"].startswith("Basic ")


def assert_not_stored(answer: httpx.Response) -> None:
    """Asserts what RFC 6749 wants of caches."""
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"


def test_it_works(world: World) -> None:
    answer = ask(world)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert_not_stored(answer)
    token = answer.json()["access_token"]
    assert answer.content == (
        b'{"access_token":"%s","scope":"kdp","expires_in":599,"token_type":"Bearer"}'
        % token.encode()
    )
    assert len(token) >= 32
    assert works(world, token)


def test_each_token_is_another(world: World) -> None:
    assert len({world.new_token() for _ in range(5)}) == 5


def test_http_basic_names_the_client_as_well(world: World) -> None:
    form = {"grant_type": "client_credentials"}
    header = basic(world.client_id, world.client_secret)
    assert world.http.post(TOKEN, data=form, headers=header).status_code == 200
    header = {"authorization": header["Authorization"].replace("Basic", "basic  ")}
    assert world.http.post(TOKEN, data=form, headers=header).status_code == 200
    named = form | {"client_id": world.client_id}
    assert world.http.post(TOKEN, data=named, headers=header).status_code == 200


def test_what_http_basic_carries_was_form_encoded_first(world: World) -> None:
    world.client_secret = "s:e c+%ü"
    world.client_id = world.client_with(["kdp"], fresh("client +%é"))
    encoded = basic(quote_plus(world.client_id), quote_plus(world.client_secret))
    form = {"grant_type": "client_credentials"}
    assert world.http.post(TOKEN, data=form, headers=encoded).status_code == 200
    assert ask(world).status_code == 200


@pytest.mark.parametrize(
    ("header", "form", "error"),
    [
        ("Basic", {}, "invalid_client"),
        ("Basic !!!", {}, "invalid_client"),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(), {}, "invalid_client"),
        ("Basic " + base64.b64encode(b"no colon").decode(), {}, "invalid_client"),
        ("Basic " + base64.b64encode(b":").decode(), {}, "invalid_client"),
        ("Basic " + base64.b64encode(b"a:").decode(), {}, "invalid_client"),
        ("Basic " + base64.b64encode(b"%00:%00").decode(), {}, "invalid_client"),
        ("Basic " + base64.b64encode(b"a\0:b\0").decode(), {}, "invalid_client"),
        ("Basic " + base64.b64encode(b"a:b").decode(), {"client_secret": "b"}, "invalid_request"),
        ("Basic " + base64.b64encode(b"a:b").decode(), {"client_id": "c"}, "invalid_request"),
        ("Bearer x", {}, "invalid_client"),
    ],
)
def test_http_basic_that_is_wrong_is_refused(
    world: World, header: str, form: dict[str, str], error: str
) -> None:
    form = {"grant_type": "client_credentials"} | form
    answer = world.http.post(TOKEN, data=form, headers={"Authorization": header})
    assert_error(answer, error)


# --- clients ------------------------------------------------------------------------------------


def test_an_unknown_client_and_a_wrong_secret_are_answered_alike(world: World) -> None:
    wrong = ask(world, client_secret="wrong")
    unknown = ask(world, client_id=fresh("client"))
    assert_error(wrong, "invalid_client")
    assert (wrong.content, wrong.headers) == (unknown.content, unknown.headers)


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": None},
        {"client_secret": None},
        {"client_id": ""},
        {"client_secret": ""},
        {"client_id": "\0"},
        {"client_secret": "\0"},
        {"client_id": "x" * 60_000},
        {"client_secret": "🚚"},
        {"client_secret": "'; drop table oauth_client; --"},
    ],
    ids=lambda changed: str(changed)[:40],
)
def test_a_client_that_does_not_prove_itself_is_refused(
    world: World, changed: dict[str, str | None]
) -> None:
    assert_error(ask(world, **changed), "invalid_client")


def test_a_deleted_client_is_unknown_and_its_tokens_are_dead(world: World) -> None:
    other = world.client_with(["kdp"])
    token = world.new_token(other)
    world.sql("update oauth_client set deleted_at = now() where id = %s", other)
    assert_error(ask(world, client_id=other), "invalid_client")
    assert world.call(
        "GET", "/devices", params={"resellerId": world.reseller_id}, token=token
    ).json() == {"error": "Invalid authentication token"}


@pytest.mark.parametrize("state", ["blocked", "closed"])
def test_a_client_whose_reseller_is_blocked_or_closed_gets_no_token(
    world: World, state: str
) -> None:
    world.stand(state)
    assert_error(ask(world), "invalid_client")
    world.stand("active")
    assert ask(world).status_code == 200


def test_who_guesses_secrets_is_slowed_down_and_nobody_else(world: World) -> None:
    for _ in range(20):
        assert_error(ask(world, client_secret="wrong"), "invalid_client")
    answer = ask(world, client_secret="wrong")
    assert_refused(answer, 42900000)
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    # The right one too: else the answer would tell that it is right.
    assert_refused(ask(world), 42900000)
    assert ask(world.neighbour()).status_code == 200


def test_long_names_that_begin_alike_count_together(world: World) -> None:
    # Each would be remembered, whole: that is no place to put 64 KiB at a time.
    name = fresh("client") * 4
    for number in range(20):
        assert_error(ask(world, client_id=f"{name}{number}"), "invalid_client")
    assert_refused(ask(world, client_id=f"{name}x"), 42900000)


# --- scopes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("registered", "asked", "granted"),
    [
        (["kdp"], None, "kdp"),
        (["kdp"], "", "kdp"),
        (["kdp"], " ", "kdp"),
        (["kdp"], "kdp", "kdp"),
        (["kdp"], "kdp.devices:view", "kdp.devices:view"),
        (["kdp"], "kdp.customers kdp.profilealias", "kdp.customers kdp.profilealias"),
        (["kdp"], " ".join(SCOPES), " ".join(SCOPES)),
        (["kdp"], "kdp.customers kdp.customers", "kdp.customers"),
        (["kdp.devices"], None, "kdp.devices"),
        (["kdp.devices"], "kdp.devices:manage", "kdp.devices:manage"),
        (["kdp.devices"], "kdp.devices:view kdp.devices", "kdp.devices:view kdp.devices"),
        (["kdp.devices:view", "kdp.customers"], None, "kdp.devices:view kdp.customers"),
        (["kdp.devices:view", "kdp.customers"], "kdp.customers", "kdp.customers"),
    ],
)
def test_scopes_are_granted_as_named_or_as_registered(
    world: World, registered: list[str], asked: str | None, granted: str
) -> None:
    answer = ask(world, client_id=world.client_with(registered), scope=asked)
    assert answer.json()["scope"] == granted


@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        (["kdp"], "KDP"),
        (["kdp"], "kdp kme"),
        (["kdp"], "kdp.devices:delete"),
        (["kdp"], "\0"),
        (["kdp"], "kdp\tkdp.x"),
        (["kdp.devices"], "kdp"),
        (["kdp.devices"], "kdp.customers"),
        (["kdp.devices:view"], "kdp.devices"),
        (["kdp.devices:view"], "kdp.devices:manage"),
        (["kdp.devices:view"], "kdp.devices:view kdp.devices:manage"),
        (["kdp.customers"], "kdp.profilealias"),
    ],
)
def test_more_than_the_client_may_have_is_refused(
    world: World, registered: list[str], asked: str
) -> None:
    client_id = world.client_with(registered)
    assert_error(ask(world, client_id=client_id, scope=asked), "invalid_scope")


CALLS = [
    ("PUT", "/devices/upload", "kdp.devices:manage"),
    ("PUT", "/devices/delete", "kdp.devices:manage"),
    ("GET", "/devices/status", "kdp.devices:view"),
    ("GET", "/devices", "kdp.devices:view"),
    ("GET", "/customers/list", "kdp.customers"),
    ("GET", "/customers", "kdp.customers"),
    ("GET", "/profilealias/kme", "kdp.profilealias"),
]
IMPLIED = {
    "kdp": SCOPES,
    "kdp.devices": ["kdp.devices", "kdp.devices:view", "kdp.devices:manage"],
}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_opens_its_calls_and_no_other(world: World, scope: str) -> None:
    world.associated()
    token = world.new_token(scope=scope)
    for method, path, needed in CALLS:
        options: dict[str, Any] = {"params": {"resellerId": world.reseller_id}}
        if method == "PUT":
            options = {"json": world.upload_body()}
        if path == "/profilealias/kme":
            options = {
                "headers": {"resellerId": world.reseller_id, "customerId": world.customer_id}
            }
        answer = world.call(method, path, token=token, **options)
        if needed in IMPLIED.get(scope, [scope]):
            assert answer.status_code == 200, answer.text
        else:
            assert_refused(answer, 40300000)


# --- life ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "life"), [(None, 599), ("", 599), ("1", 1), ("3600", 3600)])
def test_a_token_lives_as_long_as_asked_for(world: World, asked: str | None, life: int) -> None:
    answer = ask(world, expires_in=asked)
    assert answer.json()["expires_in"] == life
    lives = world.sql(
        "select extract(epoch from t.expires_at - t.issued_at)::int from access_token t"
        " where t.client = %s order by t.issued_at desc limit 1",
        world.client_id,
    )
    assert lives == [(life,)]


@pytest.mark.parametrize(
    "asked", ["0", "3601", "-1", "+5", "1.5", "1e2", " 5", "soon", "\0", "٥", "9" * 5000]
)
def test_a_life_out_of_range_is_refused(world: World, asked: str) -> None:
    assert_error(ask(world, expires_in=asked), "invalid_request")


def test_a_token_ends_when_its_time_is_over(world: World) -> None:
    token = world.new_token(expires_in="1")
    query = {"resellerId": world.reseller_id}

    def answer() -> httpx.Response:
        return world.call("GET", "/devices", params=query, token=token)

    assert answer().status_code == 200
    until(lambda: answer().status_code == 401, "the end of the token", 3)
    assert answer().json() == {"error": "Invalid authentication token"}


# --- the form -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("", "invalid_request"),
        ("grant_type=", "invalid_request"),
        ("grant_type=password&username=a&password=b", "unsupported_grant_type"),
        ("grant_type=refresh_token&refresh_token=x", "unsupported_grant_type"),
        ("grant_type=Client_credentials", "unsupported_grant_type"),
        ("grant_type=%00", "unsupported_grant_type"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&client_id=a&client_id=a", "invalid_request"),
        ("grant_type=client_credentials&scope=kdp&scope=kdp", "invalid_request"),
        ("grant_type=client_credentials&x=1&x=1", "invalid_request"),
        ('grant_type=client_credentials&%00"\\=1&%00"\\=1', "invalid_request"),
        ('{"grant_type":"client_credentials"}', "invalid_request"),
        ("\xff\xfe", "invalid_request"),
        ("&&&===", "invalid_request"),
    ],
)
def test_a_form_that_is_not_in_order_is_refused(world: World, form: str, error: str) -> None:
    assert_error(world.http.post(TOKEN, content=form.encode("latin-1")), error)


def test_a_form_is_read_whatever_its_type_says(world: World) -> None:
    form = httpx.QueryParams(world.token_form(something="else")).__str__()
    for headers in ({}, {"content-type": "application/json"}):
        assert world.http.post(TOKEN, content=form, headers=headers).status_code == 200


def test_the_query_is_no_place_for_secrets(world: World) -> None:
    answer = world.http.post(TOKEN, params=world.token_form())
    assert_error(answer, "invalid_request")


def test_other_methods_are_named_as_wrong(world: World) -> None:
    answer = world.http.get(TOKEN)
    assert_refused(answer, 40500000)
    assert answer.headers["allow"] == "POST"


# --- revocation ---------------------------------------------------------------------------------


def revoke(world: World, token: str | None, **changed: str | None) -> httpx.Response:
    """Revokes a token as this world's client."""
    form = world.token_form(grant_type=None, token=token, **changed)
    return world.http.post(REVOKE, data=form)


def works(world: World, token: str) -> bool:
    """Whether a token is taken."""
    answer = world.call("GET", "/devices", params={"resellerId": world.reseller_id}, token=token)
    if answer.status_code != 200:
        assert answer.json() == {"error": "Invalid authentication token"}
    return answer.status_code == 200


def test_a_revoked_token_is_dead_at_once(world: World) -> None:
    token, other = world.new_token(), world.new_token()
    assert works(world, token)
    answer = revoke(world, token)
    assert (answer.status_code, answer.content) == (200, b"")
    assert_not_stored(answer)
    assert not works(world, token)
    assert works(world, other)


def test_it_is_dead_on_every_node_within_a_second(world: World, world_with: Any) -> None:
    node = world_with()
    node.reseller_id = world.reseller_id
    token = world.new_token()
    assert works(node, token)
    revoke(world, token)
    until(lambda: not works(node, token), "the end of the token on the other node", 1.2)


def test_another_clients_token_stays_alive_and_that_is_not_told(world: World) -> None:
    neighbour = world.neighbour()
    own_other = world.client_with(["kdp"])
    for token, owner in ((neighbour.token, neighbour), (world.new_token(own_other), world)):
        answer = revoke(world, token)
        assert (answer.status_code, answer.content) == (200, b"")
        assert works(owner, token)


@pytest.mark.parametrize("token", ["unknown", "\0", "🚚", "x" * 10_000])
def test_what_is_no_token_is_revoked_as_well(world: World, token: str) -> None:
    answer = revoke(world, token, token_type_hint="access_token")
    assert (answer.status_code, answer.content) == (200, b"")


def test_revoking_twice_is_no_error(world: World) -> None:
    token = world.new_token()
    assert [revoke(world, token).status_code for _ in range(2)] == [200, 200]


def test_a_revocation_that_is_not_in_order_is_refused(world: World) -> None:
    assert_error(revoke(world, None), "invalid_request")
    assert_error(revoke(world, world.token, client_secret="wrong"), "invalid_client")
    assert_error(revoke(world, world.token, client_id=None), "invalid_client")
    assert works(world, world.token)


# --- metadata -----------------------------------------------------------------------------------


def test_the_metadata_name_the_addresses_of_the_host_that_was_asked(world: World) -> None:
    address = "/.well-known/oauth-authorization-server"
    told = world.http.get(address, headers={"Host": "waybill.example:8443"}).json()
    assert told["issuer"] == "http://waybill.example:8443"
    assert told["token_endpoint"] == "http://waybill.example:8443" + TOKEN
    assert told["revocation_endpoint"] == "http://waybill.example:8443" + REVOKE
    assert told["grant_types_supported"] == ["client_credentials"]
    assert set(SCOPES) == set(told["scopes_supported"])
