"""Rows of the models' results as the API's answers. The SQL is the kernel's."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

import orjson

from api.model_answers import (
    Cluster,
    ForecastDay,
    LeftOut,
    ModelNote,
    ModelRun,
    NowcastItem,
    StorePlace,
    Target,
)
from api.models import Words
from tenpo.datamart.kpi_answer import exact
from tenpo.datamart.model_read import Rows
from tenpo.datamart.nowcast_read import StoreNowcast
from tenpo.model_words import cluster_name, note_words

_CENTS = Decimal("0.01")


def as_runs(rows: Rows) -> list[ModelRun]:
    """Runs with their notes in words."""
    return [
        ModelRun.model_validate(
            {**row, "notes": [_note(one) for one in orjson.loads(row["notes"])]}
        )
        for row in rows
    ]


def as_clusters(rows: Rows) -> list[Cluster]:
    """Clusters with their stores; rows come by cluster."""
    placed = [row for row in rows if row["cluster_id"] is not None]
    groups = groupby(placed, key=lambda row: (row["currency"], row["cluster_id"]))
    return [_cluster(list(members)) for _, members in groups]


def as_left_out(rows: Rows) -> list[LeftOut]:
    """Stores without a cluster."""
    return [
        LeftOut(store_id=row["store_id"], currency=row["currency"], reason=row["left_out"])
        for row in rows
        if row["left_out"] is not None
    ]


def as_targets(rows: Rows) -> list[Target]:
    """Targets in the rows' order."""
    return [Target.model_validate(_exact(row)) for row in rows]


def as_days(rows: Rows) -> list[ForecastDay]:
    """Days in the rows' order; those of a chain have no store and no target."""
    chain = {"store_id": None, "target": None, "is_cold": False}
    return [ForecastDay.model_validate(chain | _exact(row)) for row in rows]


def as_nowcasts(found: list[StoreNowcast]) -> list[NowcastItem]:
    """Nowcasts, amounts to the second digit."""
    return [
        NowcastItem(
            store_id=one.store_id,
            currency=one.currency,
            business_date=one.business_date,
            measure="sales" if one.measure == "sales" else "footfall",
            so_far=None if one.so_far is None else str(exact(one.so_far)),
            until_hour=one.until_hour,
            basis=one.final.basis,
            **{
                end: str(exact(getattr(one.final.band, end).quantize(_CENTS)))
                for end in ("value", "low", "high")
            },
        )
        for one in found
    ]


def _cluster(rows: list[Mapping[Any, Any]]) -> Cluster:
    first = rows[0]
    traits = (first["traits"] or "").split()
    en, ja = cluster_name(traits)
    return Cluster(
        currency=first["currency"],
        cluster_id=first["cluster_id"],
        name=Words(en=en, ja=ja),
        traits=traits,
        store_count=first["store_count"],
        stores=[StorePlace(store_id=r["store_id"], x=r["map_x"], y=r["map_y"]) for r in rows],
    )


def _note(note: dict[str, Any]) -> ModelNote:
    en, ja = note_words(note)
    return ModelNote(code=note["code"], count=note["count"], text=Words(en=en, ja=ja))


def _exact(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: exact(v) if isinstance(v, Decimal) else v for name, v in row.items()}
