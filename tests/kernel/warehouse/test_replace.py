"""Exactly the rows of the keys go, exactly the new ones come."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from tenpo.errors import ConfigError, IntegrityError
from tenpo.kpi import KPI_STORE_DAY
from tenpo.warehouse import Warehouse, append, query, replace
from tests.kernel.datamart.rows import DAY, day_row, day_table
from tests.kernel.warehouse.sales import job

NEXT = DAY + timedelta(days=1)
KEY = ["tenant_id", "store_id", "business_date"]


@pytest.fixture
def tenant(warehouse: Warehouse) -> str:
    """A tenant with two stores on two days, beside another tenant with the same."""
    name = f"t{secrets.token_hex(4)}"
    rows = [
        day_row(s, d, tenant_id=t) for t in (name, f"{name}x") for s in ("s1", "s2")
        for d in (DAY, NEXT)
    ]  # fmt: skip
    append(warehouse, KPI_STORE_DAY, day_table(*rows))
    return name


def keys(tenant: str, *pairs: tuple[str, date]) -> pa.Table:
    rows = [{"tenant_id": tenant, "store_id": s, "business_date": d} for s, d in pairs]
    return pa.Table.from_pylist(rows, KPI_STORE_DAY.table([]).select(KEY).schema)


def held(warehouse: Warehouse, tenant: str) -> list[tuple[Any, ...]]:
    table = warehouse.table("mart", "kpi_store_day")
    found = query(
        warehouse,
        f"SELECT store_id, business_date, transactions FROM `{table}` "  # noqa: S608
        "WHERE tenant_id = @tenant AND business_date > '2000-01-01' ORDER BY 1, 2, 3",
        {"tenant": tenant},
        job=job("x"),
    )
    return [tuple(row.values()) for row in found.to_pylist()]


def test_only_the_keys_rows_are_replaced(warehouse: Warehouse, tenant: str) -> None:
    new = day_table(day_row("s1", DAY, tenant_id=tenant, transactions=9))
    wanted = keys(tenant, ("s1", DAY), ("s2", NEXT), ("s2", NEXT), ("s9", DAY))
    assert replace(warehouse, KPI_STORE_DAY, new, wanted, job=job(tenant)) == 3
    assert held(warehouse, tenant) == [("s1", DAY, 9), ("s1", NEXT, 3), ("s2", DAY, 3)]
    assert len(held(warehouse, f"{tenant}x")) == 4


def test_doing_it_again_changes_nothing(warehouse: Warehouse, tenant: str) -> None:
    new = day_table(*(day_row("s1", d, tenant_id=tenant, transactions=9) for d in (DAY, NEXT)))
    wanted = keys(tenant, ("s1", DAY), ("s1", NEXT))
    work = job(tenant)
    for _ in range(2):
        replace(warehouse, KPI_STORE_DAY, new, wanted, job=work)
    assert held(warehouse, tenant)[:2] == [("s1", DAY, 9), ("s1", NEXT, 9)]
    assert len(held(warehouse, tenant)) == 4


def test_no_rows_delete_and_no_keys_do_nothing(warehouse: Warehouse, tenant: str) -> None:
    nothing = day_table()
    assert replace(warehouse, KPI_STORE_DAY, nothing, keys(tenant), job=job(tenant)) == 0
    every = keys(tenant, *((s, d) for s in ("s1", "s2") for d in (DAY, NEXT)))
    assert replace(warehouse, KPI_STORE_DAY, nothing, every, job=job(tenant)) == 4
    assert held(warehouse, tenant) == []


def test_keys_must_name_the_partition(warehouse: Warehouse, tenant: str) -> None:
    with pytest.raises(ConfigError, match="business_date"):
        replace(
            warehouse, KPI_STORE_DAY, day_table(),
            keys(tenant, ("s1", DAY)).select(["tenant_id"]), job=job(tenant),
        )  # fmt: skip


def test_rows_that_break_the_contract_replace_nothing(warehouse: Warehouse, tenant: str) -> None:
    broken = day_table(day_row("s1", DAY, tenant_id=tenant, run_id=None))
    with pytest.raises(IntegrityError, match="run_id"):
        replace(warehouse, KPI_STORE_DAY, broken, keys(tenant, ("s1", DAY)), job=job(tenant))
    assert len(held(warehouse, tenant)) == 4
