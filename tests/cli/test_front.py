"""The front of the command line: its help, its failures, its exit codes, its manners."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import psycopg
import pytest
from cyclopts import App

from support.cli import Cli, run
from support.processes import until
from support.world import World
from waybill.cli import clients, failure, main, named
from waybill.cli.failure import Exit
from waybill.wire.events import Event
from waybill.wire.scopes import Scope

BINARY = Path(sys.executable).with_name("waybill")
HELP_CPU_S = 0.4


def waybill(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process of its own."""
    known = {k: v for k, v in os.environ.items() if not k.startswith("WAYBILL_")}
    return subprocess.run(
        [BINARY, *arguments],
        capture_output=True,
        text=True,
        env=known | environment,
        check=False,
        timeout=60,
    )


def commands(app: App, *path: str) -> Iterator[tuple[tuple[str, ...], App]]:
    """Every command, below groups too."""
    for name in app:
        if not name.startswith("-"):
            found = app[name]
            inner = list(commands(found, *path, name))
            yield from inner or [((*path, name), found)]


# --- help ---------------------------------------------------------------------------------------


def test_help_names_every_command_with_what_it_does() -> None:
    ran = run("--help")
    assert ran.code == 0
    told = " ".join(ran.out.replace("│", " ").split())
    for name in main.app:
        if not name.startswith("-"):
            assert re.search(rf"\b{name} +[A-Z]", told), name
    for group in ("Run", "Administer", "Look", "Try out"):
        assert f" {group} " in told
    assert "Exit codes: 0 done" in told
    assert run().out == run("-h").out == ran.out


def test_the_table_of_commands_says_what_the_commands_say() -> None:
    for _, name, _, summary in main.COMMANDS:
        assert main.app[name].help.strip().startswith(summary.removesuffix(".")), name


def test_every_command_explains_itself_and_each_of_its_options() -> None:
    found = list(commands(main.app))
    assert len(found) > 30
    assert not [path for path, app in found if not app.help.strip()]
    options = [line for line in main.app.generate_docs().splitlines() if line.startswith("* `")]
    assert len(options) > 100
    assert not [line for line in options if "`: " not in line]


def test_commands_that_change_much_teach_by_example() -> None:
    for path in (
        *(("resellers", "create"), ("resellers", "change"), ("clients", "create")),
        *(("clients", "rotate"), ("customers", "associate"), ("approve",), ("device",)),
        *(("transactions",), ("transaction",), ("activity",)),
    ):
        assert f"waybill {path[0]}" in run(*path, "--help").out, path


def test_help_is_quick_and_loads_nothing_that_it_does_not_show() -> None:
    code = (
        "import sys; from waybill.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*(m for m in ('psycopg', 'pydantic', 'litestar', 'waybill.config')"
        " if m in sys.modules), file=sys.stderr)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.stderr.strip() == ""
    # Of its own time: a machine that does other things as well makes it wait.
    took = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    assert took < HELP_CPU_S


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", run("--version").out)


def test_each_scope_can_be_asked_for() -> None:
    assert list(get_args(clients.ScopeName)) == [each.value for each in Scope]


# --- what makes no sense ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("reseller",), 'Unknown command "reseller". Did you mean "resellers"?'),
        (("resellers", "lst"), 'Unknown command "lst". Did you mean "list"?'),
        (("resellers", "list", "--jsn"), "Unknown option: --jsn. Did you mean --json?"),
        (("resellers", "create"), 'Command "resellers create" parameter NAME requires'),
        (("transactions", "--days", "x"), 'Invalid value for --days: unable to convert "x"'),
        (("transactions", "--state", "Done"), 'Invalid value "Done" for --state. Choose from:'),
        (("imei", "0"), "COUNT must be 1 to 100000, not 0."),
        (("imei", "2", "--meid", "--serial"), "--meid and --serial exclude each other"),
        (("resellers", "list", "--database-url", "x"), "--database-url (WAYBILL_DATABASE_URL)"),
        (("resellers", "create", "\udcff"), "An argument is no valid text: '\\udcff'."),
    ],
)
def test_a_command_that_makes_no_sense_is_told_why(
    arguments: tuple[str, ...], sentence: str
) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith(f"waybill: {sentence}")
    assert ran.err.count("\n") == 1


def test_a_setting_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_PORT", "many")
    ran = run("resellers", "list")
    assert ran.code == 2
    assert ran.err.startswith("waybill: WAYBILL_PORT: ")


def test_a_password_in_a_bad_address_is_not_repeated() -> None:
    ran = run("resellers", "list", "--database-url", "postgresql://me:sesame@host/db?nonsense=1")
    assert ran.code == 2
    assert "sesame" not in ran.err


