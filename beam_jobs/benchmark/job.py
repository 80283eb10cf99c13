"""One run: every period that is due is read, composed and released, the oldest first.

Rows go to mart, then in one transaction to the datamart, then the run's name to mart. Killed
before the transaction, nothing was released and the next run does it; killed after it, the next
run tells mart. A period is released once: which were, mart says, and the datamart.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from beam_jobs.benchmark.privacy import MIN_TENANTS, Parts
from beam_jobs.benchmark.release import Release, compose
from tenpo.benchmark import Group, group_of
from tenpo.contracts import BENCHMARK_TABLES, EVERYBODY
from tenpo.contracts.benchmarks import BENCHMARK, BENCHMARK_CONTRIBUTOR, BENCHMARK_RELEASE
from tenpo.datamart import connect as connect_datamart
from tenpo.datamart import run, transaction
from tenpo.datamart.lease import Lease, lease
from tenpo.datamart.tables import TABLES
from tenpo.datamart.upsert import upsert
from tenpo.failpoint import failpoint
from tenpo.kpi.calendar import Period, PeriodGrain, periods
from tenpo.lake import Lake
from tenpo.masters import MasterBook, TenantMasters
from tenpo.publication import announce_published
from tenpo.settings import Settings
from tenpo.telemetry import get_logger
from tenpo.warehouse import Job, Warehouse, append, load_sql, query
from tenpo.warehouse import connect as connect_warehouse

JOB = "benchmark"
PACKAGE = "beam_jobs.benchmark.sql"
#: Late sales and counts of a period mostly come within these days; of the last ones, all zones.
_SETTLED = timedelta(days=3)
#: Periods that ended longer ago are not released any more.
_LOOK_BACK: Mapping[PeriodGrain, timedelta] = {
    "week": timedelta(weeks=8), "month": timedelta(days=92)
}  # fmt: skip
#: A group's last release before this does not hold it back any more.
_MEMORY: Mapping[PeriodGrain, timedelta] = {
    "week": timedelta(weeks=4), "month": timedelta(days=62)
}  # fmt: skip
log = get_logger(__name__)


def release(
    settings: Settings, today: date | None = None, *, is_dry: bool = False
) -> list[Release]:
    """Release every period that is due.

    Args:
        settings: the process's settings.
        today: the date in UTC; none means now.
        is_dry: write nothing, and say what would be released.

    Returns:
        What was released, the oldest period first; nothing where too few tenants take part.

    Raises:
        LeaseLost: another run does it.
        ServiceError: a service does not answer; what was not released yet, the next run does.
    """
    engine = connect_datamart(settings)
    holder = f"{socket.gethostname()}:{os.getpid()}"
    try:
        with (
            connect_warehouse(settings) as warehouse,
            lease(
                engine, JOB, holder=holder, seconds=settings.lease_s, wait_s=2 * settings.lease_s
            ) as held,
        ):
            one = _Run(engine, warehouse, held, today or datetime.now(UTC).date())
            return list(one.execute(members(MasterBook(Lake(settings.lake_url))), is_dry=is_dry))
    finally:
        engine.dispose()


def members(book: MasterBook) -> list[TenantMasters]:
    """The tenants that take part."""
    every = (book.get(tenant_id) for tenant_id in book.tenants())
    return [masters for masters in every if masters.shares_benchmarks]


def due(grain: PeriodGrain, today: date) -> list[Period]:
    """Periods that are over, settled, and not long ago."""
    last = today - _SETTLED
    return [
        one for one in periods("iso", grain, today - _LOOK_BACK[grain], last) if one.last < last
    ]


class _Run:
    def __init__(self, engine: Engine, warehouse: Warehouse, held: Lease, today: date) -> None:
        self._engine = engine
        self._warehouse = warehouse
        self._held = held
        self._today = today
        self._id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        self._job = Job(JOB, self._id)

    def execute(self, tenants: Sequence[TenantMasters], *, is_dry: bool) -> Iterator[Release]:
        if not is_dry:
            announce_published(self._engine, self._warehouse, EVERYBODY)
        if len(tenants) < MIN_TENANTS:
            log.info("too few tenants share benchmarks", tenants=len(tenants))
            return
        for grain, period in self._open():
            found = self._compose(grain, period, tenants)
            if not is_dry:
                self._publish(found)
            yield found

    def _open(self) -> Iterator[tuple[PeriodGrain, Period]]:
        """What is due and was not released."""
        span = (self._today - max(_LOOK_BACK.values()) - timedelta(days=31), self._today)
        rows = self._ask("released", "released", {}, span)
        past = {(row["grain"], row["period_from"]) for row in rows} | self._shown()
        for grain in _LOOK_BACK:
            for period in due(grain, self._today):
                if (grain, period.first) not in past:
                    yield grain, period

    def _shown(self) -> set[tuple[str, date]]:
        """Periods that readers see, whatever mart knows."""
        own = TABLES[BENCHMARK.name].c
        with transaction(self._engine) as connection:
            found = connection.execute(select(own.grain, own.period_from).distinct())
            return {(row.grain, row.period_from) for row in found}

    def _compose(
        self, grain: PeriodGrain, period: Period, tenants: Sequence[TenantMasters]
    ) -> Release:
        span = (period.first, period.last)
        whose = {"tenants": [one.tenant_id for one in tenants]}
        sums = self._ask("store_sums", f"sums-{period.name}", whose, span)
        return compose(grain, period, sums, _stores(tenants), self._before(grain, period))

    def _before(self, grain: PeriodGrain, period: Period) -> dict[str, dict[Group, Parts]]:
        span = (period.first - _MEMORY[grain], period.first - timedelta(days=1))
        rows = self._ask("contributors", f"contributors-{period.name}", {"grain": grain}, span)
        found: dict[str, dict[Group, dict[str, int]]] = {}
        for row in rows:
            group = Group(row["industry"], row["currency"], row["size_band"])
            parts = found.setdefault(row["kpi"], {}).setdefault(group, {})
            parts[row["tenant_id"]] = row["store_count"]
        return {kpi: dict(groups) for kpi, groups in found.items()}

    def _ask(
        self, name: str, part: str, params: Mapping[str, object], span: tuple[date, date]
    ) -> list[dict[str, Any]]:
        everything: dict[str, object] = {
            "date_from": span[0], "date_to": span[1], "published_from": date(2020, 1, 1),
            "published_to": datetime.now(UTC).date() + timedelta(days=1),
        }  # fmt: skip
        given = {**params, **everything}
        if "tenants" not in params:
            given["everybody"] = EVERYBODY
        sql = load_sql(self._warehouse, PACKAGE, name)
        rows = query(self._warehouse, sql, given, job=self._job.step(part))
        found: list[dict[str, Any]] = rows.to_pylist()
        return found

    def _publish(self, found: Release) -> None:
        run_id = f"{self._id}-{found.period.name}"
        rows = _rows(found, run_id)
        with transaction(self._engine) as connection:
            run.start(connection, run_id, tenant_id=EVERYBODY, job=JOB)
        for contract in BENCHMARK_TABLES:
            append(self._warehouse, contract, contract.table(rows[contract.name]))
        failpoint("benchmark.after_mart")
        shown = BENCHMARK.table(rows[BENCHMARK.name])
        with transaction(self._engine) as connection:
            self._held.check(connection)
            upsert(connection, TABLES[BENCHMARK.name], shown)
            run.finish(connection, run_id, state="published", rows=shown.num_rows)
        failpoint("benchmark.after_datamart")
        announce_published(self._engine, self._warehouse, EVERYBODY)


def _stores(tenants: Sequence[TenantMasters]) -> dict[tuple[str, str], Group]:
    """Groups of the stores that have one."""
    found = {
        (masters.tenant_id, store.store_id): group_of(
            store.industry, store.currency, store.sales_area_m2
        )
        for masters in tenants
        for store in masters.store
    }
    return {key: group for key, group in found.items() if group is not None}


def _rows(found: Release, run_id: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of every table, by name."""
    figures = [row | {"run_id": run_id} for row in found.figures()]
    past = {
        "period_from": found.period.first, "grain": found.grain, "period_to": found.period.last,
        "released_at": datetime.now(UTC), "tenant_count": found.tenants,
        "figure_count": len(figures), "hidden_count": found.hidden, "run_id": run_id,
    }  # fmt: skip
    parts = [row | {"run_id": run_id} for row in found.contributors()]
    return {
        BENCHMARK_RELEASE.name: [past],
        BENCHMARK.name: figures,
        BENCHMARK_CONTRIBUTOR.name: parts,
    }
