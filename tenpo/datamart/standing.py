"""Where a tenant's figures stand: what is there, and what is still to be computed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from tenpo.datamart.tables import dirty_store_day, kpi_store_day


@dataclass(frozen=True, slots=True)
class Standing:
    """What the datamart has of a tenant.

    Args:
        first: first business date with figures; None where there are none.
        last: last one.
        to_compute: store-days whose events have come and whose figures have not.
    """

    first: date | None
    last: date | None
    to_compute: int


def standing(connection: Connection, tenant_id: str) -> Standing:
    """Where the tenant's figures stand."""
    day = kpi_store_day.c.business_date
    of_tenant = kpi_store_day.c.tenant_id == tenant_id
    marks = select(func.count()).where(dirty_store_day.c.tenant_id == tenant_id)
    first, last = connection.execute(select(func.min(day), func.max(day)).where(of_tenant)).one()
    return Standing(first, last, connection.execute(marks).scalar_one())
