"""`tenpo costs`: what a store costs in the warehouse."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from beam_jobs.costs.estimate import Prices, StoreMonth

_DATE = ["%Y-%m-%d"]


def costs(
    tenant: Annotated[str, typer.Option(help="The tenant.")],
    date_from: Annotated[
        datetime | None, typer.Option("--from", formats=_DATE, help="First business date.")
    ] = None,
    date_to: Annotated[
        datetime | None, typer.Option("--to", formats=_DATE, help="Last business date.")
    ] = None,
    runs_a_day: Annotated[
        int, typer.Option(min=1, help="How often ingest and aggregation run a day.")
    ] = 24,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Estimate what each store costs in BigQuery, by month: bytes kept, bytes read, money.

    Example: tenpo costs --tenant demo --from 2026-10-01 --to 2026-10-31
    """
    from beam_jobs.costs.estimate import Prices, estimate
    from tenpo.errors import InputError
    from tenpo.settings import get_settings
    from tenpo.warehouse import connect

    last = date_to.date() if date_to else datetime.now(UTC).date() - timedelta(days=1)
    first = date_from.date() if date_from else last - timedelta(days=30)
    if last < first:
        raise InputError(
            "the range ends before it begins", where="--from, --to",
            remedy="Exchange the two dates.",
        )  # fmt: skip
    settings = get_settings()
    prices = Prices(
        Decimal(str(settings.price_scan_tib)), Decimal(str(settings.price_storage_gib_month)),
        settings.price_as_of,
    )  # fmt: skip
    with connect(settings) as warehouse:
        found = estimate(warehouse, tenant, first, last, runs_a_day, prices)
    if as_json:
        typer.echo(json.dumps(_document(tenant, first, last, prices, found)))
    else:
        _print(found, prices)


def _document(
    tenant: str, first: date, last: date, prices: Prices, found: list[StoreMonth]
) -> dict[str, object]:
    return {
        "tenant_id": tenant,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "currency": "USD",
        "prices_as_of": prices.as_of.isoformat(),
        "stores": [
            {"store_id": one.store_id, "month": f"{one.month:%Y-%m}", "rows": one.rows,
             "stored_bytes": one.stored_bytes, "read_bytes": one.read_bytes,
             "price": f"{one.price:.6f}"}
            for one in found
        ],
    }  # fmt: skip


def _print(found: list[StoreMonth], prices: Prices) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    numbers = [Column(name, justify="right") for name in ("rows", "kept MB", "read MB", "USD")]
    table = Table("store", "month", *numbers)
    for one in found:
        kept, read = (f"{size / 1e6:,.1f}" for size in (one.stored_bytes, one.read_bytes))
        table.add_row(
            one.store_id, f"{one.month:%Y-%m}", f"{one.rows:,}", kept, read, f"{one.price:.4f}"
        )
    console = Console()
    console.print(table)
    console.print(
        f"Estimated at the prices of {prices.as_of} (TENPO_PRICE_*), without people's own queries.",
        style="dim",
    )
