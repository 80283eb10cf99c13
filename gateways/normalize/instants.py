"""Local dates and times as text, made into moments in UTC by the store's timezone.

Daylight saving: of an hour that comes twice the first is meant, unless the caller
says which; a time that the clock skips is read as if the clock had not been changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gateways.normalize.columns import Column, for_distinct, missing, spread
from gateways.normalize.faults import Mask
from tenpo.clock import parse_clock, to_utc, zone
from tenpo.errors import InputError

LOCAL = pa.timestamp("us")
MOMENT = pa.timestamp("us", tz="UTC")
_SLOT_US = 15 * 60 * 1_000_000  # offsets change on quarter hours only
_COMPACT = ("%H%M", "%H%M%S")
_CLOCKS = ("%H:%M", "%H:%M:%S", *_COMPACT)
_EARLIEST, _LATEST = date(1990, 1, 1), date(9998, 12, 31)  # hours may be added to the last
#: What the directives of strptime stand for, where an hour is to be found among them.
_WRITTEN = {
    "Y": "[0-9]{4}", "G": "[0-9]{4}", "j": "[0-9]{1,3}", "f": "[0-9]{1,6}", "%": "%",
    **dict.fromkeys("ymdMSUWV", "[0-9]{1,2}"), **dict.fromkeys("uw", "[0-9]"),
    **dict.fromkeys("aAbB", r"[^\d\s]{1,32}"),
}  # fmt: skip
_LATE_HOUR = "(?P<hour>2[4-9]|3[0-9]|4[0-7])"


def parse_date(value: str | None, formats: Sequence[str]) -> date | None:
    """A calendar date in the first format that fits; None where none does."""
    for pattern in formats:
        try:
            found = datetime.strptime(value or "", pattern).date()  # noqa: DTZ007
        except ValueError:
            continue
        return found if _EARLIEST <= found <= _LATEST else None
    return None


def dates(column: Column, formats: Sequence[str]) -> tuple[Column, Mask]:
    """Text as dates, and which rows were no date."""
    values, inverse = for_distinct([column], lambda value: parse_date(value, formats))
    read = spread(values, inverse, pa.date32())
    return read, missing(read) & ~missing(column)


def clocks(column: Column, *, compact: bool = False) -> tuple[Column, Mask]:
    """`HH:MM[:SS]` on the 30-hour clock as durations in microseconds; compact also `HHMM[SS]`."""
    values, inverse = for_distinct([column], _compact_clock if compact else _clock)
    read = spread(values, inverse, pa.duration("us"))
    return read, missing(read) & ~missing(column)


def locals_of(
    columns: Sequence[Column], formats: Sequence[str]
) -> tuple[Column, Column, Mask]:  # fmt: skip
    """Text as wall-clock times, on the 30-hour clock.

    Args:
        columns: one column with date and time, or a date column and a clock column.
        formats: strptime formats of both together, a blank between them.

    Returns:
        The times, the dates as they are written (25:30 is of the day before), and which rows
        could not be read.
    """
    split = [parts for parts in map(_split, formats) if parts is not None]
    separators = {separator for _, separator in split}
    if len(split) == len(formats) and len(separators) == 1 and len(columns) <= 2:
        halves = columns if len(columns) == 2 else _halves(columns[0], separators.pop())
        day, bad_day = dates(halves[0], [pattern for pattern, _ in split])
        clock, bad_clock = clocks(halves[1], compact=any(f.endswith(_COMPACT) for f in formats))
        bad = bad_day | bad_clock | (missing(clock) & ~missing(halves[0]))
        return pc.add(day.cast(LOCAL), clock), day, bad
    values, inverse = for_distinct(columns, lambda *parts: _whole(parts, formats))
    days = spread([day for day, _ in values], inverse, pa.date32())
    read = spread([local for _, local in values], inverse, LOCAL)
    return read, days, missing(read) & ~missing(columns[0])


def iso_times(column: Column) -> tuple[Column, Column, Column, Mask]:
    """ISO 8601 (RFC 3339) text.

    Returns:
        moments where an offset was given, wall-clock times where none was, the local
        date either way, and which rows could not be read.
    """
    values, inverse = for_distinct([column], _iso)
    aware = [v if v is not None and v.tzinfo else None for v in values]
    naive = [v if v is not None and not v.tzinfo else None for v in values]
    days = [v.date() if v is not None else None for v in values]
    read = spread(days, inverse, pa.date32())
    bad = missing(read) & ~missing(column)
    return spread(aware, inverse, MOMENT), spread(naive, inverse, LOCAL), read, bad


def to_moments(local: Column, zones: Column, second_pass: Mask | None = None) -> Column:
    """Wall-clock times as moments in UTC.

    Args:
        local: naive timestamps; null stays null.
        zones: IANA name of each row; null gives null.
        second_pass: rows that mean the second of two equal hours, where there are two.
    """
    if local.null_count == len(local):
        return pa.nulls(len(local), MOMENT)
    stamps = _micros(local)
    slots = pa.array(stamps // _SLOT_US)
    fold = pa.array(np.zeros(len(local), np.bool_) if second_pass is None else second_pass)
    offsets, inverse = for_distinct([slots, zones, fold], _offset_us)
    moments = stamps - np.asarray(offsets, dtype=np.int64)[inverse]
    gone = missing(local) | missing(zones)
    return pa.array(moments, pa.int64(), mask=gone).cast(MOMENT)


def repeated(local: Column, zones: Column) -> Mask:
    """Which rows lie in an hour that comes twice."""
    if local.null_count == len(local):
        return np.zeros(len(local), np.bool_)
    first = to_moments(local, zones)
    second = to_moments(local, zones, np.ones(len(local), np.bool_))
    both = _micros(second) - _micros(first)
    return both > 0


def local_days(moments: Column, zones: Column) -> Column:
    """The local date of each moment."""
    hours = pa.array(_micros(moments) // _SLOT_US)
    values, inverse = for_distinct([hours, zones], _local_day)
    return spread(values, inverse, pa.date32())


def _micros(moments: Column) -> npt.NDArray[np.int64]:
    stamps = pc.fill_null(moments.cast(pa.int64()), 0)
    return np.asarray(stamps.to_numpy(zero_copy_only=False), dtype=np.int64)


def _local_day(slot: int, name: str | None) -> date | None:
    if name is None:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=slot * _SLOT_US)
    return moment.astimezone(zone(name)).date()


def _offset_us(slot: int, name: str | None, second: bool) -> int:
    if name is None:
        return 0
    local = datetime(1970, 1, 1) + timedelta(microseconds=slot * _SLOT_US)  # noqa: DTZ001
    ahead = local.replace(tzinfo=UTC) - to_utc(local, zone(name), fold=int(second))
    return ahead // timedelta(microseconds=1)


def _split(pattern: str) -> tuple[str, str] | None:
    """Date part and separator of a format whose clock is the plain 24- or 30-hour one."""
    parts = re.split(r"([ T])", pattern)
    if len(parts) != 3 or parts[2] not in _CLOCKS:
        return None
    return parts[0], parts[1]


def _halves(column: Column, separator: str) -> list[Column]:
    parts = pc.split_pattern(column, separator, max_splits=1)
    lengths = pc.list_value_length(parts)
    whole = pc.equal(lengths, 2)
    safe = pc.if_else(whole, parts, pa.scalar([None, None], parts.type))
    first, second = pc.list_element(safe, 0), pc.list_element(safe, 1)
    # A value without both halves must be a fault, not a missing one.
    first = pc.if_else(pc.and_(pc.is_valid(column), pc.is_null(first)), "", first)
    return [first, second]


def _clock(value: str | None) -> timedelta | None:
    try:
        return parse_clock(value) if value is not None else None
    except InputError:
        return None


def _compact_clock(value: str | None) -> timedelta | None:
    digits = value if value is not None and value.isascii() and value.isdigit() else ""
    pairs = [digits[n : n + 2] for n in range(0, len(digits), 2)]
    return _clock(":".join(pairs) if len(digits) in (4, 6) else value)


def _iso(value: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return found if _EARLIEST <= found.date() <= _LATEST else None


def _whole(
    parts: Sequence[str | None], formats: Sequence[str]
) -> tuple[date | None, datetime | None]:
    """The date as written and the time, in the first format that fits."""
    value = " ".join(part or "" for part in parts)
    for pattern in formats:
        found = read_stamp(value, pattern)
        if found is not None:
            good = _EARLIEST <= found[0] <= _LATEST and found[1].tzinfo is None
            return found if good else (None, None)
    return None, None


def read_stamp(value: str, pattern: str) -> tuple[date, datetime] | None:
    """The date as written and the time, by one strptime format; None where it does not fit.

    An hour of `%H` above 23, up to 47, is one of the next day.
    """
    try:
        found = datetime.strptime(value, pattern)  # noqa: DTZ007
        return found.date(), found
    except ValueError:
        form = _late(pattern)
    late = form.fullmatch(value) if form is not None else None
    if late is None:
        return None
    hour = int(late["hour"]) - 24
    try:
        plain = f"{value[: late.start('hour')]}{hour:02d}{value[late.end('hour') :]}"
        found = datetime.strptime(plain, pattern)  # noqa: DTZ007
        return (found.date(), found + timedelta(days=1)) if found.hour == hour else None
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=256)
def _late(pattern: str) -> re.Pattern[str] | None:
    """Texts of a strptime format whose hour is above 23; None where it has no hour of 24."""
    parts = re.split("(%.)", pattern)
    if parts.count("%H") != 1:
        return None
    written = []
    for place, part in enumerate(parts):
        if place % 2 == 0:
            written.append(r"\s+".join(map(re.escape, re.split(r"\s+", part))))
        elif part == "%H":
            written.append(_LATE_HOUR)
        elif part[1] in _WRITTEN:
            written.append(_WRITTEN[part[1]])
        else:
            return None
    return re.compile("".join(written))
