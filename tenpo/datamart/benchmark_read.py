"""A store's figures beside those of others: its cluster's, its industry's.

Within a tenant quartiles are made here, of the very dates asked for. Across tenants there is
only what was released (docs/adr/0022-benchmarks.md), of whole weeks and months.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from tenpo.benchmark import COMPARED, Group, Quartiles, figure_of, quartiles
from tenpo.datamart import model_read
from tenpo.datamart.kpi_answer import KpiRow
from tenpo.datamart.kpi_query import KpiQuery
from tenpo.datamart.kpi_read import read_kpis
from tenpo.datamart.tables import benchmark
from tenpo.kpi.calendar import PeriodGrain
from tenpo.kpi.definitions import Number

#: Ranges from this length on are held against months, shorter ones against weeks.
_MONTH_DAYS = 28
#: A release that ended longer before the range's end is no comparison any more.
_MAX_AGE: Mapping[PeriodGrain, timedelta] = {
    "week": timedelta(weeks=4), "month": timedelta(days=70)
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beside:
    """One figure of a store beside those of others.

    Args:
        store_id: the store.
        kpi: which KPI.
        currency: of the store.
        value: its own figure of the period, None where unknown.
        others: quartiles of the stores it is held against, itself among them.
        store_count: how many they are; across tenants at least so many.
        first: first business date.
        last: last business date.
        period: name of the released week or month; empty within a tenant.
        group: of which stores, across tenants.
        cluster_id: the cluster, within a tenant.
        traits: what the cluster is like.
    """

    store_id: str
    kpi: str
    currency: str
    value: Number | None
    others: Quartiles
    store_count: int
    first: date
    last: date
    period: str = ""
    group: Group | None = None
    cluster_id: str | None = None
    traits: str = ""


def beside_cluster(connection: Connection, query: KpiQuery) -> list[Beside]:
    """The stores asked for beside their clusters, over the query's range; by store and KPI.

    Args:
        connection: the datamart.
        query: tenant, range, stores and KPIs; the rest is as it has to be.
    """
    rows = {(row.store_id, row.currency): row for row in _by_store(connection, query, ())}
    clusters: dict[tuple[str, str], list[Mapping[Any, Any]]] = defaultdict(list)
    for one in model_read.clusters(connection, query.tenant_id):
        if one["cluster_id"] is not None:
            clusters[one["currency"], one["cluster_id"]].append(one)
    found = [
        beside for members in clusters.values() for beside in _of_cluster(query, members, rows)
    ]
    return sorted(found, key=lambda one: (one.store_id, COMPARED.index(one.kpi)))


def _of_cluster(
    query: KpiQuery,
    members: Sequence[Mapping[Any, Any]],
    rows: Mapping[tuple[str | None, str], KpiRow],
) -> Iterator[Beside]:
    own = [rows[key] for one in members if (key := (one["store_id"], one["currency"])) in rows]
    for kpi in query.columns:
        figures = [figure_of(kpi, row.sums, row.day_count, query.days) for row in own]
        known = [each for each in figures if each is not None]
        others = quartiles(known)
        if others is None:
            continue
        for row in own:
            if row.store_id is not None and (not query.stores or row.store_id in query.stores):
                yield Beside(
                    row.store_id, kpi, row.currency, row.values[kpi], others, len(known),
                    query.first, query.last, cluster_id=members[0]["cluster_id"],
                    traits=members[0]["traits"] or "",
                )  # fmt: skip


def beside_industry(
    connection: Connection, query: KpiQuery, groups: Mapping[str, Group]
) -> list[Beside]:
    """Stores beside what was last released of their groups by the range's end; by store and KPI.

    Args:
        connection: the datamart.
        query: tenant, range and KPIs.
        groups: the finest group of each store asked for.
    """
    if not groups:
        return []
    released = _released(connection, query, {group.industry for group in groups.values()})
    chosen = [
        (store_id, row)
        for store_id, group in sorted(groups.items())
        for kpi in query.columns
        if (row := _closest(released.get(kpi, ()), group.path)) is not None
    ]
    own = _own(connection, query, {(r["period_from"], r["period_to"]) for _, r in chosen}, groups)
    return [
        Beside(
            store_id, row["kpi"], groups[store_id].currency,
            own.get((store_id, row["period_from"]), {}).get(row["kpi"]),
            Quartiles(row["low"], row["median"], row["high"]), row["store_count_min"],
            row["period_from"], row["period_to"], row["period"], _group(row),
        )
        for store_id, row in chosen
    ]  # fmt: skip


def _released(
    connection: Connection, query: KpiQuery, industries: set[str]
) -> dict[str, list[Mapping[Any, Any]]]:
    """What was released of some industries and is not too old, by KPI."""
    grain: PeriodGrain = "month" if query.days >= _MONTH_DAYS else "week"
    own = benchmark.c
    statement = select(benchmark).where(
        own.grain == grain,
        own.period_to.between(query.last - _MAX_AGE[grain], query.last),
        own.industry.in_(industries),
        own.kpi.in_(query.columns),
    )
    found: dict[str, list[Mapping[Any, Any]]] = defaultdict(list)
    for row in connection.execute(statement).mappings():
        found[row["kpi"]].append(row)
    return found


def _closest(rows: Sequence[Mapping[Any, Any]], path: Sequence[Group]) -> Mapping[Any, Any] | None:
    """The newest row of a store's groups, of one period the finest."""
    mine = [row for row in rows if _group(row) in path]
    return max(mine, key=lambda row: (row["period_from"], -path.index(_group(row))), default=None)


def _group(row: Mapping[Any, Any]) -> Group:
    return Group(row["industry"], row["currency"], row["size_band"])


def _own(
    connection: Connection,
    query: KpiQuery,
    spans: set[tuple[date, date]],
    groups: Mapping[str, Group],
) -> dict[tuple[str, date], dict[str, Number | None]]:
    """The stores' own figures of the released periods."""
    found = {}
    for first, last in spans:
        asked = replace(query, first=first, last=last)
        for row in _by_store(connection, asked, tuple(groups)):
            if row.store_id is not None and row.currency == groups[row.store_id].currency:
                found[row.store_id, first] = row.values
    return found


def _by_store(connection: Connection, query: KpiQuery, stores: tuple[str, ...]) -> list[KpiRow]:
    """The range in one row a store and currency; no stores mean all of the tenant's."""
    asked = replace(query, grain="total", by="store", stores=stores, bounds=())
    return read_kpis(connection, asked)
