"""What the demo says at its end: the proof, the KPIs, where to look, how to stop."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tenpo.cli.progress import console
from tenpo.demo.hops import COMPARED, Hop, Span, total
from tenpo.demo.models import Found, sentence
from tenpo.kpi import KPIS
from tenpo.settings import Settings
from tenpo.stack.airflow_config import passwords_file
from tenpo.tenants import TenantTokens
from tenpo.warehouse import Reconciliation


@dataclass(frozen=True)
class Proof:
    """What is proven of one tenant, and the tokens to look at it.

    Args:
        span: which tenant and days.
        tokens: its tokens.
        stages: the totals of each hop.
        balance: what became of the rows that raw received.
    """

    span: Span
    tokens: TenantTokens
    stages: Sequence[Hop]
    balance: Sequence[Reconciliation]


_SHOWN = (
    "net_sales_amount", "transactions", "footfall", "conversion_ratio", "atv_amount", "upt",
    "spv_amount", "coverage_ratio",
)  # fmt: skip


_WORKED_ON = 6
_BALANCE = ("accepted", "current", "duplicate", "superseded")


def report(settings: Settings, proofs: Sequence[Proof], learnt: Sequence[Found]) -> None:
    """Print everything for a person."""
    for one in proofs:
        console.print(_hops(one.span, one.stages))
    console.print(_balance(proofs))
    console.print(_kpis(settings, [one.span for one in proofs]))
    for found in learnt:
        _learnt(found)
    console.print("\n[bold]Look at it[/]")
    for one in proofs:
        console.print(f"  {one.span.tenant_id:8} {settings.api_url}/login?token={one.tokens.read}")
    console.print(
        f"  Airflow  {settings.airflow_url}  (user admin, password in {passwords_file(settings)})"
    )
    console.print('  SQL      tenpo sql "SELECT …"      KPIs  tenpo kpi --help')
    console.print(f"\nStop it with [bold]tenpo down[/]; everything is in {settings.home}.")


def report_json(proofs: Sequence[Proof], learnt: Sequence[Found]) -> str:
    """The proof for machines, and under `models` what the models found."""
    models = {one.tenant_id: one.document for one in learnt}
    found = {p.span.tenant_id: _document(p) for p in proofs}
    told = {name: document | {"models": models.get(name, {})} for name, document in found.items()}
    return json.dumps(told)


def _learnt(found: Found) -> None:
    """What to work on first, and the week to come."""
    table = _table(f"{found.tenant_id}: what to work on first", "store")
    table.add_column("head-room")
    for target in found.targets[:_WORKED_ON]:
        table.add_row(target["store_id"], sentence(target))
    if found.targets:
        console.print(table)
    for (measure, currency), value in found.forecast.items():
        unit = currency if measure == "sales" else "people"
        console.print(f"{found.tenant_id}: {measure} of the next 7 days: {value:,.0f} {unit}")
    for note in found.notes:
        console.print(f"[dim]{found.tenant_id}: {note}[/]")


def _document(proof: Proof) -> dict[str, object]:
    """Each hop's totals as text, and under `raw` what became of the rows it received."""
    hops: dict[str, object] = {
        stage.name: {name: str(value) for name, value in stage.totals.items()}
        for stage in proof.stages
    }
    return hops | {"raw": {one.event: asdict(one) for one in proof.balance}}


def _balance(proofs: Sequence[Proof]) -> Table:
    """Rows in raw and what became of them; a first run of the demo has nothing but current."""
    table = _table("raw to dwh: accepted = current + duplicate + superseded", "rows")
    for name in _BALANCE:
        table.add_column(name, justify="right", no_wrap=True)
    for proof in proofs:
        for one in proof.balance:
            cells = [f"{getattr(one, name):,}" for name in _BALANCE]
            table.add_row(f"{proof.span.tenant_id} {one.event}", *cells)
    return table


def _hops(span: Span, stages: Sequence[Hop]) -> Table:
    """Totals down, hops across: it fits 80 columns."""
    table = _table(f"{span.tenant_id}: the same totals at every hop", "total")
    for stage in stages:
        table.add_column(stage.name, justify="right", no_wrap=True)
    for name in COMPARED:
        if any(name in stage.totals for stage in stages):
            cells = [_number(stage.totals.get(name)) for stage in stages]
            table.add_row(name.removesuffix("_amount").replace("_", " "), *cells)
    return table


def _kpis(settings: Settings, spans: Sequence[Span]) -> Table:
    table = _table("KPIs of the whole time", "KPI")
    totals = [total(settings, span) for span in spans]
    for span in spans:
        table.add_column(span.tenant_id, justify="right", no_wrap=True)
    for name in _SHOWN:
        cells = [_kpi(name, row.values[name], row.currency) for row in totals]
        table.add_row(KPIS[name].label[0], *cells)
    return table


def _table(title: str, first: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
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
