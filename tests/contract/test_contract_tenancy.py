"""What one reseller may learn of another: nothing."""

from __future__ import annotations

from blackbox import Account, Service, fresh, imeis

from support.answers import assert_refused, failure, refusal_of


def test_another_reseller_is_refused_like_one_that_does_not_exist(
    served: Service, reseller: Account, other: Account
) -> None:
    for named in (other.reseller_id, fresh("R")):
        devices = imeis(1)
        refusals = {
            refusal_of(answer)
            for answer in (
                reseller.puts("upload", served.customer_id, devices=devices, resellerId=named),
                reseller.puts("delete", served.customer_id, devices=devices, resellerId=named),
                *(
                    reseller.gets(path, resellerId=named)
                    for path in ("/devices", "/devices/status", "/customers/list", "/customers")
                ),
                reseller.call(
                    "GET",
                    "/profilealias/kme",
                    headers={"resellerId": named, "customerId": served.customer_id},
                ),
            )
        }
        assert len(refusals) == 1
    assert_refused(reseller.gets("/devices", resellerId=other.reseller_id), 40000010)


def test_another_resellers_transaction_is_none(
    served: Service, reseller: Account, other: Account
) -> None:
    theirs = other.uploads(served.customer_id, imeis(1))["transactionId"]
    assert_refused(reseller.gets("/devices/status", transactionId=theirs), 40000013)
    delete = reseller.puts("delete", served.customer_id, removeTransactionId=theirs)
    assert_refused(delete, 40000013)
    # The same ID is free for us, and stays ours.
    ours = reseller.uploads(served.customer_id, imeis(1), transactionId=theirs)
    assert ours["transactionId"] == theirs
    listed = other.gets("/devices/status", transactionId=theirs)
    assert listed.json()["state"] == "Complete"


def test_another_resellers_device_cannot_be_taken_nor_removed(
    served: Service, reseller: Account, other: Account
) -> None:
    device = imeis(1)[0]
    other.uploads(served.customer_id, [device])
    taken = reseller.uploads(served.customer_id, [device])
    assert taken["devices"] == [failure("imei", device, 40000005)]
    nobodys = imeis(1)[0]
    removed = reseller.deletes(served.customer_id, devices=[device, nobodys])
    assert removed["devices"] == [
        failure("imei", device, 40000044),
        failure("imei", nobodys, 40000044),
    ]
    assert device not in {each.get("mei") for each in reseller.held()}
    assert device in {each.get("mei") for each in other.held()}


def test_another_resellers_vendor_is_none(
    served: Service, reseller: Account, other: Account
) -> None:
    for vendor in other.vendors:
        answer = reseller.puts("upload", served.customer_id, devices=imeis(1), vendorId=vendor)
        assert_refused(answer, 40400003)
        other.uploads(served.customer_id, imeis(1), vendorId=vendor)


def test_the_operator_may_name_any_reseller_that_exists(
    served: Service, operator: Account, other: Account
) -> None:
    assert operator.total(resellerId=other.reseller_id) == other.total()
    assert_refused(operator.gets("/devices", resellerId=fresh("R")), 40400001)
    assert_refused(operator.gets("/devices", resellerId="no id"), 40000010)
    told = operator.uploads(served.customer_id, imeis(1))
    assert told["state"] == "Complete"
