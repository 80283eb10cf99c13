"""GET /v1/kpis: sums first, ratios after, exact, per currency, at every grain."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tenpo.kpi import DEFINITION_VERSION
from tests.api.conftest import bearer
from tests.api.seed import DST_DAY, DWELL_BUCKET, all_rows

DAY = DST_DAY.isoformat()
WEEK = {"from": "2026-11-14", "to": "2026-11-20"}


def ask(client: TestClient, tenant_id: str, **parameters: Any) -> dict[str, Any]:
    answer = client.get("/v1/kpis", params=parameters, headers=bearer(tenant_id))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def globe(client: TestClient, **parameters: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ask(client, "globe", **{"from": DAY, "to": DAY}, **parameters)[
        "rows"
    ]
    assert rows
    return rows


def test_currencies_are_never_added(client: TestClient) -> None:
    rows = globe(client, grain="total")
    sums = {row["currency"]: row["values"]["net_sales_amount"] for row in rows}
    assert sums == {"EUR": "126.25", "GBP": "252.5", "JPY": "24000"}
    assert {row["currency"]: row["store_count"] for row in rows} == {"EUR": 1, "GBP": 1, "JPY": 2}


def test_ratios_are_formed_after_summing(client: TestClient) -> None:
    (yen,) = [row for row in globe(client, grain="total") if row["currency"] == "JPY"]
    # 96 receipts of 480 visitors; the mean of the two stores' ratios would be the same 0.2,
    # but the average receipt is 24000/96, and not the mean of 250 and nothing.
    assert yen["values"]["conversion_ratio"] == "0.2"
    assert yen["values"]["atv_amount"] == "250"
    apart = {row["store_id"]: row["values"] for row in globe(client, grain="total", by="store")}
    assert apart["osaka"]["atv_amount"] is None
    assert apart["osaka"]["net_sales_amount"] == "0"


def test_totals_equal_the_sums_of_what_was_seeded(client: TestClient) -> None:
    hours = [
        row
        for row in all_rows().hours
        if row["tenant_id"] == "hinode" and str(row["business_date"]) >= "2026-11-14"
    ]
    assert len(hours) == 5 * 7 * 11
    for grain in ("hour", "day", "total"):
        rows = ask(client, "hinode", **WEEK, grain=grain)["rows"]
        sales = sum(Decimal(row["values"]["net_sales_amount"]) for row in rows)
        visitors = sum(row["values"]["footfall"] or 0 for row in rows)
        assert sales == sum(row["net_sales_amount"] for row in hours)
        assert visitors == sum(row["footfall"] or 0 for row in hours)


@pytest.mark.parametrize(("grain", "rows"), [("hour", 7 * 11), ("day", 7), ("total", 1)])
def test_grain_and_by_decide_how_many_rows(client: TestClient, grain: str, rows: int) -> None:
    assert len(ask(client, "hinode", **WEEK, grain=grain)["rows"]) == rows
    assert len(ask(client, "hinode", **WEEK, grain=grain, by="store")["rows"]) == rows * 5


def test_a_day_on_which_summer_time_ends_has_25_hours(client: TestClient) -> None:
    rows = [row for row in globe(client, grain="hour") if row["currency"] == "GBP"]
    assert [row["local_hour"] for row in rows] == [0, 1, 1, *range(2, 24)]
    starts = [row["hour_start_at"] for row in rows]
    assert starts[1:3] == ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"]
    assert starts == sorted(set(starts))
    assert {row["values"]["footfall"] for row in rows} == {4}
    assert len([row for row in globe(client, grain="hour") if row["currency"] == "JPY"]) == 24


def test_stores_are_chosen_by_repeating_the_parameter(client: TestClient) -> None:
    rows = globe(client, grain="total", by="store", store=["paris", "osaka"])
    assert [row["store_id"] for row in rows] == ["paris", "osaka"]


def test_unknown_is_null_and_not_zero(client: TestClient) -> None:
    (row,) = ask(client, "corner", **WEEK, grain="total")["rows"]
    assert row["values"]["footfall"] is None
    assert row["values"]["conversion_ratio"] is None
    assert row["coverage_ratio"] is None
    assert row["values"]["net_sales_amount"] == "691.32"
    (closed,) = globe(client, grain="total", store="osaka")
    assert closed["values"]["transactions"] == 0


def test_what_is_not_covered_is_said(client: TestClient) -> None:
    (row,) = ask(client, "hinode", **WEEK, grain="total", store="umeda")["rows"]
    hours = 7 * 11
    assert Decimal(row["coverage_ratio"]) == round(Decimal(hours - 6 - 11) / hours, 9)
    assert {"footfall", "conversion_ratio"} <= set(row["partial"])
    assert "net_sales_amount" not in row["partial"]
    (whole,) = ask(client, "hinode", **WEEK, grain="total", store="ginza")["rows"]
    assert (whole["coverage_ratio"], whole["partial"]) == ("1", [])
    assert whole["definition_version"] == DEFINITION_VERSION
    assert whole["computed_at"] == "2026-11-21T01:30:00Z"


@pytest.mark.parametrize("grain", ["hour", "day", "week", "total"])
def test_peaks_and_medians_are_merged_and_not_added(client: TestClient, grain: str) -> None:
    hours = [row for row in all_rows().hours if row["store_id"] == "ginza"]
    wanted = ["capture_ratio", "dwell_median_s", "occupancy_peak", "passers_by"]
    rows = ask(client, "hinode", **WEEK, grain=grain, kpi=wanted)["rows"]
    week = [row for row in hours if str(row["business_date"]) >= WEEK["from"]]
    peaks = [row["values"]["occupancy_peak"] for row in rows]
    assert max(peaks) == max(row["occupancy_peak"] for row in week)
    assert sum(row["values"]["passers_by"] for row in rows) == sum(r["passers_by"] for r in week)
    ends = [(51 / 49) ** (DWELL_BUCKET - below) for below in (1, 0)]
    for row in rows:
        assert ends[0] < float(row["values"]["dwell_median_s"]) < ends[1]
        assert row["values"]["capture_ratio"] == "0.125"


def test_only_the_kpis_asked_for(client: TestClient) -> None:
    (row,) = ask(client, "hinode", **WEEK, grain="total", kpi=["upt", "footfall"])["rows"]
    assert list(row["values"]) == ["upt", "footfall"]
    assert row["coverage_ratio"] is not None


def test_csv_holds_what_json_holds(client: TestClient) -> None:
    asked = {**WEEK, "grain": "hour", "by": "store"}
    rows = ask(client, "hinode", **asked)["rows"]
    answer = client.get("/v1/kpis", params={**asked, "format": "csv"}, headers=bearer("hinode"))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="kpis_hour_2026-11-14_2026-11-20.csv"' in answer.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(lines) == len(rows) == 7 * 11 * 5
    for line, row in zip(lines, rows, strict=True):
        assert line["store_id"] == row["store_id"]
        assert line["hour_start_at"] == row["hour_start_at"]
        assert line["net_sales_amount"] == row["values"]["net_sales_amount"]
        assert line["footfall"] == ("" if (f := row["values"]["footfall"]) is None else str(f))
        assert line["coverage_ratio"] == row["coverage_ratio"]


def test_a_poll_costs_nothing_until_something_changes(client: TestClient) -> None:
    first = client.get("/v1/kpis", params=WEEK, headers=bearer("hinode"))
    assert first.headers["cache-control"] == "private, no-cache"
    known = bearer("hinode") | {"If-None-Match": first.headers["etag"]}
    second = client.get("/v1/kpis", params=WEEK, headers=known)
    assert (second.status_code, second.content) == (304, b"")
    other = client.get("/v1/kpis", params={**WEEK, "grain": "total"}, headers=known)
    assert other.status_code == 200


def test_a_range_without_figures_is_empty_and_no_error(client: TestClient) -> None:
    assert ask(client, "fresh", **WEEK, grain="total")["rows"] == []
