"""`PUT /devices/upload`."""

from __future__ import annotations

from support.world import World
from waybill.wire.identifiers import Kind, generate


def test_it_works(world: World) -> None:
    good = generate(Kind.IMEI, 1)[0]
    wrong = good[:-1] + str((int(good[-1]) + 1) % 10)
    answer = world.upload([good, wrong], transactionId="T1")
    assert answer.status_code == 200
    assert answer.content == (
        b'{"transactionId":"T1","state":"Progress","code":2000000,"message":"SUCCESS",'
        b'"operationType":"UPLOAD"}'
    )
    world.work()
    assert world.status(transactionId="T1").json() == {
        "transactionId": "T1",
        "state": "Complete",
        "type": "Put",
        "devices": [
            {
                "imei": wrong,
                "code": 40000007,
                "message": "DEVICE_IMEI_INVALID",
                "data": "The specified IMEI is not valid.",
            }
        ],
        "operationType": "UPLOAD",
    }
