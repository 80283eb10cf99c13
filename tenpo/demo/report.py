"""What the demo says at its end: the proof, the KPIs, where to look, how to stop."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

from rich.table import Table

from tenpo.cli.progress import console
from tenpo.demo.hops import COMPARED, Hop, Span, total
from tenpo.kpi import KPIS
from tenpo.settings import Settings
from tenpo.tenants import TenantTokens

Proof = tuple[Span, TenantTokens, list[Hop]]

_SHOWN = (
    "net_sales_amount", "transactions", "footfall", "conversion_ratio", "atv_amount", "upt",
    "spv_amount", "coverage_ratio",
)  # fmt: skip


def report(settings: Settings, proofs: Sequence[Proof], seconds: float) -> None:
    """Print everything for a person."""
    for span, _, stages in proofs:
        console.print(_hops(span, stages))
    console.print(_kpis(settings, [span for span, _, _ in proofs]))
    _, tokens, _ = proofs[0]
    console.print("\n[bold]Look at it[/]")
    for span, tokens, _ in proofs:
        console.print(f"  {span.tenant_id:8} {settings.api_url}/login?token={tokens.read}")
    console.print(f"  Airflow  {settings.airflow_url}  (name and password: tenpo status)")
    console.print('  SQL      tenpo sql "SELECT …"      KPIs  tenpo kpi --help')
    console.print(f"\nStop it with [bold]tenpo down[/]; everything is in {settings.home}.")
    del seconds


def report_json(proofs: Sequence[Proof]) -> str:
    """The proof for machines."""
    return json.dumps(
        {
            span.tenant_id: {
                stage.name: {name: str(value) for name, value in stage.totals.items()}
                for stage in stages
            }
            for span, _, stages in proofs
        }
    )


def _hops(span: Span, stages: Sequence[Hop]) -> Table:
    table = Table(title=f"{span.tenant_id}: the same totals at every hop", title_justify="left")
    table.add_column("hop")
    columns = [name for name in COMPARED if any(name in stage.totals for stage in stages)]
    for name in columns:
        table.add_column(name.removesuffix("_amount").replace("_", " "), justify="right")
    for stage in stages:
        cells = [_number(stage.totals.get(name)) for name in columns]
        table.add_row(stage.name, *cells)
    return table


def _kpis(settings: Settings, spans: Sequence[Span]) -> Table:
    table = Table(title="KPIs of the whole time", title_justify="left")
    table.add_column("tenant")
    for name in _SHOWN:
        table.add_column(KPIS[name].label[0], justify="right")
    for span in spans:
        row = total(settings, span)
        cells = [_kpi(name, row.values[name], row.currency) for name in _SHOWN]
        table.add_row(span.tenant_id, *cells)
    return table


def _kpi(name: str, value: int | Decimal | None, currency: str) -> str:
    if value is None:
        return "-"
    unit = KPIS[name].unit
    if unit == "ratio":
        return f"{100 * value:.1f} %"
    if unit == "currency":
        return f"{value:,.0f} {currency}" if currency == "JPY" else f"{value:,.2f} {currency}"
    return f"{value:,.2f}" if unit == "units/receipt" else f"{value:,.0f}"


def _number(value: Decimal | None) -> str:
    if value is None:
        return "-"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
