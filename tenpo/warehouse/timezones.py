"""The stretches of time in which a timezone keeps one offset from UTC, as SQL needs them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tenpo.clock import zone

#: Changes outside are not looked for: the first and last offsets hold for ever.
FIRST, LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_END = datetime(9999, 12, 31, tzinfo=UTC)
_DAY = timedelta(days=1)


class Stretch(NamedTuple):
    """From when until when which offset, and which before."""

    timezone: str
    from_at: datetime
    until_at: datetime
    offset_s: int
    previous_offset_s: int


@lru_cache(maxsize=256)
def stretches(timezone: str) -> tuple[Stretch, ...]:
    """All stretches of a timezone, in order, without gaps.

    Args:
        timezone: IANA name.

    Raises:
        ConfigError: there is no such timezone.
    """
    tz = zone(timezone)
    starts = [_BEGINNING, *_changes(tz)]
    offsets = [_offset(max(start, FIRST), tz) for start in starts]
    return tuple(
        Stretch(timezone, start, until, offset, before)
        for start, until, offset, before in zip(
            starts, [*starts[1:], _END], offsets, [offsets[0], *offsets[:-1]], strict=True
        )
    )


def _changes(tz: ZoneInfo) -> list[datetime]:
    """Moments of change, exact to the second; two on one day cancel out and are not seen."""
    found = []
    moment, offset = FIRST, _offset(FIRST, tz)
    while moment < LAST:
        later = moment + _DAY
        after = _offset(later, tz)
        if after != offset:
            found.append(_first_with(after, moment, later, tz))
        moment, offset = later, after
    return found


def _first_with(offset: int, before: datetime, since: datetime, tz: ZoneInfo) -> datetime:
    """Bisect for the first second of an offset."""
    while since - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(since - before) // timedelta(seconds=2))
        if _offset(middle, tz) == offset:
            since = middle
        else:
            before = middle
    return since


def _offset(moment: datetime, tz: ZoneInfo) -> int:
    offset = moment.astimezone(tz).utcoffset()
    return int((offset or timedelta()).total_seconds())
