"""A counter's clock may be off by hours or weeks: its totals still become what went on."""

from __future__ import annotations

import os
import random
from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tenpo.warehouse import Warehouse, query
from tests.kernel.warehouse.clocks import disagreement, life, repeated
from tests.kernel.warehouse.counters import Counters, Reading
from tests.kernel.warehouse.sales import job
from tests.kernel.warehouse.test_readings import START, new_counters

#: More of them cost a search for faults, not a check that there are none.
COUNTERS = int(os.environ.get("TENPO_COUNTERS", "8"))
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
QUARTER = 15 * MINUTE


@given(seed=st.integers(0, 2**32), shuffled=st.booleans())
@settings(
    max_examples=2,  # of several counters over a day: a trip to the warehouse takes a second
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_clocks_that_are_off_change_no_count_and_no_hour(
    warehouse: Warehouse, seed: int, shuffled: bool
) -> None:
    chance = random.Random(seed)
    lives = [life(chance, f"d{number:03d}") for number in range(COUNTERS)]
    sent = [reading for one in lives for reading in one.sent]
    sent += repeated(sent, chance)
    sent.sort(key=lambda reading: reading.arrived)
    if shuffled:
        chance.shuffle(sent)
    counters, half = new_counters(warehouse), len(sent) // 2
    for part in (sent[:half], sent[half:]):
        counters.read(*part)
    truth = [one for each in lives for one in each.truth]
    assert len(truth) > COUNTERS
    assert disagreement(counters.intervals(), truth) == ""


def sent(device: str, told: float, arrives: float, entered: int) -> Reading:
    """A reading by the minutes that its clock tells and at which it comes."""
    came = START + arrives * MINUTE + timedelta(seconds=2)
    return Reading(START + told * MINUTE, entered, device=device, received=came)


def figures(counters: Counters, device: str) -> list[tuple[int, int, int, bool]]:
    """(first minute, last minute, people in, whether it is a reset) of a device's intervals."""
    found = [one for one in counters.intervals() if one.device == device]
    minutes = [((s.start - START) // MINUTE, (s.end - START) // MINUTE) for s in found]
    return [(*m, s.entered, s.is_reset) for m, s in zip(minutes, found, strict=True)]


def remarks(counters: Counters) -> dict[str, set[tuple[int | None, int | None]]]:
    """What is said of the clock and of readings left out, by device."""
    table = counters.warehouse.table("dwh", "reading_interval")
    rows = query(
        counters.warehouse,
        "SELECT device_id, clock_offset_s, left_out_count "  # noqa: S608
        f"FROM `{table}` WHERE tenant_id = @tenant AND business_date > '0001-01-01'",
        {"tenant": counters.tenant_id},
        job=job(counters.tenant_id),
    )
    found: dict[str, set[tuple[int | None, int | None]]] = {}
    for device, offset, left_out in zip(*(column.to_pylist() for column in rows), strict=True):
        found.setdefault(device, set()).add((offset, left_out))
    return found


def test_each_fault_of_a_clock_and_what_only_looks_like_one(warehouse: Warehouse) -> None:
    counters = new_counters(warehouse)
    counters.read(
        # An honest device that was offline: old times, true, the newest first.
        sent("stored", 0, 0, 10), sent("stored", 60, 60, 19),
        sent("stored", 45, 61.5, 17), sent("stored", 15, 63, 11), sent("stored", 30, 65, 15),
        # Put back by three hours to the minute: its times come a second time.
        *(sent("back", 15 * n, 15 * n, 100 + n) for n in range(14)),
        *(sent("back", 15 * n - 180, 15 * n, 100 + n) for n in range(14, 20)),
        # Put back by three minutes, within what is believed.
        sent("step", 0, 0, 5), sent("step", 1, 1, 6), sent("step", 2, 2, 7),
        sent("step", 0.5, 3.5, 9), sent("step", 10, 13, 12),
        # An hour ahead from the beginning, and never set.
        *(sent("ahead", 15 * n + 60, 15 * n, 3 * n) for n in range(4)),
        # Files: each has a day's readings, and comes at the same hour of the next day.
        *(sent("file", 1440 * day + 30 * n, 1440 * day + 1500, 100 * day + n)
          for day in range(3) for n in range(3)),
        # Late, and neither its time nor its arrival can be true.
        sent("strange", 0, 0, 50), sent("strange", 15, 15, 52), sent("strange", 30, 30, 60),
        sent("strange", 10, 31, 900), sent("strange", 45, 45, 61),
    )  # fmt: skip
    assert figures(counters, "stored") == [
        (0, 15, 1, False), (15, 30, 4, False), (30, 45, 2, False), (45, 60, 2, False),
    ]  # fmt: skip
    back = figures(counters, "back")
    assert sum(entered for *_, entered, _ in back) == 19
    assert not any(is_reset for *_, is_reset in back)
    assert (back[-1][0], back[-1][1]) == (270, 285)
    step = figures(counters, "step")
    assert sum(entered for *_, entered, _ in step) == 7
    assert not any(is_reset for *_, is_reset in step)
    assert figures(counters, "ahead") == [(15 * n, 15 * n + 15, 3, False) for n in range(3)]
    assert [(s, e) for s, e, *_ in figures(counters, "file") if e - s == 30] == [
        (1440 * day + 30 * n, 1440 * day + 30 * n + 30) for day in range(3) for n in range(2)
    ]
    assert [entered for *_, entered, _ in figures(counters, "strange")] == [2, 8, 1]
    told = remarks(counters)
    assert told["stored"] == told["file"] == {(None, None)}
    assert told["ahead"] == {(-3598, None)}
    assert told["strange"] == {(None, None), (None, 1)}


def test_a_restart_with_a_wrong_clock_brings_no_total_again(warehouse: Warehouse) -> None:
    """Its time is from before the first reading; others come one at a time, one twice wrong."""
    counters, ago = new_counters(warehouse), 60 * 24 * 60

    def before(device: str) -> list[Reading]:
        return [sent(device, 15 * n, 15 * n, 250_000 + n) for n in range(5)]

    def after(device: str) -> list[Reading]:
        return [sent(device, 15 * n, 15 * n, n - 5) for n in range(7, 10)]

    wrong = {one: sent(one, -ago, 75, 0) for one in ("at_once", "one", "two")}
    again = sent("two", 15 - ago, 90, 1)
    right = {one: sent(one, 90, 90, 1) for one in ("at_once", "one")}
    counters.read(
        *before("at_once"), wrong["at_once"], right["at_once"], *after("at_once"),
        *before("one"), *before("two"),
    )  # fmt: skip
    counters.read(wrong["one"], wrong["two"])
    counters.read(right["one"], again)
    counters.read(*after("one"), *after("two"))
    for device in wrong:
        assert figures(counters, device) == [
            *((15 * n, 15 * n + 15, 1, False) for n in range(4)),
            (60, 75, 0, True),
            *((15 * n, 15 * n + 15, 1, False) for n in range(5, 9)),
        ]


def test_a_third_reading_shows_that_the_first_two_were_behind(warehouse: Warehouse) -> None:
    """What two lone readings of long ago say is believed until their clock is known."""
    counters, behind = new_counters(warehouse), 5 * 24 * 60
    counters.read(*(sent("d", 15 * number - behind, 15 * number, number) for number in range(2)))
    assert figures(counters, "d") == [(-behind, 15 - behind, 1, False)]
    dirty = counters.read(sent("d", 30 - behind, 30, 9)).dirty
    assert figures(counters, "d") == [(0, 15, 1, False), (15, 30, 8, False)]
    assert len(dirty) == 2  # the day on which people are taken to have come no more, and this one
    # Seen again, though the readings lie in partitions of days before.
    assert counters.read(sent("d", 45, 45, 10)).dirty == dirty[1:]
    assert figures(counters, "d")[-1] == (30, 45, 1, False)
    assert len(figures(counters, "d")) == 3
