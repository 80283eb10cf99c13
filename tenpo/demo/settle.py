"""Waiting until what was sent has come through: every object ingested, no store-day dirty."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Engine

from tenpo.contracts import EVENTS
from tenpo.datamart import connect as connect_datamart
from tenpo.datamart import dirty, ledger, transaction
from tenpo.errors import DatamartError, ServiceError
from tenpo.lake import Lake
from tenpo.settings import Settings

#: Give up when nothing has moved for so long.
SILENCE_S = 300.0
POLL_S = 1.0


class Standing(NamedTuple):
    """How far a tenant's data has come.

    Args:
        registered: canonical objects in the lake.
        ingested: those of them that are in dwh.
        dirty: store-days still to be computed.
    """

    registered: int
    ingested: int
    dirty: int

    @property
    def is_settled(self) -> bool:
        """Whether everything has come through."""
        return self.registered == self.ingested and not self.dirty


def settle(settings: Settings, tenant_id: str, progress: Callable[[Standing], None]) -> None:
    """Wait until a tenant's canonical objects are in dwh and its store-days are published.

    Services may go down and come back meanwhile.

    Args:
        settings: where everything is.
        tenant_id: the tenant.
        progress: told whenever something has moved.

    Raises:
        ServiceError: nothing moved for five minutes.
    """
    engine = connect_datamart(settings)
    lake = Lake(settings.lake_url)
    last: Standing | None = None
    moved_at = time.monotonic()
    try:
        while last is None or not last.is_settled:
            standing = _standing(engine, lake, tenant_id)
            if standing is not None and standing != last:
                last, moved_at = standing, time.monotonic()
                progress(standing)
                continue
            if time.monotonic() - moved_at > SILENCE_S:
                raise ServiceError(
                    f"nothing has moved for {SILENCE_S:.0f} s: {last}",
                    where=tenant_id,
                    remedy="Run `tenpo status`, then `tenpo up`, and the demo again.",
                )
            time.sleep(POLL_S)
    finally:
        engine.dispose()


def _standing(engine: Engine, lake: Lake, tenant_id: str) -> Standing | None:
    """None while PostgreSQL is away."""
    registered = sum(len(lake.names(f"canonical/{tenant_id}/{event}")) for event in EVENTS)
    try:
        with transaction(engine) as connection:
            counts = ledger.counts(connection, tenant_id)
            marks = dirty.take(connection, tenant_id=tenant_id)
    except DatamartError:
        return None
    return Standing(registered, sum(c.objects - c.waiting for c in counts), len(marks))
