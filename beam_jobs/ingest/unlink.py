"""Erased persons leave their events: in the lake, in raw and in dwh, and never come back.

Two things keep that true. A request is worked off under ingest's lease, after everything that
was loaded is conformed; and whatever is loaded, then or later, passes `without_erased` on its
way to raw, so that a late duplicate or a replay brings nobody back. Canonical objects that hold
an erased person are replaced by the same without them; what they were made of is `sources`'.

A killed try is repeated whole: what it found first is noted in the lake beforehand.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Engine

from beam_jobs.ingest.sources import forget_in_findings, forget_in_payloads, recordings_of
from beam_jobs.replay.compare import STAMP_MARK
from beam_jobs.replay.plan import canonical_objects, stem_of
from gateways.intake.canonical import parquet
from tenpo.datamart import dirty, ledger, transaction
from tenpo.datamart.lease import Lease, lease
from tenpo.erasure import Erasures, Found, Request, erased_among, unlinked
from tenpo.errors import ConfigError, IntegrityError, LeaseLost
from tenpo.failpoint import failpoint
from tenpo.keys import TenantKeys
from tenpo.kpi.causes import ERASED
from tenpo.lake import Lake
from tenpo.settings import Settings
from tenpo.store_day import StoreDay
from tenpo.telemetry import get_logger
from tenpo.warehouse import Job, Warehouse
from tenpo.warehouse.unlink import Unlinking

log = get_logger(__name__)

EVENT = "visit_event"
#: Clocks of those who ask and those who load may differ by so much.
_TOLERANCE = timedelta(minutes=5)


def without_erased(lake: Lake, tenant_id: str, names: Iterable[str], rows: pa.Table) -> pa.Table:
    """Visit events as they may go on; the objects that they came from are replaced likewise.

    Args:
        lake: where the objects lie.
        tenant_id: whose events.
        names: the objects.
        rows: the events in them.
    """
    gone = erased_among(lake, tenant_id, rows["person_id"])
    if not gone:
        return rows
    replace_objects(lake, names, gone)
    return unlinked(rows, gone)


def replace_objects(lake: Lake, names: Iterable[str], raw_ids: Sequence[str]) -> None:
    """Write those canonical objects anew that hold one of the persons.

    Raises:
        IntegrityError: an object cannot be read.
    """
    wanted = pa.array(raw_ids, pa.string())
    for name in names:
        try:
            rows = pq.read_table(io.BytesIO(lake.get(name)))
        except pa.ArrowException as error:
            raise IntegrityError(
                f"it is no Parquet of the event {EVENT} ({type(error).__name__})",
                where=name,
                remedy=ledger.DAMAGE_REMEDY,
            ) from error
        if pc.any(pc.is_in(rows["person_id"], value_set=wanted)).as_py():
            lake.put(name, parquet(unlinked(rows, raw_ids)))


class Unlinker:
    """Works requests off, under ingest's lease.

    Args:
        settings: the process's settings, with the root secret: requests are sealed.
        engine: the datamart.
        warehouse: the warehouse.
        held: ingest's lease.
    """

    def __init__(
        self, settings: Settings, engine: Engine, warehouse: Warehouse, held: Lease
    ) -> None:
        self._settings, self._engine = settings, engine
        self._warehouse, self._held = warehouse, held
        self._lake = Lake(settings.lake_url)

    def run(self, tenants: Iterable[str]) -> None:
        """Do what was asked for these tenants; what cannot be done now waits for the next run.

        Raises:
            LeaseLost: a successor of the ingest has taken over.
            ServiceError: a service does not answer; do it again.
        """
        for tenant in tenants:
            if not self._lake.names(f"erasure/{tenant}/asked"):
                continue
            try:
                erasures = Erasures(self._lake, self._settings.root_secret(), tenant)
                for request in erasures.pending():
                    self._unlink(tenant, erasures, request)
            except (IntegrityError, ConfigError) as error:  # it holds up no other tenant's events
                log.error("an erasure cannot be done", tenant=tenant, reason=str(error))

    def _unlink(self, tenant: str, erasures: Erasures, request: Request) -> None:
        if self._is_loading(tenant, request):
            log.info("an erasure waits for a load that began before it", tenant=tenant)
            return
        work = self._work(tenant, request)
        shown = recordings_of(self._lake, tenant, work.sightings())
        erasures.note(request, replace(work.find("before"), recordings=tuple(shown)))
        whole = erasures.found(request)
        replace_objects(self._lake, self._objects(tenant, whole), request.raw_ids)
        named = self._forget_sources(tenant, request, whole)
        failpoint("unlink.after_objects")
        work.change(self._guard)
        if not self._change_persons(work):
            return
        days = [StoreDay(tenant, store, day) for store, day in whole.store_days]
        with transaction(self._engine) as connection:
            self._held.check(connection)
            dirty.mark(connection, days, ERASED)
        failpoint("unlink.after_mark")
        left = work.find("after")
        if left.raw_rows or left.events:
            log.warning("an erased person is still in events", tenant=tenant, rows=left.raw_rows)
            return
        erasures.done(request, named)
        told = {"request": request.request_id, "events": whole.events, "store_days": len(days)}
        log.info("an erased person is unlinked", tenant=tenant, **told)

    def _work(self, tenant: str, request: Request) -> Unlinking:
        run_id = f"{request.request_id}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        return Unlinking(self._warehouse, tenant, request.raw_ids, Job("unlink", run_id, tenant))

    def _is_loading(self, tenant: str, request: Request) -> bool:
        """Whether a load may have read its objects before the request, and is not in raw yet."""
        with transaction(self._engine) as connection:
            loads = ledger.interrupted(connection)
        return any(
            load.tenant_id == tenant
            and load.event == EVENT
            and load.ingested_at < request.asked_at + _TOLERANCE
            for load in loads
        )

    def _objects(self, tenant: str, found: Found) -> list[str]:
        """The canonical objects of the raw objects, those of replays included."""
        stems = {stem_of(name.split(STAMP_MARK)[0]) for name in found.raw_objects}
        return [
            name for stem in sorted(stems)
            for name in canonical_objects(self._lake.names, tenant, EVENT, stem)
        ]  # fmt: skip

    def _forget_sources(self, tenant: str, request: Request, found: Found) -> list[str]:
        """Take the persons out of payloads and findings; the payloads that may name them still."""
        forget_in_findings(self._lake, tenant, request.raw_ids)
        keys = TenantKeys(self._settings.root_secret(), tenant)
        names = sorted({name.split(STAMP_MARK)[0] for name in found.raw_objects})
        return forget_in_payloads(self._lake, keys, names, request.raw_ids)

    def _change_persons(self, work: Unlinking) -> bool:
        seconds = self._settings.lease_s
        try:
            with lease(self._engine, "persons", holder=self._held.holder, seconds=seconds):
                work.change_persons()
        except LeaseLost as error:
            log.info("an erasure waits", tenant=work.tenant_id, reason=str(error))
            return False
        return True

    def _guard(self) -> None:
        with transaction(self._engine) as connection:
            self._held.check(connection)
