"""`waybill approve`: Pending devices become Verified, each act one entry."""

from __future__ import annotations

import threading
from typing import Any

from support.cli import Cli
from support.world import World, fresh
from waybill import clock
from waybill.db.connect import connect
from waybill.transactions import actions
from waybill.transactions.actions import Conduct
from waybill.transactions.rules import CHUNK
from waybill.wire.identifiers import Kind, generate


def states(world: World, **query: Any) -> list[str]:
    return [each["state"] for each in world.devices(pageSize=100_000, **query).json()["devices"]]


def turn(world: World) -> None:
    """One turn of a worker."""
    with connect(world.settings.database_url) as tx:
        actions.run(tx, Conduct.of(world.settings), clock.now())


def test_it_works(cli: Cli, world: World) -> None:
    waiting = world.uploaded(generate(Kind.IMEI, 3))["transactionId"]
    other = world.uploaded(generate(Kind.IMEI, 2))["transactionId"]
    assert states(world) == ["Pending"] * 5
    done = cli.json("approve", "--upload", waiting, "--reseller", world.reseller_id)
    assert done == [
        {
            "customerId": world.customer_id,
            "resellerId": world.reseller_id,
            "transactionId": waiting,
            "approved": 3,
            "inProgress": 0,
        }
    ]
    assert states(world) == ["Verified"] * 3 + ["Pending"] * 2
    (entry,) = world.entries(event="Upload approved")
    assert (entry.transaction_id, entry.detail) == (waiting, {"devices": 3})
    assert entry.customer_id == world.customer_id
    assert cli.json("transaction", waiting)["approvedAt"]
    assert cli.json("transaction", other)["approvedAt"] is None


def test_approving_again_changes_nothing_and_says_so(cli: Cli, world: World) -> None:
    done = world.uploaded()["transactionId"]
    cli.json("approve", "--upload", done)
    again = cli("approve", "--upload", done)
    assert again.code == 0
    assert again.err == "Nothing waits: nothing was changed.\n"
    assert len(world.entries(event="Upload approved")) == 1


def test_all_that_waits_for_a_customer_is_approved_one_entry_a_reseller(
    cli: Cli, world: World
) -> None:
    other, bystander = world.neighbour(), world.neighbour()
    world.uploaded(generate(Kind.IMEI, 3))
    world.uploaded(generate(Kind.SN, 2), type="SN")
    other.uploaded(customerId=world.customer_id)
    other.uploaded()
    bystander.associated(world.customer_id)
    done = cli.json("approve", "--customer", world.customer_id)
    assert {each["resellerId"]: each["approved"] for each in done} == {
        world.reseller_id: 5,
        other.reseller_id: 1,
    }
    assert states(world) == ["Verified"] * 5
    assert states(other) == ["Verified", "Pending"], "another customer's device still waits"
    assert [each.detail for each in world.entries(event="Upload approved")] == [{"devices": 5}]
    assert [each.detail for each in other.entries(event="Upload approved")] == [{"devices": 1}]
    assert not bystander.entries(event="Upload approved")


def test_a_customer_may_approve_one_reseller_alone(cli: Cli, world: World) -> None:
    other = world.neighbour()
    world.uploaded()
    other.uploaded(customerId=world.customer_id)
    cli.json("approve", "--customer", world.customer_id, "--reseller", world.reseller_id)
    assert (states(world), states(other)) == (["Verified"], ["Pending"])
    stranger = world.neighbour().reseller_id
    command = ("approve", "--customer", world.customer_id, "--reseller", stranger)
    assert cli.refused(*command) == (
        3,
        f"Reseller {stranger} does not serve customer {world.customer_id}.",
    )


def test_single_devices_are_approved_by_any_of_their_identifiers(cli: Cli, world: World) -> None:
    first, second, third = generate(Kind.IMEI, 3)
    world.uploaded([first, second, third])
    grouped = f"{third[:2]}-{third[2:8]}-{third[8:14]}-{third[14]}"
    done = cli.json("approve", first, grouped, first)
    assert [(each["approved"], each["transactionId"]) for each in done] == [(2, None)]
    assert states(world) == ["Verified", "Pending", "Verified"]
    assert len(world.entries(event="Upload approved")) == 1


def test_single_devices_are_approved_all_or_none(cli: Cli, world: World) -> None:
    known, unknown = generate(Kind.IMEI, 2)
    world.uploaded([known])
    code, sentence = cli.refused("approve", known, unknown)
    assert (code, sentence) == (3, f"Nobody holds {unknown}: nothing was approved.")
    assert states(world) == ["Pending"]


def test_a_device_that_was_deleted_is_not_approved(cli: Cli, world: World) -> None:
    device, kept = generate(Kind.IMEI, 2)
    done = world.uploaded([device, kept])["transactionId"]
    world.deleted([device])
    assert cli.json("approve", "--upload", done)[0]["approved"] == 1
    assert cli.refused("approve", device)[0] == 3
    history = cli.json("device", device)["history"]
    assert [each["verifiedAt"] for each in history] == [None]


def test_an_upload_in_progress_is_approved_with_what_it_has_still_to_register(
    cli: Cli, world: World
) -> None:
    size = 2 * CHUNK + 7
    accepted = world.upload(generate(Kind.IMEI, size)).json()["transactionId"]
    later = world.upload().json()["transactionId"]
    turn(world)
    (done,) = cli.json("approve", "--upload", accepted)
    assert (done["approved"], done["inProgress"]) == (CHUNK, 1)
    world.work()
    assert world.status(transactionId=later).json()["state"] == "Complete"
    assert states(world) == ["Verified"] * size + ["Pending"]
    (entry,) = world.entries(event="Upload approved")
    assert entry.detail == {"devices": CHUNK, "inProgress": 1}


def test_all_that_waits_includes_what_was_accepted_and_nothing_later(
    cli: Cli, world: World
) -> None:
    world.upload()
    (done,) = cli.json("approve", "--customer", world.customer_id)
    assert (done["approved"], done["inProgress"]) == (0, 1)
    world.upload()
    world.work()
    assert states(world) == ["Verified", "Pending"]


def test_no_device_slips_past_an_approval_while_workers_work(cli: Cli, world: World) -> None:
    accepted = world.upload(generate(Kind.IMEI, 3 * CHUNK)).json()["transactionId"]
    workers = [threading.Thread(target=world.work) for _ in range(2)]
    for worker in workers:
        worker.start()
    (done,) = cli.json("approve", "--upload", accepted)
    for worker in workers:
        worker.join()
    world.work()
    assert states(world) == ["Verified"] * 3 * CHUNK, done


def test_what_has_no_upload_cannot_be_approved(cli: Cli, world: World) -> None:
    device = generate(Kind.IMEI, 1)
    world.uploaded(device)
    deleted = world.deleted(device)["transactionId"]
    assert cli.refused("approve", "--upload", deleted)[0] == 4
    assert cli.refused("approve", "--upload", fresh("T"))[0] == 3


def test_one_thing_is_approved_at_a_time(cli: Cli, world: World) -> None:
    for command in (
        (),
        ("--upload", "T", "--customer", world.customer_id),
        ("--customer", world.customer_id, "352099001761481"),
        ("--reseller", world.reseller_id),
        ("352099001761481", "--reseller", world.reseller_id),
    ):
        assert cli.refused("approve", *command)[0] == 2
