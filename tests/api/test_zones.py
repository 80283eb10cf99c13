"""GET /v1/zones: sums of each zone, never over zones, at every grain."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import bearer
from tests.api.seed import all_rows

WEEK = {"from": "2026-11-14", "to": "2026-11-20"}


def zones(client: TestClient, tenant_id: str = "hinode", **parameters: Any) -> list[dict[str, Any]]:
    answer = client.get("/v1/zones", params=WEEK | parameters, headers=bearer(tenant_id))
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


@pytest.mark.parametrize(("grain", "count"), [("hour", 77), ("day", 7), ("week", 2), ("total", 1)])
def test_each_zone_has_its_sums(client: TestClient, grain: str, count: int) -> None:
    footfall = [row["footfall"] for row in all_rows().hours if row["store_id"] == "ginza"
                and str(row["business_date"]) >= WEEK["from"]]  # fmt: skip
    rows = zones(client, grain=grain)
    assert len(rows) == 2 * count
    for zone_id, part in (("shelf", 2), ("table", 10)):
        of_zone = [row["values"]["zone_visitors"] for row in rows if row["zone_id"] == zone_id]
        assert sum(of_zone) == sum(people // part for people in footfall)


def test_ratios_are_formed_after_summing(client: TestClient) -> None:
    footfall = [row["footfall"] for row in all_rows().hours if row["store_id"] == "ginza"
                and str(row["business_date"]) >= WEEK["from"]]  # fmt: skip
    shelf, _ = zones(client, grain="total")
    came, stayed = (sum(people // part for people in footfall) for part in (2, 4))
    exact = round(Decimal(came) / sum(footfall), 9)
    assert Decimal(shelf["values"]["zone_exposure_ratio"]) == exact
    assert Decimal(shelf["values"]["zone_engagement_ratio"]) == round(Decimal(stayed) / came, 9)


def test_zones_are_of_the_tenant_and_of_the_stores_asked_for(client: TestClient) -> None:
    assert zones(client, "globe", grain="total") == []
    assert zones(client, grain="total", store="umeda") == []
    assert zones(client, grain="total", as_of="2026-11-20T00:00:00Z") == []
    assert len(zones(client, grain="total", as_of="2026-11-22T00:00:00Z")) == 2
    refused = client.get("/v1/zones", params=WEEK | {"by": "all"}, headers=bearer("hinode"))
    assert refused.status_code == 422
