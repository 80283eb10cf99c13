"""GET /v1/busy-hours: from the hours of the stores, at every grain."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import bearer
from tests.api.seed import all_rows

WEEKS = {"from": "2026-11-07", "to": "2026-11-20"}


def busy(client: TestClient, **parameters: Any) -> list[dict[str, Any]]:
    answer = client.get("/v1/busy-hours", params=WEEKS | parameters, headers=bearer("hinode"))
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def test_hours_of_the_week_are_summed_over_stores_and_dates(client: TestClient) -> None:
    came: Counter[tuple[int, int]] = Counter()
    for row in all_rows().hours:
        if row["tenant_id"] == "hinode" and str(row["business_date"]) >= WEEKS["from"]:
            came[row["business_date"].weekday(), row["local_hour"]] += row["footfall"] or 0
    (total,) = busy(client, grain="total")
    assert total["footfall"] == came.total()
    at, most = min(came.items(), key=lambda each: (-each[1], each[0]))
    assert tuple(total["peak_hour"].values()) == (*at, most)
    held = sum(hour["footfall"] for hour in total["power_hours"])
    assert 2 * held >= came.total() > 2 * (held - total["power_hours"][-1]["footfall"])
    assert float(total["coverage_ratio"]) < 1, "umeda's counter fell silent"


@pytest.mark.parametrize(
    ("grain", "by", "count"), [("day", "all", 14), ("week", "store", 15), ("total", "store", 5)]
)
def test_grain_and_by_decide_how_many_rows(
    client: TestClient, grain: str, by: str, count: int
) -> None:
    rows = busy(client, grain=grain, by=by)
    assert len(rows) == count
    for row in rows:
        if grain == "day":
            weekdays = {hour["weekday"] for hour in row["power_hours"]}
            assert len(weekdays) == 1, "the hours of one date are of one weekday"


def test_hours_and_long_ranges_are_refused(client: TestClient) -> None:
    for wrong in ({"grain": "hour"}, {"grain": "total", "from": "2025-10-01"}):
        answer = client.get("/v1/busy-hours", params=WEEKS | wrong, headers=bearer("hinode"))
        assert answer.status_code == 422
        assert "busy hours" in answer.json()["what"]
