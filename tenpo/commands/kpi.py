"""`tenpo kpi`: the datamart's figures on the terminal, the same as the API's."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from tenpo.errors import InputError, UnknownReference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenpo.datamart.kpi_read import By, Grain, KpiQuery, KpiRow
    from tenpo.datamart.standing import Standing

_CHOICES = {"grain": ("hour", "day", "total"), "by": ("all", "store")}
_WITHOUT_DECIMALS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})
_SHOWN = (
    "net_sales_amount",
    "transactions",
    "atv_amount",
    "footfall",
    "conversion_ratio",
    "coverage_ratio",
)


def kpi(
    tenant: Annotated[str, typer.Option(help="The tenant.")],
    first: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First business date.")
    ],
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last business date, included.")
    ],
    grain: Annotated[str, typer.Option(help="One row per hour, day, or total.")] = "day",
    by: Annotated[str, typer.Option(help="all sums the stores, store keeps them apart.")] = "all",
    store: Annotated[list[str] | None, typer.Option(help="Only this store; repeatable.")] = None,
    name: Annotated[
        list[str] | None, typer.Option("--kpi", help="Only this KPI; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Show KPIs from the datamart: footfall, conversion, sales.

    Amounts of different currencies are never added: each has its own rows.

    Example: tenpo kpi --tenant demo --from 2026-11-01 --to 2026-11-07 --grain day
    """
    if as_json and as_csv:
        raise InputError("--json and --csv exclude each other", remedy="Give one of them.")
    from tenpo.datamart.kpi_read import KpiQuery

    query = KpiQuery(
        tenant_id=tenant,
        first=first.date(),
        last=last.date(),
        grain=cast("Grain", _choice("grain", grain)),
        by=cast("By", _choice("by", by)),
        stores=tuple(store or ()),
        kpis=tuple(name or ()),
    )
    rows, found = _read(query)
    if as_json:
        _print_json(query, rows)
    elif as_csv:
        _print_csv(query, rows)
    else:
        _print_table(query, rows, found)


def _choice(option: str, value: str) -> str:
    allowed = _CHOICES[option]
    if value not in allowed:
        raise InputError(
            f"{value!r} is no {option}",
            where=f"--{option}",
            remedy=f"Choose from: {', '.join(allowed)}.",
        )
    return value


def _read(query: KpiQuery) -> tuple[list[KpiRow], Standing]:
    from tenpo.datamart import connect, transaction
    from tenpo.datamart.kpi_read import read_kpis
    from tenpo.datamart.standing import standing
    from tenpo.lake import Lake
    from tenpo.masters import MasterBook
    from tenpo.settings import get_settings

    settings = get_settings()
    masters = MasterBook(Lake(settings.lake_url)).get(query.tenant_id)
    strange = [store_id for store_id in query.stores if store_id not in masters.stores]
    if strange:
        raise UnknownReference(
            f"{query.tenant_id} has no store {', '.join(map(repr, strange))}",
            where="--store",
            remedy=f"Choose from: {', '.join(sorted(masters.stores))}.",
        )
    engine = connect(settings)
    try:
        with transaction(engine) as connection:
            return read_kpis(connection, query), standing(connection, query.tenant_id)
    finally:
        engine.dispose()


def _print_json(query: KpiQuery, rows: Sequence[KpiRow]) -> None:
    import orjson

    from tenpo.datamart.kpi_read import as_document

    typer.echo(orjson.dumps(as_document(query, rows), option=orjson.OPT_INDENT_2).decode())


def _print_csv(query: KpiQuery, rows: Sequence[KpiRow]) -> None:
    from tenpo.datamart.kpi_read import as_csv

    typer.echo("".join(as_csv(query, rows)), nl=False)


def _print_table(query: KpiQuery, rows: Sequence[KpiRow], found: Standing) -> None:
    from rich.console import Console
    from rich.table import Table

    from tenpo.kpi import KPIS

    console = Console()
    if not rows:
        console.print(f"No figures of {query.tenant_id} from {query.first} to {query.last}.")
        console.print(_outlook(found), style="dim", highlight=False)
        return
    names = query.kpis or _SHOWN
    keys = _keys(query, rows)
    table = Table(
        box=None, pad_edge=False, padding=(0, 1), collapse_padding=True, header_style="bold"
    )
    for key in keys:
        table.add_column("" if key == "currency" else key, no_wrap=key != "store")
    for n in names:
        table.add_column(KPIS[n].label[0], justify="right", no_wrap=True)
    for row in rows:
        figures = (_figure(n, row.values[n], row.currency) for n in names)
        table.add_row(*(_key(row, key) for key in keys), *figures)
    console.print(table)
    newest = max(row.computed_at for row in rows)
    console.print(f"[dim]computed {newest:%Y-%m-%d %H:%M:%S} UTC[/]", highlight=False)
    if any(row.partial for row in rows):
        console.print("[dim]Some days or stores lack some of these figures: see coverage.[/]")


def _outlook(found: Standing) -> str:
    """What to do about figures that are not there."""
    if found.to_compute:
        return f"{found.to_compute:,} store-days are being computed: ask again in a moment."
    hint = "What was sent appears within a minute; `tenpo status` shows whether ingest runs."
    if found.first is None:
        return f"Nothing was computed yet. {hint}"
    return f"There are figures from {found.first} to {found.last}. {hint}"


def _keys(query: KpiQuery, rows: Sequence[KpiRow]) -> list[str]:
    keys = [] if query.grain == "total" else ["date"]
    keys += ["hour"] if query.grain == "hour" else []
    keys += ["store"] if query.by == "store" else []
    return [*keys, "currency"]


def _key(row: KpiRow, key: str) -> str:
    match key:
        case "date":
            return str(row.business_date)
        case "hour":
            return f"{row.local_hour:02d}:00"
        case "store":
            return str(row.store_id)
        case _:
            return row.currency


def _figure(name: str, value: Any, currency: str) -> str:
    """A figure for people: yen without decimals, ratios in percent, a dash where unknown."""
    from tenpo.kpi import KPIS

    if value is None:
        return "—"
    match KPIS[name].unit:
        case "ratio":
            return f"{value:.1%}"
        case "currency" if currency in _WITHOUT_DECIMALS:
            return f"{value:,.0f}"
        case "currency" | "units/receipt":
            return f"{value:,.2f}"
        case _:
            return f"{value:,.0f}"
