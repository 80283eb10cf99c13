"""Reading what the newest run of the models says. Not for runs before it: those are in mart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select

from tenpo.datamart.tables import (
    chain_forecast,
    model_run,
    store_cluster,
    store_forecast,
    store_target,
)

Rows = Sequence[Mapping[Any, Any]]


def runs(connection: Connection, tenant_id: str) -> Rows:
    """The run behind each chain's results, by currency."""
    return _rows(connection, _of(model_run, tenant_id).order_by(model_run.c.currency))


def clusters(connection: Connection, tenant_id: str, stores: Sequence[str] = ()) -> Rows:
    """Each store's cluster with `store_count`, how many stores the cluster has in all.

    Args:
        connection: the datamart.
        tenant_id: whose.
        stores: only these; empty means all.
    """
    own = store_cluster.c
    same = (own.currency, own.cluster_id)
    counted = select(
        store_cluster, func.count().over(partition_by=same).label("store_count")
    ).where(own.tenant_id == tenant_id)
    part = counted.subquery("counted")
    statement = select(part).order_by(part.c.currency, part.c.cluster_id, part.c.store_id)
    return _rows(connection, statement.where(part.c.store_id.in_(stores)) if stores else statement)


def targets(connection: Connection, tenant_id: str, stores: Sequence[str] = ()) -> Rows:
    """Every factor of every store, the largest head-room of a store first."""
    order = (
        store_target.c.currency,
        store_target.c.headroom_amount.desc().nulls_last(),
        store_target.c.store_id,
        store_target.c.factor,
    )
    return _rows(connection, _of(store_target, tenant_id, stores).order_by(*order))


def store_forecasts(
    connection: Connection, tenant_id: str, stores: Sequence[str] = (), measure: str | None = None
) -> Rows:
    """The days to come of stores, by store and date."""
    own = store_forecast.c
    statement = _of(store_forecast, tenant_id, stores)
    if measure is not None:
        statement = statement.where(own.measure == measure)
    return _rows(connection, statement.order_by(own.store_id, own.measure, own.business_date))


def chain_forecasts(connection: Connection, tenant_id: str, measure: str | None = None) -> Rows:
    """The days to come of whole chains, by currency and date."""
    own = chain_forecast.c
    statement = _of(chain_forecast, tenant_id)
    if measure is not None:
        statement = statement.where(own.measure == measure)
    return _rows(connection, statement.order_by(own.currency, own.measure, own.business_date))


def _of(table: Table, tenant_id: str, stores: Sequence[str] = ()) -> Select[Any]:
    statement = select(table).where(table.c.tenant_id == tenant_id)
    return statement.where(table.c.store_id.in_(stores)) if stores else statement


def _rows(connection: Connection, statement: Select[Any]) -> Rows:
    return connection.execute(statement).mappings().all()
