"""The documents say what is so: links lead somewhere, commands exist, shell lines run."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support.processes import Serve, place
from waybill.config import Settings
from waybill.wire.codes import Code

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
GUIDE = DOCS / "guide" / "integrator.md"
ANYTHING = "…"

# In two halves each: this file is tracked as well, and must not offend by what it forbids.
FORBIDDEN = tuple(
    first + second
    for first, second in (
        ("/wo", "rk/"),
        ("seam", "less"),
        ("blaz", "ing"),
        ("power", "ful"),
        ("cutting", "-edge"),
        ("world", "-class"),
        ("effort", "less"),
        ("revolu", "tion"),
        ("enter", "prise-grade"),
        ("simply ", "just"),
    )
)


# --- what stands in them ------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_internal_link_leads_somewhere(page: Path) -> None:
    broken = [
        target
        for target in re.findall(r"\]\(([^)\s]+)\)", _text(page))
        if not re.match(r"[a-z]+:", target) and not _leads_somewhere(page, target)
    ]
    assert not broken


def test_no_page_holds_a_forbidden_word() -> None:
    assert not [
        f"{page.relative_to(ROOT)}: {word}"
        for page in PAGES
        for word in FORBIDDEN
        if word in _text(page).lower()
    ]


def test_every_page_is_linked_from_another() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", _text(page))
    }
    assert not [page for page in PAGES if page.parent != ROOT and page not in linked]


def test_the_guide_says_how_to_get_every_code() -> None:
    assert not [code.code for code in Code if str(code.code) not in _text(GUIDE)]


def test_the_choices_and_differences_are_about_settings_that_exist() -> None:
    """A word in code with an underscore is a setting, or a word of OAuth."""
    oauth = {"client_id", "client_secret", "expires_in", "grant_type", "client_credentials"}
    oauth |= {"invalid_client", "invalid_request", "invalid_scope"}
    pages = [DOCS / "contract" / name for name in ("README.md", "choices.md", "divergences.md")]
    named = {
        word
        for page in pages
        for word in re.findall(r"`([a-z]+(?:_[a-z]+)+)(?:=[^`]*)?`", _text(page))
    }
    assert named
    assert not named - set(Settings.model_fields) - oauth


def test_every_library_has_a_line_that_says_why() -> None:
    pyproject = tomllib.loads(_text(ROOT / "pyproject.toml"))
    wanted = [
        *pyproject["project"]["dependencies"],
        *(each for group in pyproject["dependency-groups"].values() for each in group),
    ]
    told = _text(DOCS / "decisions" / "0010-libraries.md")
    assert not [each for each in wanted if re.split(r"[\[<>=; ]", each)[0] not in told]


# --- what is made from the code -----------------------------------------------------------------


def test_the_reference_is_what_the_code_says() -> None:
    pages = [page for page in (DOCS / "reference").iterdir() if page.suffix in {".md", ".json"}]
    written = {page.name: _text(page) for page in pages}
    generate = _script(DOCS / "reference" / "generate.py")
    outdated = [name for name, write in generate.PAGES.items() if written.get(name) != write()]
    assert not outdated, "run .venv/bin/python docs/reference/generate.py"
    assert written.keys() == generate.PAGES.keys()


def test_the_picture_shows_what_serve_prints() -> None:
    terminal = _script(DOCS / "pictures" / "terminal.py")
    assert _text(terminal.PICTURE) == terminal.draw(), (
        "run .venv/bin/python docs/pictures/terminal.py"
    )


def test_every_command_that_a_page_names_exists() -> None:
    commands = _commands()
    unknown = [
        f"{page.relative_to(ROOT)}: waybill {words}"
        for page in PAGES
        for words in _invocations(_text(page))
        if not _is_known(words.split(), commands)
    ]
    assert not unknown


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", _text(ROOT / "Makefile"), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for code in _code(_text(page))
        for target in re.findall(r"(?:^|\n| )make ([a-z]+)", code)
    }
    assert named
    assert named <= targets


# --- what can be run ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Path, Serve, Serve]]:
    """Two servers, started at once: with the small world in it, and as one starts for real."""
    with (
        place() as folder,
        Serve(folder / "seeded", "--seed") as seeded,
        Serve(folder / "data") as empty,
    ):
        yield folder, seeded, empty


@pytest.fixture(scope="module")
def seeded(servers: tuple[Path, Serve, Serve]) -> dict[str, str]:
    """The server with the small world in it: what the guide's variables hold."""
    ready = servers[1].ready()
    reseller = ready["resellers"][0]
    return {
        "BASE": ready["baseUrl"],
        "RESELLER_ID": reseller["resellerId"],
        "CUSTOMER_ID": ready["customers"][0]["customerId"],
        "CLIENT_ID": reseller["clientId"],
        "CLIENT_SECRET": reseller["clientSecret"],
        "OPERATOR_ID": ready["operator"]["clientId"],
        "OPERATOR_SECRET": ready["operator"]["clientSecret"],
    }


def test_the_integrators_lines_give_the_answers_that_the_guide_shows(
    seeded: dict[str, str],
) -> None:
    _assert_runs(GUIDE, "run", seeded)


