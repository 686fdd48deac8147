"""The benchmark runs, and counts what it sent; how fast it was is nothing to assert."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_a_quick_run_finds_all_that_it_sent(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--json", figures],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    checked = found["checked"]
    assert checked["sent"] == checked["device"] > checked["copied"] > 0
    assert [case["rounds"] for case in found["uploads"]] == [1, 1, 1]
    assert found["paging"]["long_page"]["rows"] == found["paging"]["devices"]
    for part in ("Machine", "Versions", "Settings", "Memory", "Start", "Installation", "Checked"):
        assert part in done.stdout
