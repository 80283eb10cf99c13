"""Reading back the current KPI rows, as the aggregation compares them with new ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

import pyarrow as pa
from sqlalchemy import Connection, bindparam, func, select, tuple_

from tenpo.contracts import Contract
from tenpo.datamart.tables import DATES, TABLES, TEXTS


class Day(Protocol):
    """A store on a business date, of a tenant known from elsewhere."""

    @property
    def store_id(self) -> str:
        """The store."""
        ...

    @property
    def business_date(self) -> date:
        """Its trading day."""
        ...


def published_rows(
    connection: Connection, contract: Contract, tenant_id: str, days: Sequence[Day]
) -> pa.Table:
    """The current rows of some store-days.

    Args:
        connection: the datamart.
        contract: `KPI_STORE_HOUR` or `KPI_STORE_DAY`.
        tenant_id: whose.
        days: which store-days.

    Returns:
        Rows of the contract, in no order.
    """
    table = TABLES[contract.name]
    wanted = select(
        func.unnest(bindparam("stores", type_=TEXTS)), func.unnest(bindparam("dates", type_=DATES))
    )
    statement = select(*(table.c[name] for name in contract.names)).where(
        table.c.tenant_id == tenant_id,
        tuple_(table.c.store_id, table.c.business_date).in_(wanted),
    )
    unique = sorted({(day.store_id, day.business_date) for day in days})
    arrays = {"stores": [s for s, _ in unique], "dates": [d for _, d in unique]}
    found = connection.execute(statement, arrays)
    return contract.table([dict(row) for row in found.mappings()])
