"""The house rules that no linter keeps (see ARCHITECTURE.md); imports are `make imports`."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "waybill"
SOURCES = sorted(SRC.rglob("*.py"))

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
LINE_MAX = 100

DOORS = {"app", "api", "cli", "portal", "sandbox", "worker"}
NOUNS = {
    "activity",
    "auth",
    "customers",
    "devices",
    "integrity",
    "manufactured",
    "resellers",
    "transactions",
    "webhooks",
}
NOUN_FILES = {"__init__.py", "rules.py", "actions.py", "store.py"}
NAMES_THAT_SAY_NOTHING = {
    "base",
    "common",
    "core",
    "helper",
    "helpers",
    "manager",
    "misc",
    "service",
} | {"util", "utils"}
# In two halves: this file is tracked as well.
REGISTRIES = tuple(
    f"{name}.{domain}"
    for name, domain in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))
)


def test_no_function_is_longer_than_the_cap() -> None:
    assert not [
        f"{_at(path, node)} {node.name}: {_lines(node)} lines"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _lines(node) > FUNCTION_LINES_MAX
    ]


def test_no_file_is_longer_than_the_cap() -> None:
    lengths = {_name(path): len(_text(path).splitlines()) for path in SOURCES}
    assert not {name: length for name, length in lengths.items() if length > FILE_LINES_MAX}


def test_no_line_is_longer_than_the_cap() -> None:
    assert not [
        f"{_name(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(_text(path).splitlines(), 1)
        if len(line) > LINE_MAX
    ]


def test_every_module_has_a_name_that_says_something() -> None:
    modules = [*SOURCES, *(ROOT / "tests").rglob("*.py")]
    assert not [
        _name(path)
        for path in modules
        if NAMES_THAT_SAY_NOTHING & {*path.relative_to(ROOT).parts[:-1], path.stem.strip("_")}
    ]


def test_a_noun_holds_rules_actions_and_store_and_nothing_else() -> None:
    assert not [
        _name(path)
        for path in SOURCES
        if _part(path) in NOUNS and (path.name not in NOUN_FILES or path.parent.parent != SRC)
    ]


def test_sql_stands_in_stores_and_in_the_database_package_only() -> None:
    assert not [
        _at(path, call)
        for path in SOURCES
        if path.name != "store.py" and _part(path) != "db"
        for call in _calls(path, "execute", "executemany", "copy")
        if call.args and _is_literal(call.args[0])
    ]


def test_only_doors_commit() -> None:
    assert not [
        _at(path, call)
        for path in SOURCES
        if _part(path) not in DOORS
        for call in _calls(path, "commit")
    ]


def test_what_the_code_imports_a_user_has() -> None:
    """Developers have more installed than users do: a forgotten dependency would go unnoticed."""
    locked = _locked("requirements.lock").keys()
    distributions = packages_distributions()
    assert not {
        f"{_name(path)}: {module}"
        for path in SOURCES
        for module in _imports(path)
        if module not in sys.stdlib_module_names
        and module != "waybill"
        and not {canonicalize_name(name) for name in distributions.get(module, [])} & locked
    }


def test_the_lock_files_fit_the_dependency_lists_and_each_other() -> None:
    pyproject = tomllib.loads(_text(ROOT / "pyproject.toml"))
    groups = pyproject["dependency-groups"]
    users = _locked("requirements.lock")
    developers = _locked("requirements-dev.lock")
    assert users.items() <= developers.items()
    _assert_satisfied(pyproject["project"]["dependencies"], users)
    _assert_satisfied(groups["dev"], developers)
    _assert_satisfied(
        [*pyproject["build-system"]["requires"], *groups["build"]],
        _locked("requirements-build.lock"),
    )


def test_no_tracked_file_names_a_registry() -> None:
    assert not [
        f"{path}: {registry}"
        for path in _tracked()
        for registry in REGISTRIES
        if registry.encode() in (ROOT / path).read_bytes()
    ]


@cache
def _text(path: Path) -> str:
    return path.read_text("utf-8")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(_text(path), str(path))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _at(path: Path, node: ast.stmt | ast.expr) -> str:
    return f"{_name(path)}:{node.lineno}"


def _part(path: Path) -> str:
    """The top-level package or module of ours that a source file belongs to."""
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _calls(path: Path, *methods: str) -> Iterator[ast.Call]:
    for node in ast.walk(_tree(path)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in methods
        ):
            yield node


def _is_literal(node: ast.expr) -> bool:
    """Text written on the spot: a string, an f-string, or either joined or formatted."""
    match node:
        case ast.Constant(value=str() | bytes()) | ast.JoinedStr():
            return True
        case ast.BinOp(left=left, right=right):
            return _is_literal(left) or _is_literal(right)
        case ast.Call(func=ast.Attribute(value=value)):
            return _is_literal(value)
        case _:
            return False


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]


def _locked(name: str) -> dict[str, str]:
    """Name and version of each package that a lock file pins."""
    return {
        canonicalize_name(package): rest.split()[0]
        for line in _text(ROOT / name).splitlines()
        if not line.startswith((" ", "#"))
        for package, _, rest in [line.partition("==")]
    }


def _assert_satisfied(wanted: list[str], locked: dict[str, str]) -> None:
    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not locked: run `make lock`"
        assert requirement.specifier.contains(version, prereleases=True), (
            f"{requirement} is locked as {version}: run `make lock`"
        )


def _tracked() -> list[str]:
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [path for path in listed.decode().split("\0") if path and (ROOT / path).is_file()]
