"""Publishing a run: rows to mart, then one transaction of the datamart, then its name to mart.

Killed before the transaction, the run never was for readers; killed after it, the next run
tells mart of it. Doing it again is safe: who reads mart takes equal rows once.

Not for showing a run to some stores only (`trial`).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from kedro_project.results.record import RunRecord
from kedro_project.results.rows import Tables
from tenpo.contracts import MODEL_TABLES
from tenpo.datamart import connect as connect_datamart
from tenpo.datamart import model_event, model_results, run, transaction
from tenpo.datamart.lease import Lease, lease
from tenpo.errors import InputError, ServiceError, TenpoError
from tenpo.failpoint import failpoint
from tenpo.publication import announce_published
from tenpo.settings import Settings
from tenpo.telemetry import get_logger
from tenpo.warehouse import Warehouse, append
from tenpo.warehouse import connect as connect_warehouse

JOB = "models"
_WAIT_S = 60.0
log = get_logger(__name__)


def begin(settings: Settings, record: RunRecord) -> None:
    """Note that a run begins; others of the tenant may live."""

    def note(connection: Connection) -> None:
        run.start(connection, record.run_id, tenant_id=record.tenant_id, job=JOB, is_alone=False)
        _happened(connection, record, "begun", f"as of {record.as_of}")

    _noted(settings, note)


def fail(settings: Settings, record: RunRecord, error: Exception) -> None:
    """Note that a run failed, and at what; never with a value from the data.

    Nothing is noted of a run that readers see already.
    """
    what = error.what if isinstance(error, TenpoError) else type(error).__name__
    _noted(settings, lambda connection: _ended(connection, record, "failed", "failed", what))


def rest(settings: Settings, record: RunRecord, state: model_event.State, why: str) -> None:
    """Note that a run stays unpublished for now; `publish` may follow.

    Args:
        settings: the process's settings.
        record: the run.
        state: what the history calls it.
        why: in words.
    """
    _noted(settings, lambda connection: _ended(connection, record, "nothing_to_do", state, why))


def shown_run(settings: Settings, tenant_id: str) -> str | None:
    """The champion: the run that readers see; None before the first."""
    found: list[str | None] = []

    def ask(connection: Connection) -> None:
        shown = model_results.shown(connection, tenant_id)
        found.append(None if shown is None else shown.run_id)

    _noted(settings, ask)
    return found[0]


def publish(settings: Settings, record: RunRecord, tables: Tables, why: str = "") -> int:
    """Make a run's rows what readers see. Returns their number; 0 where they are seen already.

    Args:
        settings: the process's settings.
        record: the run.
        tables: its rows.
        why: for the history.

    Raises:
        InputError: a run that knew more is published.
        LeaseLost: another run of the tenant publishes.
        ServiceError: a service does not answer; nothing is published, do it again.
    """
    with publishing(settings, record) as (engine, warehouse, held):
        if _is_shown(engine, record):
            _mark_shown(engine, held, record, tables)
            return 0
        for contract in MODEL_TABLES:
            append(warehouse, contract, tables[contract.name])
        failpoint("models.after_mart")
        return _show(engine, held, record, tables, why)


def replace_shown(settings: Settings, record: RunRecord, tables: Tables, why: str) -> int:
    """Show a run that mart has already, whatever is shown now. Returns the number of rows.

    Raises:
        LeaseLost: another run of the tenant publishes.
        ServiceError: a service does not answer; do it again.
    """
    with publishing(settings, record) as (engine, _, held):
        return _show(engine, held, record, tables, why)


@contextmanager
def publishing(settings: Settings, record: RunRecord) -> Iterator[tuple[Engine, Warehouse, Lease]]:
    """Alone for the tenant of a run; mart is told of what is published, before and after.

    Where mart does not answer afterwards, readers see the run all the same, and the next run
    tells mart of it.
    """
    engine = connect_datamart(settings)
    name = f"{JOB}:{record.tenant_id}"
    holder = f"{socket.gethostname()}:{os.getpid()}"
    try:
        with (
            connect_warehouse(settings) as warehouse,
            lease(engine, name, holder=holder, seconds=settings.lease_s, wait_s=_WAIT_S) as held,
        ):
            announce_published(engine, warehouse, record.tenant_id)
            yield engine, warehouse, held
            try:
                announce_published(engine, warehouse, record.tenant_id)
            except ServiceError as error:
                log.warning("mart learns of the run from the next one", tenant=record.tenant_id,
                            run_id=record.run_id, error=error.what)  # fmt: skip
    finally:
        engine.dispose()


def _show(engine: Engine, held: Lease, record: RunRecord, tables: Tables, why: str) -> int:
    with transaction(engine) as connection:
        held.check(connection)
        rows = model_results.replace(connection, record.tenant_id, tables)
        run.finish(connection, record.run_id, state="published", rows=rows, note=why)
        _happened(connection, record, "champion", why)
    failpoint("models.after_datamart")
    return rows


def _mark_shown(engine: Engine, held: Lease, record: RunRecord, tables: Tables) -> None:
    """Readers see the run: then it is published, whatever was noted of it."""
    with transaction(engine) as connection:
        held.check(connection)
        if not run.is_published(connection, record.run_id):
            rows = sum(table.num_rows for table in tables.values())
            run.finish(connection, record.run_id, state="published", rows=rows)
            _happened(connection, record, "champion", "readers see it already")


def refuse_older(settings: Settings, record: RunRecord) -> None:
    """Refuse, before work is done, what `publish` would refuse in the end.

    Raises:
        InputError: a run that knew more is published.
    """
    engine = connect_datamart(settings)
    try:
        _is_shown(engine, record)
    finally:
        engine.dispose()


def _is_shown(engine: Engine, record: RunRecord) -> bool:
    with transaction(engine) as connection:
        shown = model_results.shown(connection, record.tenant_id)
    if shown is not None and shown.as_of > record.as_of:
        raise InputError(
            f"a run that knew days up to {shown.as_of} is published",
            where=f"{record.tenant_id}, as of {record.as_of}",
            remedy="Run without --as-of, or with --dry-run to look at an earlier day.",
        )
    return shown is not None and shown.run_id == record.run_id


def _ended(
    connection: Connection, record: RunRecord, state: run.State, became: model_event.State,
    why: str,
) -> None:  # fmt: skip
    """The end of a run that readers do not see."""
    if not run.is_published(connection, record.run_id):
        run.finish(connection, record.run_id, state=state, note=why)
        _happened(connection, record, became, why)


def _happened(
    connection: Connection, record: RunRecord, state: model_event.State, note: str
) -> None:
    model_event.happened(connection, record.tenant_id, record.run_id, state, note)


def _noted(settings: Settings, note: Callable[[Connection], None]) -> None:
    engine = connect_datamart(settings)
    try:
        with transaction(engine) as connection:
            note(connection)
    finally:
        engine.dispose()
