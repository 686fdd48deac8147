"""What tests share: a PostgreSQL of our own, the application on it, and a world to act in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from support.database import postgres
from support.world import World
from waybill import log
from waybill.api.app import build
from waybill.config import Settings, load


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The default settings, on a database shared by all tests that bring their own resellers."""
    with postgres() as url:
        settings = load(
            database_url=url, data_dir=tmp_path_factory.mktemp("data"), log_level="error"
        )
        log.configure(settings)
        yield settings


@pytest.fixture(scope="session")
def http(settings: Settings) -> Iterator[TestClient[Any]]:
    """The application as a client reaches it."""
    with TestClient(build(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def world(settings: Settings, http: TestClient[Any]) -> World:
    """A reseller, a customer and a client of this test's own."""
    return World(settings, http)