def test_an_event_that_does_not_exist_names_the_nearest(cli: Cli) -> None:
    code, sentence = cli.refused("activity", "--event", "Device uploadet")
    assert code == 2
    assert sentence.startswith("There is no event Device uploadet. Did you mean Device uploaded?")


def test_the_activity_log_takes_names_and_any_case(cli: Cli, world: World) -> None:
    world.uploaded()
    found = cli.json("activity", "--reseller", world.reseller_id, "--event", "device UPLOADED")
    assert [each["event"] for each in found] == [Event.DEVICES_UPLOADED]
    assert cli.refused("activity", "--customer", f"{world.customer_id}x")[0] == 3


# --- what cannot be done ------------------------------------------------------------------------


def test_without_a_server_it_says_how_to_name_one(tmp_path: Path) -> None:
    ran = run("resellers", "list", "--data-dir", str(tmp_path))
    assert ran.code == 1
    assert ran.err == (
        f"waybill: No server is running on {tmp_path}. Start `waybill serve` in another terminal,"
        " or say which database is meant: --data-dir, or --database-url.\n"
    )


def test_a_database_that_is_away_is_one_sentence_for_people_and_an_object_for_scripts() -> None:
    command = ("resellers", "list", "--database-url", "postgresql://127.0.0.1:1/x")
    ran = run(*command)
    assert ran.code == 1
    assert ran.err.startswith("waybill: The database cannot be used: connection failed")
    assert ran.err.count("\n") == 1
    told = run(*command, "--json").json
    assert told["errorId"] is told["code"] is None
    assert told["message"] == "FAILED"
    assert f"waybill: {told['data']}\n" == ran.err


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (psycopg.errors.UndefinedColumn("x"), "The database was made by another version"),
        (psycopg.errors.LockNotAvailable("x"), "Somebody else is changing the same: try again."),
        (psycopg.errors.QueryCanceled("x"), "This takes the database too long: ask for less."),
        (psycopg.errors.DiskFull("no space\nleft"), "The database cannot be used: no space"),
    ],
)
def test_what_the_database_says_is_put_in_a_sentence(problem: Exception, sentence: str) -> None:
    told = failure.told(problem)
    assert told.exit == Exit.FAILED
    assert told.sentence.startswith(sentence)
    assert "\n" not in told.sentence


def test_even_a_bug_is_one_sentence(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("something\nunforeseen")

    monkeypatch.setattr(named.resellers, "find", broken)
    code, sentence = cli.refused("resellers", "show", "x")
    assert code == 1
    assert sentence.startswith("Something unforeseen, a bug of ours: KeyError: ")
    assert "test_front.py:" in sentence


# --- manners ------------------------------------------------------------------------------------


def shell(script: str) -> tuple[int, str]:
    """Exit code and standard error of a script for bash; output is buffered as it usually is."""
    known = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    command = ["bash", "-c", f"set -o pipefail; {script}"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=known)
    return ran.returncode, ran.stderr


def test_whoever_stops_reading_is_left_in_peace(settings: Any) -> None:
    in_peace = (0, "")
    assert shell(f"{BINARY} imei 100000 | head -n 1") == in_peace
    # What is written stays in a buffer until the very end.
    assert shell(f"{BINARY} imei 5 | true") == in_peace
    assert shell(f"{BINARY} config --database-url '{settings.database_url}' | true") == in_peace
    assert shell(f"{BINARY} imei 5 >&-") == in_peace


@pytest.mark.parametrize("count", [5, 50_000])
def test_a_full_disk_is_one_sentence(count: int) -> None:
    told = (1, "waybill: Standard output: No space left on device.\n")
    assert shell(f"{BINARY} imei {count} > /dev/full") == told


def test_ctrl_c_ends_a_command_without_a_word(settings: Any) -> None:
    known = {k: v for k, v in os.environ.items() if not k.startswith("WAYBILL_")}
    command = [BINARY, "vendors", "list", "--database-url", settings.database_url]
    with psycopg.connect(settings.database_url) as tx:
        tx.execute("lock table vendor in access exclusive mode")
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=known
        )
        until(lambda: _waits(settings.database_url), "the command to wait for the lock")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, b"", b"")


def _waits(url: str) -> bool:
    with psycopg.connect(url) as tx:
        found = tx.execute(
            "select exists (select from pg_locks where not granted"
            " and relation = 'vendor'::regclass)"
        ).fetchone()
    return bool(found and found[0])


