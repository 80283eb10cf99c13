"""Running totals → intervals: neighbouring readings of a counting line, subtracted.

Part of conforming `count_reading`, between replacing its lines and settling its index. The
intervals around the touched readings are computed anew from all readings held and compared
with `dwh.reading_interval`: so order and repeats of arrival do not matter, a run that died
is simply repeated, and exactly the store-days whose intervals differ are dirty.

Not for spreading a gap over its hours: opening hours are the aggregation's business. Why
it is done here is told in `docs/adr/0007-readings.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tenpo.contracts.derived import READING_INTERVAL
from tenpo.store_day import StoreDay
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.job import Job
from tenpo.warehouse.read import drop, execute, query
from tenpo.warehouse.statements import load_sql

#: An interval longer than this says nothing of the hour in which people came.
GAP = timedelta(hours=2)

#: Readings further apart are no neighbours: the later one is a first reading again. So what
#: is found never depends on how far back a run happens to look.
LONGEST = timedelta(days=400)

#: Where the reading before is looked for at first, and where if it is not there: nearly all
#: are near, and every further day is one more partition to read.
NEAR = timedelta(days=3)
FAR = LONGEST + timedelta(days=2)  # business dates and dates differ by less than two days


@dataclass
class ReadingIntervals:
    """The intervals around the readings of one conforming.

    Args:
        warehouse: where.
        job: names the work.
        staging: the conforming's tables `lines` and `documents`.
    """

    warehouse: Warehouse
    job: Job
    staging: dict[str, str]
    _changed: list[date] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changes = self.job.table_name("changes")

    def stage(self, dates: Sequence[date]) -> tuple[StoreDay, ...]:
        """Find out what changes.

        Args:
            dates: business dates on which the readings lie or lay.

        Returns:
            The store-days whose intervals change, sorted.

        Raises:
            WarehouseError: BigQuery does not answer.
        """
        summary = self._look(dates, NEAR)
        if any(row["is_first"] for row in summary):
            summary = self._look(dates, FAR)
        changed = [row for row in summary if not row["is_first"]]
        self._changed = [row["business_date"] for row in changed]
        places = ((row["tenant_id"], row["store_id"], row["business_date"]) for row in changed)
        return tuple(sorted(StoreDay(*place) for place in places))

    def write(self) -> None:
        """Carry out what was staged; nothing where nothing changes.

        Raises:
            WarehouseError: BigQuery does not answer; conform again.
        """
        if not self._changed:
            return
        sql = self._sql(
            "replace",
            columns=READING_INTERVAL.names,
            values=[f"s.{name}" for name in READING_INTERVAL.names],
        )
        dates = {"first": min(self._changed), "last": max(self._changed)}
        execute(self.warehouse, sql, dates, job=self.job.step("intervals"))

    def clean_up(self) -> None:
        """Drop the staging table."""
        drop(self.warehouse, self._changes)

    def _look(self, dates: Sequence[date], back: timedelta) -> list[dict[str, Any]]:
        params = {
            "from_date": min(dates) - back,
            "to_date": max(dates) + FAR,  # of days to come there is little to read
            "gap_s": int(GAP.total_seconds()),
            "longest_s": int(LONGEST.total_seconds()),
        }
        names = READING_INTERVAL.names
        held = [f"held.{name}" for name in names]
        sql = self._sql("changes", columns=names, held_columns=held, **self.staging)
        execute(self.warehouse, sql, params, job=self.job.step(f"changes-{back.days}"))
        job = self.job.step(f"summary-{back.days}")
        rows: list[dict[str, Any]] = query(
            self.warehouse, self._sql("summary"), job=job
        ).to_pylist()
        return rows

    def _sql(self, step: str, **names: str | Sequence[str]) -> str:
        package = "tenpo.warehouse.sql"
        return load_sql(self.warehouse, package, f"readings_{step}", changes=self._changes, **names)
