"""Runs of the models so far, and going back to one of them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from kedro_project.results.publish import JOB, replace_shown
from kedro_project.results.record import RunRecord, Shelf
from kedro_project.results.rows import published_tables
from kedro_project.results.stored import stored_results
from tenpo.datamart import connect, model_event, model_results, run, transaction
from tenpo.errors import InputError
from tenpo.lake import Lake
from tenpo.settings import Settings


def runs_of(settings: Settings, tenant_id: str) -> tuple[str | None, Sequence[run.PastRun]]:
    """The run that readers see, and the tenant's runs of the models, newest first."""
    engine = connect(settings)
    try:
        with transaction(engine) as connection:
            return _shown(connection, tenant_id), run.past(connection, tenant_id, JOB)
    finally:
        engine.dispose()


def events_of(
    settings: Settings, tenant_id: str, run_id: str | None = None
) -> Sequence[model_event.ModelEvent]:
    """The newest changes of state of the tenant's runs, oldest first."""
    engine = connect(settings)
    try:
        with transaction(engine) as connection:
            return model_event.history(connection, tenant_id, run_id)
    finally:
        engine.dispose()


def became(settings: Settings, tenant_id: str) -> dict[str, str]:
    """The last state of each run that the newest events tell of."""
    return {one.run_id: one.state for one in events_of(settings, tenant_id)}


def shown_once(settings: Settings, tenant_id: str) -> list[run.PastRun]:
    """The runs that readers of the whole tenant have seen, newest first; not those only tried."""
    engine = connect(settings)
    try:
        with transaction(engine) as connection:
            tried = model_event.runs_that_were(connection, tenant_id, "canary")
            tried -= model_event.runs_that_were(connection, tenant_id, "champion")
            past = run.past(connection, tenant_id, JOB)
    finally:
        engine.dispose()
    return [one for one in past if one.published_at is not None and one.run_id not in tried]


def roll_back(settings: Settings, tenant_id: str, run_id: str | None) -> RunRecord:
    """Show an earlier run again, from what it has stored; the next weekly run goes on from now.

    Args:
        settings: the process's settings.
        tenant_id: whose.
        run_id: the run; none means, of the runs that began before the one that is shown, the
            one that was published last: so going back twice never leads forward again.

    Raises:
        InputError: there is no such run, or it was never published.
    """
    shown, past = runs_of(settings, tenant_id)[0], shown_once(settings, tenant_id)
    wanted = run_id or _before(shown, past)
    if wanted not in {one.run_id for one in past}:
        raise InputError(
            "there is no earlier published run" if run_id is None else "no such published run",
            where=tenant_id,
            remedy="`tenpo models runs` lists the runs and their states.",
        )
    lake = Lake(settings.lake_url)
    record = Shelf(lake, tenant_id).record(wanted)
    tables = published_tables(stored_results(lake, record), record)
    replace_shown(settings, record, tables, f"shown again in place of {shown}")
    return record


def _before(shown: str | None, past: Sequence[run.PastRun]) -> str | None:
    """The last published of the runs that began before the one that is shown."""
    begun = next((one.started_at for one in past if one.run_id == shown), None)
    if begun is None:
        return None
    earlier = [
        (one.published_at, one.run_id)
        for one in past
        if one.published_at is not None and one.started_at < begun
    ]
    return max(earlier)[1] if earlier else None


def _shown(connection: Connection, tenant_id: str) -> str | None:
    found = model_results.shown(connection, tenant_id)
    return None if found is None else found.run_id
