"""Settings: one table, read from options, then the environment (`WAYBILL_…`), then defaults.

A field that also exists per reseller is marked so; the reseller's value wins.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

KdpRelease = Literal["23.11", "23.12", "25.11"]
StatusShape = Literal["documented", "list"]


def _measured(default: Any, unit: str, meaning: str, **limits: Any) -> Any:
    return Field(default, description=meaning, json_schema_extra={"unit": unit}, **limits)


class Settings(BaseSettings):
    """Every setting of an installation. `waybill config` prints them with value and source."""

    model_config = SettingsConfigDict(env_prefix="WAYBILL_", extra="ignore", frozen=True)

    data_dir: Path = Field(
        Path(".waybill"), description="Where the embedded database and the seed's secrets live."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: str = Field(
        "",
        description="Address that clients use, where a proxy stands before the server; empty: the"
        " address that was asked.",
    )
    database_url: str = Field(
        "", description="PostgreSQL to use (15 or newer); empty runs an embedded one."
    )
    seed: bool = Field(False, description="Fill a new database with a small world to play in.")
    ready_file: Path | None = Field(
        None, description="Where to write a JSON object once requests are served."
    )
    tls_certificate: Path | None = Field(None, description="PEM chain; serves HTTPS with a key.")
    tls_key: Path | None = Field(None, description="PEM private key of the certificate.")
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="`auto`: console on a terminal, JSON elsewhere."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe log line that is written."
    )

    kdp_release: KdpRelease = Field(
        "25.11", description="The KDP release whose way with duplicates is shown. Per reseller too."
    )
    status_shape: StatusShape = Field(
        "documented",
        description="`documented`: the status of one transaction is bare unless paging is asked"
        " for; `list`: always a page of transactions. Per reseller too.",
    )
    imei_check: Literal["luhn", "digits"] = Field(
        "luhn", description="`luhn` wants a right check digit; `digits` takes any 15 digits."
    )
    allow_test_ids: bool = Field(
        False, description="Accept placeholder and test identifiers as devices."
    )
    serial_pattern: str = Field(
        "R[0-9A-Z]{10}", description="What a serial number must match, whole, in capitals."
    )
    enforce_manufactured: bool = Field(
        False,
        description="Take only devices of the manufacturing list (`waybill manufactured`). Per"
        " reseller too.",
    )
    upload_devices_max: int = _measured(
        100_000, "devices", "Most devices in one request.", ge=1, le=1_000_000
    )
    page_size_max: int = _measured(1_000_000, "rows", "Largest `pageSize`.", ge=1, le=10_000_000)

    database_pool: int = _measured(
        8, "connections", "Database connections of one API process.", ge=1, le=200
    )
    turns_at_once: int = _measured(
        2,
        "resellers",
        "Resellers that one worker serves side by side, each on a database connection.",
        ge=1,
        le=64,
    )
    bodies_in_flight_max: int = _measured(
        64 * 1024 * 1024,
        "bytes",
        "Request bodies that one API process holds in memory together.",
        ge=1024 * 1024,
    )
    request_time_s: float = _measured(
        30.0, "seconds", "Longest that a client may take to send its request.", gt=0
    )
    refusals_per_minute: int = _measured(
        60,
        "entries a minute",
        "Refused calls of one reseller kept in the activity log; the rest are counted.",
        ge=0,
    )

    @property
    def public_database_url(self) -> str:
        """`database_url` without its password, for people and logs."""
        return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", self.database_url)

    @field_validator("serial_pattern")
    @classmethod
    def _serials_are_serials(cls, pattern: str) -> str:
        try:
            matches = re.compile(pattern).fullmatch
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        if matches("35209900176148") or matches("AF0123450ABCDE"):
            raise ValueError("must not match 14 hexadecimal digits: those are an IMEI's or MEID's")
        return pattern

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Settings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("--tls-certificate and --tls-key go together: give both, or neither")
        for path in (self.tls_certificate, self.tls_key):
            if path is not None and not path.is_file():
                raise ValueError(f"there is no file {path}")
        return self

    @property
    def body_max(self) -> int:
        """The largest body of an upload or delete in bytes (contract §3, 40000003)."""
        return 64 * 1024 + 80 * self.upload_devices_max

    def environment(self) -> dict[str, str]:
        """The settings that differ from their defaults, as variables for a child process."""
        found: dict[str, str] = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if value != field.default:
                found[f"WAYBILL_{name.upper()}"] = _as_text(value)
        return found


def load(**options: Any) -> Settings:
    """The settings in force; an option that is None was not given.

    Raises:
        pydantic.ValidationError: an option or a variable does not fit.
    """
    return Settings(**{k: v for k, v in options.items() if v is not None})


def unit_of(name: str) -> str:
    """The unit of a setting; empty where it has none."""
    extra = Settings.model_fields[name].json_schema_extra
    return str(extra["unit"]) if isinstance(extra, dict) else ""


def source(name: str, options: dict[str, Any]) -> str:
    """Where the value of a setting comes from: `option`, `environment` or `default`."""
    if options.get(name) is not None:
        return "option"
    return "environment" if f"WAYBILL_{name.upper()}" in os.environ else "default"


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
