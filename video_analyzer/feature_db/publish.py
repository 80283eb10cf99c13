"""Who is whom now, from the identity log to the warehouse, so that past visits follow.

Only pairs of pseudonyms leave the tenant's folder: no feature, no key. They are read from its files
(`of_folder`), or asked for where these lie elsewhere (`feature_service.client`). Run it at any time
and as often as you like; it writes what differs.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime

from sqlalchemy import Engine

from tenpo.datamart import connect as connect_datamart
from tenpo.datamart import dirty, transaction
from tenpo.datamart.lease import Lease, lease
from tenpo.datamart.published import dates_known
from tenpo.errors import UnknownReference
from tenpo.kpi.causes import PERSONS
from tenpo.settings import Settings
from tenpo.store_day import StoreDay
from tenpo.warehouse import Job, Published, publish_persons
from tenpo.warehouse import connect as connect_warehouse
from video_analyzer.feature_db.database import FeatureDatabase
from video_analyzer.feature_db.people import People

#: Gives the current person of each raw id that has another one; None where there are no features.
Moved = Callable[[], Mapping[str, str] | None]


def publish(settings: Settings, tenant_id: str, source: Moved) -> Published:
    """Make the warehouse follow a tenant's identity log, and mark what it changes.

    Args:
        settings: the process's settings.
        tenant_id: the tenant; one without features has nothing to publish.
        source: who is whom; asked once, when nobody else may publish.

    Raises:
        UnknownReference: the tenant has no features here, but persons in the warehouse.
        LeaseLost: another process publishes, or took over.
        ServiceError: a service does not answer; do it again.
    """
    engine = connect_datamart(settings)
    try:
        with connect_warehouse(settings) as warehouse, _lease(engine, settings) as held:
            # Read under the lease: a slow run never puts older persons over newer ones.
            current = source()
            run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
            return publish_persons(
                warehouse,
                tenant_id,
                current or {},
                job=Job("persons", run_id, tenant_id),
                dates=lambda: _dates(engine, tenant_id),
                on_dirty=lambda days: _mark(engine, held, days),
                guard=lambda: _guard(engine, held, tenant_id, current),
            )
    finally:
        engine.dispose()


def of_folder(database: FeatureDatabase, tenant_id: str) -> Moved:
    """Who is whom by a tenant's files, read beside whoever writes them."""

    def read() -> Mapping[str, str] | None:
        try:
            return People(database.read_store(tenant_id)).moved()
        except UnknownReference:
            return None

    return read


def _guard(engine: Engine, held: Lease, tenant_id: str, current: Mapping[str, str] | None) -> None:
    """Before anything is changed; a folder that is not mounted must not undo all links."""
    if current is None:
        raise UnknownReference(
            f"the tenant {tenant_id} has no features here, but persons in the warehouse",
            remedy="Run it where the features lie; if they are gone for good, delete the tenant's "
            "rows of dwh.person and run `tenpo aggregate` over its dates.",
        )
    with transaction(engine) as connection:
        held.check(connection)


def _lease(engine: Engine, settings: Settings) -> AbstractContextManager[Lease]:
    """The right to be the one writer of `dwh.person`."""
    holder = f"{socket.gethostname()}:{os.getpid()}"
    wait_s = settings.lease_s * 2
    return lease(engine, "persons", holder=holder, seconds=settings.lease_s, wait_s=wait_s)


def _dates(engine: Engine, tenant_id: str) -> list[date]:
    with transaction(engine) as connection:
        return dates_known(connection, tenant_id)


def _mark(engine: Engine, held: Lease, days: Sequence[StoreDay]) -> None:
    with transaction(engine) as connection:
        held.check(connection)
        dirty.mark(connection, days, PERSONS)
