"""Whether this process lives, and whether it can serve."""

from __future__ import annotations

from waybill.api.edge import Answer, Call, json


def alive(_call: Call) -> Answer:
    """`GET /healthz`: the process answers."""
    return json({"status": "ok"})


def ready(call: Call) -> Answer:
    """`GET /readyz`: the database answers too; 503 with `Retry-After` when it does not."""
    with call.tx() as tx:
        tx.execute("select 1")
    return json({"status": "ready"})
