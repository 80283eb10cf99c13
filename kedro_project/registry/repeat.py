"""Making a run again from its record: the panel, parameters and clusters before that it kept.

What mart says by now does not matter. Never published: its use is to prove that the same comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kedro_project.pipelines import features
from kedro_project.platform_run import PIPELINES, run_pipeline
from kedro_project.registry.facts import keep_facts, kept_facts
from kedro_project.registry.recipe import code_version
from kedro_project.results import publish as publishing
from kedro_project.results.record import RunRecord, Shelf
from tenpo.lake import Lake
from tenpo.settings import Settings

_GIVEN = ("panel", "chain_notes", "previous_clusters")
_MADE = ("clustering", "forecast", "targets")


@dataclass(frozen=True)
class Repeat:
    """A run made again.

    Args:
        record: of the new run.
        is_same: whether clusters, forecasts and targets came out the same, bit for bit.
        is_same_code: whether the models' sources are those of then.
    """

    record: RunRecord
    is_same: bool
    is_same_code: bool


def repeat(settings: Settings, tenant_id: str, run_id: str, told: Callable[[str], None]) -> Repeat:
    """Make a run again.

    Args:
        settings: the process's settings.
        tenant_id: whose.
        run_id: the run to repeat.
        told: called with each step's name before it is done.

    Raises:
        InputError: there is no such run.
        IntegrityError: it never came as far as results.
    """
    lake = Lake(settings.lake_url)
    shelf = Shelf(lake, tenant_id)
    first = shelf.record(run_id)
    before = kept_facts(lake, first)
    span = (first.first, first.as_of)
    record = RunRecord.new(tenant_id, span, first.currencies, first.parameters)
    record = record.model_copy(update={"repeats": run_id})
    publishing.begin(settings, record)
    try:
        shelf.keep_record(record)
        _copy(shelf, first, record)
        run_pipeline("features", features.create_pipeline(), record, told)
        for name in _MADE:
            run_pipeline(name, PIPELINES[name](), record, told)
        after = keep_facts(lake, record)
    except Exception as error:  # whatever it is: the run's record says that it failed
        publishing.fail(settings, record, error)
        raise
    is_same = _came_out(before) == _came_out(after)
    words = "with the same results" if is_same else "with other results"
    publishing.rest(settings, record, "kept", f"repeats {run_id} {words}")
    return Repeat(record, is_same, first.code == code_version())


def _copy(shelf: Shelf, first: RunRecord, record: RunRecord) -> None:
    for currency in first.currencies:
        for name in _GIVEN:
            shelf.of(record, currency).put(name, shelf.of(first, currency).get(name))


def _came_out(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(one["currency"], one["results_fingerprint"]) for one in facts["chains"]]
