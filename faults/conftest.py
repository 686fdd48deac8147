"""How often each fault is tried: FAULT_ROUNDS, one by default."""

from __future__ import annotations

import os

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "round_number" in metafunc.fixturenames:
        rounds = int(os.environ.get("FAULT_ROUNDS", "1"))
        metafunc.parametrize("round_number", range(rounds))
