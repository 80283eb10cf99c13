"""Takes erased persons out of events: raw, dwh and the list of who is whom.

Events stay, as those of nobody known, so that what was received still reconciles. Rows that the
Storage Write API brought a moment ago can be changed like any others
(https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations).

Not for deciding who is erased, and not for the lake (`beam_jobs.ingest.unlink`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tenpo.contracts.events import ERASED_FACE
from tenpo.erasure import Found
from tenpo.failpoint import failpoint
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.job import Job
from tenpo.warehouse.partitions import spans
from tenpo.warehouse.read import execute, query
from tenpo.warehouse.reconcile import between
from tenpo.warehouse.statements import load_sql

_SQL = "tenpo.warehouse.sql"


@dataclass(frozen=True)
class Unlinking:
    """Some persons of a tenant, and where their events may lie.

    Args:
        warehouse: where.
        tenant_id: whose persons.
        raw_ids: all raw ids that they have.
        ingested: UTC dates between which all visit events of the tenant came to raw.
        dates: business dates between which all of them lie in dwh.
        job: names the work.
    """

    warehouse: Warehouse
    tenant_id: str
    raw_ids: Sequence[str]
    ingested: Collection[date]
    dates: Collection[date]
    job: Job

    def find(self, step: str) -> Found:
        """What carries one of the persons now.

        Raises:
            WarehouseError: BigQuery does not answer.
        """
        raw = list(self._rows("unlink_raw_found", self._of_raw(), step))
        events = list(self._rows("unlink_events_found", self._of_events(), step))
        return Found(
            sum(row["row_count"] for row in raw),
            sum(row["event_count"] for row in events),
            tuple(sorted(row["source_object"] for row in raw)),
            tuple(sorted((r["store_id"], r["business_date"]) for r in events if r["visit_count"])),
        )

    def change(self, guard: Callable[[], None]) -> None:
        """Take the persons out of raw, then of dwh.

        Args:
            guard: called right before each statement; it raises where a successor has taken over.

        Raises:
            WarehouseError: BigQuery does not answer; do it again.
        """
        state = {"state": ERASED_FACE}
        for name, parts in (
            ("unlink_raw", self._of_raw()),
            ("unlink_events", self._of_events()),
        ):
            for part in parts:
                guard()
                self._execute(name, {**part, **state})
            failpoint(f"unlink.after_{name}")

    def change_persons(self) -> None:
        """Take the persons out of the list of who is whom; hold the lease `persons`."""
        self._execute("unlink_persons", self._params)

    @property
    def _params(self) -> dict[str, object]:
        return {"tenant_id": self.tenant_id, "raw_ids": list(self.raw_ids)}

    def _of_raw(self) -> Iterator[dict[str, object]]:
        for span in spans(self.ingested):
            yield {**self._params, **between(span)}

    def _of_events(self) -> Iterator[dict[str, object]]:
        for first, last in spans(self.dates):
            yield {**self._params, "date_from": first, "date_to": last}

    def _rows(
        self, name: str, parts: Iterator[dict[str, object]], step: str
    ) -> Iterator[dict[str, Any]]:
        sql = load_sql(self.warehouse, _SQL, name)
        for params in parts:
            job = self.job.step(f"{step}-{name}")
            yield from query(self.warehouse, sql, params, job=job).to_pylist()

    def _execute(self, name: str, params: dict[str, object]) -> None:
        sql = load_sql(self.warehouse, _SQL, name)
        execute(self.warehouse, sql, params, job=self.job.step(name))
