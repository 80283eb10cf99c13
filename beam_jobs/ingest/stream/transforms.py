"""The Beam side of ingest without an end: hints go in, tenants with work for Airflow come out.

A hint says only that looking is worth while. One that comes late for its window is dropped:
the next tick looks as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import FixedWindows

from beam_jobs.ingest.due import Announcements
from beam_jobs.ingest.job import Ingest
from beam_jobs.ingest.sweep import FULL_SWEEP, RECENT_DAYS
from beam_jobs.ingest.transforms import Load, LoadRaw
from tenpo.errors import ServiceError, UnknownReference
from tenpo.settings import Settings
from tenpo.stack.airflow_api import AirflowClient
from tenpo.telemetry import get_logger

log = get_logger(__name__)

#: The output of `PlanLoadsFn` that says that it looked, whatever it found.
LOOKED = "looked"


class _IngestFn(beam.DoFn):
    """A DoFn with an ingest a worker."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def setup(self) -> None:
        self.ingest = Ingest(self.settings)

    def teardown(self) -> None:
        self.ingest.close()


class PlanLoadsFn(_IngestFn):
    """Note what is new in the lake as loads; the whole lake at first and now and then.

    A worker that dies here may leave loads that nobody got: a later window settles them.
    """

    def setup(self) -> None:
        super().setup()
        self.swept_at = datetime.min.replace(tzinfo=UTC)

    def process(self, hints: tuple[None, Iterable[Any]]) -> Iterator[Any]:
        del hints
        now = datetime.now(UTC)
        full = now - self.swept_at >= FULL_SWEEP
        with self.ingest.lease(wait_s=self.settings.lease_s * 2) as held:
            loads = self.ingest.plan(held, recent_days=None if full else RECENT_DAYS)
        self.swept_at = now if full else self.swept_at
        yield from loads
        yield beam.pvalue.TaggedOutput(LOOKED, None)


class ConformFn(_IngestFn):
    """Carry what was appended to dwh; tell which tenants have store-days to be computed."""

    def __init__(self, settings: Settings, overdue: timedelta) -> None:
        super().__init__(settings)
        self.overdue = overdue

    def setup(self) -> None:
        super().setup()
        self.announcements = Announcements(self.overdue)
        self.failed: dict[str, str] = {}

    def process(self, appended: tuple[None, Iterable[Load | None]]) -> Iterator[str]:
        loads = [load for load in appended[1] if load is not None]
        with self.ingest.lease(wait_s=self.settings.lease_s * 2) as held:
            outcome = self.ingest.conform(held, loads)
        if not outcome.is_empty:
            log.info("ingested", objects=outcome.objects, rows=outcome.rows, dirty=outcome.dirty)
        if outcome.failed != self.failed:
            self.failed = outcome.failed
            for tenant, reason in outcome.failed.items():
                log.error("events stay behind in raw", tenant=tenant, reason=reason)
        now = datetime.now(UTC)
        for tenant in self.announcements.due(self.ingest.engine, now):
            yield tenant
            self.announcements.told(tenant, now)


class AnnounceFn(beam.DoFn):
    """Post an asset event to Airflow for each tenant; one that fails is due again later."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def setup(self) -> None:
        self.airflow = AirflowClient(self.settings)

    def teardown(self) -> None:
        self.airflow.close()

    def process(self, tenant: str) -> None:
        try:
            self.airflow.create_asset_event(f"tenpo://{tenant}/dwh")
        except (ServiceError, UnknownReference) as error:
            log.warning("Airflow takes no asset event yet", tenant=tenant, reason=str(error))


class TakeIn(beam.PTransform[Any, Any]):
    """Hints to rows in raw and dwh. Output: tenants that Airflow is to be told of.

    Args:
        settings: the workers'.
        overdue: after how long a tenant that nobody answered is told of again.
    """

    def __init__(self, settings: Settings, overdue: timedelta) -> None:
        super().__init__()
        self.settings = settings
        self.overdue = overdue

    def expand(self, hints: Any) -> Any:
        """Plan once a window, append anywhere, conform once a window."""
        every = FixedWindows(self.settings.follow_interval_s)
        plan = beam.ParDo(PlanLoadsFn(self.settings)).with_outputs(LOOKED, main="loads")
        planned = (
            hints
            | "Windows" >> beam.WindowInto(every)
            | "All hints" >> beam.Map(lambda hint: (None, None))
            | "Once a window" >> beam.GroupByKey()
            | "Plan loads" >> plan
        )
        appended = planned["loads"] | "To raw" >> LoadRaw(self.settings)
        return (
            (appended, planned[LOOKED])
            | "With empty windows" >> beam.Flatten()
            | "All loads" >> beam.Map(lambda load: (None, load))
            | "Together" >> beam.GroupByKey()
            | "Conform" >> beam.ParDo(ConformFn(self.settings, self.overdue))
        )
