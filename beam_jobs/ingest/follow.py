"""`tenpo ingest --follow`: micro-batches for as long as it is let run.

It waits for a hint that an object was registered, or for its interval to pass,
and sweeps. After each batch it tells Airflow which tenants have dirty
store-days, by asset events; aggregation is started by Airflow alone. The marks
stay until they are answered, so an event that got lost is sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from beam_jobs.ingest.due import Announcements
from beam_jobs.ingest.job import Ingest
from beam_jobs.ingest.sweep import FULL_SWEEP, RECENT_DAYS
from tenpo.datamart.ledger import DAMAGE_REMEDY
from tenpo.errors import LeaseLost, ServiceError, UnknownReference
from tenpo.hints import listen
from tenpo.settings import Settings
from tenpo.telemetry import get_logger

log = get_logger(__name__)

RETRY_S = (1.0, 2.0, 5.0, 10.0)

Announce = Callable[[str], None]


def follow(settings: Settings, announce: Announce, stop: Callable[[], bool]) -> None:
    """Ingest until told to stop; a service that is down is waited for.

    Args:
        settings: the process's settings.
        announce: tells Airflow that a tenant has dirty store-days; raises `ServiceError`.
        stop: asked between batches.
    """
    failures = 0
    while not stop():
        follower = _Follower(settings, announce)
        try:
            while not stop():
                follower.step()
                failures = 0
        except (ServiceError, LeaseLost) as error:
            delay = RETRY_S[min(failures, len(RETRY_S) - 1)]
            failures += 1
            log.warning("ingest waits", reason=str(error), retry_s=delay)
            time.sleep(delay)
        finally:
            follower.close()


class _Follower:
    """The connections of one unbroken stretch of following."""

    def __init__(self, settings: Settings, announce: Announce) -> None:
        self._settings = settings
        self._announce = announce
        self._ingest = Ingest(settings)
        self._listener = listen(settings)
        self._swept_at: datetime | None = None
        self._failed: dict[str, str] = {}
        self._damaged: set[str] = set()
        self._announcements = Announcements()

    def close(self) -> None:
        """Give the connections back."""
        self._listener.close()
        self._ingest.close()

    def step(self) -> None:
        """One batch, its announcements, and the wait for the next."""
        now = datetime.now(UTC)
        full = self._swept_at is None or now - self._swept_at >= FULL_SWEEP
        with self._ingest.lease(wait_s=self._settings.lease_s * 2) as held:
            outcome = self._ingest.run(held, recent_days=None if full else RECENT_DAYS)
        if full:
            self._swept_at = now
        if not outcome.is_empty:
            log.info("ingested", objects=outcome.objects, rows=outcome.rows, dirty=outcome.dirty)
        if outcome.failed != self._failed:
            self._failed = outcome.failed
            for tenant, reason in outcome.failed.items():
                log.error("events stay behind in raw", tenant=tenant, reason=reason)
        if outcome.damaged.keys() != self._damaged:
            self._damaged = set(outcome.damaged)
            log.warning(
                "damaged objects of the lake", count=len(outcome.damaged), remedy=DAMAGE_REMEDY
            )
        for tenant in self._announcements.due(self._ingest.engine, now):
            self._tell(tenant)
        self._listener.wait(self._settings.follow_interval_s)

    def _tell(self, tenant: str) -> None:
        try:
            self._announce(tenant)
        except (ServiceError, UnknownReference) as error:
            log.warning("Airflow takes no asset event yet", tenant=tenant, reason=str(error))
        else:
            self._announcements.told(tenant, datetime.now(UTC))
