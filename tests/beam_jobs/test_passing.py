"""Passers-by and capture: by hand, and against a plain reading of random small worlds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_jobs.aggregate.compose import COUNTS_SCHEMA, SALES_SCHEMA, compose_days, compose_hours
from beam_jobs.aggregate.hours import StoreDay
from beam_jobs.aggregate.passing import PASSES_SCHEMA
from beam_jobs.aggregate.visits import VISITORS_SCHEMA, VISITS_SCHEMA, visit_hours
from tenpo.kpi import evaluate
from tenpo.masters import Store

DAY = date(2026, 11, 5)
NINE = datetime(2026, 11, 5, 9, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NO_VISITS = visit_hours(VISITS_SCHEMA.empty_table(), VISITORS_SCHEMA.empty_table(), {})
#: The store opens at half past nine, and closes at twelve.
OPENED, CLOSED = NINE + 30 * MINUTE, NINE + 3 * HOUR
ASIDE = {"s1": {"street": "pass", "shelf": "zone", "eye": "camera", "inner": "zone"}}


def told(device: str, start: datetime, minutes: int, **counts: int | None) -> dict[str, Any]:
    return {
        "store_id": "s1", "business_date": DAY, "device_id": device, "start_at": start,
        "hour_start_at": start.replace(minute=0), "local_hour": start.hour,
        "end_at": start + minutes * MINUTE, "in_count": 0, "out_count": 0, "staff_in_count": 0,
        **counts,
    }  # fmt: skip


def passed(device: str, start: datetime) -> dict[str, Any]:
    row = told(device, start, 1, pass_count=1)
    return {name: row[name] for name in PASSES_SCHEMA.names}


def shop(opens: str = "09:30") -> Store:
    return Store(store_id="s1", name="s1", timezone="UTC", currency="EUR",
                 opening_hours=((opens, "12:00"),), sales_area_m2=80.5)  # fmt: skip


def hours_of(intervals: list[dict[str, Any]], passes: list[dict[str, Any]]) -> pa.Table:
    return compose_hours(
        {"s1": shop()}, {"s1": ["door"]}, [StoreDay("s1", DAY)], SALES_SCHEMA.empty_table(),
        pa.Table.from_pylist(intervals, schema=COUNTS_SCHEMA), NO_VISITS,
        passes=pa.Table.from_pylist(passes, schema=PASSES_SCHEMA), aside=ASIDE,
    )  # fmt: skip


def test_a_street_counter_counts_passers_by_and_no_visitors() -> None:
    intervals = [
        told("door", OPENED, 30, in_count=4, pass_count=6),
        told("door", NINE + HOUR, 60, in_count=10),
        told("door", NINE + 2 * HOUR, 60, in_count=10),
        told("street", NINE, 15, in_count=99),
        told("street", OPENED, 30, in_count=20, out_count=24),
        told("street", NINE + HOUR, 60, in_count=1, pass_count=100),
        told("street", NINE + 2 * HOUR, 15, pass_count=7),
        told("shelf", NINE + HOUR, 60, in_count=500, pass_count=500),
    ]
    hours = hours_of(intervals, [])
    names = ("footfall", "passers_by", "captured_footfall", "captured_passers_by")
    got = [tuple(row[name] for name in names) for row in hours.to_pylist()]
    assert got == [(4, 50, 4, 50), (10, 100, 10, 100), (10, 7, None, None)]
    (day,) = compose_days(hours).to_pylist()
    values = evaluate(day)
    assert (values["footfall"], values["passers_by"]) == (24, 157)
    assert values["capture_ratio"] == Decimal("0.093333333"), "14 of 150"
    assert day["in_count"] == 24, "who walks the street or stands at a shelf did not enter"


def test_what_a_street_counter_missed_counts_and_captures_nothing() -> None:
    """Its totals stand still from ten to eleven, and say thirty more afterwards."""
    gap = told("street", NINE + HOUR, 60, in_count=20, out_count=10) | {"is_gap": True}
    intervals = [gap, *(told("door", NINE + hour * HOUR, 60, in_count=3) for hour in (1, 2))]
    rows = {row["local_hour"]: row for row in hours_of(intervals, []).to_pylist()}
    assert (rows[10]["passers_by"], rows[10]["footfall"]) == (30, 3)
    assert rows[10]["captured_passers_by"] is None
    assert rows[11]["passers_by"] is None


PASSES = st.lists(
    st.tuples(st.sampled_from(["eye", "street", "inner", "unknown"]), st.integers(-40, 220)),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(PASSES, st.booleans())
def test_events_of_cameras_equal_a_plain_reading(
    seen: list[tuple[str, int]], has_counts: bool
) -> None:
    intervals = [told("street", NINE + HOUR, 60, pass_count=5)] if has_counts else []
    intervals += [told("door", NINE + hour * HOUR, 60, in_count=3) for hour in (1, 2)]
    hours = hours_of(intervals, [passed(name, NINE + at * MINUTE) for name, at in seen])
    got = {row["hour_start_at"]: row for row in hours.to_pylist()}
    outside = [
        NINE + at * MINUTE for name, at in seen
        if name != "inner" and not (name == "street" and has_counts)
    ]  # fmt: skip
    for hour in (NINE, NINE + HOUR, NINE + 2 * HOUR):
        count = sum(OPENED <= at < CLOSED and hour <= at < hour + HOUR for at in outside)
        counted = has_counts and hour == NINE + HOUR
        want = count + 5 * counted if outside or counted else None
        assert got[hour]["passers_by"] == want
        assert got[hour]["captured_footfall"] == (3 if counted else None)
        assert got[hour]["captured_passers_by"] == (want if counted else None)


def test_the_sales_floor_is_known_where_sales_are() -> None:
    row = {**dict.fromkeys(SALES_SCHEMA.names), "store_id": "s1", "business_date": DAY,
           "hour_start_at": NINE + HOUR, "local_hour": 10, "transactions": 1, "return_receipts": 0,
           "sale_lines": 1, "net_sales_amount": Decimal(161), "units": Decimal(1)}  # fmt: skip
    days = [StoreDay("s1", DAY), StoreDay("s1", DAY + timedelta(days=1))]
    sales = pa.Table.from_pylist([row], schema=SALES_SCHEMA)
    hours = compose_hours({"s1": shop()}, {}, days, sales, COUNTS_SCHEMA.empty_table(), NO_VISITS)
    first, second = compose_days(hours).to_pylist()
    assert first["sales_area_m2"] == Decimal("80.5")
    assert evaluate(first)["sales_per_area_amount"] == 2
    assert second["sales_area_m2"] is None
