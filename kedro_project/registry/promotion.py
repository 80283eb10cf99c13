"""Who is champion: what the verdicts say of a run, and a person's word against it.

The champion is the run that readers see, which the datamart alone knows; nothing else keeps it.
"""

from __future__ import annotations

from kedro_project.registry.decision import Decision, decide
from kedro_project.results.codec import from_bytes
from kedro_project.results.history import runs_of, shown_once
from kedro_project.results.publish import publish, replace_shown, shown_run
from kedro_project.results.record import RunRecord, Shelf
from kedro_project.results.rows import published_tables
from kedro_project.results.stored import stored_results
from tenpo.errors import ChampionChanged, InputError
from tenpo.lake import Lake
from tenpo.settings import Settings

_BY_HAND = "promoted by hand"


def decision_of(settings: Settings, record: RunRecord) -> Decision:
    """Whether readers shall see a run that was judged.

    Raises:
        IntegrityError: it was not judged yet.
        ChampionChanged: it was judged beside a run that is no longer the champion.
    """
    shown = shown_run(settings, record.tenant_id)
    if shown == record.run_id:
        return Decision(is_promoted=True, reason="readers see it already")
    shelf = Shelf(Lake(settings.lake_url), record.tenant_id)
    verdicts = [from_bytes(shelf.of(record, c).get("verdict")) for c in record.currencies]
    if {one.get("champion") for one in verdicts} != {shown}:
        raise ChampionChanged(
            "the champion has changed since the run was judged",
            where=f"{record.tenant_id}, run {record.run_id}",
            remedy="Judge again: tenpo models run --pipeline judge --run RUN, then publish.",
        )
    return decide(verdicts, settings.models_margin)


def promote(settings: Settings, tenant_id: str, run_id: str) -> RunRecord:
    """Show readers a run whatever its verdict says.

    Raises:
        InputError: there is no such run, or one that knew more is shown and this one never was.
        IntegrityError: it has not got all results.
    """
    lake = Lake(settings.lake_url)
    record = Shelf(lake, tenant_id).record(run_id)
    if run_id not in {one.run_id for one in runs_of(settings, tenant_id)[1]}:
        raise InputError(
            "there is no such run of the models", where=tenant_id,
            remedy="Choose from: tenpo models runs.",
        )  # fmt: skip
    tables = published_tables(stored_results(lake, record), record)
    if run_id in {one.run_id for one in shown_once(settings, tenant_id)}:
        replace_shown(settings, record, tables, _BY_HAND)
    else:
        publish(settings, record, tables, _BY_HAND)
    return record
