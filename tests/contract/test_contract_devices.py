"""Upload, delete, status and list: what is in order."""

from __future__ import annotations

import re

import pytest
from blackbox import Account, Service, fresh, imeis, meid_decimal, meids, serials, wrong

from support.answers import failure


def test_an_upload_is_taken_and_its_one_bad_device_named(
    served: Service, reseller: Account
) -> None:
    good, bad = imeis(2)
    bad, transaction = wrong(bad), fresh("T")
    members = {"devices": [good, bad], "transactionId": transaction, "orderNo": "PO 7731"}
    answer = reseller.puts("upload", served.customer_id, **members)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == (
        f'{{"transactionId":"{transaction}","state":"Progress","code":2000000,'
        '"message":"SUCCESS","operationType":"UPLOAD"}'
    )
    reseller.settled(answer)
    bare = reseller.gets("/devices/status", transactionId=transaction)
    failed = (
        f'"devices":[{{"imei":"{bad}","code":40000007,"message":"DEVICE_IMEI_INVALID",'
        '"data":"The specified IMEI is not valid."}]'
    )
    assert bare.text == (
        f'{{"transactionId":"{transaction}","state":"Complete","type":"Put","orderNo":"PO 7731",'
        f'{failed},"operationType":"UPLOAD"}}'
    )
    wrapped = reseller.gets("/devices/status", transactionId=transaction, pageNum=0)
    assert wrapped.text == (
        '{"devices":{"totalCount":1,"totalPage":1,"pageNum":0,"transactions":['
        f'{{"transactionId":"{transaction}","state":"Complete","type":"Put",'
        f'"operationType":"UPLOAD","orderNo":"PO 7731",{failed}}}]}}}}'
    )


def test_a_registered_device_is_listed_last(served: Service, reseller: Account) -> None:
    imei = imeis(1)[0]
    reseller.uploads(served.customer_id, [f"{imei[:2]}-{imei[2:8]}-{imei[8:14]}-{imei[14]}"])
    last = reseller.held(customerId=served.customer_id)[-1]
    assert list(last) == [
        "id",
        "createTime",
        "mei",
        "customerName",
        "customerId",
        "meid",
        "state",
        "uploadId",
    ]
    assert last["mei"] == imei
    assert last["meid"] == meid_decimal(imei)
    assert last["customerId"] == served.customer_id
    assert last["state"] in {"Pending", "Verified"}
    assert re.fullmatch("[0-9a-f]{24}", last["id"])
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", last["uploadId"])


@pytest.mark.parametrize("kind", ["IMEI", "MEID", "SN"])
def test_every_type_can_be_uploaded_and_deleted(
    served: Service, reseller: Account, kind: str
) -> None:
    devices = {"IMEI": imeis, "MEID": meids, "SN": serials}[kind](3)
    assert "devices" not in reseller.uploads(served.customer_id, devices, type=kind)
    before = reseller.total()
    assert "devices" not in reseller.deletes(served.customer_id, devices=devices, type=kind)
    assert reseller.total() == before - 3


def test_a_delete_without_type_goes_by_the_shape(served: Service, reseller: Account) -> None:
    (imei,), (meid,), (serial,) = imeis(1), meids(1), serials(1)
    for device, kind in ((imei, "IMEI"), (meid, "MEID"), (serial, "SN")):
        reseller.uploads(served.customer_id, [device], type=kind)
    devices = [imei, "no device", meid_decimal(meid), serial, meid]
    told = reseller.deletes(served.customer_id, devices=devices, type=None)
    assert told["devices"] == [
        failure("imei", "no device", 40000006),
        failure("meid", meid, 40000044),
    ]


def test_a_delete_by_transaction_takes_what_the_upload_brought(
    served: Service, reseller: Account
) -> None:
    first, second = imeis(3), imeis(2)
    before = reseller.total()
    upload = reseller.uploads(served.customer_id, first)["transactionId"]
    reseller.uploads(served.customer_id, second)
    reseller.deletes(served.customer_id, devices=first[:1])
    answer = reseller.puts("delete", served.customer_id, removeTransactionId=upload)
    assert answer.json()["operationType"] == "DELETE"
    told = reseller.settled(answer)
    assert (told["type"], told["operationType"]) == ("Delete", "DELETE")
    assert "devices" not in told
    assert reseller.total() == before + 2


