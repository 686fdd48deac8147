"""What an operator does to resellers and clients, and how soon their calls feel it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from support.cli import Cli
from support.world import World, fresh

# What the documents promise.
SOON_S = 1.0


def within_a_second(found: Callable[[], bool], what: str) -> None:
    began = time.monotonic()
    while not found():
        assert time.monotonic() - began < SOON_S, what
        time.sleep(0.02)


def code(world: World, token: str | None = None) -> int | None:
    """The code of a call; None where it is answered."""
    answer = (
        world.devices()
        if token is None
        else world.call("GET", "/devices", params={"resellerId": world.reseller_id}, token=token)
    )
    return None if answer.status_code == 200 else answer.json().get("code", answer.status_code)


def signs_in(world: World, **changed: str) -> bool:
    answer = world.http.post("/ams/v1/oauth2/token", data=world.token_form(**changed))
    if answer.status_code != 200:
        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_client"
    return answer.status_code == 200


# --- resellers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "state", "refusal", "back", "event"),
    [
        ("close", "closed", 40400001, "reopen", "Reseller reopened"),
        ("block", "blocked", 40300000, "unblock", "Reseller unblocked"),
    ],
)
def test_within_a_second_a_reseller_is_refused_and_comes_back(
    cli: Cli, world: World, verb: str, state: str, refusal: int, back: str, event: str
) -> None:
    assert code(world) is None
    assert cli.json("resellers", verb, world.reseller_id)["state"] == state
    within_a_second(lambda: code(world) == refusal, f"calls of a {state} reseller")
    assert world.upload().json()["code"] == refusal
    assert not signs_in(world)
    assert cli.json("resellers", back, world.reseller_id)["state"] == "active"
    within_a_second(lambda: code(world) is None, "calls of an active reseller")
    assert signs_in(world)
    events = [each.event for each in world.entries()]
    assert events.count(f"Reseller {state}") == events.count(event) == 1


def test_to_the_operator_a_closed_reseller_does_not_exist(cli: Cli, world: World) -> None:
    token = world.operator_token()
    assert code(world, token) is None
    cli.json("resellers", "close", world.reseller_id)
    assert code(world, token) == 40400001


def test_closing_touches_no_other_reseller(cli: Cli, world: World) -> None:
    other = world.neighbour()
    cli.json("resellers", "close", world.reseller_id)
    time.sleep(0.6)
    assert code(other) is None
    assert signs_in(other)


@pytest.mark.parametrize("verb", ["close", "block"])
def test_what_was_accepted_before_ends_all_the_same(cli: Cli, world: World, verb: str) -> None:
    body = world.upload_body()
    assert world.call("PUT", "/devices/upload", json=body).status_code == 200
    cli.json("resellers", verb, world.reseller_id)
    world.work()
    told = cli.json("transaction", body["transactionId"], "--reseller", world.reseller_id)
    assert (told["state"], told["ok"]) == ("Complete", 1)
    device = cli.json("device", body["devices"][0])
    assert (device["resellerId"], device["state"]) == (world.reseller_id, "Pending")


def test_closing_says_what_stays_held(cli: Cli, world: World) -> None:
    world.uploaded()
    ran = cli("resellers", "close", world.reseller_id)
    assert ran.code == 0
    assert ran.err.startswith("It still holds 1 devices")


def test_a_verb_that_leads_nowhere_is_a_conflict_and_one_that_is_done_is_none(
    cli: Cli, world: World
) -> None:
    cli.json("resellers", "close", world.reseller_id)
    again = cli("resellers", "close", world.reseller_id)
    assert (again.code, again.err) == (0, "It is closed already: nothing was changed.\n")
    for verb in ("block", "unblock"):
        told, sentence = cli.refused("resellers", verb, world.reseller_id)
        assert told == 4
        assert sentence == f"Reseller {world.reseller_id} Reseller is closed: it cannot {verb}."
    events = [each.event for each in world.entries()]
    assert events.count("Reseller closed") == 1


def test_a_closed_reseller_gets_no_new_client(cli: Cli, world: World) -> None:
    cli.json("resellers", "close", world.reseller_id)
    assert cli.refused("clients", "create", "--reseller", world.reseller_id)[0] == 4


# --- clients ------------------------------------------------------------------------------------


def made(cli: Cli, world: World, *options: str) -> tuple[str, str]:
    """ID and secret of a new client of the world's reseller."""
    client = cli.json("clients", "create", "--reseller", world.reseller_id, *options)
    return client["clientId"], client["clientSecret"]


def test_a_client_signs_in_with_the_secret_that_is_shown_once(cli: Cli, world: World) -> None:
    client = cli.json("clients", "create", "--reseller", world.reseller_id)
    assert client == {
        "clientId": client["clientId"],
        "clientSecret": client["clientSecret"],
        "name": "Reseller",
        "resellerId": world.reseller_id,
        "state": "active",
        "scopes": ["kdp"],
        "tokenLifeSeconds": 599,
        "createdAt": client["createdAt"],
        "oldSecretUntil": None,
        "deletedAt": None,
    }
    assert signs_in(world, client_id=client["clientId"], client_secret=client["clientSecret"])
    secret = client.pop("clientSecret")
    assert cli.json("clients", "show", client["clientId"]) == client
    assert client in cli.json("clients", "list", "--reseller", world.reseller_id)
    for command in (("clients", "list"), ("clients", "show", client["clientId"]), ("activity",)):
        assert secret not in cli(*command).out


def test_people_are_told_to_keep_the_secret(cli: Cli, world: World) -> None:
    ran = cli("clients", "create", "--reseller", world.reseller_id)
    assert ran.err == "Keep the secret: it is shown this once.\n"


