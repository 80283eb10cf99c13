"""Store-days whose events changed and whose KPIs are to be computed again.

A mark stays until the computation that answers it clears it in its own final
transaction. A mark renewed meanwhile has a new generation and is not cleared: what
arrived during the computation is computed by the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, func, select, text

from tenpo.datamart.tables import DATES, NUMBERS, TEXTS, dirty_store_day
from tenpo.datamart.upsert import store_day_arrays
from tenpo.store_day import StoreDay

_ARRAYS = (
    bindparam("tenants", type_=TEXTS),
    bindparam("stores", type_=TEXTS),
    bindparam("dates", type_=DATES),
)
# Sorted, so that two markers cannot wait for each other.
_MARK = text("""
    INSERT INTO dirty_store_day (tenant_id, store_id, business_date, cause)
    SELECT tenant_id, store_id, business_date, :cause
    FROM unnest(:tenants, :stores, :dates) AS marked (tenant_id, store_id, business_date)
    ORDER BY tenant_id, store_id, business_date
    ON CONFLICT (tenant_id, store_id, business_date) DO UPDATE SET
      cause = excluded.cause, marked_at = clock_timestamp(),
      generation = nextval('dirty_generation')""").bindparams(*_ARRAYS)
_CLEAR = text("""
    DELETE FROM dirty_store_day AS held
    USING unnest(:tenants, :stores, :dates, :generations)
      AS taken (tenant_id, store_id, business_date, generation)
    WHERE held.tenant_id = taken.tenant_id AND held.store_id = taken.store_id
      AND held.business_date = taken.business_date AND held.generation = taken.generation
    """).bindparams(*_ARRAYS, bindparam("generations", type_=NUMBERS))


@dataclass(frozen=True, slots=True)
class Dirty:
    """A mark as it was taken."""

    store_day: StoreDay
    cause: str
    generation: int
    marked_at: datetime


def mark(connection: Connection, store_days: Iterable[StoreDay], cause: str) -> int:
    """Mark store-days; a mark that is there gets a new generation.

    Args:
        connection: in a transaction.
        store_days: which.
        cause: why, as the revisions will say it.

    Returns:
        The number of store-days.
    """
    arrays = store_day_arrays(store_days)
    if not arrays["dates"]:
        return 0
    return connection.execute(_MARK, {**arrays, "cause": cause}).rowcount


def take(
    connection: Connection, *, tenant_id: str | None = None, limit: int | None = None
) -> list[Dirty]:
    """The marks, oldest first. Nothing is removed: clear what was answered."""
    c = dirty_store_day.c
    statement = select(c.tenant_id, c.store_id, c.business_date, c.cause, c.generation, c.marked_at)
    if tenant_id is not None:
        statement = statement.where(c.tenant_id == tenant_id)
    found = connection.execute(statement.order_by(c.marked_at, c.generation).limit(limit))
    return [Dirty(StoreDay(*row[:3]), *row[3:]) for row in found]


def oldest(connection: Connection) -> dict[str, datetime]:
    """Each tenant that has marks, with the time of its oldest."""
    c = dirty_store_day.c
    found = connection.execute(select(c.tenant_id, func.min(c.marked_at)).group_by(c.tenant_id))
    return {row[0]: row[1] for row in found}


def clear(connection: Connection, taken: Sequence[Dirty]) -> int:
    """Remove the marks that nobody renewed since they were taken.

    Returns:
        How many were removed.
    """
    if not taken:
        return 0
    dates: list[date] = [item.store_day.business_date for item in taken]
    arrays = {
        "tenants": [item.store_day.tenant_id for item in taken],
        "stores": [item.store_day.store_id for item in taken],
        "dates": dates,
        "generations": [item.generation for item in taken],
    }
    return connection.execute(_CLEAR, arrays).rowcount
