"""Running totals become the same intervals in whatever order, pieces and repeats they come."""

from __future__ import annotations

import random
import secrets
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tenpo.clock import StoreClock
from tenpo.store_day import StoreDay
from tenpo.warehouse import Warehouse, reconcile
from tenpo.warehouse.readings import ReadingIntervals, Span
from tests.kernel.warehouse.counters import Counters, Reading, Stretch, expected
from tests.kernel.warehouse.sales import job, store
from tests.kernel.warehouse.test_conform import kill_at

#: The clock goes forward in London on 29 March 2026 at 01:00 UTC.
CLOCKS = {"s1": StoreClock("Asia/Tokyo", 0), "s2": StoreClock("Europe/London", 5 * 3600)}
START = datetime(2026, 3, 28, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many days back is looked, each time that it is."""
    found: list[int] = []
    look = ReadingIntervals._look

    def noted(self: ReadingIntervals, span: Span, back: timedelta) -> list[dict[str, Any]]:
        found.append(back.days)
        return look(self, span, back)

    monkeypatch.setattr(ReadingIntervals, "_look", noted)
    return found


@pytest.fixture
def counters(warehouse: Warehouse) -> Counters:
    return new_counters(warehouse)


def new_counters(warehouse: Warehouse) -> Counters:
    made = Counters(warehouse, f"c{secrets.token_hex(4)}")
    made.has_stores(store("s1"), store("s2", "Europe/London", "05:00"))
    return made


def reading(minutes: int, entered: int, left: int = 0, **more: object) -> Reading:
    return Reading(START + timedelta(minutes=minutes), entered, left, **more)  # type: ignore[arg-type]


def figures(stretches: list[Stretch]) -> list[tuple[int, int, int, bool]]:
    """(minutes from the start, length, people in, whether it is a reset)."""
    minute = timedelta(minutes=1)
    return [
        ((s.start - START) // minute, (s.end - s.start) // minute, s.entered, s.is_reset)
        for s in stretches
    ]


@st.composite
def walks(draw: st.DrawFn) -> list[Reading]:
    """Counters of two stores over a day and a half: resets, zeros that slip in, time offline."""
    found: list[Reading] = []
    for device, where in (("d1", "s1"), ("d2", "s1"), ("d3", "s2")):
        chance = random.Random(draw(st.integers(0, 2**32)))
        steps = [chance.choice((1, 1, 1, 2, 9, 60)) for _ in range(chance.randint(1, 12))]
        entered, left, staff = chance.choice((50, 250_000)), 0, 0
        for step in accumulate(steps):
            if chance.random() < 0.15:
                entered, left, staff = 0, 0, 0
            entered += chance.choice((0, 1, 40))
            left += chance.choice((0, 3))
            staff += chance.choice((0, 1))
            told = None if device == "d2" else staff
            moment = START + QUARTER * step
            totals = (0, 0) if chance.random() < 0.15 else (entered, left)
            found += [Reading(moment, *totals, device, "1", where, 1, told)]
            if chance.random() < 0.2:
                found += [Reading(moment, totals[0] + 1, left, device, "1", where, 2, told)]
    return found


@given(walk=walks(), seed=st.integers(0, 2**32))
@settings(
    max_examples=2,  # of dozens of readings each: a trip to the warehouse takes a second
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_order_and_repeats_do_not_matter(
    warehouse: Warehouse, walk: list[Reading], seed: int
) -> None:
    counters, chance = new_counters(warehouse), random.Random(seed)
    sent = walk + chance.sample(walk, len(walk) // 3)
    chance.shuffle(sent)
    cuts = sorted(chance.choices(range(len(sent)), k=2))
    for part in (sent[: cuts[0]], sent[cuts[0] : cuts[1]], sent[cuts[1] :]):
        if part:
            counters.read(*part)
    assert counters.intervals() == expected(walk, CLOCKS)
    found = reconcile(warehouse, counters.tenant_id, "count_reading", job=job("x"))
    assert found.balanced
    assert found.accepted == len(sent)


def test_the_first_reading_gives_nothing_and_a_lower_total_is_a_reset(counters: Counters) -> None:
    """Totals of one device begin anew together: one that fell speaks for the others."""
    first = counters.read(reading(0, 100, 90), reading(60, 5, 100, device="d2"))
    assert (first.rows, first.dirty) == (2, ())
    lower = (reading(30, 4, 2), reading(45, 4, 2), reading(75, 7, 3, device="d2"))
    counters.read(reading(15, 107, 95), *lower)
    assert figures(counters.intervals()) == [
        (0, 15, 7, False), (15, 15, 4, True), (30, 15, 0, False), (60, 15, 7, True),
    ]  # fmt: skip


def test_a_total_that_falls_for_one_reading_adds_nothing_again(counters: Counters) -> None:
    """Believed to be a reset until the next one comes; the second line was silent for long.

    The fourth line shows zero for half an hour, the fifth for all night.
    """
    day = 24 * 60
    counters.read(
        reading(15, 250_000), reading(30, 250_002), reading(-6 * day, 1000, device="d2"),
        reading(30, 5, device="d3"),
        reading(0, 900, device="d4"), *(reading(n, 0, device="d4") for n in (15, 30, 45)),
        reading(0, 30, device="d5"), *(reading(n, 0, device="d5") for n in range(15, 600, 15)),
    )  # fmt: skip
    counters.read(
        reading(45, 0), reading(45, 0, device="d2"), reading(45, 2, device="d3")
    )  # fmt: skip
    before = [s for s in counters.intervals() if s.end == START + 3 * QUARTER]
    assert {(s.device, s.entered, s.is_reset) for s in before} == {
        ("d1", 0, True), ("d2", 0, True), ("d3", 2, True), ("d4", 0, False), ("d5", 0, False),
    }  # fmt: skip
    counters.read(
        reading(60, 250_003), reading(60, 1300, device="d2"), reading(60, 9, device="d3"),
        reading(60, 902, device="d4"), reading(600, 95, device="d5"),
    )  # fmt: skip
    found = counters.intervals()
    assert figures([s for s in found if s.device == "d1"]) == [
        (15, 15, 2, False),
        (30, 30, 1, False),
    ]
    assert {(s.end, s.entered, s.is_reset) for s in found if s.device == "d2"} == {
        (START + 4 * QUARTER, 300, False)
    }
    assert figures([s for s in found if s.device == "d4"]) == [(0, 60, 2, False)]
    night = [s for s in found if s.device == "d5"]
    assert [s.entered for s in night if s.entered] == [95]  # many came when the shop was opened
    # So few may have come: this one truly began anew.
    assert figures([s for s in found if s.device == "d3"]) == [
        (30, 15, 2, True),
        (45, 15, 7, False),
    ]


def test_a_late_reading_moves_the_sum_between_its_neighbours_only(counters: Counters) -> None:
    """Across the midnight of Tokyo, 15:00 UTC; exactly the days whose figures change are dirty."""
    day = StoreDay(counters.tenant_id, "s1", date(2026, 3, 28))
    after = day._replace(business_date=date(2026, 3, 29))
    assert counters.read(reading(165, 10), reading(195, 40), reading(210, 41)).dirty == (day, after)
    assert figures(counters.intervals()) == [(165, 30, 30, False), (195, 15, 1, False)]
    late = counters.read(reading(180, 30))
    assert late.dirty == (day, after)
    assert figures(counters.intervals()) == [
        (165, 15, 20, False), (180, 15, 10, False), (195, 15, 1, False),
    ]  # fmt: skip
    assert counters.read(reading(170, 10)).dirty == (day,)
    assert counters.read(reading(170, 10, version=2)).dirty == ()
    assert sum(s.entered for s in counters.intervals()) == 31


def test_a_gap_has_a_row_on_every_date_it_touches(counters: Counters, looks: list[int]) -> None:
    """The reading before is looked for far back, but not for ever, nor where there is none."""
    day = 24 * 60
    ages_ago, long_ago = reading(-441 * day, 1), reading(-40 * day, 5)
    assert counters.read(long_ago, ages_ago).dirty == ()
    assert looks == [3]
    found = counters.read(reading(0, 90))
    assert looks == [3, 3, 402]
    assert len(found.dirty) == len(counters.intervals()) == 41
    assert {(s.entered, s.is_gap) for s in counters.intervals()} == {(85, True)}
    between = counters.read(reading(-20 * day, 35))
    assert len(between.dirty) == 41
    assert {s.entered for s in counters.intervals()} == {30, 55}
    assert counters.intervals() == expected(
        [ages_ago, long_ago, reading(-20 * day, 35), reading(0, 90)], CLOCKS
    )


def test_a_conforming_that_was_killed_is_done_again(counters: Counters) -> None:
    counters.read(reading(0, 10), reading(30, 40))
    load = counters.load_readings([reading(15, 30)])
    kill_at(counters, "conform.after_intervals", load, "count_reading")
    assert counters.conform_readings(load).dirty == ()  # marked before the intervals were written
    assert figures(counters.intervals()) == [(0, 15, 20, False), (15, 15, 10, False)]
    assert counters.conform_readings(load).rows == 0
