"""What the newest run of the models says of a tenant: written whole, so nobody reads half."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from sqlalchemy import Connection, delete, select

from tenpo.contracts.models import MODEL_TABLES
from tenpo.datamart.tables import TABLES, model_run
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