def test_a_client_is_for_one_reseller_or_for_the_operator(cli: Cli, world: World) -> None:
    assert cli.refused("clients", "create")[0] == 2
    both = ("clients", "create", "--operator", "--reseller", world.reseller_id)
    assert cli.refused(*both)[0] == 2
    name = fresh("Operator")
    client = cli.json("clients", "create", "--operator", "--name", name)
    assert client["resellerId"] is None
    newest, *_ = cli.json("clients", "list", "--operator")
    assert newest["name"] == name
    token = world.new_token(client["clientId"], client_secret=client["clientSecret"])
    assert code(world, token) is None


def test_after_a_rotation_both_secrets_work_for_a_while(cli: Cli, world: World) -> None:
    client, first = made(cli, world)
    rotated = cli.json("clients", "rotate", client)
    second = rotated["clientSecret"]
    assert rotated["oldSecretUntil"]
    assert signs_in(world, client_id=client, client_secret=first)
    assert signs_in(world, client_id=client, client_secret=second)
    world.sql("update oauth_client set old_secret_until = now() where id = %s", client)
    assert not signs_in(world, client_id=client, client_secret=first)
    assert signs_in(world, client_id=client, client_secret=second)
    assert cli.json("clients", "show", client)["oldSecretUntil"] is None


def test_a_second_rotation_ends_the_first_secret(cli: Cli, world: World) -> None:
    client, first = made(cli, world)
    second = cli.json("clients", "rotate", client)["clientSecret"]
    third = cli.json("clients", "rotate", client)["clientSecret"]
    work = [
        signs_in(world, client_id=client, client_secret=each) for each in (first, second, third)
    ]
    assert work == [False, True, True]
    assert len(world.entries(event="Client secret renewed")) == 2


def test_a_secret_that_leaked_ends_at_once(cli: Cli, world: World) -> None:
    client, first = made(cli, world)
    second = cli.json("clients", "rotate", client, "--overlap", "0")["clientSecret"]
    assert not signs_in(world, client_id=client, client_secret=first)
    assert signs_in(world, client_id=client, client_secret=second)


@pytest.mark.parametrize("hours", ["-1", "721", "nan", "inf"])
def test_an_overlap_has_its_limits(cli: Cli, world: World, hours: str) -> None:
    code_, sentence = cli.refused("clients", "rotate", world.client_id, f"--overlap={hours}")
    assert code_ == 2
    assert sentence.startswith("--overlap must be 0 to 720 hours")


def test_within_a_second_a_deleted_client_and_its_tokens_are_dead(cli: Cli, world: World) -> None:
    client, secret = made(cli, world)
    token = world.new_token(client, client_secret=secret)
    assert code(world, token) is None
    gone = cli.json("clients", "delete", client)
    assert (gone["state"], bool(gone["deletedAt"])) == ("deleted", True)
    within_a_second(lambda: code(world, token) == 401, "the token of a deleted client")
    assert not signs_in(world, client_id=client, client_secret=secret)
    assert code(world) is None, "the reseller's other client is untouched"
    (entry,) = world.entries(event="Client deleted")
    assert entry.detail["clientId"] == client


def test_a_deleted_client_stays_in_sight_and_cannot_be_changed(cli: Cli, world: World) -> None:
    client, _ = made(cli, world, "--name", fresh("Old"))
    cli.json("clients", "delete", client)
    where = ("clients", "list", "--reseller", world.reseller_id)
    assert client not in [each["clientId"] for each in cli.json(*where)]
    assert client in [each["clientId"] for each in cli.json(*where, "--deleted")]
    for command in (("delete",), ("rotate",), ("change", "--name", "New")):
        code_, sentence = cli.refused("clients", command[0], client, *command[1:])
        assert code_ == 4
        assert sentence.endswith("was deleted.")


def test_tokens_live_as_long_as_the_client_says_unless_the_request_says(
    cli: Cli, world: World
) -> None:
    client, secret = made(cli, world, "--token-life", "60")

    def life(**asked: str) -> int:
        form = world.token_form(client_id=client, client_secret=secret, **asked)
        return world.http.post("/ams/v1/oauth2/token", data=form).json()["expires_in"]

    assert life() == 60
    assert life(expires_in="3600") == 3600
    cli.json("clients", "change", client, "--token-life", "3600")
    assert life() == 3600
    for bad in ("0", "3601"):
        assert cli.refused("clients", "change", client, f"--token-life={bad}")[0] == 2


def test_a_scope_that_a_client_loses_is_lost_to_its_tokens(cli: Cli, world: World) -> None:
    client, secret = made(cli, world)
    token = world.new_token(client, client_secret=secret)
    assert code(world, token) is None
    changed = cli.json("clients", "change", client, "--scope", "kdp.customers")
    assert changed["scopes"] == ["kdp.customers"]
    within_a_second(lambda: code(world, token) == 40300000, "a scope that was taken away")
    (entry,) = world.entries(event="Client edited")
    assert entry.detail["scopes"] == {"from": ["kdp"], "to": ["kdp.customers"]}


def test_a_scope_that_does_not_exist_makes_no_sense(cli: Cli, world: World) -> None:
    code_, sentence = cli.refused(
        "clients", "create", "--reseller", world.reseller_id, "--scope", "kdp.everything"
    )
    assert code_ == 2
    assert "kdp.everything" in sentence


def test_a_client_is_found_by_its_name(cli: Cli, world: World) -> None:
    name = fresh("Dashboard")
    client, _ = made(cli, world, "--name", name)
    assert cli.json("clients", "show", name.lower())["clientId"] == client
    code_, sentence = cli.refused("clients", "show", name[:-1])
    assert code_ == 3
    assert sentence.endswith(f"Did you mean {client} {name}?")
