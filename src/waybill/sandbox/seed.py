"""A small world to play in: the same on every machine, save its secrets.

All of it is made by the actions that a real call would take, in one database transaction: a start
that is killed leaves nothing half seeded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from waybill import clock
from waybill.auth import store as auth
from waybill.auth.rules import fingerprint
from waybill.config import Settings
from waybill.customers import actions as customers
from waybill.db.connect import transaction
from waybill.db.data_dir import CannotStart
from waybill.db.tx import Tx
from waybill.resellers import actions as resellers
from waybill.resellers import store as reseller_store
from waybill.transactions import actions as transactions
from waybill.transactions.actions import Conduct
from waybill.wire import gen2
from waybill.wire.identifiers import Kind, canonical
from waybill.wire.scopes import Scope

_BY = "seed"
_FILE = "seed.json"


@dataclass(frozen=True)
class _Reseller:
    id: str
    name: str
    client: str
    vendors: tuple[tuple[str, str], ...] = ()


_RESELLERS = (
    _Reseller("3811947052", "Harbour Mobile", "5d0f3c7a9b1e4c52a6d8e03b7f419c20"),
    _Reseller(
        "6204918375",
        "Meridian Distribution",
        "b83e61d40c7f4f0e9a25c1d76e3f8a94",
        (("7350021864", "Quayside Phones"),),
    ),
)
_SERVED, _TO_APPROVE, _NEVER = ("4102938475", "5917360284", "8463025917")
_CUSTOMERS = (
    (_SERVED, "Alder Logistics", True),
    (_TO_APPROVE, "Birch Hospitals", False),
    (_NEVER, "Never served Cedar Schools", False),
)
_OPERATOR = "0c9a7be2514d4d6f8e13f05a6b2c7d48"


def seed(url: str, settings: Settings) -> dict[str, Any]:
    """Makes the world where it is missing, and gives its credentials.

    Args:
        url: a database that was migrated.
        settings: `data_dir` holds, or will hold, the secrets in `seed.json` (mode 0600).

    Returns:
        The members `resellers`, `customers` and `operator` of the ready file.

    Raises:
        CannotStart: the database is in real use.
    """
    path = settings.data_dir / _FILE
    secrets = _secrets(path)
    with transaction(url) as tx:
        if reseller_store.find(tx, _RESELLERS[0].id) is None:
            if reseller_store.any_exists(tx):
                raise CannotStart(
                    "This database has resellers already: --seed fills only an empty one."
                )
            _make(tx, settings, secrets)
        else:
            # The secrets of this data directory hold, also for a database seeded from another.
            for client, secret in secrets.items():
                auth.renew_secret(tx, client, fingerprint(secret))
        _keep(path, secrets)
    return _told(secrets)


def _secrets(path: Path) -> dict[str, str]:
    clients = [*(each.client for each in _RESELLERS), _OPERATOR]
    try:
        kept = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        kept = {}
    except ValueError:
        raise CannotStart(f"{path} is damaged: delete it, and new secrets are made.") from None
    return {client: kept.get(client) or clock.secret() for client in clients}


def _keep(path: Path, secrets: dict[str, str]) -> None:
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(secrets, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _told(secrets: dict[str, str]) -> dict[str, Any]:
    return {
        "resellers": [
            {
                "resellerId": each.id,
                "name": each.name,
                "clientId": each.client,
                "clientSecret": secrets[each.client],
                "vendors": [{"vendorId": no, "name": name} for no, name in each.vendors],
            }
            for each in _RESELLERS
        ],
        "customers": [
            {"customerId": no, "name": name, "autoApprove": approve}
            for no, name, approve in _CUSTOMERS
        ],
        "operator": {"clientId": _OPERATOR, "clientSecret": secrets[_OPERATOR]},
    }


def _make(tx: Tx, settings: Settings, secrets: dict[str, str]) -> None:
    began = clock.now() - timedelta(days=30)
    numbers: dict[str, int] = {}
    for no, name, _ in _CUSTOMERS:
        numbers[no] = customers.create(tx, no, name, by=_BY, at=began) or 0
    for each in _RESELLERS:
        reseller = resellers.create(tx, each.id, each.name, by=_BY, at=began) or 0
        numbers[each.id] = reseller
        for no, name in each.vendors:
            resellers.create_vendor(tx, reseller, no, name, by=_BY, at=began)
        for no, _, approve in _CUSTOMERS[:2]:
            customers.associate(tx, reseller, numbers[no], auto_approve=approve, by=_BY, at=began)
        _client(tx, each.client, reseller, each.name, secrets, began)
    _client(tx, _OPERATOR, None, "Operator", secrets, began)
    _aliases(tx, numbers, began)
    _history(tx, settings, numbers, began)


def _client(
    tx: Tx, client: str, reseller: int | None, name: str, secrets: dict[str, str], at: datetime
) -> None:
    auth.insert_client(
        tx,
        client,
        reseller=reseller,
        name=name,
        secret_sha256=fingerprint(secrets[client]),
        scopes=[Scope.ALL.value],
        at=at,
    )


def _aliases(tx: Tx, numbers: dict[str, int], at: datetime) -> None:
    for customer, alias, profile in (
        (_SERVED, "Drivers", "profile-drivers"),
        (_SERVED, "Warehouse scanners", "profile-warehouse"),
        (_TO_APPROVE, "Wards", "profile-wards"),
    ):
        for each in _RESELLERS:
            customers.share_alias(
                tx, numbers[each.id], numbers[customer], alias, profile, by=_BY, at=at
            )


def _history(tx: Tx, settings: Settings, numbers: dict[str, int], began: datetime) -> None:
    harbour, meridian = _RESELLERS
    phones = list(_phones("35270811", 200))
    tablets = list(_phones("35661409", 80))
    wrong = phones[7][:-1] + str((int(phones[7][-1]) + 5) % 10)
    serials = [f"R58M{number:07}" for number in range(3141593, 3141593 + 40 * 37, 37)]
    days = iter(range(1, 30))
    story: list[tuple[str, dict[str, Any]]] = [
        (harbour.id, _upload(_SERVED, "HM-2001", phones[:120], profile="Drivers")),
        (harbour.id, _upload(_TO_APPROVE, "HM-2002", [*phones[120:], wrong, phones[3]])),
        (harbour.id, _upload(_SERVED, "HM-2003", [*tablets, tablets[0], "not-an-imei"])),
        (harbour.id, {"customerId": _SERVED, "type": "IMEI", "devices": tablets[:15]}),
        (harbour.id, _upload(_TO_APPROVE, "HM-2004", tablets[:10], profile="Wards")),
        (meridian.id, _upload(_SERVED, "MD-77", serials, kind=Kind.SN, vendor="7350021864")),
        (meridian.id, _upload(_SERVED, "MD-78", phones[10:13])),
    ]
    for number, (reseller, body) in enumerate(story, 1):
        at = began + timedelta(days=next(days) * 3, hours=9)
        body |= {"resellerId": reseller, "transactionId": f"SEED-{number:03}"}
        most = settings.upload_devices_max
        if "orderNo" in body:
            transactions.accept_upload(
                tx, numbers[reseller], gen2.parse_upload(body), by=_BY, devices_max=most, at=at
            )
        else:
            transactions.accept_delete(
                tx, numbers[reseller], gen2.parse_delete(body), by=_BY, devices_max=most, at=at
            )
        while transactions.run(tx, Conduct.of(settings), at) is not None:
            pass


def _upload(
    customer: str,
    order: str,
    devices: list[str],
    *,
    kind: Kind = Kind.IMEI,
    vendor: str | None = None,
    profile: str | None = None,
) -> dict[str, Any]:
    return {
        "customerId": customer,
        "type": kind.value,
        "devices": devices,
        "orderNo": order,
        "vendorId": vendor,
        "profileAliases": [{"profileAlias": profile}] if profile else [],
    }


def _phones(model: str, count: int) -> Iterator[str]:
    for number in range(count):
        yield canonical(Kind.IMEI, f"{model}{100000 + number * 7919 % 899999:06}")
