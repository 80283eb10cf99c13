"""What can be asked of the KPIs: a range, a grain, stores, and as of when.

Not for reading: that is `kpi_read`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from tenpo.errors import InputError
from tenpo.kpi import KPIS
from tenpo.kpi.calendar import Against, Calendar, Period, base_of, base_range, periods

Grain = Literal["hour", "day", "week", "month", "total"]
By = Literal["all", "store"]

#: Every row carries these two beside its values.
QUALITY = ("coverage_ratio", "imputed_ratio")
MAX_DAYS: dict[Grain, int] = {
    "hour": 100, "day": 1_100, "week": 5_600, "month": 5_600, "total": 5_600
}  # fmt: skip

#: Business dates beyond these are typing errors, and calendars end not far from them.
FIRST_DATE, LAST_DATE = date(1900, 1, 1), date(2999, 12, 31)

#: What tells one row from another, beside its currency.
KEYS: dict[tuple[Grain, By], tuple[str, ...]] = {
    ("total", "all"): (),
    ("total", "store"): ("store_id",),
    ("month", "all"): ("period",),
    ("month", "store"): ("period", "store_id"),
    ("week", "all"): ("period",),
    ("week", "store"): ("period", "store_id"),
    ("day", "all"): ("business_date",),
    ("day", "store"): ("business_date", "store_id"),
    ("hour", "all"): ("business_date", "local_hour", "fold"),
    ("hour", "store"): ("business_date", "hour_start_at", "local_hour", "store_id"),
}


@dataclass(frozen=True, slots=True)
class KpiQuery:
    """What is asked for.

    Args:
        tenant_id: the tenant.
        first: first business date.
        last: last business date, included.
        grain: one row an hour, a day, a week, a month, or for the whole range.
        by: `all` sums over the stores, `store` keeps them apart.
        stores: only these; empty means all of the tenant's.
        kpis: names of the KPIs wanted, in order; empty means all.
        as_of: as everybody read it at this moment; none means now.
        calendar: which weeks and months.
        bounds: the weeks or months; worked out from the range where they are not given.

    Raises:
        InputError: the range is upside down, too long or out of the calendar, or a KPI is unknown.
    """

    tenant_id: str
    first: date
    last: date
    grain: Grain
    by: By = "all"
    stores: tuple[str, ...] = ()
    kpis: tuple[str, ...] = ()
    as_of: datetime | None = None
    calendar: Calendar = "iso"
    bounds: tuple[Period, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be answered."""
        if self.last < self.first:
            raise InputError(
                f"the range ends ({self.last}) before it begins ({self.first})",
                where="from, to",
                remedy="Give `from` on or before `to`; both days are included.",
            )
        if self.first < FIRST_DATE or self.last > LAST_DATE:
            raise InputError(
                f"there are no figures from {self.first} to {self.last}",
                where="from, to",
                remedy=f"Ask for dates from {FIRST_DATE} to {LAST_DATE}.",
            )
        if self.days > MAX_DAYS[self.grain]:
            raise InputError(
                f"{self.days} days are too many for grain {self.grain}",
                where="from, to",
                remedy=f"Ask for at most {MAX_DAYS[self.grain]} days, or for a coarser grain.",
            )
        unknown = [name for name in self.kpis if name not in KPIS]
        if unknown:
            raise InputError(
                f"there is no KPI {', '.join(map(repr, unknown))}",
                where="kpi",
                remedy=f"Choose from: {', '.join(KPIS)}.",
            )
        if self.as_of is not None and self.as_of.tzinfo is None:
            raise InputError(
                "the moment has no timezone",
                where="as_of",
                remedy="Write 2026-11-20T09:00:00+09:00, or end it in Z.",
            )

    @property
    def days(self) -> int:
        """Length of the range in days."""
        return (self.last - self.first).days + 1

    @property
    def columns(self) -> tuple[str, ...]:
        """The KPIs of each row's values, in order; quality has columns of its own."""
        return tuple(name for name in self.kpis or KPIS if name not in QUALITY)

    @property
    def periods(self) -> tuple[Period, ...]:
        """The whole weeks or months that the range touches; none for other grains."""
        if self.bounds or self.grain not in ("week", "month"):
            return self.bounds
        return tuple(periods(self.calendar, self.grain, self.first, self.last))

    def base(self, against: Against) -> KpiQuery:
        """The query of the days this one is compared with, its periods in the same order.

        A week or month that the range cuts is compared with as much of its base: of November
        until the 16th with October until the 16th.

        Raises:
            InputError: hours are not compared.
        """
        if self.grain == "hour":
            raise InputError(
                "hours are not compared",
                where="compare",
                remedy="Ask for grain day, week, month or total.",
            )
        if self.grain == "day" or self.grain == "total":
            first, last = base_range(self.first, self.last, against)
            return replace(self, first=first, last=last)
        asked = self.periods
        bases = [base_of(self.calendar, self.grain, p, against) for p in asked]
        first = min(bases[0].first + (self.first - asked[0].first), bases[0].last)
        last = bases[-1].last
        if self.last < asked[-1].last:  # cut after the same day of the period, if it has one
            last = min(bases[-1].first + (self.last - asked[-1].first), last)
        return replace(self, first=first, last=last, bounds=tuple(bases))
