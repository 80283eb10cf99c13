"""The results of a run as its pipelines have stored them."""

from __future__ import annotations

from kedro_project.results.codec import from_bytes
from kedro_project.results.record import RunRecord, Shelf
from kedro_project.results.rows import ChainResults
from tenpo.lake import Lake

_NAMES = {
    "notes": "chain_notes",
    "panel": "panel",
    "previous": "previous_clusters",
    "features": "features",
    "clusters": "clusters",
    "forecasts": "forecasts",
    "targets": "targets",
}


def stored_results(lake: Lake, record: RunRecord) -> list[ChainResults]:
    """The results of all chains of a run.

    Raises:
        IntegrityError: a pipeline has not run yet, or what it stored cannot be read.
    """
    shelf = Shelf(lake, record.tenant_id)
    return [_chain(shelf.of(record, currency), currency) for currency in record.currencies]


def _chain(shelf: Shelf, currency: str) -> ChainResults:
    held = {part: from_bytes(shelf.get(name)) for part, name in _NAMES.items()}
    return ChainResults(currency=currency, **held)
