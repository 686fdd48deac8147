"""What tests share: a PostgreSQL of our own, the application on it, and a world to act in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from litestar.testing import TestClient

from support.database import let_go, postgres
from support.world import World
from waybill import log
from waybill.api import edge
from waybill.api.app import build
from waybill.config import Settings, load
from waybill.wire.codes import Refused


@pytest.fixture(scope="session", autouse=True)
def only_codes_that_clients_are_told_of() -> Iterator[None]:
    """Whatever any test provokes: a call answers with codes that its description has."""
    untold: set[str] = set()
    fail = edge._failed

    def failed(call: edge.Call, error: Exception, began: float) -> edge.Answer:
        told = call.incoming.route.told
        if told is not None and isinstance(error, Refused) and error.code not in told.refusals:
            untold.add(f"{told.id}: {error.code.code}")
        return fail(call, error, began)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edge, "_failed", failed)
        yield
    assert not untold, "wire/calls.py lacks these"


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The default settings, on a database shared by all tests that bring their own resellers."""
    with postgres() as url:
        settings = load(
            database_url=url, data_dir=tmp_path_factory.mktemp("data"), log_level="error"
        )
        log.configure(settings)
        yield settings
        let_go()


@pytest.fixture(scope="session")
def http(settings: Settings) -> Iterator[TestClient[Any]]:
    """The application as a client reaches it."""
    with TestClient(build(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def world(settings: Settings, http: TestClient[Any]) -> World:
    """A reseller, a customer and a client of this test's own."""
    return World(settings, http)


@pytest.fixture
def world_with(settings: Settings) -> Iterator[Callable[..., World]]:
    """Makes a world on a server of its own, with changed settings, on the same database."""
    with ExitStack() as stack:

        def make(**changed: object) -> World:
            other = Settings.model_validate(settings.model_dump() | changed)
            client = TestClient(build(other), raise_server_exceptions=False)
            return World(other, stack.enter_context(client))

        yield make