def test_the_script_of_all_codes_gets_each_of_them(seeded: dict[str, str]) -> None:
    ran = _shell(DOCS / "guide" / "every-code.sh", seeded)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    got = {int(number) for number in re.findall(r"^(\d{8})  ", ran.stdout, re.MULTILINE)}
    left_out = {Code.CUSTOMER_RESELLER_ALREADY_ASSOCIATED, Code.INTERNAL_SERVER_ERROR}
    assert got == {code.code for code in Code} - {code.code for code in left_out}


@pytest.mark.parametrize(
    ("page", "reseller_id"),
    [("README.md", "harbour"), ("docs/guide/operator.md", "meridian")],
)
def test_an_operators_lines_lead_from_nothing_to_a_first_upload(
    servers: tuple[Path, Serve, Serve], page: str, reseller_id: str
) -> None:
    folder, _, empty = servers
    base = empty.ready()["baseUrl"]

    def here(lines: str) -> str:
        return lines.replace("http://127.0.0.1:8080", base).replace("$PWD", str(ROOT))

    _assert_runs(ROOT / page, "run: empty", {"RESELLER_ID": reseller_id}, folder, here)


# In place of the guides' `sleep`: a reader's machine is idle, ours may be busy.
SLEEP = """
sleep() {
  for _ in $(seq 300); do
    curl -sS -H "Authorization: Bearer $TOKEN" \
      "$BASE/kcs/v1/rp/devices/status?resellerId=$RESELLER_ID&pageSize=100" |
      grep -q '"Progress"' || return 0
    command sleep 0.1
  done
  return 1
}
"""


# --- how ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Block:
    """A fenced block: the comment right above it, its language, and what it holds."""

    marker: str
    language: str
    text: str


def _blocks(page: Path) -> list[_Block]:
    found = re.finditer(
        r"^(?:<!-- (?P<marker>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
        _text(page),
        re.MULTILINE | re.DOTALL,
    )
    return [_Block(each["marker"] or "", each["language"], each["text"]) for each in found]


def _assert_runs(
    page: Path,
    marker: str,
    variables: dict[str, str],
    folder: Path = ROOT,
    changed: Callable[[str], str] = str,
) -> None:
    """Runs the marked blocks of a page in one shell and compares what each printed."""
    blocks = _blocks(page)
    lines, expected = ["set -eu", SLEEP], []
    for block, after in zip(blocks, [*blocks[1:], None], strict=True):
        if block.marker == marker:
            assert block.language == "sh"
            lines += [changed(block.text), r"printf '\036'"]
            expected.append(after.text if after and after.marker == "answer" else None)
    assert any(expected)
    ran = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        cwd=folder,
        env=_environment(variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    printed = ran.stdout.split("\036")[:-1]
    assert len(printed) == len(expected), ran.stdout + ran.stderr
    for output, wanted in zip(printed, expected, strict=True):
        if wanted is not None:
            _assert_alike(_documents(output), _documents(wanted), output)


def _documents(text: str) -> list[Any]:
    """The JSON documents in a text, one after another."""
    decoder, found, text = json.JSONDecoder(), [], text.strip()
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:].lstrip()
    return found


def _assert_alike(answer: Any, shown: Any, whole: str) -> None:
    """Equal, members in the same order, except where the page shows an ellipsis."""
    if shown == ANYTHING:
        return
    assert type(answer) is type(shown), whole
    if isinstance(shown, dict):
        assert list(answer) == list(shown), whole
        for name, value in shown.items():
            _assert_alike(answer[name], value, whole)
    elif isinstance(shown, list):
        assert len(answer) == len(shown), whole
        for each, value in zip(answer, shown, strict=True):
            _assert_alike(each, value, whole)
    else:
        assert answer == shown, whole


def _shell(script: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", script],
        env=_environment(variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _environment(variables: dict[str, str]) -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith("WAYBILL_")}
    return ours | {"LC_ALL": "C.UTF-8"} | variables


@cache
def _text(page: Path) -> str:
    return page.read_text("utf-8")


@cache
def _script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _leads_somewhere(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    found = (page.parent / name).resolve() if name else page
    if not found.exists():
        return False
    return not anchor or found.suffix != ".md" or anchor in _anchors(found)


@cache
def _anchors(page: Path) -> set[str]:
    """Headings as a forge turns them into anchors."""
    prose = re.sub(r"^```.*?^```$", "", _text(page), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _code(text: str) -> list[str]:
    """What stands in code: fenced blocks, and spans outside of them."""
    fenced = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [*fenced, *re.findall(r"`([^`\n]+)`", prose)]


def _invocations(text: str) -> Iterator[str]:
    for code in _code(text):
        for line in code.replace("\\\n", " ").splitlines():
            for found in re.findall(r"(?:^|[ /$(])waybill ((?:-?[\w-]|[ =\"])+)", line):
                yield found.partition(" #")[0]


def _commands() -> dict[str, set[str]]:
    """Each command (`clients create`) with its options, from the generated page."""
    sections = re.split(r"^##+ waybill ", _text(DOCS / "reference" / "commands.md"), flags=re.M)[1:]
    return {
        section.split("\n", 1)[0].strip(): set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", section))
        for section in sections
    }


def _is_known(words: list[str], commands: dict[str, set[str]]) -> bool:
    name = " ".join(words[:2]) if " ".join(words[:2]) in commands else words[0]
    if name not in commands:
        return name in {"COMMAND", "--help", "--version"}
    options = {word.partition("=")[0] for word in words if word.startswith("-")}
    return options <= commands[name] | {"--help"}
