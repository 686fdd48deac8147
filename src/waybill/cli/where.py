"""The options that say which installation a command is about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from waybill.config import Settings, load


@Parameter(name="*", group="Which installation")
@dataclass(frozen=True)
class Where:
    """Which installation: by default the server that runs on `./.waybill`.

    Attributes:
        data_dir: The data directory of a running server (WAYBILL_DATA_DIR).
        database_url: A PostgreSQL database (WAYBILL_DATABASE_URL).
    """

    data_dir: Path | None = None
    database_url: str | None = None

    def settings(self) -> Settings:
        """The settings with these options."""
        return load(data_dir=self.data_dir, database_url=self.database_url)


HERE = Where()
Json = Annotated[bool, Parameter(name="--json", show_default=False, help="JSON, for scripts.")]
