"""Requests of all kinds, right and wrong, made from the OpenAPI document by schemathesis.

Each answer must be one that the document tells of; the server must never be at fault; what the
document allows must not be refused for its form, and what it does not allow must be refused.
`make fuzz` tries more.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from blackbox import Account, Service

HERE = Path(__file__).parent
EXAMPLES = int(os.environ.get("WAYBILL_FUZZ_EXAMPLES", "20"))


@pytest.fixture
def document(served: Service) -> str:
    """The address of the server's OpenAPI document."""
    if served.http.get("/openapi.json").status_code != 200:
        pytest.skip("the server has no OpenAPI document")
    return f"{served.url}/openapi.json"


def test_the_server_keeps_to_its_document(
    served: Service, reseller: Account, document: str, tmp_path: Path
) -> None:
    before = _accepted(reseller)
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            f"--config-file={HERE / 'schemathesis.toml'}",
            "run",
            f"--max-examples={EXAMPLES}",
            "--no-color",
            document,
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(HERE),
            "CONTRACT_TOKEN": reseller.new_token(expires_in="3600"),
            "CONTRACT_RESELLER_ID": reseller.reseller_id,
            "CONTRACT_CUSTOMER_ID": served.customer_id,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Fuzzing that is refused at the door would find nothing.
    tried = re.search(r"(\d+) generated", done.stdout)
    assert tried is not None, done.stdout
    assert int(tried[1]) > 500
    assert _accepted(reseller) - before > 20


def _accepted(reseller: Account) -> int:
    return reseller.gets("/devices/status").json()["devices"]["totalCount"]
