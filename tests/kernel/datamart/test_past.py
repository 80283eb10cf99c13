"""Revisions are kept as they are replaced, and read as of any moment since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tenpo.datamart import past, transaction
from tenpo.datamart.kpi_query import KpiQuery
from tenpo.datamart.kpi_read import read_kpis
from tenpo.datamart.tables import kpi_store_day
from tenpo.datamart.upsert import upsert
from tenpo.errors import InputError
from tests.kernel.datamart.rows import DAY, day_row, day_table

HOUR = timedelta(hours=1)
FIRST = datetime(2026, 3, 30, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        connection.execute(text("TRUNCATE kpi_store_day, kpi_store_day_past, run"))


def publish(datamart: Engine, number: int, *values: dict[str, Any]) -> None:
    """A run that revises some stores, published an hour after the one before it."""
    rows = day_table(*(day_row(run_id=f"r{number}", **each) for each in values))
    with transaction(datamart) as connection:
        past.keep(connection, "kpi_store_day", rows)
        upsert(connection, kpi_store_day, rows)
        connection.execute(
            text(
                "INSERT INTO run (run_id, tenant_id, job, state, published_at)"
                " VALUES (:run_id, 'acme', 'aggregate', 'published', :at)"
            ),
            {"run_id": f"r{number}", "at": FIRST + (number - 1) * HOUR},
        )


def sales(datamart: Engine, as_of: datetime | None) -> Decimal | None:
    with datamart.connect() as connection:
        query = KpiQuery("acme", DAY, DAY, "total", as_of=as_of)
        rows = read_kpis(connection, query)
    if not rows:
        return None
    value = rows[0].sums["net_sales_amount"]
    assert isinstance(value, Decimal)
    return value


def test_every_moment_has_its_own_truth(datamart: Engine) -> None:
    ten, twenty, thirty = (Decimal(n) for n in (10, 20, 30))
    publish(datamart, 1, {"store_id": "a", "net_sales_amount": ten})
    publish(datamart, 2, {"store_id": "b", "net_sales_amount": ten})
    publish(datamart, 3, {"store_id": "a", "net_sales_amount": twenty, "revision": 2})
    publish(datamart, 4, {"store_id": "a", "net_sales_amount": thirty, "revision": 3})
    truths = [sales(datamart, FIRST + n * HOUR) for n in range(-1, 4)]
    assert truths == [None, 10, 20, 30, 40]
    assert sales(datamart, FIRST + 2.5 * HOUR) == 30
    assert sales(datamart, None) == 40


def test_what_is_kept_twice_is_kept_once(datamart: Engine) -> None:
    publish(datamart, 1, {"store_id": "a"})
    rows = day_table(day_row("a", revision=2))
    with transaction(datamart) as connection:
        assert past.keep(connection, "kpi_store_day", rows) == 1
        assert past.keep(connection, "kpi_store_day", rows) == 0
        assert past.keep(connection, "kpi_store_day", day_table(day_row("b"))) == 0


def test_what_was_not_kept_is_refused_and_not_left_out(datamart: Engine) -> None:
    publish(datamart, 3, {"store_id": "a", "revision": 4})
    with pytest.raises(InputError, match="were not kept") as caught:
        sales(datamart, FIRST)
    assert "mart" in caught.value.remedy
    assert sales(datamart, FIRST + 2 * HOUR) == Decimal("12.345678901")


def test_hours_are_kept_by_their_hour(datamart: Engine) -> None:
    from tenpo.datamart.tables import kpi_store_hour
    from tenpo.kpi import KPI_STORE_HOUR

    def hours(revision: int) -> list[dict[str, Any]]:
        return [
            {**day_row("a", revision=revision), "hour_start_at": FIRST + n * HOUR, "local_hour": n}
            for n in range(3)
        ]

    with transaction(datamart) as connection:
        upsert(connection, kpi_store_hour, KPI_STORE_HOUR.table(hours(1)))
        changed = KPI_STORE_HOUR.table(hours(2)[1:2])
        assert past.keep(connection, "kpi_store_hour", changed) == 1
        kept = connection.execute(text("SELECT local_hour FROM kpi_store_hour_past")).scalars()
        assert list(kept) == [1]
