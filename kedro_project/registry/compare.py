"""Two runs side by side: what they were made from, and how both did on days that are past."""

from __future__ import annotations

from typing import Any

from kedro_project.pipelines.judge.nodes import compared
from kedro_project.registry.facts import flat, kept_facts
from kedro_project.results.codec import from_bytes
from kedro_project.results.record import RunRecord, Shelf
from tenpo.lake import Lake
from tenpo.settings import Settings


def compare(settings: Settings, tenant_id: str, one: str, other: str) -> dict[str, Any]:
    """Two runs of a tenant.

    Returns:
        `runs`, the facts of both; `differs`, what is not the same in them; `scores` by currency on
        the folds that both kept a trial of, with the truth as the newer run knows it.

    Raises:
        InputError: there is no such run.
        IntegrityError: one has not got all results.
    """
    lake = Lake(settings.lake_url)
    shelf = Shelf(lake, tenant_id)
    records = [shelf.record(name) for name in (one, other)]
    facts = [kept_facts(lake, record) for record in records]
    newer = max(records, key=lambda record: (record.as_of, record.started_at))
    common = [c for c in records[0].currencies if c in records[1].currencies]
    return {
        "runs": facts,
        "differs": _differs(*facts),
        "scores": {currency: _scores(shelf, records, newer, currency) for currency in common},
    }


def _scores(
    shelf: Shelf, records: list[RunRecord], newer: RunRecord, currency: str
) -> dict[str, Any]:
    shelves = [shelf.of(record, currency) for record in records]
    first, second = (from_bytes(own.get("trial")) if own.has("trial") else {} for own in shelves)
    found = compared(from_bytes(shelf.of(newer, currency).get("panel")), first, second)
    return {
        "folds": found["folds"],
        "of": {records[0].run_id: found["challenger"], records[1].run_id: found["champion_scores"]},
    }


def _differs(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of what is not the same; of parameters by their path."""
    named = ("as_of", "code", "versions")
    found = [name for name in named if one[name] != other[name]]
    for what in ("data_fingerprint", "results_fingerprint"):
        if [c[what] for c in one["chains"]] != [c[what] for c in other["chains"]]:
            found.append(what)
    ours, theirs = dict(flat(one["parameters"])), dict(flat(other["parameters"]))
    paths = sorted(ours.keys() | theirs.keys())
    return found + [f"parameters.{p}" for p in paths if ours.get(p) != theirs.get(p)]
