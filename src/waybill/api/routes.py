"""The whole surface, one call a row."""

from __future__ import annotations

from waybill.api import clients, customers, devices, health, oauth, openapi
from waybill.api.docs import page as docs
from waybill.api.edge import Route
from waybill.wire import calls
from waybill.wire.scopes import Scope

GEN2 = "/kcs/v1/rp"
AMS = "/ams/v1"
_CLIENTS = f"{AMS}/oauth2/clients"
_CLIENT = f"{_CLIENTS}/{{client_id:str}}"
_TIMES = f"{_CLIENT}/expirationTimes"
_MANAGE, _VIEW = Scope.DEVICES_MANAGE, Scope.DEVICES_VIEW
_CUSTOMERS, _ALIAS = Scope.CUSTOMERS, Scope.PROFILE_ALIAS

_CALLS: tuple[Route, ...] = (
    Route("PUT", f"{GEN2}/devices/upload", devices.upload, _MANAGE, "json", told=calls.UPLOAD),
    Route("PUT", f"{GEN2}/devices/delete", devices.delete, _MANAGE, "json", told=calls.DELETE),
    Route("GET", f"{GEN2}/devices/status", devices.status, _VIEW, told=calls.STATUS),
    Route("GET", f"{GEN2}/devices", devices.listing, _VIEW, told=calls.DEVICES),
    Route("GET", f"{GEN2}/customers/list", customers.listing, _CUSTOMERS, told=calls.CUSTOMERS),
    Route("GET", f"{GEN2}/customers", customers.listing, _CUSTOMERS, told=calls.CUSTOMERS_OLD),
    Route("GET", f"{GEN2}/profilealias/kme", customers.aliases, _ALIAS, told=calls.ALIASES),
    Route("POST", f"{AMS}/oauth2/token", oauth.token, body="form", told=calls.TOKEN),
    Route("POST", f"{AMS}/oauth2/revoke", oauth.revoke, body="form", told=calls.REVOKE),
    Route("GET", "/.well-known/oauth-authorization-server", oauth.metadata, told=calls.METADATA),
    Route("POST", _CLIENTS, clients.create, Scope.ALL, "json", told=calls.CLIENT_NEW),
    Route("GET", _CLIENTS, clients.listing, Scope.ALL, told=calls.CLIENTS),
    Route("GET", _CLIENT, clients.show, Scope.ALL, told=calls.CLIENT),
    Route("PATCH", _CLIENT, clients.change, Scope.ALL, "json", told=calls.CLIENT_CHANGED),
    Route("DELETE", _CLIENT, clients.delete, Scope.ALL, told=calls.CLIENT_DELETED),
    Route("PUT", _TIMES, clients.change_times, Scope.ALL, "json", told=calls.CLIENT_TIMES),
    Route("GET", "/healthz", health.alive, probe=True, told=calls.ALIVE),
    Route("GET", "/readyz", health.ready, probe=True, told=calls.READY),
)

ROUTES: tuple[Route, ...] = (
    *_CALLS,
    # Load balancers like to ask without wanting an answer's body.
    Route("HEAD", "/healthz", health.alive, probe=True),
    Route("HEAD", "/readyz", health.ready, probe=True),
    Route("GET", "/openapi.json", openapi.of(_CALLS)),
    Route("GET", "/docs", docs.of(_CALLS)),
)
