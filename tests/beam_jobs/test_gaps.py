"""What a counter missed is spread over opening hours, to the last person, and says so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_jobs.aggregate.compose import COUNTS_SCHEMA, SALES_SCHEMA, compose_days, compose_hours
from beam_jobs.aggregate.gaps import allot, spread_gaps
from beam_jobs.aggregate.hours import StoreDay
from beam_jobs.aggregate.visits import VISITORS_SCHEMA, VISITS_SCHEMA, visit_hours
from tenpo.masters import Store

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def store(timezone: str = "Europe/Berlin", hours: tuple[str, str] | None = ("10:00", "12:00"),
          cutover: str = "00:00") -> Store:  # fmt: skip
    return Store(
        store_id="s1", name="s1", timezone=timezone, currency="EUR", day_cutover=cutover,
        opening_hours=(hours,),
    )  # fmt: skip


def gap(where: Store, start: datetime, end: datetime, **counts: int | None) -> list[dict[str, Any]]:
    """The rows that the warehouse gives of a gap: one a date."""
    first, last = where.clock.business_date(start), where.clock.business_date(end)
    base = {
        "store_id": "s1", "device_id": "d1", "hour_start_at": where.clock.hour_start(start),
        "local_hour": where.clock.local_hour(start), "start_at": start, "end_at": end,
        "in_count": 0, "out_count": None, "staff_in_count": 0, "is_gap": True,
    }  # fmt: skip
    days = [first + DAY * n for n in range((last - first).days + 1)]
    return [base | counts | {"business_date": day} for day in days]


def spread(where: Store, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    _, pieces = spread_gaps(pa.Table.from_pylist(rows, schema=COUNTS_SCHEMA), {"s1": where})
    found: list[dict[str, Any]] = pieces.to_pylist()
    return found


@given(st.integers(-500, 500), st.lists(st.integers(0, 3600), min_size=1, max_size=40).filter(any))
def test_largest_remainder_is_exact_and_never_a_whole_one_off(count: int, given: list[int]) -> None:
    weights = tuple(given)
    parts = allot(count, weights)
    assert sum(parts) == count
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(count * weight, sum(weights))) < 1


def test_an_offline_weekend_by_hand() -> None:
    """Open 10 to 12; off from Friday 10:30 to Sunday 10:15: 1:30 + 2:00 + 0:15 of open time."""
    where = store()
    start = datetime(2026, 3, 27, 9, 30, tzinfo=UTC)  # CET; on Sunday it is CEST
    end = datetime(2026, 3, 29, 8, 15, tzinfo=UTC)
    pieces = spread(where, gap(where, start, end, in_count=16, out_count=15, staff_in_count=1))
    told = [
        (p["business_date"].day, p["local_hour"], p["in_count"], p["out_count"],
         p["staff_in_count"], p["start_at"].hour, p["start_at"].minute)
        for p in pieces
    ]  # fmt: skip
    # Of 225 open minutes each gets its part of 15 visitors, one of staff and 15 going out:
    # 2, 4, 4, 4 and 1; the member of staff goes to the first of the full hours.
    assert told == [
        (27, 10, 2, 2, 0, 9, 30), (27, 11, 5, 4, 1, 10, 0), (28, 10, 4, 4, 0, 9, 0),
        (28, 11, 4, 4, 0, 10, 0), (29, 10, 1, 1, 0, 8, 0),
    ]  # fmt: skip


def test_a_gap_without_open_time_is_spread_over_all_of_it() -> None:
    where = store()
    start = datetime(2026, 7, 1, 19, tzinfo=UTC)
    pieces = spread(where, gap(where, start, start + 4 * HOUR, in_count=6))
    assert [(p["business_date"].day, p["local_hour"], p["in_count"]) for p in pieces] == [
        (1, 21, 2), (1, 22, 2), (1, 23, 1), (2, 0, 1),
    ]  # fmt: skip
    assert {p["out_count"] for p in pieces} == {None}


@st.composite
def gaps(draw: st.DrawFn) -> tuple[Store, list[dict[str, Any]], int, int]:
    where = store(
        draw(st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"])),
        draw(st.sampled_from([("10:00", "21:00"), ("05:30", "29:00"), None])),
        draw(st.sampled_from(["05:00", "05:30"])),
    )
    near = draw(st.sampled_from([date(2026, 3, 28), date(2026, 10, 24), date(2026, 4, 4)]))
    start = datetime(near.year, near.month, near.day, tzinfo=UTC) + timedelta(
        minutes=draw(st.integers(-900, 900))
    )
    end = start + timedelta(minutes=draw(st.integers(121, 5000)))
    entered = draw(st.integers(0, 900))
    staff = draw(st.integers(0, entered))
    return where, gap(where, start, end, in_count=entered, staff_in_count=staff), entered, staff


@settings(max_examples=60, deadline=None)
@given(gaps())
def test_pieces_add_up_and_lie_in_the_gap_and_on_their_own_hour(
    drawn: tuple[Store, list[dict[str, Any]], int, int],
) -> None:
    where, rows, entered, staff = drawn
    pieces = spread(where, rows)
    assert sum(p["in_count"] for p in pieces) == entered
    assert sum(p["staff_in_count"] for p in pieces) == staff
    assert all(p["in_count"] >= p["staff_in_count"] >= 0 for p in pieces)
    starts = [p["start_at"] for p in pieces]
    assert starts == sorted(set(starts))
    for p in pieces:
        assert rows[0]["start_at"] <= p["start_at"] < p["end_at"] <= rows[0]["end_at"]
        clock, at = where.clock, p["start_at"]
        assert (p["business_date"], p["hour_start_at"], p["local_hour"]) == (
            clock.business_date(at), clock.hour_start(at), clock.local_hour(at),
        )  # fmt: skip
    one_by_one = [p for row in rows for p in spread(where, [row])]
    assert one_by_one == pieces


def test_hours_of_a_gap_are_imputed_and_not_covered() -> None:
    """Open 10 to 12 (UTC): read at 10:00, 10:30 and, after a failure, at 13:00."""
    where = store("UTC")
    ten = datetime(2026, 7, 1, 10, tzinfo=UTC)
    measured = gap(where, ten, ten + HOUR / 2, in_count=5)[0] | {"is_gap": False}
    (lost,) = gap(where, ten + HOUR / 2, ten + 3 * HOUR, in_count=30, out_count=3)
    intervals = pa.Table.from_pylist([measured, lost], schema=COUNTS_SCHEMA)
    day = StoreDay("s1", date(2026, 7, 1))
    hours = compose_hours(
        {"s1": where}, {"s1": ["d1"]}, [day], SALES_SCHEMA.empty_table(), intervals,
        visit_hours(VISITS_SCHEMA.empty_table(), VISITORS_SCHEMA.empty_table(), {}),
    )  # fmt: skip
    names = ("local_hour", "in_count", "footfall", "expected_s", "covered_s", "imputed_s")
    assert [tuple(row[name] for name in names) for row in hours.to_pylist()] == [
        (10, 15, 15, 3600, 1800, 1800), (11, 20, 20, 3600, 0, 3600),
    ]  # fmt: skip
    (total,) = compose_days(hours).to_pylist()
    assert (total["footfall"], total["covered_s"], total["imputed_s"]) == (35, 1800, 5400)
