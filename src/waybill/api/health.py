"""Whether this process lives, and whether it can serve."""

from __future__ import annotations

from waybill.api.edge import Answer, Call, json
from waybill.db.tx import ping


def alive(_call: Call) -> Answer:
    """`GET /healthz`: the process answers."""
    return json({"status": "ok"})


def ready(call: Call) -> Answer:
    """`GET /readyz`: the database answers too; 503 with `Retry-After` when it does not."""
    with call.tx() as tx:
        ping(tx)
    return json({"status": "ready"})
