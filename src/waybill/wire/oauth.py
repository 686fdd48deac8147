"""The bodies of the OAuth 2.0 calls (contract §9, RFC 6749, RFC 7009)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from waybill.wire.sources import Source, told

OAuthError = Literal["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"]


class Token(msgspec.Struct, kw_only=True):
    """The answer to a token request; there is no refresh token."""

    access_token: Annotated[
        str,
        told(
            "For `Authorization: Bearer`.",
            Source.DOCUMENTED,
            "qH0dJ9r3c1yUoXn5n0b1aT7wzq2m4e6s8u0WbYdFhJk",
        ),
    ]
    scope: Annotated[
        str, told("What was granted, as it was asked for or registered.", Source.DOCUMENTED, "kdp")
    ]
    expires_in: Annotated[int, told("Seconds that it lives.", Source.DOCUMENTED, 599)]
    token_type: Annotated[
        str, told("Always `Bearer`.", Source.DOCUMENTED, schema={"const": "Bearer"})
    ] = "Bearer"  # noqa: S105 - a type, no secret


class Metadata(msgspec.Struct):
    """Where a client finds what it needs (RFC 8414)."""

    issuer: str
    token_endpoint: str
    token_endpoint_auth_methods_supported: list[str]
    revocation_endpoint: str
    revocation_endpoint_auth_methods_supported: list[str]
    grant_types_supported: list[str]
    response_types_supported: list[str]
    scopes_supported: list[str]
    service_documentation: str


class Problem(msgspec.Struct, kw_only=True):
    """A refusal in the shape of RFC 6749 §5.2."""

    error: Annotated[OAuthError, told("The kind of refusal.", Source.DOCUMENTED, "invalid_client")]
    error_description: (
        Annotated[str, told("For people: what to change.", Source.OURS, "grant_type is missing")]
        | UnsetType
    ) = UNSET


@dataclass
class OAuthRefused(Exception):  # noqa: N818 - a refusal is an outcome that we foresee
    """A refusal in the shape of RFC 6749 §5.2.

    Args:
        error: the error code.
        description: for people; says what to do next.
    """

    error: OAuthError
    description: str = ""

    @property
    def status(self) -> int:
        """401 for a client that was not authenticated, else 400."""
        return 401 if self.error == "invalid_client" else 400

    def body(self) -> Problem:
        """The members of the answer; `error_description` only when there is one."""
        return Problem(error=self.error, error_description=self.description or UNSET)
