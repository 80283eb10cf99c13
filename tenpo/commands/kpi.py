"""`tenpo kpi`: the datamart's figures on the terminal, the same as the API's."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, cast

import typer

from tenpo.errors import InputError, UnknownReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tenpo.datamart.kpi_answer import KpiRow
    from tenpo.datamart.kpi_compare import Compared, Pair
    from tenpo.datamart.kpi_query import By, Grain, KpiQuery
    from tenpo.datamart.standing import Standing
    from tenpo.kpi.calendar import Against
    from tenpo.masters import TenantMasters

_CHOICES = {
    "grain": ("hour", "day", "week", "month", "total"),
    "by": ("all", "store"),
    "compare": ("previous", "year"),
}
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
    grain: Annotated[
        str, typer.Option(help="One row per hour, day, week, month, or total.")
    ] = "day",
    by: Annotated[str, typer.Option(help="all sums the stores, store keeps them apart.")] = "all",
    store: Annotated[list[str] | None, typer.Option(help="Only this store; repeatable.")] = None,
    name: Annotated[
        list[str] | None, typer.Option("--kpi", help="Only this KPI; repeatable.")
    ] = None,
    as_of: Annotated[
        str, typer.Option(help="As everybody read it then: 2026-11-20T09:00:00+09:00.")
    ] = "",
    compare: Annotated[
        str, typer.Option(help="previous: the period before; year: the same weekdays last year.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Show KPIs from the datamart: footfall, conversion, sales.

    Amounts of different currencies are never added: each has its own rows.

    Example: tenpo kpi --tenant demo --from 2026-11-01 --to 2026-11-07 --grain day
    """
    if as_json and as_csv:
        raise InputError("--json and --csv exclude each other", remedy="Give one of them.")
    if compare:
        _choice("compare", compare)
        if as_csv:
            raise InputError("CSV has no comparison", where="--compare", remedy="Use --json.")
    from tenpo.datamart.kpi_query import KpiQuery

    query = KpiQuery(
        tenant_id=tenant,
        first=first.date(),
        last=last.date(),
        grain=cast("Grain", _choice("grain", grain)),
        by=cast("By", _choice("by", by)),
        stores=tuple(store or ()),
        kpis=tuple(name or ()),
        as_of=moment_of(as_of),
        calendar=masters_of(tenant, store or ()).calendar,
    )
    compared, found = _read(query, cast("Against | None", compare or None))
    rows = [row for row, _ in compared.rows]
    if as_json:
        _print_json(compared)
    elif as_csv:
        _print_csv(query, rows)
    else:
        _print_table(query, compared, found)


def moment_of(text: str) -> datetime | None:
    """A moment as people write it; none where nothing is written.

    Raises:
        InputError: it is none, or has no timezone.
    """
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise InputError(
            f"{text!r} is no moment", where="--as-of", remedy="Write 2026-11-20T09:00:00+09:00."
        ) from error
    if moment is not None and moment.tzinfo is None:
        raise InputError(
            f"{text!r} has no timezone", where="--as-of", remedy="Add +09:00, or end it in Z."
        )
    return moment


def masters_of(tenant: str, stores: Sequence[str]) -> TenantMasters:
    """The tenant's masters.

    Raises:
        UnknownReference: there is no such tenant, or it has no such store.
    """
    from tenpo.lake import Lake
    from tenpo.masters import MasterBook
    from tenpo.settings import get_settings

    masters = MasterBook(Lake(get_settings().lake_url)).get(tenant)
    strange = [store_id for store_id in stores if store_id not in masters.stores]
    if strange:
        raise UnknownReference(
            f"{tenant} has no store {', '.join(map(repr, strange))}",
            where="--store",
            remedy=f"Choose from: {', '.join(sorted(masters.stores))}.",
        )
    return masters


def _choice(option: str, value: str) -> str:
    allowed = _CHOICES[option]
    if value not in allowed:
        raise InputError(
            f"{value!r} is no {option}",
            where=f"--{option}",
            remedy=f"Choose from: {', '.join(allowed)}.",
        )
    return value


