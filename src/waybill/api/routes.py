"""The whole surface, one call a row."""

from __future__ import annotations

from waybill.api import customers, devices, health, oauth
from waybill.api.edge import Route
from waybill.wire.scopes import Scope

GEN2 = "/kcs/v1/rp"
AMS = "/ams/v1"

ROUTES: tuple[Route, ...] = (
    Route("PUT", f"{GEN2}/devices/upload", devices.upload, Scope.DEVICES_MANAGE, "json"),
    Route("PUT", f"{GEN2}/devices/delete", devices.delete, Scope.DEVICES_MANAGE, "json"),
    Route("GET", f"{GEN2}/devices/status", devices.status, Scope.DEVICES_VIEW),
    Route("GET", f"{GEN2}/devices", devices.listing, Scope.DEVICES_VIEW),
    Route("GET", f"{GEN2}/customers/list", customers.listing, Scope.CUSTOMERS),
    Route("GET", f"{GEN2}/customers", customers.listing, Scope.CUSTOMERS),
    Route("GET", f"{GEN2}/profilealias/kme", customers.aliases, Scope.PROFILE_ALIAS),
    Route("POST", f"{AMS}/oauth2/token", oauth.token, body="form"),
    Route("POST", f"{AMS}/oauth2/revoke", oauth.revoke, body="form"),
    Route("GET", "/.well-known/oauth-authorization-server", oauth.metadata),
    Route("GET", "/healthz", health.alive, probe=True),
    Route("GET", "/readyz", health.ready, probe=True),
)
