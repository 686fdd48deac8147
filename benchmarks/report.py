"""The figures for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(found: dict[str, Any]) -> None:
    """Prints all of it."""
    console = Console(highlight=False, width=100)
    facts = Table.grid(padding=(0, 2))
    for part in ("machine", "versions", "settings"):
        told = ", ".join(f"{name.replace('_', ' ')} {it}" for name, it in found[part].items())
        facts.add_row(Text(part.capitalize(), "bold"), told)
    console.print(facts, "")
    _uploads(console, found["uploads"])
    facts = Table.grid(padding=(0, 2))
    for name, told in (*_paging(found["paging"]), *_rest(found)):
        facts.add_row(Text(name, "bold"), told)
    console.print(facts)


def _uploads(console: Console, cases: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for name in (
        "uploads of",
        "resellers",
        "devices/s",
        "COPY",
        "ratio",
        "CPU (COPY)",
        "accepted in ms",
    ):
        table.add_column(name, justify="right")
    for case in cases:
        ratio, accepted, cpu = case["ratio"], case["accepted_ms"], case["cpu_us_a_device"]
        table.add_row(
            f"{case['devices_an_upload']:,}",
            str(case["resellers"]),
            f"{case['waybill_per_s']['median']:,.0f}",
            f"{case['copy_per_s']['median']:,.0f}",
            f"{ratio['median']:.2f} ({ratio['min']:.2f}-{ratio['max']:.2f})",
            f"{cpu['waybill']:.0f} ({cpu['copy']:.0f})",
            f"{accepted['median']:.1f} (p99 {accepted['p99']:.1f})",
        )
    console.print(table)
    console.print(
        f"Medians of {cases[0]['rounds']} rounds, with the least and most of the ratio. COPY writes"
        " the same rows in\nbatches of 10,000, each committed, into a table with the same columns"
        " and indexes.\nCPU: microseconds of processor time a device, of all of Waybill's"
        " processes.\n"
    )


def _paging(found: dict[str, Any]) -> list[tuple[str, str]]:
    long = found["long_page"]
    return [
        (
            "Pages",
            f"of {found['page_size']} among {found['devices']:,} devices: page 0 in"
            f" {found['first_page_ms']} ms, page {found['far_page']:,} in {found['far_page_ms']}"
            f" ms, ratio {found['ratio']}",
        ),
        (
            "One page",
            f"of {long['rows']:,} devices, {long['mib']} MiB, in {long['seconds']} s; the API's"
            f" memory grew by {long['api_growth_mib']} MiB from {long['api_mib_before']}"
            f" (limit {long['limit_mib']})",
        ),
    ]


def _rest(found: dict[str, Any]) -> list[tuple[str, str]]:
    start, checked = found["start_s"], found["checked"]
    return [
        ("Start", f"until ready: first {start['first']} s, later {start['later']} s"),
        ("Memory", f"idle after the start: {_parts(found['memory_idle_mib'])}"),
        ("", f"idle after the uploads: {_parts(found['memory_after_mib'])}"),
        ("Installation", _parts(found["installation_mib"])),
        (
            "Checked",
            f"{checked['sent']:,} devices sent, {checked['device']:,} registered,"
            f" {checked['copied']:,} of them copied",
        ),
    ]


def _parts(sizes: dict[str, float]) -> str:
    parts = {name: size for name, size in sizes.items() if name != "total"}
    told = ", ".join(f"{name} {size}" for name, size in parts.items())
    return f"{sum(parts.values()):.1f} MiB: {told}"
