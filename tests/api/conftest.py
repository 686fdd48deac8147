"""More worlds for tests of the API."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.testing import TestClient

from support.world import World
from waybill.config import Settings


@pytest.fixture(scope="module")
def refuser(settings: Settings, http: TestClient[Any]) -> World:
    """One world for all tests of a module that only send what is refused."""
    return World(settings, http)
