"""Plans: every store-day once, in chunks that BigQuery can take."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.aggregate.hours import StoreDay
from beam_jobs.aggregate.plan import (
    MAX_GAP,
    MAX_SPAN,
    MAX_STORE_DAYS,
    chunks,
)
from beam_jobs.aggregate.silence import usual_days
from tenpo.masters import MAX_RETURN_DAYS
from tenpo.warehouse.partitions import MAX_PARTITIONS, spans

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


@given(st.lists(st.dates(date(1990, 1, 1), date(2040, 1, 1)), max_size=5), st.integers(0, 60))
def test_spans_cover_the_range_once_and_never_name_too_many_partitions(
    dates: list[date], days: int
) -> None:
    parts = list(spans(dates, timedelta(days=days)))
    assert all((end - start).days + 1 <= MAX_PARTITIONS < 4000 for start, end in parts)
    assert all(b[0] - a[1] == timedelta(days=1) for a, b in pairwise(parts))
    wanted = [(min(dates) - timedelta(days), max(dates) + timedelta(days))] if dates else []
    assert [(p[0][0], p[-1][1]) for p in [parts] if p] == wanted


@given(st.lists(store_days, max_size=200))
def test_no_query_of_a_chunk_names_too_many_partitions(days: list[StoreDay]) -> None:
    for chunk in chunks(days):
        own = (chunk.date_to - chunk.date_from).days + 1
        silent = {"store_id": [d.store_id for d in chunk.days], "beside_s": [0] * len(chunk.days),
                  "business_date": [d.business_date for d in chunk.days]}  # fmt: skip
        _, usual = usual_days(pa.table(silent))
        assert own + MAX_RETURN_DAYS < MAX_PARTITIONS
        assert len(usual) < MAX_PARTITIONS


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
