"""Weeks and months: ISO weeks with calendar months, or the retail 4-5-4 calendar.

The 4-5-4 calendar divides a year that begins in February into quarters of months of 4, 5
and 4 weeks, Sunday to Saturday. It ends on the Saturday closest to 31 January, so some
years have a 53rd week, which goes to the last month
(https://nrf.com/resources/4-5-4-calendar).

A year before is 364 days before, so that weekdays meet (and, after a year of 53 weeks, the
weeks that lie at the same season, as the retail calendar restates them); calendar months
meet the same month.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

Calendar = Literal["iso", "retail_454"]
PeriodGrain = Literal["week", "month"]
Against = Literal["previous", "year"]

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
YEAR = timedelta(days=364)
_MONTHS = (4, 5, 4) * 4


@dataclass(frozen=True, slots=True)
class Period:
    """A week or month of business dates.

    Args:
        name: `2026-W47`, `2026-11`, or `2026-P10` for the tenth retail month of 2026.
        first: first business date.
        last: last business date, included.
    """

    name: str
    first: date
    last: date


def periods(calendar: Calendar, grain: PeriodGrain, first: date, last: date) -> list[Period]:
    """The whole periods that a range touches, in order and without gaps."""
    found = [period_of(calendar, grain, first)]
    while found[-1].last < last:
        found.append(period_of(calendar, grain, found[-1].last + DAY))
    return found


def period_of(calendar: Calendar, grain: PeriodGrain, day: date) -> Period:
    """The period a business date lies in."""
    if calendar == "retail_454":
        return next(p for p in _retail(_retail_year(day), grain) if day <= p.last)
    if grain == "week":
        year, week, weekday = day.isocalendar()
        monday = day - (weekday - 1) * DAY
        return Period(f"{year}-W{week:02d}", monday, monday + WEEK - DAY)
    following = (day.replace(day=1) + 31 * DAY).replace(day=1)
    return Period(f"{day:%Y-%m}", day.replace(day=1), following - DAY)


def base_of(calendar: Calendar, grain: PeriodGrain, period: Period, against: Against) -> Period:
    """The days a period is compared with: the one before it, or those a year before."""
    if against == "previous":
        return period_of(calendar, grain, period.first - DAY)
    if grain == "month" and calendar == "iso":
        return period_of(calendar, grain, period.first.replace(year=period.first.year - 1))
    name = period_of(calendar, grain, period.first - YEAR).name
    return replace(period, name=name, first=period.first - YEAR, last=period.last - YEAR)


def base_range(first: date, last: date, against: Against) -> tuple[date, date]:
    """The days a range is compared with: the same weekdays right before it, or a year before."""
    weeks = -(-((last - first).days + 1) // 7)
    back = YEAR if against == "year" else weeks * WEEK
    return first - back, last - back


def _retail_year(day: date) -> int:
    return day.year if day >= _retail_start(day.year) else day.year - 1


@lru_cache(maxsize=512)
def _retail_start(year: int) -> date:
    """The Sunday closest to 1 February."""
    february = date(year, 2, 1)
    since_sunday = february.isoweekday() % 7
    back = since_sunday if since_sunday <= 3 else since_sunday - 7
    return february - back * DAY


@lru_cache(maxsize=512)
def _retail(year: int, grain: PeriodGrain) -> tuple[Period, ...]:
    start, end = _retail_start(year), _retail_start(year + 1)
    weeks = (end - start) // WEEK
    lengths = [1] * weeks if grain == "week" else [*_MONTHS[:-1], _MONTHS[-1] + weeks - 52]
    return tuple(_named(year, grain, start, lengths))


def _named(year: int, grain: PeriodGrain, start: date, lengths: list[int]) -> Iterator[Period]:
    letter = "W" if grain == "week" else "P"
    for number, length in enumerate(lengths, start=1):
        after = start + length * WEEK
        yield Period(f"{year}-{letter}{number:02d}", start, after - DAY)
        start = after
