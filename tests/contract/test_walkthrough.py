"""The shell script of the documentation does what it says, on a real server."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from blackbox import Service

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "walkthrough.sh"
STEPS = 11


def _walk(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(SCRIPT), *arguments],
        env={"PATH": os.environ["PATH"], **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def _variables(served: Service, **changed: str) -> dict[str, str]:
    return {
        "WAYBILL_URL": served.url,
        "RESELLER_ID": served.reseller.reseller_id,
        "CUSTOMER_ID": served.customer_id,
        "CLIENT_ID": served.reseller.client_id,
        "CLIENT_SECRET": served.reseller.client_secret,
    } | changed


def test_it_meets_no_surprise(served: Service) -> None:
    walked = _walk(**_variables(served))
    assert walked.returncode == 0, walked.stdout + walked.stderr
    assert walked.stdout.endswith("\nNo surprise.\n")
    assert walked.stdout.count("\n== ") == STEPS
    assert served.reseller.client_secret not in walked.stdout


def test_a_ready_file_tells_it_all(served: Service) -> None:
    if served.ready_file is None:
        pytest.skip("no ready file is named")
    walked = _walk(str(served.ready_file))
    assert walked.returncode == 0, walked.stdout + walked.stderr


@pytest.mark.parametrize(
    "changed",
    [
        {"CLIENT_SECRET": "wrong"},
        {"CUSTOMER_ID": "nobody"},
        {"WAYBILL_URL": "http://127.0.0.1:9"},
    ],
)
def test_it_ends_at_the_first_surprise(served: Service, changed: dict[str, str]) -> None:
    walked = _walk(**_variables(served, **changed))
    assert walked.returncode == 1
    assert "A surprise: " in walked.stderr


def test_it_says_what_it_lacks() -> None:
    walked = _walk()
    assert walked.returncode != 0
    assert "RESELLER_ID" in walked.stderr
