"""Reading mart: which chains a tenant has, their store-days, their clusters before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kedro_project.chain.panel import ChainData
from tenpo.masters import TenantMasters
from tenpo.warehouse import Job, Warehouse, load_sql, query, query_large

PACKAGE = "kedro_project.chain.sql"
_EVER = date(2000, 1, 1)
_PREVIOUS_DAYS = 400  # clusters older than this are forgotten


@dataclass(frozen=True)
class Chain:
    """The stores of one currency, and the days that have figures."""

    currency: str
    first_date: date
    last_date: date


def chains(warehouse: Warehouse, tenant_id: str, until: date, job: Job) -> list[Chain]:
    """A tenant's chains, by currency.

    Args:
        warehouse: to read from.
        tenant_id: whose.
        until: last business date looked at.
        job: names the query.
    """
    sql = load_sql(warehouse, PACKAGE, "chains")
    params = {"tenant": tenant_id, "date_from": _EVER, "date_to": until} | _published()
    rows = query(warehouse, sql, params, job=job.step("chains")).to_pylist()
    return [Chain(row["currency"], row["first_date"], row["last_date"]) for row in rows]


def read_chain(
    warehouse: Warehouse, masters: TenantMasters, currency: str, span: tuple[date, date], job: Job
) -> ChainData:
    """Published store-days of a tenant, with the stores of one currency.

    Args:
        warehouse: to read from.
        masters: the tenant's, for its stores.
        currency: names the chain.
        span: first and last business date.
        job: names the query.
    """
    first, last = span
    sql = load_sql(warehouse, PACKAGE, "store_days")
    params = {"tenant": masters.tenant_id, "date_from": first, "date_to": last} | _published()
    rows = query_large(warehouse, sql, params, job=job.step(f"store-days-{currency}"))
    stores = [store for store in masters.store if store.currency == currency]
    known = [store.store_id for store in masters.store]
    others = pc.and_(
        pc.equal(rows["currency"], currency), pc.invert(pc.is_in(rows["store_id"], _values(known)))
    )
    gone = len(pc.unique(rows.filter(others)["store_id"]))
    own = rows.filter(pc.is_in(rows["store_id"], _values([s.store_id for s in stores])))
    return ChainData(currency, own, tuple(stores), last, gone)


def previous_clusters(
    warehouse: Warehouse, tenant_id: str, currency: str, as_of: date, job: Job
) -> pd.Series:
    """Cluster by store of the last published run that knew less than `as_of`; may be empty."""
    sql = load_sql(warehouse, PACKAGE, "previous_clusters")
    params = {
        "tenant": tenant_id,
        "currency": currency,
        "date_from": as_of - timedelta(days=_PREVIOUS_DAYS),
        "date_to": as_of - timedelta(days=1),
    }
    rows = query(warehouse, sql, params | _published(), job=job.step(f"clusters-{currency}"))
    stores, clusters = (rows[name].to_pylist() for name in ("store_id", "cluster_id"))
    found = pd.Series(clusters, index=pd.Index(stores, dtype=object), dtype=object)
    return found.sort_index()


def last_whole_day(masters: TenantMasters, now: datetime) -> date:
    """The newest business date that has ended at every store of the tenant."""
    days = [store.clock.business_date(now) for store in masters.store]
    return min(days, default=now.date()) - timedelta(days=1)


def _published() -> dict[str, date]:
    """All runs published so far."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    return {"published_from": date(2020, 1, 1), "published_to": tomorrow}


def _values(names: list[str]) -> pa.Array:
    return pa.array(names, pa.string())
