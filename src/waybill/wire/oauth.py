"""The bodies of the OAuth 2.0 calls (contract §9, RFC 6749, RFC 7009)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

OAuthError = Literal["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"]


class Token(msgspec.Struct, kw_only=True):
    """The answer to a token request; there is no refresh token."""

    access_token: str
    scope: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - a type, no secret


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

    def body(self) -> Mapping[str, str]:
        """The members of the answer; `error_description` only when there is one."""
        body: dict[str, str] = {"error": self.error}
        if self.description:
            body["error_description"] = self.description
        return body
