"""Nowcasts: the formula by hand, and the figures it is given out of a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from beam_jobs.aggregate.compose import COUNTS_SCHEMA, SALES_SCHEMA, compose_hours
from beam_jobs.aggregate.hours import StoreDay
from beam_jobs.aggregate.visits import VISITORS_SCHEMA, VISITS_SCHEMA, visit_hours
from tenpo.datamart import transaction
from tenpo.datamart.nowcast_read import read_nowcasts
from tenpo.datamart.tables import TABLES
from tenpo.masters import Store
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
            "sale_lines": 1, "open_s": 3_600, "covered_s": 3_600,
            "definition_version": 1, "revision": 1, "cause": "first computed",
            "computed_at": datetime(2026, 11, 18, tzinfo=UTC), "run_id": "r",
        }
        for hour in range(OPENS, until)
    ]  # fmt: skip


def late_today() -> list[dict[str, Any]]:
    """Today as composed while the register last sent at 12:40 and the counter at 15:20."""
    store = Store(
        store_id="late", name="late", timezone="Asia/Tokyo", currency="JPY",
        opening_hours=((f"{OPENS}:00", f"{CLOSES}:00"),),
    )  # fmt: skip

    def at(hour: int, minute: int = 0) -> datetime:
        return datetime(2026, 11, 18, hour - 9, minute, tzinfo=UTC)

    def key(hour: int) -> dict[str, Any]:
        return {"store_id": "late", "business_date": TODAY, "hour_start_at": at(hour),
                "local_hour": hour}  # fmt: skip

    sales = [key(h) | {"sale_lines": 2, "transactions": 1, "net_sales_amount": Decimal(1_000)}
             for h in (10, 11, 12)]  # fmt: skip
    counts = [
        key(hour)
        | {"device_id": "door", "start_at": at(hour, minute), "end_at": at(hour, minute)
           + timedelta(minutes=20), "in_count": 4, "out_count": 4, "staff_in_count": 0}
        for hour in range(OPENS, 16)
        for minute in ((0, 20, 40) if hour < 15 else (0,))
    ]  # fmt: skip
    table = compose_hours(
        {"late": store}, {"late": ["door"]}, [StoreDay("late", TODAY)],
        pa.Table.from_pylist(sales, schema=SALES_SCHEMA),
        pa.Table.from_pylist(counts, schema=COUNTS_SCHEMA),
        visit_hours(VISITS_SCHEMA.empty_table(), VISITORS_SCHEMA.empty_table(), {}),
    )  # fmt: skip
    common = {
        "tenant_id": "acme", "definition_version": 1, "revision": 1, "cause": "first computed",
        "computed_at": datetime(2026, 11, 18, tzinfo=UTC), "run_id": "r",
    }  # fmt: skip
    return [row | common for row in table.to_pylist()]


@pytest.fixture(scope="module")
def filled(datamart: Engine) -> Engine:
    """`live` is at 16:30 of a day a fifth better than usual; from `dark` nothing comes today."""
    rows = []
    for back in range(1, 57):
        day = TODAY - timedelta(days=back)
        rows += hours("live", day, 10) + hours("dark", day, 20) + hours("late", day, 10)
    rows += hours("live", TODAY, 12, until=16)
    late = late_today()
    stores = [
        {"tenant_id": "acme", "store_id": name, "name": name, "timezone": "Asia/Tokyo",
         "currency": "JPY"}
        for name in ("live", "dark", "new", "late")
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
        connection.execute(insert(TABLES["kpi_store_hour"]), late)
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


@pytest.mark.parametrize("hour", [13, 16, 19])
def test_a_register_that_sends_seldom_makes_no_day_poor(filled: Engine, hour: int) -> None:
    """Hours that nobody has told of yet are zeros in the rows; they are no hours without sales."""
    one = ask(filled, hour)["late", "sales"]
    # The receipts of 12 may go on: two of twenty parts are known.
    assert (one.so_far, one.until_hour) == (2_000, 12)
    assert one.final.band.value == pytest.approx(2_000 / (2 / 20))


def test_a_register_that_sends_at_once_counts_up_to_now(filled: Engine) -> None:
    assert ask(filled, 12)["late", "sales"].until_hour == 12
    assert ask(filled, 11)["late", "sales"].until_hour == 11


def test_people_count_up_to_the_last_hour_that_counters_saw_whole(filled: Engine) -> None:
    one = ask(filled, 19)["late", "footfall"]
    assert (one.so_far, one.until_hour) == (5 * 12, 15)


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
