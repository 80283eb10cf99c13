"""Running totals → intervals: neighbouring readings of a counting line, subtracted.

Part of conforming `count_reading`, between replacing its lines and settling its index. The
intervals around the touched readings are computed anew from all readings held and compared
with `dwh.reading_interval`: so order and repeats of arrival do not matter, a run that died
is simply repeated, and exactly the store-days whose intervals differ are dirty.

    judge    readings at the moments that clock and arrival together make believable
    date     these with the business date and hour of their store
    change   differences of neighbours, against what is held

This is done with the readings of a few days, and again with those of 400 where a line is
looked for further back and has anything there.

Not for spreading a gap over its hours: opening hours are the aggregation's business. Why
it is done here is told in `docs/adr/0007-readings.md`, how clocks are judged in
`docs/adr/0015-device-clocks.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tenpo.contracts import CONFORMED, EVENTS
from tenpo.contracts.derived import READING_INTERVAL
from tenpo.device_clock import AHEAD, BEHIND, JITTER, LONGEST, RHYTHM, TOGETHER
from tenpo.store_day import StoreDay
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.job import Job, Typed
from tenpo.warehouse.read import Params, drop, execute, query
from tenpo.warehouse.reconcile import EVER, between
from tenpo.warehouse.statements import load_sql

#: An interval longer than this says nothing of the hour in which people came.
GAP = timedelta(hours=2)

#: How far around what was touched intervals may change: a reading tells of its neighbours, too.
AROUND = timedelta(days=1)

#: Where the reading before is looked for at first, and where if it is not there: nearly all
#: are near, and every further day is one more partition to read.
NEAR = timedelta(days=3)
FAR = LONGEST + timedelta(days=2)

#: People in and out an hour that a line which began anew does not exceed: what rises faster
#: after a fall did not fall.
BUSIEST = 360

#: Business dates and UTC dates differ by less.
_DATES_DIFFER = timedelta(days=2)
#: What tells counting lines apart.
_LINE = ("tenant_id", "store_id", "source", "device_id", "line_id")
_PACKAGE = "tenpo.warehouse.sql"
Span = tuple[datetime, datetime]


def _seconds(**lengths: timedelta) -> dict[str, int]:
    """Parameters of a statement, named `*_s`."""
    return {f"{name}_s": int(length.total_seconds()) for name, length in lengths.items()}


_JUDGING = {
    "busiest": BUSIEST,
    **_seconds(
        ahead=AHEAD, behind=BEHIND, together=TOGETHER, jitter=JITTER, rhythm=RHYTHM,
        longest=LONGEST, around=AROUND,
    ),
}  # fmt: skip
_CHANGING = _seconds(gap=GAP, around=AROUND, near=NEAR, longest=LONGEST)


def _settled(span: Span, back: timedelta) -> datetime:
    """From when on the intervals are known of a look so far back."""
    return datetime.combine(span[0].date() - AROUND - back, time(), UTC)


@dataclass
class ReadingIntervals:
    """The intervals around the readings of one conforming.

    Args:
        warehouse: where.
        job: names the work.
        staging: the conforming's tables, `lines` and `documents` among them.
    """

    warehouse: Warehouse
    job: Job
    staging: dict[str, str]
    _changed: list[date] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changes = self.job.table_name("changes")
        self._judged = self.job.table_name("judged")
        self._moments = self.job.table_name("judged_moments")
        self._dated = self.job.table_name("dated")

    def stage(self, span: Span) -> tuple[StoreDay, ...]:
        """Find out what changes.

        Args:
            span: first and last moment that the staged readings tell, or at which they arrived.

        Returns:
            The store-days whose intervals change, sorted.

        Raises:
            WarehouseError: BigQuery does not answer.
        """
        summary = self._look(span, NEAR)
        if any(row["is_far"] for row in summary) or (
            any(row["is_first"] for row in summary) and self._is_further_back(span)
        ):
            summary = self._look(span, FAR)
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
            changes=self._changes,
            columns=READING_INTERVAL.names,
            values=[f"s.{name}" for name in READING_INTERVAL.names],
        )
        dates = {"first": min(self._changed), "last": max(self._changed)}
        execute(self.warehouse, sql, dates, job=self.job.step("intervals"))

    def clean_up(self) -> None:
        """Drop the staging tables."""
        for name in (self._changes, self._judged, self._moments, self._dated):
            drop(self.warehouse, name)

    def _is_further_back(self, span: Span) -> bool:
        """Whether a far look can find more: a line that is new has nothing there.

        One light statement, where looking takes four over hundreds of partitions.
        """
        until = _settled(span, NEAR) + AROUND  # a clock may be ahead by as much
        dates = {"from_date": (_settled(span, FAR) - _DATES_DIFFER).date(),
                 "to_date": (until + _DATES_DIFFER).date()}  # fmt: skip
        sql = self._sql("further_back", changes=self._changes, line=_LINE)
        params = {**dates, "before": until}
        found = query(self.warehouse, sql, params, job=self._step("further-back", FAR))
        return bool(found["is_there"][0].as_py())

    def _look(self, span: Span, back: timedelta) -> list[dict[str, Any]]:
        settled = _settled(span, back)
        read = settled - _DATES_DIFFER
        # Of days to come there is little to read.
        dates = {"from_date": read.date(), "to_date": span[1].date() + FAR}
        self._judge({**dates, "arrived_from": read}, back)
        self._change({**dates, "settled_from": settled, "arrived_from": read}, back)
        sql = self._sql("summary", changes=self._changes)
        found = query(self.warehouse, sql, job=self._step("summary", back))
        rows: list[dict[str, Any]] = found.to_pylist()
        return rows

    def _judge(self, params: Params, back: timedelta) -> None:
        """Readings at the moments they are believed to be of, with business date and hour."""
        raw = EVENTS["count_reading"]
        columns = [name for name in raw.names if name in CONFORMED["count_reading"].names]
        documents = self.staging["documents"]
        sql = self._sql(
            "judged", judged=self._judged, documents=documents, line=_LINE, columns=columns
        )
        execute(self.warehouse, sql, {**params, **_JUDGING}, job=self._step("judged", back))
        # Dated as conforming dates what comes from raw.
        sql = load_sql(
            self.warehouse, _PACKAGE, "conform_moments", moments=self._moments,
            raw_table=replace(raw, dataset="staging", name=self._judged),
        )  # fmt: skip
        every = {"every_load": True, "load_ids": Typed("STRING", []), **between(EVER)}
        execute(self.warehouse, sql, every, job=self._step("moments", back))
        sql = self._sql("dated", dated=self._dated, judged=self._judged, moments=self._moments)
        execute(self.warehouse, sql, job=self._step("dated", back))

    def _change(self, params: Params, back: timedelta) -> None:
        """Differences of neighbours, against what is held."""
        names = READING_INTERVAL.names
        sql = self._sql(
            "changes", changes=self._changes, dated=self._dated, columns=names,
            held_columns=[f"held.{name}" for name in names], **self.staging,
        )  # fmt: skip
        execute(self.warehouse, sql, {**params, **_CHANGING}, job=self._step("changes", back))

    def _step(self, name: str, back: timedelta) -> Job:
        return self.job.step(f"{name}-{back.days}")

    def _sql(self, step: str, **names: str | Sequence[str]) -> str:
        return load_sql(self.warehouse, _PACKAGE, f"readings_{step}", **names)
