"""Power hours are the fewest that hold half: against trying every set of hours."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from tenpo.kpi.busy import WeekHour, busiest

counts = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(9, 12)), st.integers(-2, 9), max_size=8
)


@settings(max_examples=60, deadline=None)
@given(counts)
def test_power_hours_are_the_fewest_that_hold_half(found: dict[tuple[int, int], int]) -> None:
    busy = busiest(WeekHour(*key, people) for key, people in found.items())
    people = [max(0, number) for number in found.values()]
    fewest = next(
        size for size in range(len(people) + 1)
        if any(2 * sum(chosen) >= sum(people) for chosen in combinations(people, size))
    )  # fmt: skip
    assert len(busy.power) == fewest
    assert (busy.footfall, busy.peak and busy.peak.footfall) == (
        sum(people), max(people, default=0) or None,
    )  # fmt: skip
    assert all(found[hour.weekday, hour.local_hour] == hour.footfall for hour in busy.power)


def test_of_equally_busy_hours_the_earlier_counts() -> None:
    busy = busiest([WeekHour(4, 15, 7), WeekHour(1, 18, 7), WeekHour(1, 12, 3)])
    assert busy.peak == WeekHour(1, 18, 7)
    assert busy.power == (WeekHour(1, 18, 7), WeekHour(4, 15, 7))
    assert busiest([]).peak is None
