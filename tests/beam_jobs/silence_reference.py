"""A slow, plain reading of what silent counters are taken to have missed: minute by minute."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from tests.beam_jobs.reference import HOUR, MINUTE, Interval, Shop

SHORT_MINUTES = 30


class Usual(NamedTuple):
    """What a counter told in an hour of a date some weeks before."""

    device: str
    weeks: int
    local_hour: int
    visitors: int
    told_s: int


def estimates(
    shop: Shop, day: date, intervals: list[Interval], usual: list[Usual]
) -> dict[datetime, int | None]:
    """The people estimated for each hour with silence; None where some of it is unknown."""
    opened, closed = shop.moment(day, shop.opening[0]), shop.moment(day, shop.opening[1])
    thousandths: dict[datetime, int] = {}
    unknown = set()
    for device in shop.devices:
        own = [x for x in intervals if x.device == device and shop.business_date(x.start) == day]
        own = [x for x in own if x.end > opened and x.start < closed]
        for silence in _silences(own, opened, closed):
            for hour in sorted({shop.hour(minute) for minute in silence}):
                seconds = 60 * sum(shop.hour(minute) == hour for minute in silence)
                top, bottom = _beside(own, silence, opened, closed)
                if not bottom:
                    local_hour = _local_hour(shop, day, hour)
                    open_s = _open_s(hour, opened, closed)
                    found = [u for u in usual if u.device == device and u.weeks <= 8]
                    found = [u for u in found if u.local_hour == local_hour]
                    top = sum(u.visitors for u in found)
                    bottom = sum(min(u.told_s, open_s) for u in found)
                thousandths.setdefault(hour, 0)
                if bottom:
                    thousandths[hour] += (2_000 * max(0, top) * seconds + bottom) // (2 * bottom)
                else:
                    unknown.add(hour)
    return {h: None if h in unknown else (t + 500) // 1_000 for h, t in thousandths.items()}


def _silences(own: list[Interval], opened: datetime, closed: datetime) -> list[list[datetime]]:
    runs: list[list[datetime]] = []
    minute = opened
    while minute < closed:
        if not any(x.start <= minute < x.end for x in own):
            if runs and runs[-1][-1] == minute - MINUTE:
                runs[-1].append(minute)
            else:
                runs.append([minute])
        minute += MINUTE
    return runs


def _beside(
    own: list[Interval], silence: list[datetime], opened: datetime, closed: datetime
) -> tuple[int, int]:
    """Visitors and seconds of the interval that began last before, and of the first after."""
    if len(silence) >= SHORT_MINUTES:
        return 0, 0
    placed = sorted(
        (max(x.start, opened), min(x.end, closed), (x.end - x.start).seconds, x.entered - x.staff)
        for x in own
    )
    before = [x for x in placed if x[0] < silence[0]][-1:]
    after = [x for x in placed if x[0] > silence[-1]][:1]
    return sum(x[3] for x in before + after), sum(x[2] for x in before + after)


def _local_hour(shop: Shop, day: date, hour: datetime) -> int:
    for number in range(48):
        if shop.hour(shop.moment(day, number)) == hour:
            return number
    raise AssertionError(hour)


def _open_s(hour: datetime, opened: datetime, closed: datetime) -> int:
    return max(0, int((min(hour + HOUR, closed) - max(hour, opened)) / timedelta(seconds=1)))
