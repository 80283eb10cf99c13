"""Arrow rows arrive exactly and replace those of the same key."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text

from tenpo.datamart import transaction
from tenpo.datamart.published import published_rows
from tenpo.datamart.tables import kpi_store_day
from tenpo.datamart.upsert import upsert
from tenpo.errors import IntegrityError
from tenpo.kpi import KPI_STORE_DAY
from tenpo.store_day import StoreDay
from tests.kernel.datamart.rows import DAY, day_row, day_table


@pytest.fixture(autouse=True)
def _empty(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        connection.execute(text("TRUNCATE kpi_store_day"))


def held(engine: Engine, *stores: str) -> pa.Table:
    days = [StoreDay("acme", s, DAY + timedelta(n)) for s in stores for n in range(3)]
    with transaction(engine) as connection:
        found = published_rows(connection, KPI_STORE_DAY, "acme", days)
    return found.sort_by([("store_id", "ascending"), ("business_date", "ascending")])


def test_rows_come_back_exactly(datamart: Engine) -> None:
    rows = day_table(day_row("s1"), day_row("s2", net_sales_amount=None, cause='a "b"\t\\N\n'))
    with transaction(datamart) as connection:
        assert upsert(connection, kpi_store_day, rows) == 2
    assert held(datamart, "s1", "s2").equals(rows)


def test_the_same_key_is_replaced(datamart: Engine) -> None:
    for revision in (1, 2):
        with transaction(datamart) as connection:
            upsert(connection, kpi_store_day, day_table(day_row(revision=revision)))
    assert held(datamart, "s1").column("revision").to_pylist() == [2]


def test_columns_left_out_keep_their_values(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        upsert(connection, kpi_store_day, day_table(day_row()))
        required = [f.name for f in KPI_STORE_DAY.fields if f.required]
        upsert(connection, kpi_store_day, day_table(day_row(revision=5)).select(required))
    (row,) = held(datamart, "s1").to_pylist()
    assert (row["revision"], row["transactions"]) == (5, 3)


def test_an_error_later_in_the_transaction_undoes_it(datamart: Engine) -> None:
    def fail_after_upsert() -> None:
        with transaction(datamart) as connection:
            upsert(connection, kpi_store_day, day_table(day_row()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_upsert()
    assert held(datamart, "s1").num_rows == 0


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (pa.table({"tenant_id": ["acme"]}), "no store_id"),
        (day_table(day_row()).append_column("odd", pa.array([1])), "unknown odd"),
    ],
)
def test_rows_that_do_not_fit_are_refused(datamart: Engine, rows: pa.Table, problem: str) -> None:
    with pytest.raises(IntegrityError, match=problem), transaction(datamart) as connection:
        upsert(connection, kpi_store_day, rows)


def test_a_broken_constraint_is_an_integrity_error(datamart: Engine) -> None:
    rows = day_table(day_row(cause=None))
    with pytest.raises(IntegrityError, match="cause"), transaction(datamart) as connection:
        upsert(connection, kpi_store_day, rows)


def test_published_rows_are_the_tenants_own(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        upsert(connection, kpi_store_day, day_table(day_row(), day_row(tenant_id="other")))
        found = published_rows(connection, KPI_STORE_DAY, "other", [StoreDay("x", "s1", DAY)])
        nothing = published_rows(connection, KPI_STORE_DAY, "other", [])
    assert found.column("tenant_id").to_pylist() == ["other"]
    assert nothing.num_rows == 0
