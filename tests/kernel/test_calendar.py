"""Weeks and months of both calendars, against dates that others have published."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenpo.kpi.calendar import Calendar, PeriodGrain, base_of, base_range, period_of, periods

DATES = st.dates(date(2001, 1, 1), date(2060, 12, 31))
CALENDARS = st.sampled_from(["iso", "retail_454"])
GRAINS = st.sampled_from(["week", "month"])


@pytest.mark.parametrize(
    ("year", "starts"),
    [  # https://nrf.com/resources/4-5-4-calendar
        (2022, date(2022, 1, 30)),
        (2023, date(2023, 1, 29)),
        (2024, date(2024, 2, 4)),
        (2025, date(2025, 2, 2)),
        (2026, date(2026, 2, 1)),
    ],
)
def test_retail_years_begin_as_published(year: int, starts: date) -> None:
    assert period_of("retail_454", "week", starts).name == f"{year}-W01"
    assert period_of("retail_454", "month", starts).first == starts
    assert period_of("retail_454", "week", starts - timedelta(1)).name.startswith(f"{year - 1}-")


@pytest.mark.parametrize("year", range(2004, 2030))
def test_retail_years_have_53_weeks_when_published(year: int) -> None:
    start = period_of("retail_454", "month", date(year, 2, 15)).first
    end = period_of("retail_454", "month", date(year + 1, 2, 15)).first
    weeks = periods("retail_454", "week", start, end - timedelta(1))
    assert len(weeks) == (53 if year in (2006, 2012, 2017, 2023, 2028) else 52)
    months = periods("retail_454", "month", start, end - timedelta(1))
    lengths = [((month.last - month.first).days + 1) // 7 for month in months]
    assert lengths == [4, 5, 4] * 3 + [4, 5, 4 + len(weeks) - 52]


@given(CALENDARS, GRAINS, DATES, st.integers(0, 800))
def test_periods_follow_each_other_and_hold_their_days(
    calendar: Calendar, grain: PeriodGrain, first: date, days: int
) -> None:
    last = first + timedelta(days)
    found = periods(calendar, grain, first, last)
    assert found[0].first <= first <= found[0].last
    assert found[-1].first <= last <= found[-1].last
    assert len({period.name for period in found}) == len(found)
    for before, after in pairwise(found):
        assert after.first - before.last == timedelta(1)
        assert base_of(calendar, grain, after, "previous") == before
    for period in found:
        assert period_of(calendar, grain, period.last) == period


def test_iso_weeks_and_months_are_the_worlds() -> None:
    week = period_of("iso", "week", date(2026, 1, 1))
    assert (week.name, week.first, week.last) == ("2026-W01", date(2025, 12, 29), date(2026, 1, 4))
    assert period_of("iso", "month", date(2024, 2, 29)).last == date(2024, 2, 29)


def test_a_year_before_meets_the_same_weekdays_or_the_same_month() -> None:
    week = period_of("iso", "week", date(2026, 11, 18))
    base = base_of("iso", "week", week, "year")
    assert (base.name, base.first) == ("2025-W47", date(2025, 11, 17))
    month = base_of("iso", "month", period_of("iso", "month", date(2024, 2, 29)), "year")
    assert (month.first, month.last) == (date(2023, 2, 1), date(2023, 2, 28))
    retail = base_of("retail_454", "month", period_of("retail_454", "month", date(2024, 3, 9)),
                     "year")  # fmt: skip
    assert (retail.first, retail.last) == (date(2023, 3, 5), date(2023, 4, 8))
    assert base_range(date(2026, 11, 12), date(2026, 11, 20), "previous")[0] == date(2026, 10, 29)