def _read(query: KpiQuery, against: Against | None) -> tuple[Compared, Standing]:
    from tenpo.datamart import connect, snapshot
    from tenpo.datamart.kpi_compare import Compared, compare_kpis
    from tenpo.datamart.kpi_read import read_kpis
    from tenpo.datamart.standing import standing
    from tenpo.settings import get_settings

    engine = connect(get_settings())
    try:
        with snapshot(engine) as connection:
            found = standing(connection, query.tenant_id)
            if against is not None:
                return compare_kpis(connection, query, against), found
            rows = read_kpis(connection, query)
            return Compared(query, None, query, [(row, None) for row in rows]), found
    finally:
        engine.dispose()


def _print_json(compared: Compared) -> None:
    import orjson

    typer.echo(orjson.dumps(compared.as_document(), option=orjson.OPT_INDENT_2).decode())


def _print_csv(query: KpiQuery, rows: Sequence[KpiRow]) -> None:
    from tenpo.datamart.kpi_answer import as_csv

    typer.echo("".join(as_csv(query, rows)), nl=False)


def _print_table(query: KpiQuery, compared: Compared, found: Standing) -> None:
    from rich.console import Console
    from rich.table import Table

    from tenpo.kpi import KPIS

    console = Console()
    rows = [row for row, _ in compared.rows]
    if not rows:
        console.print(f"No figures of {query.tenant_id} from {query.first} to {query.last}.")
        console.print(_outlook(found), style="dim", highlight=False)
        return
    names = query.kpis or _SHOWN
    keys = _keys(query)
    table = Table(
        box=None, pad_edge=False, padding=(0, 1), collapse_padding=True, header_style="bold"
    )
    for key in keys:
        table.add_column("" if key == "currency" else key, no_wrap=key != "store")
    for n in names:
        table.add_column(KPIS[n].label[0], justify="right", no_wrap=True)
    for (row, _), sides in zip(compared.rows, compared.changes, strict=True):
        table.add_row(*(_key(row, key) for key in keys), *_figures(names, row, sides))
    console.print(table)
    newest = max(row.computed_at for row in rows)
    console.print(f"[dim]computed {newest:%Y-%m-%d %H:%M:%S} UTC[/]", highlight=False)
    if compared.alike is not None:
        console.print("[dim]Changes are of the stores that were open in both years.[/]")
    if any(row.partial for row in rows):
        console.print("[dim]Some days or stores lack some of these figures: see coverage.[/]")


def _figures(names: Sequence[str], row: KpiRow, sides: Pair | None) -> Iterator[str]:
    """Each figure; below it the change since its base: in percent, of ratios in points."""
    from tenpo.kpi import KPIS
    from tenpo.kpi.words import figure

    for name in names:
        shown = figure(KPIS[name].unit, row.values[name], row.currency)
        now, then = sides or (row, None)
        value, base = now.values[name], then and then.values[name]
        if value is not None and base:
            points = f"{100 * (value - base):+.1f} pts"
            shown += f"\n{points if KPIS[name].unit == 'ratio' else f'{value / base - 1:+.1%}'}"
        yield shown


def _outlook(found: Standing) -> str:
    """What to do about figures that are not there."""
    if found.to_compute:
        return f"{found.to_compute:,} store-days are being computed: ask again in a moment."
    hint = "What was sent appears within a minute; `tenpo status` shows whether ingest runs."
    if found.first is None:
        return f"Nothing was computed yet. {hint}"
    return f"There are figures from {found.first} to {found.last}. {hint}"


def _keys(query: KpiQuery) -> list[str]:
    keys = {"total": [], "week": ["week"], "month": ["month"]}.get(query.grain, ["date"])
    keys += ["hour"] if query.grain == "hour" else []
    keys += ["store"] if query.by == "store" else []
    return [*keys, "currency"]


def _key(row: KpiRow, key: str) -> str:
    match key:
        case "date":
            return str(row.business_date)
        case "week" | "month" if row.period is not None:
            return row.period.name
        case "hour":
            return f"{row.local_hour:02d}:00"
        case "store":
            return str(row.store_id)
        case _:
            return row.currency
