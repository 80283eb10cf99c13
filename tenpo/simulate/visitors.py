"""People through the doors: what each counter saw, and what it failed to tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tenpo.clock import parse_clock
from tenpo.simulate.chain import Counter, Shop
from tenpo.simulate.seasons import day_factor, hour_weights

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

QUARTER_S = 900
_AROUND_S = 3600  # counters report from an hour before opening to an hour after closing
_STAY = (0.38, 0.40, 0.17, 0.05)  # chance to leave after 0, 1, 2, 3 quarters of an hour


@dataclass(frozen=True)
class Counts:
    """What one counter counted; arrays are days by quarters of an hour.

    Args:
        counter: the counter.
        entered, left: everybody, staff and children included.
        staff_in, staff_out, child_in, child_out, group_in, group_out: parts of them.
        lost: never sent (the device was silent).
        late: sent together, once the device could send again.
        twice: sent a second time.
    """

    counter: Counter
    entered: Ints
    left: Ints
    staff_in: Ints
    staff_out: Ints
    child_in: Ints
    child_out: Ints
    group_in: Ints
    group_out: Ints
    lost: Flags
    late: Flags
    twice: Flags


@dataclass(frozen=True)
class Footfall:
    """Visitors of one shop.

    Args:
        start_s: seconds after the business date's midnight at which each quarter begins.
        is_open: whether the shop is open in that quarter.
        visitors: customers who entered, days by quarters, seen by a counter or not.
        counts: by counter.
    """

    start_s: Ints
    is_open: Flags
    visitors: Ints
    counts: tuple[Counts, ...]


def opening_s(shop: Shop) -> tuple[int, int]:
    """Opening and closing in seconds of the business date's clock, the same every day."""
    hours = shop.store.opening_hours[0]
    if hours is None:
        raise ValueError(f"{shop.store.store_id} has no opening hours")
    start, end = (int(parse_clock(text).total_seconds()) for text in hours)
    return start, end


def draw_footfall(shop: Shop, days: list[date], seed: int) -> Footfall:
    """Draw arrivals, departures and the counters' failures."""
    rng = np.random.default_rng([seed, shop.index, 1])
    opens, closes = opening_s(shop)
    start_s = np.arange(opens - _AROUND_S, closes + _AROUND_S, QUARTER_S, dtype=np.int64)
    is_open = (start_s >= opens) & (start_s < closes)
    hours = (start_s + QUARTER_S / 2) / 3600
    late = closes > 24 * 3600
    weights = np.array(
        [hour_weights(hours, day, commuters=shop.commuters, late=late) * is_open for day in days]
    )
    weights /= weights.sum(axis=1, keepdims=True)
    level = shop.visitors * rng.lognormal(0, 0.09, len(days))
    level *= np.array([day_factor(day, commuters=shop.commuters) for day in days])
    visitors = rng.poisson(weights * level[:, None]).astype(np.int64)
    return Footfall(start_s, is_open, visitors, _counted(shop, rng, visitors))


def _counted(shop: Shop, rng: np.random.Generator, visitors: Ints) -> tuple[Counts, ...]:
    first = rng.binomial(visitors, shop.counters[0].share)
    split = [first, visitors - first][: len(shop.counters)]
    return tuple(
        _one_counter(rng, counter, seen, first_of_all=shop.index == 0 and number == 0)
        for number, (counter, seen) in enumerate(zip(shop.counters, split, strict=True))
    )


def _one_counter(
    rng: np.random.Generator, counter: Counter, visitors: Ints, *, first_of_all: bool
) -> Counts:
    staff_in = rng.poisson(0.35, visitors.shape)
    entered = visitors + staff_in
    child_in = rng.binomial(visitors, 0.07)
    left = _departures(rng, entered)
    staff_out = np.minimum(left, rng.poisson(0.35, visitors.shape))
    lost, late, twice = _failures(rng, visitors.shape, first_of_all=first_of_all)
    return Counts(
        counter=counter,
        entered=entered,
        left=left,
        staff_in=staff_in,
        staff_out=staff_out,
        child_in=child_in,
        child_out=rng.binomial(left - staff_out, 0.07),
        group_in=rng.binomial(visitors, 0.28),
        group_out=rng.binomial(left - staff_out, 0.28),
        lost=lost,
        late=late,
        twice=twice,
    )


def _departures(rng: np.random.Generator, entered: Ints) -> Ints:
    """Who leaves when; the last leave before the counting ends, and a few go unseen."""
    quarters = entered.shape[1]
    leaving = rng.multinomial(entered, _STAY)
    left = np.zeros_like(entered)
    for delay in range(len(_STAY)):
        for quarter in range(quarters):
            left[:, min(quarter + delay, quarters - 1)] += leaving[:, quarter, delay]
    return rng.binomial(left, 0.985)


def _failures(
    rng: np.random.Generator, shape: tuple[int, ...], *, first_of_all: bool
) -> tuple[Flags, Flags, Flags]:
    """Silent, backlogged and repeated quarters. The first counter has a day of each kind."""
    days, quarters = shape
    kinds = rng.choice(4, size=days, p=(0.93, 0.03, 0.02, 0.02))
    if first_of_all:
        kinds[[-1, days // 2, 0]] = (2, 1, 3)
    length = rng.integers(8, 25, days)
    begin = rng.integers(4, quarters - 8, days)
    quarter = np.arange(quarters)
    stretch = (quarter >= begin[:, None]) & (quarter < (begin + length)[:, None])
    twice = (kinds == 3)[:, None] & (rng.random(shape) < 0.4)
    return stretch & (kinds == 1)[:, None], stretch & (kinds == 2)[:, None], twice
