"""Plans: every store-day once, in chunks that BigQuery can take."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.aggregate.hours import StoreDay
from beam_jobs.aggregate.plan import MAX_GAP, MAX_SPAN, MAX_STORE_DAYS, chunks

store_days = st.builds(
    StoreDay,
    st.sampled_from(["a", "b", "c"]),
    st.dates(date(2010, 1, 1), date(2026, 12, 31)),
)


@given(st.lists(store_days, max_size=200))
def test_every_store_day_is_in_exactly_one_chunk(days: list[StoreDay]) -> None:
    planned = [day for chunk in chunks(days) for day in chunk.days]
    assert sorted(planned) == sorted(set(days))


@given(st.lists(store_days, max_size=200))
def test_a_chunk_spans_no_gap_and_few_partitions(days: list[StoreDay]) -> None:
    for chunk in chunks(days):
        dates = [day.business_date for day in chunk.days]
        assert dates == sorted(dates)
        assert chunk.date_to - chunk.date_from < MAX_SPAN < timedelta(days=4000)
        assert all(b - a <= MAX_GAP for a, b in pairwise(dates))
        assert set(chunk.stores) == {day.store_id for day in chunk.days}


def test_fifteen_years_of_three_stores_stay_below_the_partition_limit() -> None:
    days = [
        StoreDay(store, date(2011, 1, 1) + timedelta(days=n))
        for n in range(15 * 365)
        for store in "abc"
    ]
    plan = list(chunks(days))
    assert len(days) > 4000
    assert len(plan) == 15
    assert max(len(chunk.days) for chunk in plan) <= MAX_STORE_DAYS
