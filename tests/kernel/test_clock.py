"""The store's clock: no moment is lost or counted twice, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tenpo.clock import StoreClock, parse_clock, to_utc, zone
from tenpo.errors import ConfigError, InputError

ZONES = (
    "Asia/Tokyo", "Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe",
    "Asia/Beirut", "Atlantic/Azores", "UTC",
)  # fmt: skip

moments = st.datetimes(
    min_value=datetime.fromisoformat("2020-01-01"),
    max_value=datetime.fromisoformat("2030-01-01"),
    timezones=st.just(UTC),
)
clocks = st.builds(
    StoreClock, st.sampled_from(ZONES), st.sampled_from((0, 3, 4.5, 5, 1.5)).map(
        lambda hours: int(hours * 3600)
    ),
)  # fmt: skip


@given(clocks, moments)
@example(StoreClock("America/New_York", 5400), datetime(2026, 11, 1, 6, 15, tzinfo=UTC))
@example(StoreClock("Europe/London", 5400), datetime(2026, 3, 29, 1, 15, tzinfo=UTC))
@example(StoreClock("Australia/Lord_Howe", 0), datetime(2026, 10, 3, 15, 45, tzinfo=UTC))
@example(StoreClock("Australia/Lord_Howe", 0), datetime(2026, 4, 4, 15, 15, tzinfo=UTC))
def test_every_moment_lies_in_one_hour_of_its_business_date(
    clock: StoreClock, moment: datetime
) -> None:
    day = clock.business_date(moment)
    cutover = timedelta(seconds=clock.day_cutover_s)
    assert clock.at(day, cutover) <= moment < clock.at(day + timedelta(days=1), cutover)
    start = clock.hour_start(moment)
    assert start <= moment < start + timedelta(minutes=90)
    hours = clock.hours(day)
    assert start in hours
    assert hours == sorted(set(hours))


@given(clocks, st.dates(date(2020, 1, 1), date(2029, 12, 30)))
def test_the_hours_of_days_follow_each_other(clock: StoreClock, day: date) -> None:
    today, tomorrow = clock.hours(day), clock.hours(day + timedelta(days=1))
    steps = [b - a for a, b in pairwise(today)]
    assert all(timedelta(minutes=30) <= step <= timedelta(minutes=90) for step in steps)
    assert 0 <= (tomorrow[0] - today[-1]).total_seconds() <= 5400
    assert 22 < len(today) < 27


@pytest.mark.parametrize(
    ("timezone", "day", "count"),
    [
        ("Asia/Tokyo", date(2026, 3, 29), 24),
        ("Europe/London", date(2026, 3, 29), 23),
        ("Europe/London", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Asia/Beirut", date(2026, 3, 29), 23),  # midnight itself is skipped
    ],
)
def test_days_of_23_and_25_hours(timezone: str, day: date, count: int) -> None:
    assert len(StoreClock(timezone).hours(day)) == count


def test_the_repeated_hour_is_two_hours() -> None:
    clock = StoreClock("Europe/London")
    first, second = (
        to_utc(datetime.fromisoformat("2026-10-25T01:30"), clock.tz, fold=fold) for fold in (0, 1)
    )
    assert second - first == timedelta(hours=1)
    assert clock.hour_start(second) - clock.hour_start(first) == timedelta(hours=1)
    assert clock.local_hour(first) == clock.local_hour(second) == 1


def test_half_past_one_at_night_is_25_30_of_the_day_before() -> None:
    clock = StoreClock("Asia/Tokyo", 5 * 3600)
    moment = clock.at(date(2026, 11, 20), parse_clock("25:30"))
    assert moment == datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    assert clock.business_date(moment) == date(2026, 11, 20)
    assert clock.local_hour(moment) == 25
    assert StoreClock("Asia/Tokyo").business_date(moment) == date(2026, 11, 21)


@given(st.integers(0, 47), st.integers(0, 59), st.integers(0, 59))
def test_clock_texts_are_read(hour: int, minute: int, second: int) -> None:
    whole = timedelta(hours=hour, minutes=minute, seconds=second)
    assert parse_clock(f"{hour:02d}:{minute:02d}:{second:02d}") == whole
    assert parse_clock(f" {hour}:{minute:02d} ") == timedelta(hours=hour, minutes=minute)


@pytest.mark.parametrize("text", ["", "48:00", "12:60", "12", "1200", "-1:00", "12:00:60", "noon"])
def test_other_texts_are_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_clock(text)
    assert "HH:MM" in caught.value.remedy


@pytest.mark.parametrize("name", ["Asia/Edo", "", "../etc/passwd"])
def test_an_unknown_timezone_is_a_configuration_error(name: str) -> None:
    with pytest.raises(ConfigError):
        zone(name)
