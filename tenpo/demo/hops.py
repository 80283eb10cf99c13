"""What each hop holds of one tenant, to be compared from the first to the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx

from tenpo.contracts import CONFORMED
from tenpo.datamart import connect as connect_datamart
from tenpo.datamart.kpi_answer import KpiRow
from tenpo.datamart.kpi_query import KpiQuery
from tenpo.datamart.kpi_read import read_kpis
from tenpo.errors import IntegrityError, ServiceError
from tenpo.settings import Settings
from tenpo.warehouse import Job, Reconciliation, Warehouse, load_sql, query, reconcile
from tenpo.warehouse import connect as connect_warehouse

Totals = dict[str, Decimal]

#: What is compared, in order; a hop that does not carry one of them says nothing of it.
COMPARED = (
    "sale_lines",
    "net_sales_amount",
    "gross_sales_amount",
    "units",
    "transactions",
    "footfall",
    "in_count",
    "out_count",
)

PACKAGE = "tenpo.demo.sql"


@dataclass(frozen=True)
class Hop:
    """One stage and its totals."""

    name: str
    totals: Totals


@dataclass(frozen=True)
class Span:
    """The tenant and business dates that are compared."""

    tenant_id: str
    first: date
    last: date


def hops(settings: Settings, span: Span, read_token: str) -> list[Hop]:
    """The totals of dwh, mart, datamart and API."""
    with connect_warehouse(settings) as warehouse:
        stages = [_dwh(warehouse, span), _mart(warehouse, span)]
    return [*stages, Hop("datamart", _datamart(settings, span)), _api(settings, span, read_token)]


def received(settings: Settings, tenant_id: str) -> list[Reconciliation]:
    """What became of the rows that raw received, of each event that has any."""
    with connect_warehouse(settings) as warehouse:
        job = Job("demo", f"raw-{datetime.now(UTC):%Y%m%dT%H%M%S%f}", tenant_id)
        found = [reconcile(warehouse, tenant_id, event, job=job) for event in CONFORMED]
    return [one for one in found if one.accepted or one.orphaned]


def disagreements(stages: Sequence[Hop]) -> list[str]:
    """Where a hop differs from the first that carries the total."""
    found = []
    for name in COMPARED:
        known = [(hop.name, hop.totals[name]) for hop in stages if name in hop.totals]
        for stage, value in known[1:]:
            if value != known[0][1]:
                found.append(f"{name}: {known[0][0]} {known[0][1]}, {stage} {value}")
    return found


def prove(stages: Sequence[Hop], balance: Sequence[Reconciliation] = ()) -> None:
    """Raise unless every hop agrees with the one before, and every row is accounted for.

    Raises:
        IntegrityError: two hops differ, named with both values.
    """
    found = disagreements(stages)
    found += [f"{one.event}: {one}" for one in balance if not one.balanced]
    if found:
        raise IntegrityError(
            "the hops disagree: " + "; ".join(found),
            remedy="Look for a failed run with `tenpo status` and in Airflow.",
        )


def known(values: Mapping[str, object]) -> Totals:
    """The compared totals among some values, as decimals; nulls are left out."""
    return {name: Decimal(str(values[name])) for name in COMPARED if values.get(name) is not None}


def _dwh(warehouse: Warehouse, span: Span) -> Hop:
    sums: dict[str, object] = {}
    for name in ("dwh_sales", "dwh_counts"):
        sums |= _one(warehouse, span, name, {})
    if not sums["sale_lines"]:
        sums.pop("sale_lines")
    return Hop("dwh", known(sums))


def _mart(warehouse: Warehouse, span: Span) -> Hop:
    today = datetime.now(UTC).date()
    extra = {"published_from": date(2020, 1, 1), "published_to": today + timedelta(days=1)}
    return Hop("mart", known(_one(warehouse, span, "mart", extra)))


def _one(
    warehouse: Warehouse, span: Span, name: str, extra: Mapping[str, object]
) -> dict[str, object]:
    params = {"tenant": span.tenant_id, "date_from": span.first, "date_to": span.last, **extra}
    job = Job("demo", f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}", span.tenant_id)
    table = query(warehouse, load_sql(warehouse, PACKAGE, name), params, job=job)
    row: dict[str, object] = table.to_pylist()[0]
    return row


def total(settings: Settings, span: Span) -> KpiRow:
    """The tenant's one row of KPIs in the datamart.

    Raises:
        IntegrityError: there is none, or more than one currency.
    """
    engine = connect_datamart(settings)
    try:
        with engine.connect() as connection:
            rows = read_kpis(connection, KpiQuery(span.tenant_id, span.first, span.last, "total"))
    finally:
        engine.dispose()
    if len(rows) != 1:
        raise IntegrityError(f"the datamart has {len(rows)} totals of {span.tenant_id}, not one")
    return rows[0]


def _datamart(settings: Settings, span: Span) -> Totals:
    return known(total(settings, span).sums)


def _api(settings: Settings, span: Span, token: str) -> Hop:
    try:
        answer = httpx.get(
            f"{settings.api_url}/v1/kpis",
            params={"from": str(span.first), "to": str(span.last), "grain": "total"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise ServiceError(f"the API does not answer: {error}", where=settings.api_url) from error
    (row,) = answer.json()["rows"]
    return Hop("API", known(row["values"]))
