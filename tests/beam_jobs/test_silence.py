"""What silent counters missed is estimated beside what was counted, or said to be unknown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_jobs.aggregate.compose import compose_days, compose_hours
from beam_jobs.aggregate.hours import StoreDay
from beam_jobs.aggregate.silence import PROFILE_SCHEMA, usual_days
from tests.beam_jobs.reference import Interval, Shop
from tests.beam_jobs.silence_reference import Usual, estimates
from tests.beam_jobs.test_compose import NO_VISITS, World, counted, grouped_sales, store_of, worlds

MONDAY = date(2026, 6, 1)
SHOP = Shop("s1", "UTC", 0, (9, 12), ("d1",))
LATER = datetime(2027, 1, 1, tzinfo=UTC)
MEASURES = ("footfall_imputed", "footfall_filled", "uncovered_s")


def profile(day: date, usual: list[Usual]) -> pa.Table:
    rows = [
        {"store_id": "s1", "business_date": day - timedelta(weeks=u.weeks), "device_id": u.device,
         "local_hour": u.local_hour, "visitors": u.visitors, "told_s": u.told_s}
        for u in usual
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PROFILE_SCHEMA)


def composed(world: World, usual: list[Usual], now: datetime = LATER) -> pa.Table:
    shop, day, lines, intervals = world
    return compose_hours(
        {"s1": store_of(shop)}, {"s1": shop.devices} if shop.devices else {},
        [StoreDay("s1", day)], grouped_sales(shop, lines), counted(shop, intervals), NO_VISITS,
        profile(day, usual), now,
    )  # fmt: skip


def interval(start: str, minutes: int, entered: int) -> Interval:
    begin = datetime.fromisoformat(f"{MONDAY}T{start}:00+00:00")
    return Interval("s1", "d1", begin, begin + timedelta(minutes=minutes), entered, 0, 0)


def told(intervals: list[Interval], usual: list[Usual], **more: Any) -> dict[int, tuple[Any, ...]]:
    hours = composed((SHOP, MONDAY, [], intervals), usual, **more)
    (day,) = compose_days(hours).to_pylist()
    rows = {row["local_hour"]: row for row in hours.to_pylist()} | {-1: day}
    return {hour: tuple(row[name] for name in MEASURES) for hour, row in rows.items()}


def test_a_short_silence_is_filled_from_its_neighbours_by_hand() -> None:
    """20 minutes from 9:50 on, between 20 people in 50 minutes and 13 in 60: 33 in 110."""
    rows = told(
        [interval("09:00", 50, 20), interval("10:10", 60, 13), interval("11:10", 50, 5)], []
    )
    # 10 minutes of 33 / 110 a minute are 3 people, on either side of ten o'clock.
    assert rows[9] == (3, 23, 600)
    assert rows[10] == (3, 16, 600)
    assert rows[-1] == (6, 20 + 13 + 5 + 6, 1200)


def test_a_long_silence_is_filled_from_the_weeks_before_by_hand() -> None:
    """From 10:30 on: half of what 10 o'clock usually brings, and all of 11 o'clock's."""
    usual = [Usual("d1", 1, 10, 30, 3600), Usual("d1", 8, 10, 10, 3600),
             Usual("d1", 2, 11, 8, 1800), Usual("d1", 9, 11, 999, 3600)]  # fmt: skip
    rows = told([interval("09:00", 90, 20)], usual)
    assert rows[9] == (0, 20, 0)
    assert rows[10] == (10, 10, 1800)
    assert rows[11] == (16, 16, 3600)
    assert rows[-1] == (26, 46, 5400)


def test_where_nothing_is_usual_the_day_is_unknown() -> None:
    rows = told([interval("09:00", 90, 20)], [Usual("d1", 1, 10, 30, 3600)])
    assert rows[10] == (15, 15, 1800)
    assert rows[11] == (None, None, 3600)
    assert rows[-1] == (None, None, 5400)


def test_a_running_date_is_not_judged() -> None:
    early = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)
    rows = told([interval("09:00", 90, 20)], [], now=early)
    assert set(rows.values()) == {(None, None, None)}
    rows = told([interval("09:00", 90, 20)], [], now=early + timedelta(minutes=30))
    assert rows[9] == (0, 20, 0)


def test_the_weeks_before_are_asked_for_only_after_long_silence() -> None:
    silent = {"store_id": ["s2", "s1", "s1"], "business_date": [MONDAY] * 3, "beside_s": [9, 0, 0]}
    stores, dates = usual_days(pa.table(silent))
    assert stores == ["s1"]
    assert len(dates) == 8
    assert {day.weekday() for day in dates} == {0}
    assert MONDAY - dates[0] == timedelta(weeks=8)


usuals = st.builds(
    Usual, st.sampled_from(["d1", "d2"]), st.integers(1, 9), st.integers(5, 25),
    st.integers(-3, 60), st.integers(600, 5_400),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    worlds(), st.lists(usuals, max_size=30, unique_by=lambda u: (u.device, u.weeks, u.local_hour))
)
def test_estimates_equal_the_slow_reference(world: World, usual: list[Usual]) -> None:
    shop, day, _, intervals = world
    want = estimates(shop, day, intervals, usual)
    for row in composed(world, usual).to_pylist():
        if not shop.devices:
            assert [row[name] for name in MEASURES] == [None, None, None]
            continue
        imputed = want.get(row["hour_start_at"], 0)
        assert row["footfall_imputed"] == imputed, row["hour_start_at"]
        filled = None if imputed is None else imputed + (row["footfall"] or 0)
        assert row["footfall_filled"] == filled
        assert row["uncovered_s"] == row["expected_s"] - row["covered_s"]
