"""Gaps between readings: counts that are real, of hours that nobody knows.

A counter that sends running totals and was offline tells afterwards how many came, not
when. The sum is spread over the open time of the gap, hour by hour in proportion, to the
last person (largest remainder, the earlier hour first); a gap without any open time is
spread over all of it. These hours are imputed and not covered.

Every store-day is spread by itself, from the whole gap and the store's master alone, so
the parts add up whichever of its days are computed together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.aggregate.hours import HOUR
from tenpo.masters import Store

_DAY = timedelta(days=1)


class Share(NamedTuple):
    """The part of a gap that lies in one local hour, and its weight."""

    business_date: date
    hour_start_at: datetime
    local_hour: int
    start_at: datetime
    end_at: datetime
    seconds: int


def spread_gaps(intervals: pa.Table, stores: Mapping[str, Store]) -> tuple[pa.Table, pa.Table]:
    """Measured intervals, and the pieces of gaps, one an hour.

    Args:
        intervals: rows of `counts_by_interval.sql`; a gap has a row on each date it touches.
        stores: the stores' masters.

    Returns:
        Two tables of the same columns. Of each gap, the pieces on the dates that have a row.
    """
    is_gap = pc.fill_null(intervals["is_gap"], False)
    gaps = intervals.filter(is_gap).to_pylist()
    pieces = [piece for gap in gaps for piece in _pieces(gap, stores[gap["store_id"]])]
    measured = intervals.filter(pc.invert(is_gap))
    return measured, pa.Table.from_pylist(pieces, schema=intervals.schema)


def _pieces(gap: dict[str, Any], store: Store) -> Iterator[dict[str, Any]]:
    shares = _shares(store, gap["start_at"], gap["end_at"])
    weights = tuple(share.seconds for share in shares)
    # Staff and visitors apart, or an hour could get more staff than people.
    staff = allot(gap["staff_in_count"], weights)
    visitors = allot(gap["in_count"] - gap["staff_in_count"], weights)
    left = allot(gap["out_count"] or 0, weights)
    for place, share in enumerate(shares):
        if share.business_date == gap["business_date"]:
            yield {
                **gap,
                **share._asdict(),
                "in_count": visitors[place] + staff[place],
                "staff_in_count": staff[place],
                "out_count": None if gap["out_count"] is None else left[place],
            }


@lru_cache(maxsize=4_096)
def allot(count: int, weights: Sequence[int]) -> tuple[int, ...]:
    """A count in whole parts by weight, their sum exact: largest remainder, ties to the first.

    Args:
        count: what to share out.
        weights: at least one, none below zero, their sum above it.
    """
    total, sign = sum(weights), -1 if count < 0 else 1
    parts = [abs(count) * weight // total for weight in weights]
    rests = [abs(count) * weight % total for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda place: -rests[place])
    for place in by_rest[: abs(count) - sum(parts)]:
        parts[place] += 1
    return tuple(sign * part for part in parts)


@lru_cache(maxsize=256)
def _shares(store: Store, start: datetime, end: datetime) -> tuple[Share, ...]:
    """The gap's open time by local hour; all of its time where the store was not open in it."""
    open_time = [share for day in _days(store, start, end) for share in _open(store, day)]
    all_time = (share for day in _days(store, start, end) for share in _hours(store, day))
    return tuple(_cut(open_time, start, end) or _cut(all_time, start, end))


def _cut(shares: Iterable[Share], start: datetime, end: datetime) -> list[Share]:
    found = []
    for share in shares:
        since, until = max(share.start_at, start), min(share.end_at, end)
        if since < until:
            seconds = int((until - since).total_seconds())
            found.append(share._replace(start_at=since, end_at=until, seconds=seconds))
    return [share for share in found if share.seconds]


def _days(store: Store, start: datetime, end: datetime) -> list[date]:
    first, last = store.clock.business_date(start), store.clock.business_date(end)
    return [first + _DAY * n for n in range((last - first).days + 1)]


def _open(store: Store, day: date) -> list[Share]:
    window = store.open_between(day)
    return _cut(_hours(store, day), *window) if window else []


def _hours(store: Store, day: date) -> list[Share]:
    """The local hours of a business date; the first and last end at the cut-over."""
    clock, cutover = store.clock, timedelta(seconds=store.clock.day_cutover_s)
    starts = clock.hours(day)
    hours = [
        Share(day, start, 0, start, end, 0)
        for start, end in zip(starts, [*starts[1:], starts[-1] + HOUR], strict=True)
    ]
    within = _cut(hours, clock.at(day, cutover), clock.at(day + _DAY, cutover))
    return [hour._replace(local_hour=clock.local_hour(hour.start_at)) for hour in within]
