"""Showing the readers of some stores another run's forecasts, and taking that back.

Killed before the transaction, nothing was tried; doing it again is safe, as in `publish`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from kedro_project.results.publish import publishing
from kedro_project.results.record import RunRecord
from kedro_project.results.rows import Tables
from tenpo.contracts.models import STORE_FORECAST
from tenpo.datamart import model_event, model_results, run, transaction
from tenpo.errors import ChampionChanged, InputError
from tenpo.failpoint import failpoint
from tenpo.settings import Settings
from tenpo.warehouse import append


def try_with(
    settings: Settings, record: RunRecord, tables: Tables, stores: Sequence[str], beside: str
) -> None:
    """Show the readers of some stores the forecasts of a run, beside the champion.

    Args:
        settings: the process's settings.
        record: the run.
        tables: its rows.
        stores: which stores.
        beside: the champion's id.

    Raises:
        InputError: another run is tried already.
        ChampionChanged: another run is champion by now.
        LeaseLost: another run of the tenant publishes.
        ServiceError: a service does not answer; do it again.
    """
    forecasts = _forecasts_of(tables, stores)
    why = f"with {len(stores)} stores, beside {beside}"
    with publishing(settings, record) as (engine, warehouse, held):
        append(warehouse, STORE_FORECAST, forecasts)
        failpoint("models.after_mart")
        with transaction(engine) as connection:
            held.check(connection)
            _require_free(connection, record, beside)
            rows = model_results.replace_forecasts(connection, record.tenant_id, stores, forecasts)
            run.finish(connection, record.run_id, state="published", rows=rows, note=why)
            model_event.happened(connection, record.tenant_id, record.run_id, "canary", why)


def end_trial(
    settings: Settings, champion: RunRecord, tables: Tables
) -> model_results.Canary | None:
    """Show the readers of all stores the champion again.

    Args:
        settings: the process's settings.
        champion: the run that the other readers see.
        tables: its rows.

    Returns:
        What was tried; None where nothing was.

    Raises:
        ChampionChanged: another run is champion by now.
        LeaseLost: another run of the tenant publishes.
        ServiceError: a service does not answer; do it again.
    """
    tenant_id = champion.tenant_id
    with publishing(settings, champion) as (engine, _, held), transaction(engine) as connection:
        held.check(connection)
        tried = model_results.canary(connection, tenant_id)
        if tried is None:
            return None
        _require_champion(connection, tenant_id, champion.run_id)
        forecasts = _forecasts_of(tables, tried.stores)
        model_results.replace_forecasts(connection, tenant_id, tried.stores, forecasts)
        why = f"the trial with {len(tried.stores)} stores was ended"
        model_event.happened(connection, tenant_id, tried.run_id, "challenger", why)
        return tried


def _require_free(connection: Connection, record: RunRecord, champion: str) -> None:
    _require_champion(connection, record.tenant_id, champion)
    tried = model_results.canary(connection, record.tenant_id)
    if tried is not None and tried.run_id != record.run_id:
        raise InputError(
            f"run {tried.run_id} is tried already", where=record.tenant_id,
            remedy="Promote it, or end its trial: tenpo models canary --stop.",
        )  # fmt: skip


def _require_champion(connection: Connection, tenant_id: str, run_id: str) -> None:
    shown = model_results.shown(connection, tenant_id)
    if shown is None or shown.run_id != run_id:
        raise ChampionChanged(
            "another run is champion by now", where=tenant_id,
            remedy="Look at `tenpo models runs`, then do it again.",
        )  # fmt: skip


def _forecasts_of(tables: Tables, stores: Sequence[str]) -> pa.Table:
    rows = tables[STORE_FORECAST.name]
    return rows.filter(pc.is_in(rows["store_id"], pa.array(stores, pa.string())))
