"""What the newest run of the models says of a tenant: written whole, so nobody reads half."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from sqlalchemy import Connection, delete, select

from tenpo.contracts.models import MODEL_TABLES
from tenpo.datamart.tables import TABLES, model_run, store_forecast
from tenpo.datamart.upsert import upsert


@dataclass(frozen=True, slots=True)
class Shown:
    """The run that readers see.

    Args:
        run_id: the run.
        as_of: last business date that it knew.
    """

    run_id: str
    as_of: date


def shown(connection: Connection, tenant_id: str) -> Shown | None:
    """The run that readers of a tenant see; None before the first."""
    found = connection.execute(
        select(model_run.c.run_id, model_run.c.as_of_date)
        .where(model_run.c.tenant_id == tenant_id)
        .limit(1)
    ).one_or_none()
    return None if found is None else Shown(*found)


@dataclass(frozen=True, slots=True)
class Canary:
    """A run that is tried with some stores, whose readers see its forecasts.

    Args:
        run_id: the run.
        stores: those stores.
    """

    run_id: str
    stores: tuple[str, ...]


def canary(connection: Connection, tenant_id: str) -> Canary | None:
    """The run that is tried beside the one that readers see; None where none is."""
    own = store_forecast.c
    champion = select(model_run.c.run_id).where(model_run.c.tenant_id == tenant_id)
    found = connection.execute(
        select(own.run_id, own.store_id)
        .distinct()
        .where(own.tenant_id == tenant_id, own.run_id.not_in(champion))
        .order_by(own.store_id)
    ).all()
    return Canary(found[0].run_id, tuple(one.store_id for one in found)) if found else None


def replace_forecasts(
    connection: Connection, tenant_id: str, stores: Sequence[str], forecasts: pa.Table
) -> int:
    """The days to come of some stores, in place of what was said of them before.

    Args:
        connection: in the transaction that publishes.
        tenant_id: whose.
        stores: of which stores.
        forecasts: rows of `STORE_FORECAST`, of these stores alone.

    Returns:
        The number of rows.
    """
    own = store_forecast.c
    connection.execute(
        delete(store_forecast).where(own.tenant_id == tenant_id, own.store_id.in_(list(stores)))
    )
    return upsert(connection, store_forecast, forecasts)


def replace(connection: Connection, tenant_id: str, tables: Mapping[str, pa.Table]) -> int:
    """Everything that the models say of a tenant, in place of what they said before.

    Args:
        connection: in the transaction that publishes.
        tenant_id: whose.
        tables: rows of every contract of `MODEL_TABLES`, by name.

    Returns:
        The number of rows.
    """
    for contract in MODEL_TABLES:
        table = TABLES[contract.name]
        connection.execute(delete(table).where(table.c.tenant_id == tenant_id))
    return sum(upsert(connection, TABLES[c.name], tables[c.name]) for c in MODEL_TABLES)
