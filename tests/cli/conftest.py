"""What the tests of the command line share."""

from __future__ import annotations

import pytest

from support.cli import Cli
from waybill.config import Settings


@pytest.fixture
def cli(settings: Settings) -> Cli:
    """The command line on the database that tests share."""
    return Cli(settings)
