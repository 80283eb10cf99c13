"""How many day partitions one statement may read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta

#: Day partitions that one job reads at most; BigQuery bounds a job at 4,000.
MAX_PARTITIONS = 3_650


def spans(dates: Collection[date], beside: timedelta = timedelta()) -> Iterator[tuple[date, date]]:
    """The range of some dates, widened on both ends, cut so that one job can read each part.

    Args:
        dates: business dates; none give no part.
        beside: how much further the range reaches than the first and the last.
    """
    if not dates:
        return
    first, last = min(dates) - beside, max(dates) + beside
    while first <= last:
        end = min(last, first + timedelta(days=MAX_PARTITIONS - 1))
        yield first, end
        first = end + timedelta(days=1)
