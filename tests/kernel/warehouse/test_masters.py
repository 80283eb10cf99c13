"""Stores and timezones reach dwh when they change, and only then."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import pytest

from tenpo.clock import zone
from tenpo.masters import Store, TenantMasters
from tenpo.warehouse import Warehouse, execute, query, sync_stores
from tenpo.warehouse.timezones import FIRST, LAST, stretches
from tests.kernel.warehouse.sales import job, store


def sync(warehouse: Warehouse, tenant: str, *stores: Store) -> bool:
    masters = TenantMasters(tenant_id=tenant, store=list(stores))
    return sync_stores(warehouse, masters, job=job(tenant))


def held(warehouse: Warehouse, tenant: str) -> list[tuple[str, str, int]]:
    found = query(
        warehouse,
        f"SELECT store_id, timezone, day_cutover_s FROM `{warehouse.table('dwh', 'store')}` "  # noqa: S608
        "WHERE tenant_id = @tenant ORDER BY store_id",
        {"tenant": tenant},
        job=job(tenant),
    )
    return [tuple(row.values()) for row in found.to_pylist()]


def test_stores_are_added_and_changed_and_never_taken_away(warehouse: Warehouse) -> None:
    tenant = f"t{secrets.token_hex(4)}"
    assert sync(warehouse, tenant, store("s1"), store("s2", cutover="05:00"))
    assert not sync(warehouse, tenant, store("s1"), store("s2", cutover="05:00"))
    assert sync(warehouse, tenant, store("s2", "Europe/Paris", "06:00"))
    assert held(warehouse, tenant) == [("s1", "Asia/Tokyo", 0), ("s2", "Europe/Paris", 21_600)]
    assert not sync(warehouse, tenant)


def test_a_timezone_whose_rules_changed_is_replaced(warehouse: Warehouse) -> None:
    tenant = f"t{secrets.token_hex(4)}"
    sync(warehouse, tenant, store("s1", "America/Lima"))
    table = warehouse.table("dwh", "timezone_offset")
    execute(
        warehouse,
        f"UPDATE `{table}` SET offset_s = 1 WHERE timezone = 'America/Lima'",  # noqa: S608
        job=job(tenant),
    )
    assert sync(warehouse, tenant, store("s1", "America/Lima"))
    found = query(
        warehouse,
        f"SELECT from_at, offset_s FROM `{table}` WHERE timezone = 'America/Lima' ORDER BY 1",  # noqa: S608
        job=job(tenant),
    )
    assert found.column("offset_s").to_pylist() == [s.offset_s for s in stretches("America/Lima")]


@pytest.mark.parametrize("name", ["Asia/Tokyo", "Europe/London", "Pacific/Apia", "Africa/Cairo"])
def test_stretches_tell_the_offset_of_every_hour(name: str) -> None:
    all_of_it = stretches(name)
    assert [s.from_at for s in all_of_it[1:]] == [s.until_at for s in all_of_it[:-1]]
    checked = 0
    for stretch in all_of_it:
        edges = (stretch.from_at, stretch.until_at - timedelta(seconds=1))
        for moment in (m for m in edges if FIRST <= m <= LAST):
            offset = moment.astimezone(zone(name)).utcoffset()
            assert offset == timedelta(seconds=stretch.offset_s), moment
            checked += 1
    moment = datetime(2026, 7, 1, tzinfo=UTC)
    (now,) = [s for s in all_of_it if s.from_at <= moment < s.until_at]
    assert moment.astimezone(zone(name)).utcoffset() == timedelta(seconds=now.offset_s)
    assert checked >= 2 * (len(all_of_it) - 1)
