"""/v1/benchmarks: a store beside its cluster and its industry, and for whom there is nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import bearer
from tests.api.model_seed import LEFT_OUT
from tests.api.seed import STORES

ONE = {"Authorization": "Bearer one-hinode"}  # sees ginza alone
RANGE = "from=2026-11-14&to=2026-11-20"


def ask(
    client: TestClient, query: str, headers: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/benchmarks?{query}", headers=headers or bearer("hinode"))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["benchmarks"]
    return found


def of(found: list[dict[str, Any]], scope: str, kpi: str = "conversion_ratio") -> dict[str, Any]:
    return {one["store_id"]: one for one in found if (one["scope"], one["kpi"]) == (scope, kpi)}


def test_a_store_beside_its_cluster(client: TestClient) -> None:
    kpis = client.get(f"/v1/kpis?{RANGE}&grain=total&by=store", headers=bearer("hinode")).json()
    values = {
        row["store_id"]: Decimal(row["values"]["conversion_ratio"])
        for row in kpis["rows"]
        if row["store_id"] not in (LEFT_OUT, "umeda")  # no cluster; a counter silent too long
    }
    assert len(values) == 3
    low, median, high = sorted(values.values())
    found = of(ask(client, RANGE), "cluster")
    assert set(found) == {*values, "umeda"}  # whose own figure is beside them all the same
    for one in found.values():
        told = [Decimal(one[name]) for name in ("low", "median", "high")]
        # Of three in order the quartiles lie halfway, rounded to nine places.
        exact = [(low + median) / 2, median, (median + high) / 2]
        assert all(abs(a - b) <= Decimal("5e-10") for a, b in zip(told, exact, strict=True))
        assert (one["store_count"], one["name"]["en"]) == (3, "all stores")
    ginza = found["ginza"]
    assert Decimal(ginza["value"]) == values["ginza"]
    assert (ginza["period"], ginza["period_from"], ginza["period_to"]) == (
        None, "2026-11-14", "2026-11-20",
    )  # fmt: skip
    assert of(ask(client, RANGE), "cluster", "atv_amount")["ginza"]["store_count"] == 4


def test_a_store_beside_the_finest_group_of_the_newest_week(client: TestClient) -> None:
    found = of(ask(client, RANGE), "industry")
    assert set(found) == {store.store_id for store in STORES["hinode"]}
    ginza = found["ginza"]
    assert [ginza[name] for name in ("low", "median", "high")] == ["0.19", "0.22", "0.26"]
    assert (ginza["period"], ginza["store_count"], ginza["name"]["en"]) == (
        "2026-W46", 10, "fashion, JPY, below 250 m²",
    )  # fmt: skip
    own = client.get(
        "/v1/kpis?from=2026-11-09&to=2026-11-15&grain=total&store=ginza", headers=bearer("hinode")
    ).json()
    assert ginza["value"] == own["rows"][0]["values"]["conversion_ratio"]
    assert found["umeda"]["low"] == "0.21"  # its size is not known
    assert of(ask(client, RANGE), "industry", "atv_amount")["ginza"]["period"] == "2026-W45"


@pytest.mark.parametrize(
    ("query", "low"),
    [
        ("from=2026-10-24&to=2026-11-20", "0.18"),  # 28 days: the month
        ("from=2026-11-08&to=2026-11-14", "0.1"),  # the newer week is not over
        ("from=2026-11-01&to=2026-11-07", None),
        ("from=2026-12-11&to=2026-12-17", None),  # too long ago
    ],
)
def test_which_release_a_range_is_held_against(
    client: TestClient, query: str, low: str | None
) -> None:
    ginza = of(ask(client, query), "industry").get("ginza")
    assert (ginza and ginza["low"]) == low


def test_who_takes_no_part_sees_no_industry(client: TestClient) -> None:
    for tenant_id in ("corner", "globe"):
        answer = client.get(f"/v1/benchmarks?{RANGE}", headers=bearer(tenant_id)).json()
        assert answer["shares_benchmarks"] is False
        assert not [one for one in answer["benchmarks"] if one["scope"] == "industry"]


def test_a_stores_token_sees_that_store_alone(client: TestClient) -> None:
    found = ask(client, RANGE, ONE)
    assert {one["store_id"] for one in found} == {"ginza"}
    assert {one["scope"] for one in found} == {"cluster", "industry"}
    assert of(found, "cluster") == {"ginza": of(ask(client, RANGE), "cluster")["ginza"]}
    assert client.get(f"/v1/benchmarks?{RANGE}&store=umeda", headers=ONE).status_code == 404


def test_two_stores_are_no_comparison(client: TestClient) -> None:
    assert ask(client, "from=2026-10-25&to=2026-10-25", bearer("globe")) == []


def test_what_is_not_compared_is_refused(client: TestClient) -> None:
    answer = client.get(f"/v1/benchmarks?{RANGE}&kpi=footfall", headers=bearer("hinode"))
    assert answer.status_code == 422
    assert "conversion_ratio" in answer.json()["remedy"]
    assert client.get(f"/v1/benchmarks?{RANGE}&x=1", headers=bearer("hinode")).status_code == 422
