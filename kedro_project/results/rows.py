"""Results of a chain as rows of the contracts: exact numbers, no row that is no number.

Not for writing them (`publish`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from importlib.metadata import version
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa

from kedro_project.chain.panel import Note
from kedro_project.panel import FloatArray, Panel
from kedro_project.pipelines.clustering.nodes import Clusters
from kedro_project.pipelines.features.nodes import StoreFeatures
from kedro_project.pipelines.forecast.nodes import Forecast
from kedro_project.pipelines.targets.nodes import Targets
from kedro_project.results.codec import to_bytes
from kedro_project.results.record import RunRecord
from tenpo.contracts.models import (
    CHAIN_FORECAST,
    MODEL_RUN,
    MODEL_TABLES,
    STORE_CLUSTER,
    STORE_FORECAST,
    STORE_TARGET,
)
from tenpo.errors import IntegrityError

LIBRARIES = ("tenpo", "kedro", "lightgbm", "scikit-learn", "scipy", "numpy", "pandas")
_FEW_STORES = 8
_DIGITS = 6  # after the point: enough for ratios, and forecasts are no accounts
_LARGEST = 1e26

Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class ChainResults:
    """Everything that the pipelines say of one chain."""

    currency: str
    notes: list[Note]
    panel: Panel
    previous: pd.Series
    features: StoreFeatures
    clusters: Clusters
    forecasts: Mapping[str, Forecast]
    targets: Targets


def published_tables(results: Sequence[ChainResults], record: RunRecord) -> Tables:
    """Rows of every contract of `MODEL_TABLES`, all chains of a run.

    Raises:
        IntegrityError: a figure is no number; nothing may be published.
    """
    parts: dict[str, list[pa.Table]] = {contract.name: [] for contract in MODEL_TABLES}
    for chain in results:
        common = {
            "as_of_date": record.as_of, "tenant_id": record.tenant_id,
            "currency": chain.currency, "run_id": record.run_id,
        }  # fmt: skip
        frames = {
            MODEL_RUN: _run_row(chain, record),
            STORE_CLUSTER: _clusters(chain),
            STORE_TARGET: _targets(chain),
            STORE_FORECAST: _forecasts(chain),
            CHAIN_FORECAST: _together(chain),
        }
        for contract, frame in frames.items():
            columns = {name: pa.array(list(values), contract.schema.field(name).type)
                       for name, values in frame.items()}  # fmt: skip
            count = len(next(iter(columns.values())))
            same = {name: pa.repeat(value, count) for name, value in common.items()}
            parts[contract.name].append(contract.conform(pa.table(columns | same)))
    return {
        contract.name: pa.concat_tables(parts[contract.name])
        if parts[contract.name]
        else contract.table([])
        for contract in MODEL_TABLES
    }


def fingerprint(panel: Panel, previous: pd.Series) -> str:
    """A hash of everything that a run learns from."""
    return blake2b(to_bytes((panel, previous)), digest_size=16).hexdigest()


def result_notes(chain: ChainResults) -> list[Note]:
    """What a reader should know of the results, the data's own notes among it."""
    grouped, count = chain.clusters.label.nunique(), len(chain.clusters.label)
    own: list[Note] = []
    cold = {store for one in chain.forecasts.values() for store in one.cold}
    if grouped <= 1:
        code = "few_stores" if count < _FEW_STORES else "one_group"
        own = [{"code": code, "count": count}]
    if cold:
        own.append({"code": "cold_stores", "count": len(cold)})
    return own + list(chain.notes)


def _run_row(chain: ChainResults, record: RunRecord) -> dict[str, Sequence[object]]:
    clusters = chain.clusters
    groups = int(clusters.label.nunique())
    row = {
        "first_date": chain.panel.dates[0].date(),
        "store_count": len(chain.panel.stores),
        "cluster_count": groups,
        "silhouette": float(clusters.silhouette) if groups > 1 else None,
        "stability": float(clusters.stability),
        "seed": int(record.parameters["clustering"]["seed"]),
        "data_fingerprint": fingerprint(chain.panel, chain.previous),
        "parameters": _json(record.parameters),
        "versions": _json({name: version(name) for name in LIBRARIES}),
        "notes": _json(result_notes(chain)),
        "started_at": record.started_at,
    }
    return {name: [value] for name, value in row.items()}