def test_tables_have_colour_where_people_look_and_none_in_a_pipe(
    cli: Cli, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.uploaded()
    command = ("transactions", "--reseller", world.reseller_id)
    assert "\x1b" not in cli(*command).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    coloured = cli(*command).out
    assert "\x1b[32mComplete\x1b[0m" in coloured
    assert coloured.count(world.reseller_id) == 1


@pytest.mark.parametrize("columns", ["40", "80", "100", "130"])
def test_a_narrow_terminal_folds_tables_and_loses_nothing(
    cli: Cli, world: World, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    world.uploaded(orderNo="An order number that is rather long to show on one line")
    cli("resellers", "change", world.reseller_id, "--name", "x" * 50, "--enforce-list", "no")
    monkeypatch.setenv("FORCE_COLOR", "1")
    for command in (
        ("transactions", "--reseller", world.reseller_id),
        ("activity", "--reseller", world.reseller_id),
    ):
        monkeypatch.setenv("COLUMNS", "1000")
        wide = _letters(cli(*command).out)
        monkeypatch.setenv("COLUMNS", columns)
        narrow = cli(*command).out
        assert _letters(narrow) == wide
        table = re.sub(r"\x1b\[[0-9;]*m", "", narrow).partition("\n\n")[0]
        assert max(map(len, table.splitlines())) <= int(columns)


def _letters(text: str) -> list[str]:
    return sorted(re.sub(r"\x1b\[[0-9;]*m|\s", "", text))


def test_a_column_that_is_empty_in_all_rows_is_left_to_scripts(cli: Cli, world: World) -> None:
    world.uploaded()
    head, *_ = cli("transactions", "--reseller", world.reseller_id).out.splitlines()
    assert "order no" not in head
    world.uploaded(orderNo="O-1")
    head, *_ = cli("transactions", "--reseller", world.reseller_id).out.splitlines()
    assert "order no" in head


# --- completion ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["waybill", "res"], ["resellers"]),
        (["waybill", "resellers", "re"], ["reopen"]),
        (["waybill", "transactions", "--st"], ["--state"]),
        (["waybill", "transactions", "--state", "P"], ["Progress"]),
    ],
)
def test_bash_completes_commands_options_and_choices(
    tmp_path: Path, words: list[str], offered: list[str]
) -> None:
    ran = waybill("--install-completion", "--shell", "bash", HOME=str(tmp_path))
    assert ran.returncode == 0, ran
    (script,) = (tmp_path / ".local/share/bash-completion/completions").iterdir()
    listed = " ".join(f"'{word}'" for word in words)
    asked = (
        f"source {script}; COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; _waybill;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    told = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.split() == offered


# --- the reference ------------------------------------------------------------------------------


def test_the_reference_names_every_member_of_every_json(cli: Cli, world: World) -> None:
    """A script may rely on what it reads there."""
    world.associated()
    (imei,) = world.upload_body()["devices"]
    done = world.uploaded([imei, imei])["transactionId"]
    world.vendor()
    world.alias("Drivers")
    reseller = ("--reseller", world.reseller_id)
    documents = {
        "resellers": [cli.json("resellers", "show", world.reseller_id)],
        "vendors": cli.json("vendors", "list", *reseller),
        "customers": [
            cli.json("customers", "show", world.customer_id),
            *cli.json("customers", "list", *reseller),
            cli.json("customers", "auto-approve", world.customer_id, "on", *reseller),
        ],
        "aliases": cli.json("aliases", "list", *reseller),
        "clients": [cli.json("clients", "create", *reseller)],
        "approve": cli.json("approve", "--upload", done),
        "device": [cli.json("device", imei)],
        "transactions": cli.json("transactions", *reseller),
        "transaction": [cli.json("transaction", done, "--outcomes")],
        "activity": cli.json("activity", *reseller),
        "config": cli.json("config"),
    }
    page = (Path(__file__).parents[2] / "docs/reference/commands.md").read_text()
    for command, rows in documents.items():
        _, _, rest = page.partition(f"\n## waybill {command}\n")
        told = rest.partition("\n## ")[0]
        if command == "transaction":
            told += page.partition("\n## waybill transactions\n")[2].partition("\n## ")[0]
        assert rows, command
        missing = {name for row in rows for name in _members(row) if f"`{name}`" not in told}
        assert not missing, command


def _members(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _members(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            if name != "details":
                yield from _members(each)


def test_an_object_for_scripts_is_one_document(cli: Cli) -> None:
    ran = cli("resellers", "show", "x" * 65, "--json")
    assert json.loads(ran.out)["message"] == "NOT_FOUND"
    assert ran.code == 3
