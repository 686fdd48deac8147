"""The suite keeps to what it promises: an address and credentials, and nothing of Waybill's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent


def test_nothing_here_imports_waybill() -> None:
    files = [*HERE.glob("*.py"), HERE.parent / "support" / "answers.py"]
    assert len(files) > 5
    assert not [(path.name, name) for path in files for name in _imports(path) if name == "waybill"]


def test_nothing_here_imports_what_does() -> None:
    allowed = {"support.answers"}
    assert not [
        (path.name, node.module)
        for path in HERE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("support")
        and node.module not in allowed
    ]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module)):
                yield module.partition(".")[0]
