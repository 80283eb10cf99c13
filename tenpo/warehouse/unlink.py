"""Takes erased persons out of events: raw, dwh and the list of who is whom.

Events stay, as those of nobody known, so that what was received still reconciles. Rows that the
Storage Write API brought a moment ago can be changed like any others
(https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations).

Not for deciding who is erased, and not for the lake (`beam_jobs.ingest.unlink`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from tenpo.contracts.events import ERASED_FACE
from tenpo.erasure import Found
from tenpo.failpoint import failpoint
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.job import Job
from tenpo.warehouse.read import execute, query
from tenpo.warehouse.statements import load_sql

_SQL = "tenpo.warehouse.sql"
#: All partitions: what nobody looked for cannot be said to be gone. One person is on far fewer
#: than the 4,000 that BigQuery lets a statement change.
_EVER = {
    "from_at": datetime(2000, 1, 1, tzinfo=UTC),
    "to_at": datetime(9999, 1, 1, tzinfo=UTC),
    "date_from": date(1, 1, 1),
    "date_to": date(9999, 12, 30),
}


@dataclass(frozen=True, order=True)
class Sighting:
    """A camera had somebody in view, from a moment to another."""

    store_id: str
    camera_id: str
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True)
class Unlinking:
    """Some persons of a tenant.

    Args:
        warehouse: where.
        tenant_id: whose persons.
        raw_ids: all raw ids that they have.
        job: names the work.
    """

    warehouse: Warehouse
    tenant_id: str
    raw_ids: Sequence[str]
    job: Job

    def find(self, step: str) -> Found:
        """What carries one of the persons now.

        Raises:
            WarehouseError: BigQuery does not answer.
        """
        raw = self._rows("unlink_raw_found", step, "from_at", "to_at")
        events = self._rows("unlink_events_found", step, "date_from", "date_to")
        return Found(
            sum(row["row_count"] for row in raw),
            sum(row["event_count"] for row in events),
            tuple(sorted(row["source_object"] for row in raw)),
            tuple(sorted((r["store_id"], r["business_date"]) for r in events if r["visit_count"])),
        )

    def sightings(self) -> list[Sighting]:
        """When cameras had one of the persons in view, by events that carry them still.

        Raises:
            WarehouseError: BigQuery does not answer.
        """
        rows = self._rows("unlink_sightings", "before", "date_from", "date_to")
        return [Sighting(**row) for row in rows if row["camera_id"] is not None]

    def change(self, guard: Callable[[], None]) -> None:
        """Take the persons out of raw, then of dwh.

        Args:
            guard: called right before each statement; it raises where a successor has taken over.

        Raises:
            WarehouseError: BigQuery does not answer; do it again.
        """
        guard()
        self._execute("unlink_raw", "from_at", "to_at", state=ERASED_FACE)
        failpoint("unlink.after_raw")
        guard()
        self._execute("unlink_events", "date_from", "date_to", state=ERASED_FACE)
        failpoint("unlink.after_events")

    def change_persons(self) -> None:
        """Take the persons out of the list of who is whom; hold the lease `persons`."""
        self._execute("unlink_persons")

    def _params(self, bounds: Sequence[str]) -> dict[str, object]:
        whose = {"tenant_id": self.tenant_id, "raw_ids": list(self.raw_ids)}
        return {**whose, **{name: _EVER[name] for name in bounds}}

    def _rows(self, name: str, step: str, *bounds: str) -> list[dict[str, Any]]:
        sql = load_sql(self.warehouse, _SQL, name)
        job = self.job.step(f"{step}-{name}")
        rows: list[dict[str, Any]] = query(
            self.warehouse, sql, self._params(bounds), job=job
        ).to_pylist()
        return rows

    def _execute(self, name: str, *bounds: str, **more: object) -> None:
        sql = load_sql(self.warehouse, _SQL, name)
        execute(self.warehouse, sql, {**self._params(bounds), **more}, job=self.job.step(name))
