"""A page a chain: its clusters, its head-room, its weeks to come. It needs no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import plotly.graph_objects as go

from kedro_project.pipelines.pictures import course_ahead, headroom_of_stores, map_of_stores
from kedro_project.pipelines.report import page
from kedro_project.results.rows import ChainResults, result_notes
from tenpo.model_words import note_words


def reports(results: Sequence[ChainResults]) -> dict[str, str]:
    """HTML by currency."""
    return {chain.currency: _report(chain) for chain in results}


def _report(chain: ChainResults) -> str:
    return page(
        "report.html",
        _pictures(chain),
        currency=chain.currency,
        stores=len(chain.panel.stores),
        first=f"{chain.panel.dates[0]:%Y-%m-%d}",
        last=f"{chain.panel.dates[chain.panel.known - 1]:%Y-%m-%d}",
        notes=[note_words(note)[0] for note in result_notes(chain)],
        clusters=chain.clusters.profile[["name", "stores"]].to_dict("index"),
        left_out=chain.features.left_out.to_dict("records"),
    )


def _pictures(chain: ChainResults) -> Iterator[tuple[str, go.Figure]]:
    yield "Map of stores", map_of_stores(chain.clusters)
    yield "Head-room a month", headroom_of_stores(chain.targets)
    for name, forecast in chain.forecasts.items():
        known = chain.panel.measures[name][: chain.panel.known]
        yield f"The chain's {name}", course_ahead(forecast, chain.panel.dates, known)
