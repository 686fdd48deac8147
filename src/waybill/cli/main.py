"""The command line: `waybill`."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import pydantic
from cyclopts import App, Parameter

from waybill.cli.database import Failed
from waybill.config import Settings, load
from waybill.db.data_dir import CannotStart
from waybill.wire.codes import Refused

app = App(
    name="waybill",
    version=version("waybill"),
    help="A self-hosted device deployment programme that speaks the KDP reseller API.",
)


@app.command
def serve(
    *,
    data_dir: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    next_port: Annotated[bool, Parameter(negative=())] = False,
    database_url: str | None = None,
    seed: Annotated[bool | None, Parameter(negative=())] = None,
    ready_file: Path | None = None,
    worker: Annotated[bool, Parameter(name="--worker")] = True,
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


@app.command
def worker(*, database_url: str | None = None, data_dir: Path | None = None) -> None:
    """Run a worker alone: any number may share one database.

    Args:
        database_url: The PostgreSQL of the server.
        data_dir: Or the data directory of a server on this machine.
    """
    from waybill.cli.database import url_of
    from waybill.worker.__main__ import work

    settings = load(database_url=database_url, data_dir=data_dir)
    work(settings.model_copy(update={"database_url": url_of(settings)}))


def _lazily() -> None:
    app.command("waybill.cli.identifiers:imei", name="imei")
    app.command("waybill.cli.settings:config", name="config")
    app.command("waybill.cli.log:activity", name="activity")
    app.command("waybill.cli.verify:verify", name="verify")
    app.command("waybill.cli.admin:resellers_app", name="resellers")
    app.command("waybill.cli.admin:customers_app", name="customers")
    app.command("waybill.cli.admin:clients_app", name="clients")


_lazily()


def main(arguments: list[str] | None = None) -> None:
    """The entry point: runs a command; what goes wrong is one sentence and an exit code.

    Exit codes: 0 done, 1 could not be done, 2 the command itself makes no sense, 130 interrupted.
    """
    try:
        code: Any = app(arguments, result_action="return_value")
    except Refused as refused:
        _fail(f"{refused.code.code} {refused.code.message}: {refused.code.text(refused.parameter)}")
    except (Failed, CannotStart) as problem:
        _fail(str(problem))
    except pydantic.ValidationError as problem:
        _fail(_invalid(problem), 2)
    except BrokenPipeError:
        # Whoever read us has read enough (`waybill imei 1000 | head`).
        sys.stderr.close()
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    raise SystemExit(code if isinstance(code, int) else 0)


def _fail(sentence: str, code: int = 1) -> NoReturn:
    print(f"waybill: {sentence}", file=sys.stderr)
    raise SystemExit(code)


def _invalid(problem: pydantic.ValidationError) -> str:
    first = problem.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "settings"
    option, variable = f"--{name.replace('_', '-')}", f"WAYBILL_{name.upper()}"
    known = name in Settings.model_fields
    where = f"{option} ({variable})" if known else name
    return f"{where}: {first['msg'].removeprefix('Value error, ')}."
