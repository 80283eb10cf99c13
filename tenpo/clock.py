"""The store's clock: timezone, business date, 30-hour clock, daylight saving.

A business date begins at the store's day cut-over (local wall clock, 00:00 unless
said otherwise). Hours are counted on the business date's clock: with a cut-over
at 05:00, half past one at night is 25:30 of the day before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tenpo.errors import ConfigError, InputError

_CLOCK = re.compile(r"([0-4]?\d):([0-5]\d)(?::([0-5]\d))?")
_LAST_HOUR = 47
_DAY = timedelta(days=1)
_STEP = timedelta(minutes=30)  # no clock on earth moves by less


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The IANA timezone.

    Raises:
        ConfigError: no such timezone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            f"there is no timezone {name!r}", remedy="Use an IANA name such as Asia/Tokyo."
        ) from error


def parse_clock(text: str) -> timedelta:
    """A time of a business date, `HH:MM` or `HH:MM:SS`, up to 47:59:59.

    Raises:
        InputError: not of that form.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None or int(match[1]) > _LAST_HOUR:
        raise InputError(
            f"{text!r} is no time of day",
            remedy="Write HH:MM or HH:MM:SS, 25:30 for past midnight.",
        )
    return timedelta(hours=int(match[1]), minutes=int(match[2]), seconds=int(match[3] or 0))


def to_utc(local: datetime, tz: ZoneInfo, *, fold: int = 0) -> datetime:
    """UTC of a local wall-clock time.

    In the hour that daylight saving repeats, `fold` chooses the first (0) or the
    second; a time that it skips is read as if the clock had not been changed.
    """
    return local.replace(tzinfo=tz, fold=fold).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class StoreClock:
    """The clock of one store.

    Args:
        timezone: IANA name.
        day_cutover_s: seconds after local midnight at which a business date begins.
    """

    timezone: str
    day_cutover_s: int = 0

    @property
    def tz(self) -> ZoneInfo:
        """The timezone itself."""
        return zone(self.timezone)

    def business_date(self, moment: datetime) -> date:
        """The business date of an aware moment."""
        local = moment.astimezone(self.tz).replace(tzinfo=None)
        cutover = timedelta(seconds=self.day_cutover_s)
        day = (local - cutover).date()
        # Where daylight saving repeats or skips the cut-over, it still happens once, at `at`.
        if moment < self.at(day, cutover):
            return day - _DAY
        return day + _DAY if moment >= self.at(day + _DAY, cutover) else day

    def hour_start(self, moment: datetime) -> datetime:
        """Start (UTC) of the local hour that holds the moment."""
        local = moment.astimezone(self.tz)
        return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)

    def local_hour(self, moment: datetime) -> int:
        """Hour on the business date's clock: 0..23, and on past midnight."""
        local = moment.astimezone(self.tz)
        return local.hour + 24 * (local.date() - self.business_date(moment)).days

    def at(self, business_date: date, clock: timedelta, *, fold: int = 0) -> datetime:
        """UTC of a time on the business date's clock (25:30 is 01:30 of the next day)."""
        local = datetime.combine(business_date, time()) + clock
        return to_utc(local, self.tz, fold=fold)

    def ends_at(self, business_date: date) -> datetime:
        """UTC of the cut-over that ends a business date."""
        return self.at(business_date + _DAY, timedelta(seconds=self.day_cutover_s))

    def hours(self, business_date: date) -> list[datetime]:
        """Starts (UTC) of the business date's local hours: 23, 24 or 25 of them.

        Where the clock moves by half an hour (Lord Howe), one hour is as much shorter or longer.
        """
        cutover = timedelta(seconds=self.day_cutover_s)
        end = self.at(business_date + _DAY, cutover)
        starts = [self.hour_start(self.at(business_date, cutover))]
        probe = starts[0] + _STEP
        while probe < end:
            start = self.hour_start(probe)
            if start > starts[-1]:
                starts.append(start)
            probe += _STEP
        return starts
