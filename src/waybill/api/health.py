"""Whether this process lives, and whether it can serve."""

from __future__ import annotations

from waybill.api.edge import Answer, Call, json
from waybill.db.tx import ping


def alive(_call: Call) -> Answer:
    """`GET /healthz`: says that the process lives."""
    return json({"status": "ok"})


def ready(call: Call) -> Answer:
    """`GET /readyz`: says that the database answers too.

    While it does not: 503 with `Retry-After`.
    """
    with call.tx() as tx:
        ping(tx)
    return json({"status": "ready"})
