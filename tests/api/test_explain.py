"""What is behind a figure: as of then, inputs, coverage, revisions, words; and week and month."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tenpo.commands.explain import explain
from tenpo.commands.kpi import kpi
from tenpo.datamart.kpi_query import Grain, KpiQuery
from tenpo.errors import InputError, WarehouseError
from tenpo.settings import get_settings
from tests.api.conftest import bearer
from tests.api.seed import COMPUTED_AT, CORRECTED, TEN_DAYS, all_rows

DAY = CORRECTED.isoformat()
THEN = (COMPUTED_AT - timedelta(days=1)).isoformat()
GINZA = next(
    row
    for row in all_rows().days()
    if row["store_id"] == "ginza" and row["business_date"] == CORRECTED
)


def ask(client: TestClient, path: str, tenant_id: str = "hinode", **asked: Any) -> dict[str, Any]:
    answer = client.get(path, params=asked, headers=bearer(tenant_id))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def sales(client: TestClient, **more: Any) -> list[dict[str, Any]]:
    asked = {"from": DAY, "to": DAY, "store": "ginza", **more}
    rows: list[dict[str, Any]] = ask(client, "/v1/kpis", **asked)["rows"]
    return rows


def test_yesterdays_truth_can_be_read(client: TestClient) -> None:
    (now,) = sales(client)
    (then,) = sales(client, as_of=THEN)
    gained = Decimal(now["values"]["net_sales_amount"]) - Decimal(
        then["values"]["net_sales_amount"]
    )
    assert (now["revision"], then["revision"]) == (2, 1)
    assert gained == 11_000
    assert then["values"]["footfall"] is None
    assert sales(client, as_of=COMPUTED_AT.isoformat()) == [now]
    assert sales(client, as_of=(COMPUTED_AT - 2 * TEN_DAYS).isoformat()) == []
    hours = sales(client, grain="hour", as_of=THEN)
    assert len(hours) == 11
    total = sum(Decimal(row["values"]["net_sales_amount"]) for row in hours)
    assert total == Decimal(then["values"]["net_sales_amount"])


def test_a_figure_says_what_it_is_made_of_and_why_it_changed(client: TestClient) -> None:
    found = ask(client, "/v1/explain", kpi="atv_amount", date=DAY, store="ginza")
    (figure,) = found["figures"]
    assert {each["measure"]: each["value"] for each in figure["inputs"]} == {
        "net_sales_amount": str(GINZA["net_sales_amount"]),
        "transactions": GINZA["transactions"],
    }
    quotient = GINZA["net_sales_amount"] / GINZA["transactions"]
    assert abs(Decimal(figure["value"]) - quotient) < Decimal("1e-8")
    newest, first = found["revisions"]
    assert (newest["revision"], first["revision"], first["old"]) == (2, 1, None)
    assert newest["old"] == first["new"]
    assert newest["new"] == figure["value"]
    assert newest["cause"] == "new or corrected sale_line"
    assert newest["published_at"] == COMPUTED_AT.isoformat().replace("+00:00", "Z")
    words = " ".join(found["words"]["en"])
    assert f"{GINZA['net_sales_amount']:,.0f} JPY net sales" in words
    assert "On 2026-11-21 10:30 JST it changed from" in words
    assert "receipts came late or were corrected" in words
    assert "客単価" in found["words"]["ja"][0]


def test_what_changed_other_figures_alone_is_no_change_of_this_one(client: TestClient) -> None:
    found = ask(client, "/v1/explain", kpi="transactions", date=DAY, store="ginza")
    newest, _ = found["revisions"]
    assert newest["old"] == newest["new"]
    assert "It has not changed since it was first computed." in found["words"]["en"]
    assert "1 further revisions changed other figures alone." in found["words"]["en"]


def test_a_footfall_that_became_known_says_so(client: TestClient) -> None:
    words = " ".join(
        ask(client, "/v1/explain", kpi="footfall", date=DAY, store="ginza")["words"]["en"]
    )
    assert "Counters reported for 100% of the opening hours (11 h 0 min of 11 h 0 min)." in words
    assert "it changed from unknown to" in words


def test_hours_that_counters_missed_are_named(client: TestClient) -> None:
    found = ask(client, "/v1/explain", kpi="footfall", date="2026-11-19", store="umeda")
    assert [hour["local_hour"] for hour in found["weak_hours"]] == [15, 16, 17, 18, 19, 20]
    words = " ".join(found["words"]["en"])
    assert "Counters reported for 45.4% of the opening hours (5 h 0 min of 11 h 0 min)." in words
    assert "Not counted in full: 11-19 15:00-21:00." in words
    assert "Nothing was filled in." in words
    (hour,) = ask(client, "/v1/explain", kpi="footfall", date="2026-11-19", store="umeda", hour=15)[
        "figures"
    ]
    assert (hour["value"], hour["covered_s"], hour["expected_s"]) == (None, 0, 3600)


def test_a_range_over_all_stores_tells_which_days_changed(client: TestClient) -> None:
    asked = {"from": "2026-10-30", "to": "2026-11-05"}
    found = ask(client, "/v1/explain", kpi="net_sales_amount", **asked)
    assert found["revision_count"] == 1
    (change,) = found["revisions"]
    assert (change["store_id"], change["business_date"]) == ("ginza", DAY)
    assert "(ginza, 2026-10-31)" in " ".join(found["words"]["en"])
    then = ask(client, "/v1/explain", kpi="net_sales_amount", as_of=THEN, **asked)
    assert then["revision_count"] == 0


def test_a_shop_without_counters_is_not_blamed(client: TestClient) -> None:
    found = ask(client, "/v1/explain", "corner", kpi="conversion_ratio", date="2026-11-20")
    assert found["figures"][0]["value"] is None
    assert found["words"]["en"][:2] == [
        "Conversion is not known: nothing was received that tells receipts in counted hours.",
        "No counter is expected here.",
    ]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"kpi": "profit", "date": DAY}, 422),
        ({"kpi": "upt"}, 422),
        ({"kpi": "upt", "date": DAY, "from": DAY, "to": DAY}, 422),
        ({"kpi": "upt", "from": "2026-01-01", "to": DAY}, 422),
        ({"kpi": "upt", "from": "2026-10-30", "to": DAY, "hour": 3}, 422),
        ({"kpi": "upt", "date": DAY, "as_of": "2026-11-01T00:00:00"}, 422),
        ({"kpi": "upt", "date": DAY, "store": "london"}, 404),
    ],
)
def test_what_cannot_be_explained_is_refused(
    client: TestClient, asked: dict[str, Any], status: int
) -> None:
    answer = client.get("/v1/explain", params=asked, headers=bearer("hinode"))
    assert answer.status_code == status
    assert answer.json()["remedy"]


SOURCES = {"kpi": "upt", "date": DAY, "store": "ginza"}


def test_payloads_are_named_to_nobody_else(client: TestClient) -> None:
    assert client.get("/v1/sources", params=SOURCES).status_code == 401
    answer = client.get("/v1/sources", params=SOURCES, headers=bearer("globe"))
    assert answer.status_code == 404
    answer = client.get("/v1/sources", params=SOURCES | {"kpi": "x"}, headers=bearer("hinode"))
    assert answer.status_code == 422


def test_a_warehouse_that_does_not_answer_hides_nothing_else(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(*_: Any) -> None:
        raise WarehouseError("connect to 10.0.0.1 failed")

    monkeypatch.setattr("tenpo.warehouse.sources.store_day_sources", dead)
    answer = client.get("/v1/sources", params=SOURCES, headers=bearer("hinode"))
    assert answer.status_code == 503
    assert "10.0.0.1" not in answer.text
    ask(client, "/v1/explain", kpi="upt", date=DAY, store="ginza")


@pytest.fixture
def process(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.mark.usefixtures("process")
def test_the_command_says_what_the_api_says(
    client: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    day = datetime.combine(CORRECTED, datetime.min.time())
    explain("atv_amount", "hinode", "ginza", day, sources=False, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told.pop("sources") is None
    assert told == ask(client, "/v1/explain", kpi="atv_amount", date=DAY, store="ginza")
    explain("atv_amount", "hinode", "ginza", day, sources=False)
    assert capsys.readouterr().out.splitlines() == told["words"]["en"]
    with pytest.raises(InputError, match="no store"):
        explain("atv_amount", "hinode", "london", day, sources=False)
    with pytest.raises(InputError, match="timezone"):
        explain("atv_amount", "hinode", "ginza", day, as_of="2026-11-20T09:00:00", sources=False)


def test_weeks_and_months_are_sums_of_their_days(client: TestClient) -> None:
    """Seeded are 2026-10-17 to 2026-11-20: one ISO week is whole but for none, two are cut."""
    asked: dict[str, Any] = {"from": "2026-10-17", "to": "2026-11-20", "kpi": "atv_amount"}
    days = [row for row in all_rows().days() if row["tenant_id"] == "hinode"]
    for grain, names in (
        ("week", ["2026-W42", "2026-W43", "2026-W44", "2026-W45", "2026-W46", "2026-W47"]),
        ("month", ["2026-10", "2026-11"]),
    ):
        rows = ask(client, "/v1/kpis", grain=grain, **asked)["rows"]
        assert [row["period"] for row in rows] == names
        for row in rows:
            first, last = (date.fromisoformat(row[name]) for name in ("period_from", "period_to"))
            mine = [day for day in days if first <= day["business_date"] <= last]
            assert row["day_count"] * 5 == len(mine)
            top = sum(day["net_sales_amount"] for day in mine)
            bottom = sum(day["transactions"] for day in mine)
            assert abs(Decimal(row["values"]["atv_amount"]) - top / bottom) < Decimal("1e-8")
            seen = Decimal(sum(day["covered_s"] for day in mine))
            share = seen / sum(day["expected_s"] for day in mine)
            assert abs(Decimal(row["coverage_ratio"]) - share) < Decimal("1e-8")
    assert [row["day_count"] for row in rows] == [15, 20]


def test_a_week_stands_beside_the_one_before(client: TestClient) -> None:
    asked = {"from": "2026-11-02", "to": "2026-11-15", "grain": "week", "kpi": "net_sales_amount"}
    answer = ask(client, "/v1/kpis", compare="previous", **asked)
    assert answer["compare"] == {"against": "previous", "from": "2026-10-26", "to": "2026-11-08"}
    first, second = answer["rows"]
    assert second["compared"]["values"] == first["values"]
    assert second["compared"]["period"] == "2026-W45"
    ratio = Decimal(second["values"]["net_sales_amount"]) / Decimal(
        first["values"]["net_sales_amount"]
    )
    got = Decimal(second["compared"]["ratios"]["net_sales_amount"])
    assert abs(got - ratio) < Decimal("1e-8")
    last_year = ask(client, "/v1/kpis", compare="year", **asked)
    assert last_year["compare"]["from"] == "2025-11-03"
    assert [row["compared"] for row in last_year["rows"]] == [None, None]
    by_day = ask(client, "/v1/kpis", compare="previous", **asked | {"grain": "day", "by": "store"})
    row = next(
        r for r in by_day["rows"] if (r["business_date"], r["store_id"]) == ("2026-11-10", "ginza")
    )
    assert row["compared"]["business_date"] == "2026-10-27"
    for wrong in ({"grain": "hour"}, {"format": "csv"}):
        answer = client.get(
            "/v1/kpis", params={**asked, "compare": "year", **wrong}, headers=bearer("hinode")
        ).json()
        assert "compar" in answer["what"]


@pytest.mark.parametrize(
    ("asked", "base"),
    [
        (("2026-11-10", "2026-11-16", "month"), ("2026-10-10", "2026-10-16")),
        (("2026-11-01", "2026-11-30", "month"), ("2026-10-01", "2026-10-31")),
        (("2026-10-05", "2026-11-20", "month"), ("2026-09-05", "2026-10-20")),
        (("2026-03-30", "2026-03-31", "month"), ("2026-02-28", "2026-02-28")),
        (("2026-11-11", "2026-11-19", "week"), ("2026-11-04", "2026-11-12")),
    ],
)
def test_a_cut_period_stands_beside_one_as_cut(
    asked: tuple[str, str, Grain], base: tuple[str, str]
) -> None:
    first, last = (date.fromisoformat(day) for day in asked[:2])
    found = KpiQuery("hinode", first, last, asked[2]).base("previous")
    assert (found.first.isoformat(), found.last.isoformat()) == base


def test_three_days_of_a_month_are_compared_with_three(client: TestClient) -> None:
    asked = {"from": "2026-11-18", "to": "2026-11-20", "grain": "month", "kpi": "transactions"}
    (row,) = ask(client, "/v1/kpis", compare="previous", **asked)["rows"]
    assert (row["day_count"], row["compared"]["day_count"]) == (3, 3)
    asked |= {"from": "2026-10-18", "to": "2026-10-20"}
    (base,) = ask(client, "/v1/kpis", **asked)["rows"]
    assert row["compared"]["values"] == base["values"]
    assert row["compared"]["period"] == "2026-10"


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "0001-01-01", "to": "0001-01-02", "compare": "year"},
        {"from": "9999-12-01", "to": "9999-12-31", "grain": "month"},
    ],
)
def test_dates_beyond_calendars_are_refused(client: TestClient, asked: dict[str, Any]) -> None:
    answer = client.get("/v1/kpis", params=asked, headers=bearer("hinode"))
    assert answer.status_code == 422
    assert "1900-01-01" in answer.json()["remedy"]


@pytest.mark.usefixtures("process")
def test_the_terminal_shows_the_change_below_each_figure(
    capsys: pytest.CaptureFixture[str], client: TestClient
) -> None:
    first, last = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 15, tzinfo=UTC)
    kpi("hinode", first, last, grain="week", name=["footfall"], compare="previous")
    shown = capsys.readouterr().out.split()
    rows = ask(
        client, "/v1/kpis", **{"from": "2026-11-02", "to": "2026-11-15"}, grain="week",
        kpi="footfall", compare="previous",
    )["rows"]  # fmt: skip
    for row in rows:
        assert f"{row['values']['footfall']:,}" in shown
        change = Decimal(row["compared"]["ratios"]["footfall"]) - 1
        assert f"{change:+.1%}" in shown
    assert {"2026-W45", "2026-W46"} <= set(shown)
    kpi("hinode", first, last, grain="week", name=["conversion_ratio"], compare="previous")
    lines = capsys.readouterr().out
    assert lines.count(" pts") == len(rows)
    assert lines.count("%") == len(rows), "points are no percent"
    with pytest.raises(InputError, match="no compare"):
        kpi("hinode", first, last, compare="never")
