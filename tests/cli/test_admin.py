"""Resellers, vendors, customers, associations and aliases: made, listed, shown, changed, closed."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from support.cli import Cli
from support.world import World, fresh


def only(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    """The one row that fits."""
    (found,) = [row for row in rows if wanted.items() <= row.items()]
    return found


# --- resellers ----------------------------------------------------------------------------------


def test_it_works(cli: Cli) -> None:
    name = fresh("Harbour")
    made = cli.json("resellers", "create", name)
    assert made == {
        "resellerId": made["resellerId"],
        "name": name,
        "state": "active",
        "kdpRelease": None,
        "statusShape": None,
        "enforceManufactured": None,
        "createdAt": made["createdAt"],
        "customers": 0,
        "vendors": 0,
        "clients": 0,
        "devices": 0,
        "waiting": 0,
        "lastRequestAt": None,
    }
    assert made["resellerId"].isdecimal()
    assert len(made["resellerId"]) == 10
    assert cli.json("resellers", "show", made["resellerId"]) == made
    listed = only(cli.json("resellers", "list"), resellerId=made["resellerId"])
    assert listed.items() <= made.items()


def test_people_read_a_reseller_line_by_line_and_where_its_settings_come_from(cli: Cli) -> None:
    name = fresh("Harbour")
    ran = cli("resellers", "create", name, "--kdp-release", "23.12")
    assert ran.code == 0
    said = {line[:20].strip(): line[20:].strip() for line in ran.out.splitlines()}
    assert said["name"] == name
    assert said["kdp release"] == "23.12"
    assert said["status shape"] == "documented (as the installation)"
    assert "\x1b" not in ran.out


def test_a_reseller_is_found_by_its_name_in_any_case(cli: Cli) -> None:
    made = cli.json("resellers", "create", fresh("Harbour"))
    assert cli.json("resellers", "show", made["name"].upper()) == made


def test_a_name_that_two_have_names_neither(cli: Cli) -> None:
    name = fresh("Twin")
    ids = {cli.json("resellers", "create", name)["resellerId"] for _ in range(2)}
    code, sentence = cli.refused("resellers", "show", name)
    assert code == 2
    assert sentence.startswith(f"Several have the name {name}: say which by its ID (")
    assert all(each in sentence for each in ids)


def test_an_id_is_taken_once(cli: Cli) -> None:
    chosen = fresh("R")
    cli.json("resellers", "create", "First", "--id", chosen)
    code, sentence = cli.refused("resellers", "create", "Second", "--id", chosen)
    assert (code, sentence) == (4, f"There is a reseller {chosen} already: choose another --id.")
    assert cli.json("resellers", "show", chosen)["name"] == "First"


@pytest.mark.parametrize("bad", ["", "with space", "x" * 65, "ü", "a/b", "'; drop table reseller"])
def test_an_id_has_the_form_of_an_id(cli: Cli, bad: str) -> None:
    code, sentence = cli.refused("resellers", "create", "Name", f"--id={bad}")
    assert (code, sentence) == (2, "--id must be 1 to 64 letters, digits, `.`, `_` or `-`.")


@pytest.mark.parametrize("bad", ["", " ", " Name", "Na\nme", "x" * 201, "a\x1b[31m"])
def test_a_name_can_be_shown(cli: Cli, bad: str) -> None:
    code, sentence = cli.refused("resellers", "create", bad)
    assert code == 2
    assert sentence.startswith("The name must be 1 to 200 printable characters")


def test_a_mistyped_id_names_the_nearest(cli: Cli) -> None:
    made = cli.json("resellers", "create", fresh("Harbour Mobile"))
    mistyped = made["resellerId"][:-1]
    code, sentence = cli.refused("resellers", "show", mistyped)
    nearest = f"{made['resellerId']} {made['name']}"
    assert code == 3
    assert sentence == f"There is no reseller {mistyped}. Did you mean {nearest}?"


def test_a_mistyped_name_names_the_nearest(cli: Cli) -> None:
    made = cli.json("resellers", "create", fresh("Harbour Mobile"))
    code, sentence = cli.refused("resellers", "show", made["name"].replace("Mobile", "Mobil"))
    assert code == 3
    assert sentence.endswith(f"Did you mean {made['resellerId']} {made['name']}?")


def test_what_is_near_nothing_suggests_nothing(cli: Cli) -> None:
    code, sentence = cli.refused("resellers", "show", "?" * 30)
    assert (code, sentence) == (3, f"There is no reseller {'?' * 30}.")


def test_changes_are_one_entry_that_tells_from_what_to_what(cli: Cli, world: World) -> None:
    changed = cli.json(
        *("resellers", "change", world.reseller_id, "--name", "New name"),
        *("--kdp-release", "23.12", "--enforce-list", "yes"),
    )
    assert changed["name"] == "New name"
    assert (changed["kdpRelease"], changed["enforceManufactured"]) == ("23.12", True)
    (entry,) = world.entries(event="Reseller edited")
    assert entry.performed_by == "operator (command line)"
    assert entry.detail == {
        "name": {"from": "Reseller", "to": "New name"},
        "kdpRelease": {"from": None, "to": "23.12"},
        "enforceManufactured": {"from": None, "to": True},
    }


def test_a_change_to_what_is_so_already_is_no_entry(cli: Cli, world: World) -> None:
    ran = cli("resellers", "change", world.reseller_id, "--name", "Reseller")
    assert ran.code == 0
    assert ran.err == "It is so already: nothing was changed.\n"
    assert not world.entries(event="Reseller edited")


def test_a_change_of_nothing_makes_no_sense(cli: Cli, world: World) -> None:
    assert cli.refused("resellers", "change", world.reseller_id)[0] == 2
    assert cli.refused("clients", "change", world.client_id)[0] == 2


def test_own_settings_change_what_calls_meet_and_the_installations_come_back(
    cli: Cli, world: World
) -> None:
    done = world.uploaded()["transactionId"]
    cli.json("resellers", "change", world.reseller_id, "--status-shape", "list")
    assert "totalCount" in world.status(transactionId=done).json()["devices"]
    cli.json("resellers", "change", world.reseller_id, "--status-shape", "installation")
    assert world.status(transactionId=done).json()["transactionId"] == done


def test_the_list_shows_how_much_there_is_of_a_reseller(cli: Cli, world: World) -> None:
    world.uploaded(None)
    world.upload()
    listed = only(cli.json("resellers", "list"), resellerId=world.reseller_id)
    assert (listed["customers"], listed["devices"], listed["waiting"]) == (1, 1, 1)
    assert listed["lastRequestAt"]
    world.work()


def test_a_list_can_be_cut_short_and_is_newest_first(cli: Cli) -> None:
    made = [cli.json("resellers", "create", fresh("R"))["resellerId"] for _ in range(3)]
    # Other tests make resellers too, but not between these: pytest runs one at a time.
    ran = cli("resellers", "list", "-n", "2", "--json")
    assert [row["resellerId"] for row in ran.json] == [made[2], made[1]]
    assert ran.err == "There are more than these 2: --limit.\n"
    assert cli.refused("resellers", "list", "-n", "0")[0] == 2


# --- vendors ------------------------------------------------------------------------------------


def test_vendors_are_made_listed_shown_and_changed(cli: Cli, world: World) -> None:
    made = cli.json("vendors", "create", "Quayside", "--reseller", world.reseller_id)
    assert made == {
        "vendorId": made["vendorId"],
        "name": "Quayside",
        "resellerId": world.reseller_id,
        "state": "active",
        "createdAt": made["createdAt"],
    }
    assert cli.json("vendors", "list", "--reseller", world.reseller_id) == [made]
    assert only(cli.json("vendors", "list"), vendorId=made["vendorId"]) == made
    where = ("--reseller", world.reseller_id)
    assert cli.json("vendors", "show", "quayside", *where) == made
    changed = cli.json("vendors", "change", made["vendorId"], *where, "--name", "Pier")
    assert changed == made | {"name": "Pier"}
    assert [each.event for each in world.entries()][:2] == ["Vendor edited", "Vendor created"]


def test_two_resellers_may_have_vendors_of_one_id(cli: Cli, world: World) -> None:
    chosen = fresh("V")
    for reseller in (world.reseller_id, world.neighbour().reseller_id):
        cli.json("vendors", "create", "Same", "--reseller", reseller, "--id", chosen)
    create = ("vendors", "create", "Again", "--reseller", world.reseller_id, "--id", chosen)
    assert cli.refused(*create)[0] == 4


def test_a_vendor_is_only_found_with_its_own_reseller(cli: Cli, world: World) -> None:
    vendor, other = world.vendor(), world.neighbour().reseller_id
    code, sentence = cli.refused("vendors", "show", vendor, "--reseller", other)
    assert (code, sentence) == (3, f"There is no vendor of {other} {vendor}.")


def test_a_closed_vendor_is_unknown_to_uploads_until_it_is_reopened(cli: Cli, world: World) -> None:
    vendor = world.vendor()
    where = ("--reseller", world.reseller_id)
    assert cli.json("vendors", "close", vendor, *where)["state"] == "closed"
    refused = world.upload(vendorId=vendor)
    assert (refused.status_code, refused.json()["code"]) == (404, 40400003)
    assert cli.json("vendors", "reopen", vendor, *where)["state"] == "active"
    assert world.upload(vendorId=vendor).status_code == 200
    events = [each.event for each in world.entries()]
    assert events.count("Vendor closed") == events.count("Vendor reopened") == 1


# --- customers ----------------------------------------------------------------------------------


def test_customers_are_made_listed_shown_and_changed(cli: Cli, world: World) -> None:
    made = cli.json("customers", "create", fresh("Alder"))
    assert made == {
        "customerId": made["customerId"],
        "name": made["name"],
        "state": "active",
        "createdAt": made["createdAt"],
        "devices": 0,
        "lastRequestAt": None,
        "resellers": [],
    }
    changed = cli.json("customers", "change", made["customerId"], "--name", fresh("Birch"))
    assert cli.json("customers", "show", changed["name"]) == changed
    listed = only(cli.json("customers", "list"), customerId=made["customerId"])
    assert listed == {
        "customerId": made["customerId"],
        "name": changed["name"],
        "state": "active",
        "resellers": 0,
        "devices": 0,
        "lastRequestAt": None,
    }


def test_customers_of_one_reseller_are_listed_with_what_it_does_for_them(
    cli: Cli, world: World
) -> None:
    other = world.neighbour()
    world.uploaded()
    other.uploaded(customerId=world.customer_id)
    other.uploaded(customerId=world.customer_id)
    (listed,) = cli.json("customers", "list", "--reseller", world.reseller_id)
    assert (listed["customerId"], listed["resellers"], listed["devices"]) == (
        world.customer_id,
        2,
        1,
    )
    shown = cli.json("customers", "show", world.customer_id)
    assert shown["devices"] == 3
    assert [(each["resellerId"], each["devices"]) for each in shown["resellers"]] == [
        (world.reseller_id, 1),
        (other.reseller_id, 2),
    ]


def test_a_closed_customer_does_not_exist_for_resellers_until_it_is_reopened(
    cli: Cli, world: World
) -> None:
    (device,) = world.upload_body()["devices"]
    world.uploaded([device])
    ran = cli("customers", "close", world.customer_id)
    assert ran.code == 0
    assert ran.err.startswith("1 devices are still held for it")
    assert world.upload().json()["code"] == 40000011
    assert world.delete([device]).json()["code"] == 40400002
    assert world.devices(customerId=world.customer_id).json()["code"] == 40400002
    assert world.call(
        "GET", "/customers/list", params={"resellerId": world.reseller_id}
    ).json() == {"totalCount": 0, "pageNum": 0, "customers": []}
    cli.json("customers", "reopen", world.customer_id)
    assert world.deleted([device])["state"] == "Complete"
    assert world.held() == []


def test_what_was_accepted_for_a_customer_ends_after_it_is_closed(cli: Cli, world: World) -> None:
    accepted = world.upload().json()["transactionId"]
    cli.json("customers", "close", world.customer_id)
    world.work()
    assert world.status(transactionId=accepted).json()["state"] == "Complete"


def test_nothing_is_done_for_a_closed_customer(cli: Cli, world: World) -> None:
    world.associated()
    cli.json("customers", "close", world.customer_id)
    whose = ("--reseller", world.reseller_id)
    for command in (
        ("customers", "associate", world.customer_id, *whose),
        ("customers", "auto-approve", world.customer_id, "on", *whose),
        ("aliases", "create", "Drivers", "--customer", world.customer_id, *whose),
        ("approve", "--customer", world.customer_id),
    ):
        code, sentence = cli.refused(*command)
        assert code == 4
        assert "is closed" in sentence


# --- associations -------------------------------------------------------------------------------


def test_a_reseller_is_associated_before_its_first_upload(cli: Cli, world: World) -> None:
    made = cli.json(
        *("customers", "associate", world.customer_id, "--reseller", world.reseller_id),
        "--auto-approve",
    )
    assert made == {
        "customerId": world.customer_id,
        "resellerId": world.reseller_id,
        "autoApprove": True,
        "since": made["since"],
    }
    world.uploaded()
    assert world.devices().json()["devices"][0]["state"] == "Verified"


def test_a_second_association_is_40000012(cli: Cli, world: World) -> None:
    world.associated()
    command = ("customers", "associate", world.customer_id, "--reseller", world.reseller_id)
    ran = cli(*command, "--json")
    assert ran.code == 4
    told = ran.json
    assert len(told.pop("errorId")) == 32
    assert told == {
        "code": 40000012,
        "message": "CUSTOMER_RESELLER_ALREADY_ASSOCIATED",
        "data": "The specified customer is already associated with the reseller.",
    }
    assert len(world.entries(event="Reseller registered")) == 1


def test_auto_approve_decides_for_devices_from_now_on(cli: Cli, world: World) -> None:
    world.uploaded()
    command = ("customers", "auto-approve", world.customer_id)
    whose = ("--reseller", world.reseller_id)
    assert cli.json(*command, "on", *whose)["autoApprove"] is True
    world.uploaded()
    assert cli.json(*command, "off", *whose)["autoApprove"] is False
    world.uploaded()
    states = [each["state"] for each in world.devices().json()["devices"]]
    assert states == ["Pending", "Verified", "Pending"]
    assert len(world.entries(event="Auto-approve changed")) == 2
    again = cli(*command, "off", *whose)
    assert (again.code, again.err) == (0, "It is off already: nothing was changed.\n")
    assert len(world.entries(event="Auto-approve changed")) == 2


def test_auto_approve_is_about_an_association(cli: Cli, world: World) -> None:
    command = ("customers", "auto-approve", world.customer_id, "on")
    ran = cli(*command, "--reseller", world.reseller_id, "--json")
    assert (ran.code, ran.json["code"]) == (3, 40400004)


# --- aliases ------------------------------------------------------------------------------------


def whose(world: World) -> tuple[str, ...]:
    return ("--customer", world.customer_id, "--reseller", world.reseller_id)


def aliases(world: World) -> list[str]:
    """What the reseller is told."""
    headers = {"resellerId": world.reseller_id, "customerId": world.customer_id}
    answer = world.call("GET", "/profilealias/kme", headers=headers).json()
    return [each["profileAlias"] for each in answer["profileAliases"]]


def test_an_alias_is_shared_closed_and_shared_again(cli: Cli, world: World) -> None:
    world.associated()
    made = cli.json("aliases", "create", "Drivers", *whose(world), "--profile", "P-1")
    assert made == {
        "profileAlias": "Drivers",
        "profileId": "P-1",
        "customerId": world.customer_id,
        "resellerId": world.reseller_id,
        "state": "active",
        "createdAt": made["createdAt"],
        "closedAt": None,
    }
    assert cli.json("aliases", "list", *whose(world)) == [made]
    assert aliases(world) == ["Drivers"]
    asks: dict[str, Any] = {"profileAliases": [{"profileAlias": "Drivers"}]}
    assert world.upload(**asks).status_code == 200

    assert cli.json("aliases", "close", "Drivers", *whose(world))["state"] == "closed"
    assert aliases(world) == []
    assert world.upload(**asks).json()["code"] == 40000000
    assert cli.json("aliases", "list", *whose(world)) == []
    (listed,) = cli.json("aliases", "list", *whose(world), "--closed")
    assert (listed["state"], bool(listed["closedAt"])) == ("closed", True)

    again = cli.json("aliases", "create", "Drivers", *whose(world), "--profile", "P-2")
    assert (again["profileId"], again["state"]) == ("P-2", "active")
    assert world.upload(**asks).status_code == 200
    events = [each.event for each in world.entries()]
    assert events.count("Profile alias created") == 2
    assert events.count("Profile alias closed") == 1


def test_ten_aliases_are_shared_and_no_eleventh(cli: Cli, world: World) -> None:
    world.associated()
    for number in range(10):
        cli.json("aliases", "create", f"A{number}", *whose(world))
    code, sentence = cli.refused("aliases", "create", "A10", *whose(world))
    assert code == 4
    assert sentence == (
        f"{world.customer_id} shares 10 aliases with {world.reseller_id} already: close one first."
    )
    cli.json("aliases", "close", "A3", *whose(world))
    cli.json("aliases", "create", "A10", *whose(world))
    assert len(aliases(world)) == 10


def test_ten_aliases_are_shared_also_when_all_come_at_once(cli: Cli, world: World) -> None:
    world.associated()
    codes: list[int] = []

    def share(number: int) -> None:
        try:
            world.alias(f"A{number}")
            codes.append(0)
        except Exception:
            codes.append(1)

    threads = [threading.Thread(target=share, args=(number,)) for number in range(14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [0] * 10 + [1] * 4
    assert len(aliases(world)) == 10


def test_an_alias_is_shared_once(cli: Cli, world: World) -> None:
    world.associated()
    cli.json("aliases", "create", "Drivers", *whose(world))
    assert cli.refused("aliases", "create", "Drivers", *whose(world))[0] == 4


def test_a_reseller_that_does_not_serve_the_customer_gets_no_alias(cli: Cli, world: World) -> None:
    ran = cli("aliases", "create", "Drivers", *whose(world), "--json")
    assert (ran.code, ran.json["code"]) == (3, 40400004)


def test_an_alias_that_is_not_shared_names_the_nearest(cli: Cli, world: World) -> None:
    world.associated()
    world.alias("Drivers")
    code, sentence = cli.refused("aliases", "close", "Driver", *whose(world))
    assert code == 3
    assert sentence.endswith(f"no alias Driver with {world.reseller_id}. Did you mean Drivers?")
