"""One aggregation run of one tenant, from the plan to the published rows.

Order: Parquet, mart, then one PostgreSQL transaction that checks the lease,
writes the datamart, clears the dirty marks and publishes the run; last the run's
id goes to mart. Killed anywhere before that transaction, the run never was;
killed after it, the next run completes mart's list of published runs.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import apache_beam as beam
import pyarrow as pa
from sqlalchemy import Engine

from beam_jobs.aggregate.hours import StoreDay
from beam_jobs.aggregate.plan import chunks
from beam_jobs.aggregate.revise import RunStamp
from beam_jobs.aggregate.silence import PROFILE_WEEKS
from beam_jobs.aggregate.transforms import FEW_STORE_DAYS, PACKAGE, ReviseStoreDays, RunContext
from beam_jobs.aggregate.visits import return_days
from beam_jobs.options import pipeline_options
from tenpo.datamart import connect as connect_datamart
from tenpo.datamart import dirty, past, run, transaction
from tenpo.datamart.lease import Lease, lease
from tenpo.datamart.published import days_after, uncovered_after, unjudged, zoned_stores
from tenpo.datamart.tables import TABLES
from tenpo.datamart.upsert import upsert
from tenpo.failpoint import failpoint
from tenpo.kpi import KPI_STORE_DAY, KPI_STORE_HOUR, KPI_ZONE_HOUR
from tenpo.kpi.causes import ENDED, FOLLOWED, ON_DEMAND, USUAL
from tenpo.lake import Lake
from tenpo.masters import MasterBook, TenantMasters
from tenpo.publication import announce_published
from tenpo.settings import Settings
from tenpo.telemetry import get_logger
from tenpo.warehouse import Job, Warehouse, load_sql, query, query_large
from tenpo.warehouse import connect as connect_warehouse
from tenpo.warehouse.partitions import spans

log = get_logger(__name__)

#: Dates before today that are looked through for those that ended since they were computed.
ENDED_WITHIN = timedelta(days=3)


@dataclass(frozen=True)
class Request:
    """What to compute for a tenant: the dirty store-days, or a range of dates.

    Args:
        tenant_id: the tenant.
        date_from: first business date; none means the dirty store-days alone.
        date_to: last business date.
        store_id: only this store.
        cause: why, as the revisions will say it.
    """

    tenant_id: str
    date_from: date | None = None
    date_to: date | None = None
    store_id: str | None = None
    cause: str = ON_DEMAND


@dataclass(frozen=True)
class Outcome:
    """What a run did."""

    run_id: str
    tenant_id: str
    store_days: int
    rows: dict[str, int]


def aggregate(
    settings: Settings, request: Request, runner_args: Sequence[str] = (), wait_s: float = 120
) -> Outcome:
    """Compute and publish.

    Args:
        settings: the process's settings.
        request: what to compute.
        runner_args: further Beam options.
        wait_s: how long to wait for another run of the tenant to end.

    Raises:
        LeaseLost: another run of the tenant holds the lease, or took it over.
        ServiceError: a service does not answer; nothing was published, run it again.
    """
    engine = connect_datamart(settings)
    holder = f"{socket.gethostname()}:{os.getpid()}"
    try:
        with (
            connect_warehouse(settings) as warehouse,
            lease(
                engine,
                f"aggregate:{request.tenant_id}",
                holder=holder,
                seconds=settings.lease_s,
                wait_s=wait_s,
            ) as held,
        ):
            return _Run(settings, request, engine, warehouse, held).execute(runner_args)
    finally:
        engine.dispose()


class _Run:
    """One run under its lease."""

    def __init__(
        self,
        settings: Settings,
        request: Request,
        engine: Engine,
        warehouse: Warehouse,
        held: Lease,
    ) -> None:
        self.settings = settings
        self.request = request
        self.engine = engine
        self.warehouse = warehouse
        self.held = held
        self.tenant_id = request.tenant_id
        self.seen: frozenset[str] = frozenset()
        self.passed: frozenset[str] = frozenset()
        self.zoned: frozenset[str] = frozenset()
        self.started_at = datetime.now(UTC)
        self.run_id = f"{self.started_at:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        self.job = Job("aggregate", self.run_id, self.tenant_id)

    def execute(self, runner_args: Sequence[str]) -> Outcome:
        announce_published(self.engine, self.warehouse, self.tenant_id)
        masters = MasterBook(Lake(self.settings.lake_url)).get(self.tenant_id)
        taken = self._take(masters)
        days = self._days(masters, taken)
        if not days:
            log.info("nothing to aggregate", tenant=self.tenant_id)
            return Outcome(self.run_id, self.tenant_id, 0, {})
        with transaction(self.engine) as connection:
            run.start(connection, self.run_id, tenant_id=self.tenant_id, job="aggregate")
        self._compute(days, masters, runner_args)
        failpoint("aggregate.after_mart")
        rows = self._publish(list(days), taken)
        failpoint("aggregate.after_datamart")
        announce_published(self.engine, self.warehouse, self.tenant_id)
        log.info("aggregated", run_id=self.run_id, store_days=len(days), **rows)
        return Outcome(self.run_id, self.tenant_id, len(days), rows)

    def _take(self, masters: TenantMasters) -> list[dirty.Dirty]:
        """The dirty marks this run will answer; those of stores without a master wait for one."""
        with transaction(self.engine) as connection:
            marks = dirty.take(connection, tenant_id=self.tenant_id)
        unknown = {mark.store_day.store_id for mark in marks} - masters.stores.keys()
        if unknown:
            log.error("store-days wait for their store's master", stores=sorted(unknown))
        return [
            mark for mark in marks if mark.store_day.store_id not in unknown and self._wanted(mark)
        ]

    def _wanted(self, mark: dirty.Dirty) -> bool:
        day, request = mark.store_day, self.request
        return (
            request.store_id in (None, day.store_id)
            and (request.date_from is None or day.business_date >= request.date_from)
            and (request.date_to is None or day.business_date <= request.date_to)
        )

    def _days(self, masters: TenantMasters, taken: Sequence[dirty.Dirty]) -> dict[StoreDay, str]:
        """The store-days to compute, of stores that still are in the master, and why each."""
        marked = {StoreDay(m.store_day.store_id, m.store_day.business_date): m.cause for m in taken}
        asked = dict.fromkeys(self._asked(), self.request.cause)
        causes = self._ended(masters) | self._estimated(marked.keys()) | asked | marked
        back = timedelta(days=return_days(masters.stores.values()))
        self._look(causes.keys(), back)
        causes = self._followed(marked.keys(), back) | causes
        return {
            day: cause
            for day, cause in causes.items()
            if day.store_id in masters.stores and self.request.store_id in (None, day.store_id)
        }

    def _asked(self) -> set[StoreDay]:
        """The store-days of the range asked for that hold any event."""
        request = self.request
        if request.date_from is None or request.date_to is None:
            return set()
        return {
            StoreDay(row["store_id"], row["business_date"])
            for span in spans((request.date_from, request.date_to))
            for row in self._ask("store_days", span).to_pylist()
        }

    def _ended(self, masters: TenantMasters) -> dict[StoreDay, str]:
        """Store-days that were still running when they were computed, and are over now."""
        if self.request.date_from is not None:
            return {}
        today = self.started_at.date()
        with transaction(self.engine) as connection:
            found = unjudged(connection, self.tenant_id, today - ENDED_WITHIN, today)
        return {
            StoreDay(store_id, day): ENDED
            for store_id, day in found
            if store_id in masters.stores
            and masters.stores[store_id].clock.ends_at(day) <= self.started_at
        }

    def _look(self, days: Collection[StoreDay], back: timedelta) -> None:
        """Which stores' cameras tell of visitors, passers-by and zones near these dates.

        So that nobody asks for the others'. Events tell, not masters: these know where cameras
        are now, not where they were.
        """
        near = spans([day.business_date for day in days], back)
        told = [row for span in near for row in self._ask("stores_seen", span).to_pylist()]
        self.seen, self.passed, self.zoned = (
            frozenset(row["store_id"] for row in told if row[name])
            for name in ("knows_persons", "sees_passing", "sees_zones")
        )
        with transaction(self.engine) as connection:
            self.zoned |= zoned_stores(connection, self.tenant_id, days)

    def _ask(self, name: str, span: tuple[date, date]) -> pa.Table:
        params = {"tenant": self.tenant_id, "date_from": span[0], "date_to": span[1]}
        sql = load_sql(self.warehouse, PACKAGE, name)
        return query(self.warehouse, sql, params, job=self.job.step(f"{name}-{span[0]:%Y%m%d}"))

    def _estimated(self, days: Collection[StoreDay]) -> dict[StoreDay, str]:
        """Published days whose estimates rest on what is usual on these."""
        with transaction(self.engine) as connection:
            found = uncovered_after(connection, self.tenant_id, list(days), PROFILE_WEEKS)
        return {StoreDay(store_id, day): USUAL for store_id, day in found}

    def _followed(self, days: Collection[StoreDay], back: timedelta) -> dict[StoreDay, str]:
        """Published days on which visitors of these days come back, of stores that know them."""
        seen = [day for day in days if day.store_id in self.seen]
        with transaction(self.engine) as connection:
            found = days_after(connection, self.tenant_id, seen, back.days)
        return {StoreDay(store_id, day): FOLLOWED for store_id, day in found}

    def _compute(
        self, days: Mapping[StoreDay, str], masters: TenantMasters, runner_args: Sequence[str]
    ) -> None:
        """The pipeline: changed rows into the lake and mart, not yet visible."""
        causes = {(day.store_id, day.business_date): cause for day, cause in days.items()}
        plan = list(chunks(days))
        expected: dict[str, list[str]] = {}
        aside: dict[str, dict[str, str]] = {}
        for device in masters.device:
            if device.role == "door":
                expected.setdefault(device.store_id, []).append(device.device_id)
            else:
                aside.setdefault(device.store_id, {})[device.device_id] = device.role
        context = RunContext(
            settings=self.settings.without_secrets(),
            stamp=RunStamp(self.run_id, self.tenant_id, self.started_at, causes),
            stores=masters.stores,
            expected=expected,
            seen=self.seen,
            passed=self.passed,
            zoned=self.zoned,
            aside=aside,
        )
        options = pipeline_options(self.settings, f"aggregate-{self.tenant_id}", runner_args)
        with beam.Pipeline(options=options) as pipeline:
            _ = pipeline | "Chunks" >> beam.Create(plan) | "Store-days" >> ReviseStoreDays(context)

    def _publish(self, days: Sequence[StoreDay], taken: Sequence[dirty.Dirty]) -> dict[str, int]:
        """What the run wrote becomes what readers see, in one transaction."""
        contracts = [KPI_STORE_HOUR, KPI_STORE_DAY]
        if self.zoned:
            contracts.append(KPI_ZONE_HOUR)
        tables = {c.name: self._written(c.name, days) for c in contracts}
        with transaction(self.engine) as connection:
            self.held.check(connection)
            for name, rows in tables.items():
                past.keep(connection, name, rows)
                upsert(connection, TABLES[name], rows)
            dirty.clear(connection, taken)
            total = sum(rows.num_rows for rows in tables.values())
            run.finish(connection, self.run_id, state="published", rows=total)
        return {name: rows.num_rows for name, rows in tables.items()}

    def _written(self, table: str, days: Sequence[StoreDay]) -> pa.Table:
        ask = query_large if len(days) > FEW_STORE_DAYS else query
        sql = load_sql(self.warehouse, PACKAGE, "rows_of_run", table=table)
        whose = {"run_id": self.run_id, "tenant": self.tenant_id}
        parts = [
            ask(
                self.warehouse,
                sql,
                {**whose, "date_from": first, "date_to": last},
                job=self.job.step(f"written-{table}-{first:%Y%m%d}"),
            )
            for first, last in spans([day.business_date for day in days])
        ]
        return pa.concat_tables(parts)