def test_a_duplicate_is_told_of_and_nothing_else_fails(served: Service, reseller: Account) -> None:
    held, fresh_one, twice = imeis(3)
    reseller.uploads(served.customer_id, [held])
    told = reseller.uploads(served.customer_id, [fresh_one, held, twice, twice])
    assert told["devices"] == [failure("imei", held, 40000005), failure("imei", twice, 40000005)]
    told = reseller.uploads(served.other_customer_id, [held])
    assert told["devices"] == [failure("imei", held, 40000005)]


def test_meids_and_serials_fail_under_their_own_names(served: Service, reseller: Account) -> None:
    told = reseller.uploads(served.customer_id, ["A00000"], type="MEID")
    assert told["devices"] == [failure("meid", "A00000", 40000008)]
    told = reseller.uploads(served.customer_id, ["S58M31415ZX"], type="SN")
    assert told["devices"] == [failure("serialNumber", "S58M31415ZX", 40000009)]


def test_a_test_identifier_is_no_device(served: Service, reseller: Account) -> None:
    told = reseller.uploads(served.customer_id, ["490154203237518", "00000000000000 0"])
    assert told["devices"] == [
        failure("imei", "490154203237518", 40000004),
        failure("imei", "00000000000000 0", 40000007),
    ]


def test_delete_then_upload_to_another_customer_always_works(
    served: Service, reseller: Account
) -> None:
    devices = imeis(20)
    reseller.uploads(served.customer_id, devices)
    delete = reseller.puts("delete", served.customer_id, devices=devices)
    upload = reseller.puts("upload", served.other_customer_id, devices=devices)
    assert "devices" not in reseller.settled(delete)
    assert "devices" not in reseller.settled(upload)


def test_the_pages_of_the_list_together_are_the_list(served: Service, reseller: Account) -> None:
    made = imeis(7)
    reseller.uploads(served.customer_id, made)
    everything = reseller.held()
    size = len(everything) // 3 + 1
    paged: list[dict[str, object]] = []
    for number in range(3):
        page = reseller.gets("/devices", pageNum=number, pageSize=size).json()
        assert {name: page[name] for name in list(page)[:7]} == {
            "code": "2000000",
            "message": "SUCCESS",
            "pageNum": number,
            "pageSize": size,
            "totalCount": len(everything),
            "totalPages": -(-len(everything) // size),
            "size": len(page["devices"]),
        }
        paged += page["devices"]
    assert paged == everything
    assert [each["mei"] for each in paged[-7:]] == made


def test_transactions_are_paged_newest_first(served: Service, reseller: Account) -> None:
    made = [reseller.uploads(served.customer_id, imeis(1))["transactionId"] for _ in range(3)]
    page = reseller.gets("/devices/status", pageSize=2).json()["devices"]
    assert [each["transactionId"] for each in page["transactions"]] == made[:0:-1]
    assert page["totalPage"] == -(-page["totalCount"] // 2)
    page = reseller.gets("/devices/status", pageSize=2, pageNum=1).json()["devices"]
    assert page["transactions"][0]["transactionId"] == made[0]


def test_the_customers_are_listed_under_both_paths(served: Service, reseller: Account) -> None:
    answer = reseller.gets("/customers/list")
    assert list(answer.json()) == ["totalCount", "pageNum", "customers"]
    assert {served.customer_id, served.other_customer_id} <= {
        each["customerId"] for each in answer.json()["customers"]
    }
    assert all(list(each) == ["name", "customerId"] for each in answer.json()["customers"])
    assert reseller.gets("/customers").content == answer.content
    one = reseller.gets("/customers/list", pageSize=1, pageNum=1).json()
    assert one["customers"] == answer.json()["customers"][1:2]


def test_the_aliases_of_a_customer_can_be_used(served: Service, reseller: Account) -> None:
    headers = {"resellerId": reseller.reseller_id, "customerId": served.customer_id}
    found = reseller.call("GET", "/profilealias/kme", headers=headers)
    assert found.status_code == 200
    assert list(found.json()) == ["profileAliases"]
    for each in found.json()["profileAliases"]:
        assert list(each) == ["profileAlias", "profileId"]
        chosen = [{"profileAlias": each["profileAlias"], "serviceId": "KME"}]
        reseller.uploads(served.customer_id, imeis(1), profileAliases=chosen)
