"""More worlds for tests of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from litestar.testing import TestClient

from support.world import World
from waybill.api.app import build
from waybill.config import Settings


@pytest.fixture
def world_with(settings: Settings) -> Iterator[Callable[..., World]]:
    """Makes a world on a server of its own, with changed settings, on the same database."""
    with ExitStack() as stack:

        def make(**changed: object) -> World:
            other = Settings.model_validate(settings.model_dump() | changed)
            client = TestClient(build(other), raise_server_exceptions=False)
            return World(other, stack.enter_context(client))

        yield make


@pytest.fixture(scope="module")
def refuser(settings: Settings, http: TestClient[Any]) -> World:
    """One world for all tests of a module that only send what is refused."""
    return World(settings, http)
