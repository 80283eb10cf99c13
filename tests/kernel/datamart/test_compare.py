"""A year before, stores that were not there all the time are compared with nothing."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, delete, insert

from tenpo.datamart import transaction
from tenpo.datamart.kpi_compare import Compared, compare_kpis, same_stores
from tenpo.datamart.kpi_query import By, KpiQuery
from tenpo.datamart.tables import kpi_store_day, store
from tenpo.datamart.upsert import upsert
from tests.kernel.datamart.rows import day_row, day_table

#: A week of six trading days, and the aligned one a year before.
NOW, THEN = date(2026, 11, 2), date(2025, 11, 3)
YEN = "net_sales_amount"
TENANT = "since"


@pytest.fixture(autouse=True)
def _chain(datamart: Engine) -> None:
    """Old trades all along, new since a later week, gone no more; late opened within the base."""
    days = {"old": (THEN, NOW), "new": (NOW,), "gone": (THEN,), "late": (THEN, NOW)}
    amounts = {("old", NOW): 12, ("new", NOW): 50, ("late", NOW): 7}
    rows = [
        day_row(store_id, first + timedelta(days=n), tenant_id=TENANT,
                net_sales_amount=Decimal(amounts.get((store_id, first), 10)))
        for store_id, weeks in days.items() for first in weeks for n in range(6)
        if (store_id, first, n) != ("late", THEN, 0)
    ]  # fmt: skip
    opened = {"tenant_id": TENANT, "store_id": "late", "name": "late", "timezone": "UTC",
              "currency": "JPY", "opened_on": THEN + timedelta(days=1)}  # fmt: skip
    with transaction(datamart) as connection:
        for table in (kpi_store_day, store):
            connection.execute(delete(table).where(table.c.tenant_id == TENANT))
        connection.execute(insert(store), [opened])
        upsert(connection, kpi_store_day, day_table(*rows))


def asked(by: By = "all", stores: tuple[str, ...] = ()) -> KpiQuery:
    return KpiQuery(TENANT, NOW, NOW + timedelta(days=6), "total", by, stores, (YEN,))


def compared(datamart: Engine, query: KpiQuery) -> Compared:
    with datamart.connect() as connection:
        return compare_kpis(connection, query, "year")


def test_the_change_is_of_stores_that_were_there_all_the_time(datamart: Engine) -> None:
    query = asked()
    with datamart.connect() as connection:
        assert same_stores(connection, query, query.base("year")) == ("old",)
    (row,) = compared(datamart, query).as_document()["rows"]
    assert row["values"][YEN] == str(6 * (12 + 50 + 7))
    assert row["compared"]["values"][YEN] == str(6 * 10 + 6 * 10 + 5 * 10)
    assert row["compared"]["ratios"][YEN] == "1.2"
    assert row["compared"]["same_stores"] == {
        "store_count": 1, "values": {YEN: "72"}, "base_values": {YEN: "60"},
    }  # fmt: skip


def test_a_store_that_was_not_there_has_no_change(datamart: Engine) -> None:
    found = compared(datamart, asked("store"))
    ratios = {
        row["store_id"]: row["compared"] and row["compared"]["ratios"][YEN]
        for row in found.as_document()["rows"]
    }
    assert ratios == {"late": None, "new": None, "old": "1.2"}
    alone = compared(datamart, asked(stores=("late",))).as_document()["rows"][0]["compared"]
    assert (alone["ratios"][YEN], alone["same_stores"]["store_count"]) == (None, 0)
    assert alone["values"][YEN] == "50"
