"""Nowcasts: the formula by hand, and the figures it is given out of a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from tenpo.datamart import transaction
from tenpo.datamart.nowcast_read import read_nowcasts
from tenpo.datamart.tables import TABLES
from tenpo.nowcast import Band, nowcast

TODAY = date(2026, 11, 18)  # a Wednesday
OPENS, CLOSES = 10, 20
SHAPE = (1, 1, 2, 2, 1, 1, 2, 4, 4, 2)  # of twenty


def band(*ends: float) -> Band:
    return Band(*(Decimal(str(end)) for end in ends))


def test_half_a_day_counts_half() -> None:
    """Forty in half a day make eighty; the forecast says a hundred; each weighs one half."""
    found = nowcast(Decimal(40), band(0.5, 0.4, 0.625), band(100, 90, 110), None)
    assert found is not None
    assert found.basis == "hours so far and forecast"
    assert found.band == band(90, 77, 105)


@pytest.mark.parametrize(
    ("so_far", "share", "forecast", "usual", "basis", "value"),
    [
        (None, None, band(100, 90, 110), band(80, 70, 90), "forecast", 100),
        (None, None, None, band(80, 70, 90), "past weeks", 80),
        (Decimal(30), band(0.6, 0.5, 0.75), None, band(80, 70, 90), "hours so far", 50),
        (Decimal(0), band(0.01, 0, 0.02), band(100, 90, 110), None, "forecast", 100),
        (Decimal(130), band(1, 1, 1), band(100, 90, 110), None, "hours so far and forecast", 130),
    ],
)
def test_what_is_missing_is_made_up_for(
    so_far: Any, share: Any, forecast: Any, usual: Any, basis: str, value: int
) -> None:
    found = nowcast(so_far, share, forecast, usual)
    assert found is not None
    assert (str(found.basis), int(found.band.value)) == (basis, value)


def test_of_nothing_comes_nothing() -> None:
    assert nowcast(None, None, None, None) is None
    assert nowcast(Decimal(5), None, None, None) is None


AMOUNTS = st.decimals(0, 10**7, places=2)
SHARES = st.lists(st.decimals(0, 1, places=4), min_size=3, max_size=3).map(sorted)


@settings(max_examples=100)
@given(so_far=AMOUNTS, shares=SHARES, ends=st.lists(AMOUNTS, min_size=3, max_size=3).map(sorted))
def test_ends_stay_in_order_and_no_day_ends_below_what_it_has(
    so_far: Decimal, shares: list[Decimal], ends: list[Decimal]
) -> None:
    found = nowcast(so_far, Band(shares[1], shares[0], shares[2]),
                    Band(ends[1], ends[0], ends[2]), None)  # fmt: skip
    assert found is not None
    tiny = Decimal("1e-9") * (1 + found.band.high)
    assert so_far <= found.band.low <= found.band.value + tiny
    assert found.band.value <= found.band.high + tiny


def hours(store_id: str, day: date, scale: int, until: int = CLOSES) -> list[dict[str, Any]]:
    return [
        {
            "tenant_id": "acme", "store_id": store_id, "business_date": day, "currency": "JPY",
            "hour_start_at": datetime(day.year, day.month, day.day, tzinfo=UTC)
            + timedelta(hours=hour - 9),
            "local_hour": hour, "footfall": scale * SHAPE[hour - OPENS],
            "net_sales_amount": Decimal(scale * SHAPE[hour - OPENS] * 100),
            "definition_version": 1, "revision": 1, "cause": "first computed",
            "computed_at": datetime(2026, 11, 18, tzinfo=UTC), "run_id": "r",
        }
        for hour in range(OPENS, until)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def filled(datamart: Engine) -> Engine:
    """`live` is at 16:30 of a day a fifth better than usual; from `dark` nothing comes today."""
    rows = []
    for back in range(1, 57):
        day = TODAY - timedelta(days=back)
        rows += hours("live", day, 10) + hours("dark", day, 20)
    rows += hours("live", TODAY, 12, until=16)
    stores = [
        {"tenant_id": "acme", "store_id": name, "name": name, "timezone": "Asia/Tokyo",
         "currency": "JPY"}
        for name in ("live", "dark", "new")
    ]  # fmt: skip
    forecast = [
        {
            "tenant_id": "acme", "store_id": store, "currency": "JPY", "business_date": TODAY,
            "measure": "footfall", "value": 200, "low": 160, "high": 240, "is_cold": False,
            "as_of_date": TODAY - timedelta(days=1), "run_id": "m",
        }
        for store in ("live", "new")
    ]  # fmt: skip
    with transaction(datamart) as connection:
        connection.execute(insert(TABLES["kpi_store_hour"]), rows)
        connection.execute(insert(TABLES["store"]), stores)
        connection.execute(insert(TABLES["store_forecast"]), forecast)
    return datamart


def ask(engine: Engine, hour: int) -> dict[tuple[str, str], Any]:
    now = datetime(2026, 11, 18, hour, 30, tzinfo=UTC) - timedelta(hours=9)
    with transaction(engine) as connection:
        found = read_nowcasts(connection, "acme", now)
    assert all(each.business_date == TODAY for each in found)
    return {(each.store_id, each.measure): each for each in found}


def test_hours_so_far_raise_the_forecast(filled: Engine) -> None:
    one = ask(filled, 16)["live", "footfall"]
    # Eight of twenty parts are over: 96 came, as if 240 would come; the forecast says 200.
    assert (one.so_far, one.until_hour) == (96, 16)
    assert one.final.basis == "hours so far and forecast"
    assert one.final.band.value == pytest.approx(Decimal("0.4") * 240 + Decimal("0.6") * 200)


def test_hours_that_have_not_come_in_yet_count_as_to_come(filled: Engine) -> None:
    """At 19:30 the newest hour that came in ends at 16:00: the day is not measured by 19:00."""
    assert ask(filled, 19)["live", "footfall"] == ask(filled, 16)["live", "footfall"]


def test_an_hour_that_still_runs_is_left_out(filled: Engine) -> None:
    one = ask(filled, 14)["live", "footfall"]
    assert (one.so_far, one.until_hour) == (12 * (1 + 1 + 2 + 2), 14)


def test_without_live_data_the_forecast_and_then_the_past_speak(filled: Engine) -> None:
    found = ask(filled, 16)
    dark, new = found["dark", "footfall"], found["new", "footfall"]
    assert (dark.so_far, dark.until_hour, dark.final.basis) == (None, None, "past weeks")
    assert dark.final.band.value == 20 * sum(SHAPE)
    assert (new.final.basis, new.final.band.value) == ("forecast", 200)
    assert ("new", "sales") not in found


def test_other_tenants_and_stores_are_not_seen(filled: Engine) -> None:
    now = datetime(2026, 11, 18, 7, 30, tzinfo=UTC)
    with transaction(filled) as connection:
        assert read_nowcasts(connection, "zeta", now) == []
        (one, two) = read_nowcasts(connection, "acme", now, ["live"])
    assert {one.store_id, two.store_id} == {"live"}
