"""The command line: `waybill`. Commands are loaded when they run: `--help` must be quick."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Group, Parameter

from waybill.cli.failure import Exit, Senseless, is_output, told

RUN, ADMINISTER, LOOK, TRY, OPTIONS = (
    Group(name, sort_key=place)
    for place, name in enumerate(("Run", "Administer", "Look", "Try out", "Options"))
)

CONVENTIONS = """
Exit codes: 0 done; 1 could not be done (the database is away, a file cannot be written);
2 the command makes no sense as it is; 3 it names something that does not exist; 4 what is there
already stands against it (an ID that is taken, an association that exists, something closed);
130 interrupted.

With `--json` exactly one JSON document goes to standard output. After a failure that is the error
object, with the members `errorId`, `code`, `message` and `data`; `code` and `errorId` are null
where the KDP contract knows no such refusal. The sentence for people goes to standard error in
any case. Times are UTC.
"""


def _version() -> str:
    from importlib.metadata import version

    return version("waybill")


def serve(
    *,
    data_dir: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    next_port: Annotated[bool, Parameter(show_default=False)] = False,
    database_url: str | None = None,
    seed: bool | None = None,
    ready_file: Path | None = None,
    worker: Annotated[bool, Parameter(negative="--no-worker", show_default=False)] = True,
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
    log_format: str | None = None,
    log_level: str | None = None,
) -> int:
    """Run the server: PostgreSQL, the API and a worker, supervised.

    Ctrl-C stops it. Every option can be set in the environment too: `--data-dir` is
    WAYBILL_DATA_DIR. `waybill config` lists all settings.

        waybill serve --seed                   a small world to play in
        waybill serve --database-url URL       on a PostgreSQL of yours

    Args:
        data_dir: Where the embedded database and the seed's secrets live.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        next_port: Take the next free port where the port is taken.
        database_url: Use this PostgreSQL (15 or newer) in place of an embedded one.
        seed: Fill a new database with a small world to play in.
        ready_file: Write address, IDs and the seed's secrets here as JSON once requests are served.
        worker: Run a worker; without one, `waybill worker` does the work elsewhere.
        tls_certificate: PEM file with the certificate chain: serves HTTPS.
        tls_key: PEM file with its private key.
        log_format: auto, console or json.
        log_level: debug, info, warning or error.
    """
    from waybill.cli.serve import serve as supervise
    from waybill.config import load

    settings = load(
        data_dir=data_dir,
        host=host,
        port=port,
        database_url=database_url,
        seed=seed,
        ready_file=ready_file,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        log_format=log_format,
        log_level=log_level,
    )
    return supervise(settings, worker=worker, next_port=next_port)


def worker(*, database_url: str | None = None, data_dir: Path | None = None) -> None:
    """Run a worker alone: any number may share one database.

    Args:
        database_url: The PostgreSQL of the server.
        data_dir: Or the data directory of a server on this machine.
    """
    from waybill.cli.database import url_of
    from waybill.config import load
    from waybill.worker.__main__ import work

    settings = load(database_url=database_url, data_dir=data_dir)
    work(settings.model_copy(update={"database_url": url_of(settings)}))


# Group, name, where it is, and how its help begins: to read that off the command would load it.
COMMANDS: tuple[tuple[Group, str, str, str], ...] = (
    (RUN, "config", "settings:config", "Show every setting with its value, source and meaning."),
    (ADMINISTER, "resellers", "resellers:app", "Resellers: who uploads devices."),
    (ADMINISTER, "customers", "customers:app", "Customers: whom devices are for."),
    (ADMINISTER, "vendors", "vendors:app", "Vendors: for whom a distributor uploads."),
    (ADMINISTER, "aliases", "aliases:app", "Profile aliases: what an upload may ask for."),
    (ADMINISTER, "clients", "clients:app", "OAuth clients: how a reseller's software signs in."),
    (ADMINISTER, "manufactured", "manufactured:app", "The manufacturing list: which phones exist."),
    (ADMINISTER, "approve", "approve:approve", "Approve devices on the customer's behalf."),
    (LOOK, "device", "device:device", "Show what a device is, who holds it and its whole history."),
    (LOOK, "transactions", "transactions:transactions", "Show uploads and deletes, newest first."),
    (LOOK, "transaction", "transactions:transaction", "Show one upload or delete in full."),
    (LOOK, "activity", "log:activity", "Show the activity log, the newest entry first."),
    (LOOK, "verify", "verify:verify", "Prove what must hold."),
    (TRY, "imei", "identifiers:imei", "Print made-up device identifiers that an upload accepts."),
)


def build(*, overview: bool = False) -> App:
    """The commands, none of which is loaded before it is used.

    Args:
        overview: for `waybill --help` alone, which tells of all of them and loads none. Elsewhere
            what stands in the table would hide what a command itself has to say.
    """
    made = App(
        name="waybill",
        version=_version,
        help="A self-hosted device deployment programme that speaks the KDP reseller API.",
        help_epilogue=CONVENTIONS if overview else None,
        group_commands=OPTIONS if overview else None,
        default_parameter=Parameter(negative=()),
    )
    made.command(serve, group=RUN)
    made.command(worker, group=RUN)
    for group, name, where, summary in COMMANDS:
        told_at_once = {"help": summary} if overview else {}
        made.command(f"waybill.cli.{where}", name=name, group=group, **told_at_once)
    made.register_install_completion_command(
        help="Install completion for this shell (bash, zsh, fish).", group=OPTIONS
    )
    return made


app = build()


def main(arguments: list[str] | None = None) -> None:
    """The entry point: runs a command; what goes wrong is one sentence and an exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        _refuse_bytes(given)
        chosen = build(overview=True) if given in ([], ["--help"], ["-h"]) else app
        code: Any = chosen(
            given, result_action="return_value", exit_on_error=False, print_error=False
        )
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has read enough (`waybill imei 1000 | head`).
        _forget_output()
        raise SystemExit(Exit.DONE) from None
    except KeyboardInterrupt:
        raise SystemExit(Exit.INTERRUPTED) from None
    except Exception as problem:
        if is_output(problem):
            _forget_output()
        raise SystemExit(_fail(problem, json="--json" in given)) from None
    raise SystemExit(code if isinstance(code, int) else Exit.DONE)


def _forget_output() -> None:
    """What is still to be written goes nowhere: else Python would complain when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse_bytes(given: list[str]) -> None:
    for argument in given:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise Senseless(f"An argument is no valid text: {argument!a}.") from None


def _fail(problem: Exception, *, json: bool) -> int:
    failure = told(problem)
    print(f"waybill: {failure.sentence}", file=sys.stderr)
    if json:
        from waybill.cli.output import document

        document(failure.object)
    return failure.exit
