"""What `waybill serve` says once it serves: where, as whom, and lines that work when pasted."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from waybill.wire.identifiers import Kind, generate

_FIRST_STEPS = (
    "waybill resellers create NAME",
    "waybill customers create NAME",
    "waybill clients create --reseller ID",
)


def announce(ready: dict[str, Any], *, empty: bool = False) -> None:
    """Prints the summary.

    Args:
        ready: the content of the ready file.
        empty: no reseller exists yet.
    """
    console = Console(highlight=False)
    console.print()
    console.print(Text.assemble(("Waybill", "bold cyan"), " is serving. Ctrl-C stops it."))
    console.print()
    if ready["resellers"]:
        _seeded(console, ready)
    else:
        _print_facts(console, _places(ready))
        if empty:
            console.print("  Nobody can sign in yet. In another terminal:\n")
            for line in _FIRST_STEPS:
                print(f"  {line}")
            print(flush=True)


def _seeded(console: Console, ready: dict[str, Any]) -> None:
    reseller, customer = ready["resellers"][0], ready["customers"][0]
    _print_facts(
        console,
        [
            *_places(ready),
            ("Reseller ID", reseller["resellerId"], reseller["name"]),
            ("Customer ID", customer["customerId"], customer["name"]),
            ("Client ID", reseller["clientId"], ""),
            ("Client secret", reseller["clientSecret"], ""),
        ],
    )
    console.print("  Paste these in another terminal: a token, an upload, its status.\n")
    # Plain: wrapped or marked up they would not survive the clipboard.
    for line in pasteable(ready):
        print(line)
    print(flush=True)


def _places(ready: dict[str, Any]) -> list[tuple[str, str, str]]:
    if ready["baseUrl"] is None:
        return []
    return [("Address", ready["baseUrl"], ""), ("Docs", ready["docsUrl"], "")]


def _print_facts(console: Console, facts: list[tuple[str, str, str]]) -> None:
    table = Table.grid(padding=(0, 2))
    for style in ("dim", "bold", "dim"):
        table.add_column(style=style, no_wrap=True, overflow="ignore")
    for name, value, remark in facts:
        table.add_row(f"  {name}", Text(value), Text(remark))
    console.print(table, soft_wrap=True)
    console.print()


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
