"""Visits and occupancy against a slow reference, on random small worlds."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_jobs.aggregate.compose import (
    COUNTS_SCHEMA,
    SALES_SCHEMA,
    compose_days,
    compose_hours,
    written_hours,
)
from beam_jobs.aggregate.hours import StoreDay, hour_grid, open_windows
from beam_jobs.aggregate.occupancy import occupancy_hours
from beam_jobs.aggregate.sketches import merged_lists
from beam_jobs.aggregate.visits import VISITORS_SCHEMA, VISITS_SCHEMA, visit_hours
from tenpo.kpi import evaluate
from tenpo.kpi.sketch import as_text, median, merged
from tenpo.masters import Store
from tests.beam_jobs.visits_reference import (
    Passed,
    Seen,
    came_back,
    person_seconds,
    visits_of,
)

DAY = date(2026, 10, 25)  # the end of European summer time: 25 hours
MIDNIGHT = datetime(2026, 10, 24, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
KINDS = ("enter", "enter", "exit", "exit", "zone_enter", "zone_exit")


def shop(store_id: str = "s1", **more: Any) -> Store:
    base = {"name": store_id, "timezone": "Europe/Berlin", "currency": "EUR",
            "opening_hours": (("10:00", "20:00"),)}  # fmt: skip
    return Store(store_id=store_id, **base | more)


def rows_of(seen: list[Seen], store_id: str = "s1") -> pa.Table:
    rows = [
        {
            "store_id": store_id, "business_date": x.day, "person_id": x.person, "kind": x.kind,
            "hour_start_at": x.at.replace(minute=0, second=0, microsecond=0),
            "local_hour": shop().clock.local_hour(x.at), "occurred_at": x.at,
            "is_staff": x.is_staff,
        }
        for x in seen
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=VISITS_SCHEMA)


def visitors_of(seen: list[Seen], store_id: str = "s1") -> pa.Table:
    staff = {(x.person, x.day) for x in seen if x.is_staff}
    days = sorted({(x.person, x.day) for x in seen} - staff)
    rows = [{"store_id": store_id, "business_date": d, "person_id": p} for p, d in days]
    return pa.Table.from_pylist(rows, schema=VISITORS_SCHEMA)


#: Any of the day, and often some close together.
MINUTES = st.one_of(st.integers(9 * 60, 20 * 60), st.integers(10 * 60, 10 * 60 + 5))


@st.composite
def worlds(draw: st.DrawFn) -> list[Seen]:
    seen = []
    for _ in range(draw(st.integers(0, 14))):
        day = DAY - timedelta(days=draw(st.sampled_from([0, 0, 0, 1, 30, 31, 40])))
        at = MIDNIGHT - (DAY - day) + timedelta(minutes=draw(MINUTES))
        staff = draw(st.sampled_from([None, False, False, True]))
        seen.append(
            Seen(draw(st.sampled_from("abc")), day, at, draw(st.sampled_from(KINDS)), staff)
        )
    return seen


@settings(max_examples=80, deadline=None)
@given(worlds(), st.randoms(use_true_random=False), st.sampled_from([30, 30, 31]))
def test_visits_equal_the_slow_reference(seen: list[Seen], dice: random.Random, back: int) -> None:
    shuffled = dice.sample(seen, len(seen))
    today = [x for x in shuffled if x.day == DAY]
    found = visit_hours(rows_of(today), visitors_of(shuffled), {"s1": shop(return_days=back)})
    visits = visits_of(seen)
    want: dict[datetime, Counter[str]] = {}
    lengths: defaultdict[datetime, list[int]] = defaultdict(list)
    for visit in (v for v in visits if v.day == DAY):
        begin = visit.events[0].at.replace(minute=0)
        hour = want.setdefault(begin, Counter())
        hour["visits"] += 1
        hour["repeat_visits"] += came_back(visit, visits, back)
        if visit.dwell is not None:
            hour["dwell_visits"] += 1
            hour["dwell_total_s"] += int(visit.dwell.total_seconds())
            lengths[begin].append(int(visit.dwell.total_seconds()))
    got = {row["hour_start_at"]: row for row in found.to_pylist()}
    assert sorted(got) == sorted(want)
    for start, hour in want.items():
        for name in ("visits", "repeat_visits", "dwell_visits", "dwell_total_s"):
            assert got[start][name] == hour[name], (start, name)
        found_median = median(got[start]["dwell_sketch"])
        assert (found_median is None) == (not lengths[start])
        if found_median is not None:
            true = max(1, sorted(lengths[start])[(len(lengths[start]) - 1) // 2])
            assert abs(float(found_median) - true) <= 0.02 * true + 0.05


def events(*parts: tuple[str, float, str]) -> list[Seen]:
    return [Seen(p, DAY, MIDNIGHT + hours * HOUR, kind, None) for p, hours, kind in parts]


def totals(seen: list[Seen], **more: Any) -> tuple[int, ...]:
    found = visit_hours(rows_of(seen), visitors_of(seen), {"s1": shop(**more)})
    names = ("visits", "repeat_visits", "dwell_visits", "dwell_total_s")
    return tuple(sum(found[name].to_pylist()) for name in names)


def test_an_absence_of_three_hours_is_the_same_visit_and_a_longer_one_is_not() -> None:
    back = [("a", 10, "enter"), ("a", 11, "exit")]
    assert totals(events(*back, ("a", 14, "enter"), ("a", 15, "exit"))) == (1, 0, 1, 7200)
    assert totals(events(*back, ("a", 14.02, "enter"), ("a", 15, "exit"))) == (2, 1, 2, 7128)
    assert totals(events(("a", 10, "enter"), ("a", 16, "exit"))) == (1, 0, 1, 6 * 3600)


def test_a_missing_exit_leaves_the_stay_unknown() -> None:
    assert totals(events(("a", 10, "enter"))) == (1, 0, 0, 0)
    twice = events(("a", 10, "enter"), ("a", 14, "enter"), ("a", 14.5, "exit"))
    assert totals(twice) == (2, 1, 1, 1800)


def test_a_zone_over_the_door_hides_no_entry_and_no_exit() -> None:
    """In by the zone before the door, out through it, as a camera at the entrance tells it."""
    seconds = [
        ("zone_enter", -20), ("enter", 0), ("zone_exit", 5), ("zone_enter", 1790), ("exit", 1800),
        ("zone_exit", 1830),
    ]  # fmt: skip
    seen = events(*(("a", 10 + at / 3600, kind) for kind, at in seconds))
    assert totals(seen) == (1, 0, 1, 1800)
    missed = events(("a", 10, "zone_enter"), ("a", 10.1, "enter"), ("a", 10.5, "exit"))
    assert totals(missed)[2] == 0, "six minutes before is no way through a door"


def test_short_visits_are_left_out_where_the_store_says_so() -> None:
    seen = events(("a", 10, "enter"), ("a", 10.01, "exit"), ("b", 10, "enter"))
    assert totals(seen) == (2, 0, 1, 36)
    assert totals(seen, min_visit_s=60) == (1, 0, 0, 0)


def test_one_store_is_not_anothers() -> None:
    seen = events(("a", 10, "enter"), ("a", 11, "exit"))
    tables = [rows_of(seen, "s1"), rows_of(seen, "s2")]
    days = pa.concat_tables([visitors_of(seen, "s1"), visitors_of(seen, "s2")])
    found = visit_hours(pa.concat_tables(tables), days, {s: shop(s) for s in ("s1", "s2")})
    assert found["repeat_visits"].to_pylist() == [0, 0]


def composed(seen: list[Seen], counts: pa.Table) -> dict[str, Any]:
    visits = visit_hours(rows_of(seen), visitors_of(seen), {"s1": shop()})
    day = [StoreDay("s1", DAY)]
    hours = compose_hours(
        {"s1": shop()}, {"s1": ["d1"]}, day, SALES_SCHEMA.empty_table(), counts, visits
    )
    (total,) = compose_days(hours).to_pylist()
    row: dict[str, Any] = total
    return row


def test_without_known_persons_visits_are_unknown_and_not_none() -> None:
    total = composed([], COUNTS_SCHEMA.empty_table())
    assert total["visits"] is None
    assert evaluate(total)["repeat_visitor_ratio"] is None
    some = composed(events(("a", 10, "enter"), ("a", 10.5, "exit")), COUNTS_SCHEMA.empty_table())
    assert (some["visits"], evaluate(some)["dwell_s"]) == (1, 1800)
    assert some["dwell_sketch"] == "188:1", "(51/49)^187 is 1774 and ^188 is 1846"
    assert evaluate(some)["repeat_visitor_ratio"] == 0


SKETCHES = st.none() | st.dictionaries(st.integers(0, 5), st.integers(1, 9)).map(as_text)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(SKETCHES, max_size=4), min_size=1, max_size=4))
def test_sketches_merge_at_once_as_one_by_one(lists: list[list[str | None]]) -> None:
    column = pa.chunked_array([pa.array(lists, pa.list_(pa.string()))])
    assert merged_lists(column).to_pylist() == [merged(each) for each in lists]


def counted(passed: list[Passed], store_id: str = "s1", device: str = "d1") -> pa.Table:
    rows = [
        {
            "store_id": store_id, "business_date": DAY, "device_id": device,
            "hour_start_at": x.start.replace(minute=0),
            "local_hour": shop().clock.local_hour(x.start), "start_at": x.start, "end_at": x.end,
            "in_count": x.entered, "out_count": x.left, "staff_in_count": 0,
        }
        for x in passed
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=COUNTS_SCHEMA)


PASSED = st.builds(
    lambda at, length, entered, left: Passed(
        MIDNIGHT + timedelta(minutes=at), MIDNIGHT + timedelta(minutes=at + length), entered, left
    ),
    st.integers(0, 1400), st.sampled_from([5, 15, 60]), st.integers(0, 9), st.integers(0, 9),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(PASSED, min_size=1, max_size=8), st.sampled_from([("10:00", "20:00"), None]))
def test_occupancy_equals_the_slow_reference(
    passed: list[Passed], opening: tuple[str, str] | None
) -> None:
    store = shop(opening_hours=(opening,) if opening else ())
    days = [StoreDay("s1", DAY), StoreDay("s2", DAY)]
    stores = {"s1": store, "s2": shop("s2")}
    grid, windows = hour_grid(stores, days), open_windows(stores, days)
    noise = counted([Passed(MIDNIGHT, MIDNIGHT + HOUR, 500, 0)], "s2")
    found = occupancy_hours(pa.concat_tables([counted(passed), noise]), grid, windows)
    mine = [row for row in found.to_pylist() if row["store_id"] == "s1"]
    hours = store.clock.hours(DAY)
    window = store.open_between(DAY)
    assert window is not None
    want, most = person_seconds(passed, hours, *window)
    assert {row["hour_start_at"]: row["occupancy_person_s"] for row in mine} == want
    assert {row["hour_start_at"]: row["occupancy_peak"] for row in mine} == most
    drifts = [row["drift_count"] for row in mine if row["drift_count"] is not None]
    if max(x.end for x in passed) >= window[1]:
        assert sum(drifts) == sum(x.entered - x.left for x in passed)
    else:
        assert not drifts


def test_mean_occupancy_is_of_covered_hours() -> None:
    """From 10 to 12, ten people come in at once and leave at 11; nothing is told afterwards."""
    ten = MIDNIGHT + 11 * HOUR  # ten o'clock in winter time
    quarter = HOUR / 4
    passed = [Passed(ten + n * quarter, ten + (n + 1) * quarter, 0, 0) for n in range(8)]
    passed[0] = Passed(ten, ten + quarter, 10, 0)
    passed[3] = Passed(ten + 3 * quarter, ten + 4 * quarter, 0, 9)
    total = composed([], counted(passed))
    assert total["occupancy_open_s"] == 7200
    assert total["occupancy_person_s"] == 45 * 60 * 10 + 3600 * 1
    assert evaluate(total)["occupancy_peak"] == 10
    assert evaluate(total)["occupancy_drift"] is None, "nobody counted until closing"
    closing = Passed(ten + 9 * HOUR, ten + 10 * HOUR, 0, 0)
    assert evaluate(composed([], counted([*passed, closing])))["occupancy_drift"] == 1


def test_a_store_that_never_closes_is_not_empty_because_hours_are_still_to_come() -> None:
    """Twenty come in the second hour and stay; after twelve hours nothing was told yet."""
    flows = [(2, 2), (20, 0)] + [(4, 4)] * 10
    passed = [
        Passed(MIDNIGHT + n * HOUR, MIDNIGHT + (n + 1) * HOUR, entered, left)
        for n, (entered, left) in enumerate(flows)
    ]
    always = shop(opening_hours=())
    hours = compose_hours(
        {"s1": always}, {"s1": ["d1"]}, [StoreDay("s1", DAY)], SALES_SCHEMA.empty_table(),
        counted(passed), visit_hours(rows_of([]), visitors_of([]), {"s1": always}),
    )  # fmt: skip
    (total,) = compose_days(hours).to_pylist()
    assert total["occupancy_open_s"] == 12 * 3600
    assert total["occupancy_person_s"] == 10 * 20 * 3600
    assert total["drift_count"] is None, "the date is not over"
    assert set(written_hours(hours)["drift_count"].to_pylist()) == {None}


def test_an_outage_is_not_the_quiet_hour_of_a_day() -> None:
    """Thirty are inside while nothing is told from ten to twelve, and go at the end of the day."""
    flows = {9: (30, 0), 12: (5, 5), 23: (0, 30), 24: (1, 1)}
    passed = [
        Passed(MIDNIGHT + n * HOUR, MIDNIGHT + (n + 1) * HOUR, *flows.get(n, (2, 2)))
        for n in range(25) if n not in (10, 11)
    ]  # fmt: skip
    days, stores = [StoreDay("s1", DAY)], {"s1": shop(opening_hours=())}
    grid, windows = hour_grid(stores, days), open_windows(stores, days)
    found = occupancy_hours(counted(passed), grid, windows).to_pylist()
    inside = {(row["hour_start_at"] - MIDNIGHT) // HOUR: row["occupancy_person_s"] for row in found}
    assert inside[9] == 0, "they came in at its end"
    assert {inside[n] for n in range(10, 24)} == {30 * 3600}
    assert inside[24] == 0