def _clusters(chain: ChainResults) -> dict[str, Sequence[object]]:
    label = chain.clusters.label
    place = chain.clusters.map.astype(float).to_dict("index")
    reasons = dict(chain.features.left_out.itertuples(index=False, name=None))
    traits = chain.clusters.profile["traits"]
    known = [store in label.index for store in chain.panel.stores]
    pairs = list(zip(chain.panel.stores, known, strict=True))
    return {
        "store_id": chain.panel.stores,
        "cluster_id": [label[store] if has else None for store, has in pairs],
        "traits": [traits[label[store]] if has else None for store, has in pairs],
        "map_x": [_number(place[store]["x"]) if has else None for store, has in pairs],
        "map_y": [_number(place[store]["y"]) if has else None for store, has in pairs],
        "left_out": [None if has else reasons.get(store, "no features") for store, has in pairs],
    }


def _targets(chain: ChainResults) -> dict[str, Sequence[object]]:
    table = chain.targets.factors
    amounts = ("headroom_amount", "low_amount", "high_amount")
    has_sales = "sales" in chain.panel.measures
    first = table["store"].map(chain.targets.stores["first"])
    columns = {name: _exact(table[name]) for name in ("level", "attainable", "low", "high")}
    of = ("headroom_amount", "amount_low", "amount_high")
    money = {
        name: _exact(table[source]) if has_sales else [None] * len(table)
        for name, source in zip(amounts, of, strict=True)
    }
    return {
        "store_id": table["store"].tolist(),
        "factor": table["factor"].tolist(),
        **columns,
        **money,
        "basis": table["basis"].tolist(),
        "is_first": (first == table["factor"]).tolist(),
    }


def _forecasts(chain: ChainResults) -> dict[str, Sequence[object]]:
    if not chain.forecasts:
        return dict(_no_rows(STORE_FORECAST.names))
    frames = pd.concat([one.frame() for one in chain.forecasts.values()], ignore_index=True)
    keys = ["store", "date", "measure"]
    joined = frames.merge(chain.targets.daily, "left", on=keys)
    cold = {(name, store) for name, one in chain.forecasts.items() for store in one.cold}
    asks = joined["measure"].isin(chain.targets.daily["measure"])
    asks &= joined["store"].isin(chain.clusters.label.index)
    wanted = _exact(joined["target"].where(asks, 0.0))
    return {
        "store_id": joined["store"].tolist(),
        "business_date": joined["date"].dt.date.tolist(),
        "measure": joined["measure"].tolist(),
        **{name: _exact(joined[name]) for name in ("value", "low", "high")},
        "target": [value if is_set else None for value, is_set in zip(wanted, asks, strict=True)],
        "is_cold": [pair in cold for pair in zip(joined["measure"], joined["store"], strict=True)],
    }


def _together(chain: ChainResults) -> dict[str, Sequence[object]]:
    out = _no_rows(("business_date", "measure", "value", "low", "high"))
    for name, one in chain.forecasts.items():
        out["business_date"] += [day.date() for day in one.dates]
        out["measure"] += [name] * len(one.dates)
        out["value"] += _exact(one.value.sum(axis=1))
        out["low"] += _exact(one.total_low)
        out["high"] += _exact(one.total_high)
    return dict(out)


def _no_rows(names: Sequence[str]) -> dict[str, list[object]]:
    return {name: [] for name in names if name not in ("as_of_date", "tenant_id", "run_id")}


def _number(value: float) -> float:
    return float(value) if np.isfinite(value) else 0.0


def _exact(values: pd.Series | FloatArray) -> list[Decimal]:
    """Decimals.

    Raises:
        IntegrityError: one is no number, or beyond all sense.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not (np.abs(numbers) < _LARGEST).all():
        raise IntegrityError(
            "a result is no number",
            remedy="Nothing was published. Look at the chain's figures with `tenpo sql`, and "
            "report it.",
        )
    return [Decimal(f"{number:.{_DIGITS}f}") for number in numbers.tolist()]


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
