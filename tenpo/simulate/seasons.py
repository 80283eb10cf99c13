"""When people come: the shape of a day, of a week, of a month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import jpholiday
import numpy as np
from numpy.typing import NDArray

#: Monday to Sunday; a public holiday trades like a Sunday.
_WEEK = {
    True: (0.95, 0.93, 0.96, 1.00, 1.18, 1.12, 0.92),
    False: (0.82, 0.80, 0.82, 0.86, 0.98, 1.42, 1.38),
}
_SUNDAY = 6
_PAYDAY = 25
_PAYDAY_LIFT = 1.12

#: Bumps of the day: (hour, width in hours, weight).
_COMMUTER_DAY = ((12.4, 0.9, 1.0), (18.6, 1.6, 1.7), (15.0, 3.0, 0.9))
_FAMILY_DAY = ((11.3, 1.2, 0.8), (15.2, 2.2, 1.6), (17.5, 1.8, 0.8))
_NIGHT = (22.8, 1.7, 0.9)


def is_rest_day(day: date) -> bool:
    """Saturday, Sunday or a Japanese public holiday."""
    return day.weekday() >= 5 or bool(jpholiday.is_holiday(day))


def day_factor(day: date, *, commuters: bool) -> float:
    """How busy a day is beside an average one."""
    weekday = _SUNDAY if jpholiday.is_holiday(day) else day.weekday()
    factor = _WEEK[commuters][weekday]
    return factor * (_PAYDAY_LIFT if _after_payday(day) else 1.0) * _season(day)


def _after_payday(day: date) -> bool:
    """Payday (the 25th) and the weekend that follows it."""
    back = (day.day - _PAYDAY) if day.day >= _PAYDAY else None
    if back is None:
        payday = (day.replace(day=1) - timedelta(days=1)).replace(day=_PAYDAY)
        back = (day - payday).days
    return back == 0 or (back <= 6 and day.weekday() >= 5)


def _season(day: date) -> float:
    """December and the summer and spring sales are above the year's mean, February below."""
    by_month = (1.04, 0.90, 1.02, 1.00, 0.99, 0.95, 1.05, 0.96, 0.96, 0.99, 1.00, 1.15)
    return by_month[day.month - 1]


def hour_weights(
    hours: NDArray[np.float64], day: date, *, commuters: bool, late: bool
) -> NDArray[np.float64]:
    """Relative density of arrivals at hours of the business date's clock (25.5 is 01:30)."""
    bumps: Sequence[tuple[float, float, float]] = (
        _COMMUTER_DAY if commuters and not is_rest_day(day) else _FAMILY_DAY
    )
    if late:
        bumps = (*bumps, _NIGHT)
    density = np.full(hours.shape, 0.05)
    for at, width, weight in bumps:
        density += weight * np.exp(-0.5 * ((hours - at) / width) ** 2)
    return density
