"""What `waybill serve` says once it serves: where, as whom, and lines that work when pasted."""

from __future__ import annotations

import shutil
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from waybill.wire.identifiers import Kind, generate

_FIRST_STEPS = (
    "resellers create NAME",
    "customers create NAME",
    "clients create --reseller ID",
)


def announce(ready: dict[str, Any], *, empty: bool = False) -> None:
    """Prints the summary.

    Args:
        ready: the content of the ready file.
        empty: no reseller exists yet.
    """
    console = Console(highlight=False, soft_wrap=True)
    console.print("\n  [bold cyan]Waybill is serving.[/] [dim]Ctrl-C stops it.[/]\n")
    if ready["baseUrl"]:
        _facts(console, ("Address", ready["baseUrl"], ""), ("Docs", ready["docsUrl"], ""))
    if ready["resellers"]:
        reseller, customer = ready["resellers"][0], ready["customers"][0]
        _facts(
            console,
            ("Reseller", reseller["resellerId"], reseller["name"]),
            ("Customer", customer["customerId"], customer["name"]),
            ("Client ID", reseller["clientId"], ""),
            ("Secret", reseller["clientSecret"], ""),
        )
        console.print(
            "  Paste these lines in another terminal: a token; an upload of three phones, one of"
            " them\n  mistyped; what became of them.\n"
        )
        _plain("\n\n".join(pasteable(ready)).split("\n") if ready["baseUrl"] else [])
    elif empty:
        console.print("  Nobody can sign in yet. In another terminal:\n")
        _plain([f"  {_command()} {line}" for line in _FIRST_STEPS])


def _facts(console: Console, *facts: tuple[str, str, str]) -> None:
    for name, value, remark in facts:
        parts = [(f"  {name:<11}", "dim"), (value, "bold"), (remark and f"  {remark}", "dim")]
        console.print(Text.assemble(*parts))
    console.print()


def _plain(lines: list[str]) -> None:
    """Wrapped or marked up they would not survive the clipboard."""
    print("\n".join(lines))
    print(flush=True)


def _command() -> str:
    """How this program can be called from where it was called."""
    called = sys.argv[0]
    return "waybill" if shutil.which("waybill") == shutil.which(called) else called


def pasteable(ready: dict[str, Any]) -> list[str]:
    """Three lines for bash, zsh and sh that need curl and sed only.

    The upload holds three new IMEIs, the last one with a wrong check digit.
    """
    reseller, customer = ready["resellers"][0], ready["customers"][0]
    base, reseller_id = ready["baseUrl"], reseller["resellerId"]
    *good, bad = generate(Kind.IMEI, 3)
    devices = ",".join(f'"{imei}"' for imei in (*good, _spoilt(bad)))
    body = (
        f'{{"customerId":"{customer["customerId"]}","resellerId":"{reseller_id}",'
        f'"transactionId":"\'"$TX"\'","type":"IMEI","devices":[{devices}]}}'
    )
    return [
        "TOKEN=$(curl -sS -d grant_type=client_credentials"
        f" -d client_id={reseller['clientId']} -d client_secret={reseller['clientSecret']}"
        f" {base}/ams/v1/oauth2/token"
        r""" | sed 's/.*"access_token": *"\([^"]*\)".*/\1/')""",
        'TX=first-$(date +%s); curl -sS -X PUT -H "Authorization: Bearer $TOKEN"'
        f" -H 'Content-Type: application/json' -d '{body}' {base}/kcs/v1/rp/devices/upload; echo",
        'curl -sS -H "Authorization: Bearer $TOKEN"'
        f' "{base}/kcs/v1/rp/devices/status?resellerId={reseller_id}&transactionId=$TX"; echo',
    ]


def _spoilt(imei: str) -> str:
    return imei[:-1] + str((int(imei[-1]) + 1) % 10)
