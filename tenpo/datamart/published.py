"""Reading back the current KPI rows, as the aggregation compares them with new ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Any, Protocol

import pyarrow as pa
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    bindparam,
    cast,
    func,
    select,
    tuple_,
)

from tenpo.contracts import Contract
from tenpo.datamart.tables import DATES, TABLES, TEXTS, dirty_store_day


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
        contract: `KPI_STORE_HOUR`, `KPI_STORE_DAY` or `KPI_ZONE_HOUR`.
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


def zoned_stores(connection: Connection, tenant_id: str, days: Collection[Day]) -> frozenset[str]:
    """Stores of which zones are published between the first and the last of some store-days."""
    zone, dates = TABLES["kpi_zone_hour"].c, [day.business_date for day in days]
    if not dates:
        return frozenset()
    within = zone.business_date.between(min(dates), max(dates))
    found = select(zone.store_id).distinct().where(zone.tenant_id == tenant_id, within)
    return frozenset(connection.execute(found).scalars())


def days_after(
    connection: Connection, tenant_id: str, days: Sequence[Day], count: int
) -> list[tuple[str, date]]:
    """Published store-days that lie up to so many dates after some store-days."""
    return _after(connection, tenant_id, days, lambda since: since.between(1, count))


def uncovered_after(
    connection: Connection, tenant_id: str, days: Sequence[Day], weeks: int
) -> list[tuple[str, date]]:
    """Published store-days that lack counts, on the same weekday up to so many weeks after some.

    What was counted on these says what is usual on those.
    """
    lacking = TABLES["kpi_store_day"].c.uncovered_s > 0
    return _after(
        connection,
        tenant_id,
        days,
        lambda since: and_(
            lacking, since.between(1, 7 * weeks), func.mod(cast(since, Integer), 7) == 0
        ),
    )


def _after(
    connection: Connection,
    tenant_id: str,
    days: Sequence[Day],
    chosen: Callable[[ColumnElement[Any]], ColumnElement[bool]],
) -> list[tuple[str, date]]:
    """Published store-days of the same stores, chosen by how many dates after they lie."""
    day = TABLES["kpi_store_day"]
    changed = select(
        func.unnest(bindparam("stores", type_=TEXTS)).label("store_id"),
        func.unnest(bindparam("dates", type_=DATES)).label("business_date"),
    ).subquery("changed")
    statement = (
        select(day.c.store_id, day.c.business_date)
        .distinct()
        .join(changed, changed.c.store_id == day.c.store_id)
        .where(day.c.tenant_id == tenant_id)
        .where(chosen(day.c.business_date - changed.c.business_date))
    )
    arrays = {"stores": [d.store_id for d in days], "dates": [d.business_date for d in days]}
    return [(row[0], row[1]) for row in connection.execute(statement, arrays)]


def dates_known(connection: Connection, tenant_id: str) -> list[date]:
    """The first and last business dates of a tenant that were computed or are to be; or none.

    Marks are read first: one that is answered meanwhile is found published after it.
    """
    found: set[date] = set()
    for table in (dirty_store_day, TABLES["kpi_store_day"]):
        day = table.c.business_date
        ends = select(func.min(day), func.max(day)).where(table.c.tenant_id == tenant_id)
        found.update(each for each in connection.execute(ends).one() if each is not None)
    return sorted(found)


def unjudged(
    connection: Connection, tenant_id: str, first: date, last: date
) -> list[tuple[str, date]]:
    """Published store-days that were not over when they were last computed."""
    day = TABLES["kpi_store_day"]
    statement = select(day.c.store_id, day.c.business_date).where(
        day.c.tenant_id == tenant_id,
        day.c.business_date.between(first, last),
        day.c.expected_s.is_not(None),
        day.c.uncovered_s.is_(None),
    )
    return [(row[0], row[1]) for row in connection.execute(statement)]
