"""One gradient-boosted model for all stores of a chain.

LightGBM (https://lightgbm.readthedocs.io) learns, over many past origins, how days differ from
the store's weekday level. The median is fitted, for it is what absolute errors reward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kedro_project.panel import BoolArray, FloatArray, Panel
from kedro_project.pipelines.forecast.design import Design, design_at, joined
from kedro_project.pipelines.forecast.level import History, origins_of
from tenpo.errors import ConfigError

try:
    import lightgbm as lgb
except OSError as error:  # its wheel is whole, a library of the system is missing
    raise ConfigError(
        f"LightGBM cannot be loaded: {error}",
        where="the forecast",
        remedy="Install OpenMP's library; on Debian: apt install libgomp1.",
    ) from error

FIRST_ORIGIN = 27  # four weeks make a first level
_LARGE = 200_000  # rows from which trees may be larger


@dataclass(frozen=True)
class Training:
    """How the model is trained.

    Args:
        step: days between the origins that are learnt from.
        max_rows: more rows are sampled down to this many.
        trees, rate, leaves, leaf_rows: of each booster.
        boosters: models whose predictions are averaged.
        special_weight: how many plain rows a row of a special day counts for.
        seed: the same seed gives the same model.
        threads: of LightGBM.
    """

    step: int = 7
    max_rows: int = 1_000_000
    trees: int = 300
    rate: float = 0.03
    leaves: int = 31
    leaf_rows: int = 40
    boosters: int = 2
    special_weight: float = 3.0
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True)
class Model:
    """A trained model; none of its boosters where nothing could be learnt."""

    boosters: tuple[lgb.LGBMRegressor, ...]

    def logs(self, rows: Design) -> FloatArray:
        """The forecast of each row, as logarithm; NaN where the store has no level."""
        if not self.boosters:
            return rows.base
        gains = [np.asarray(booster.predict(rows.features)) for booster in self.boosters]
        return np.asarray(rows.base + np.mean(gains, axis=0))


def training_rows(
    panel: Panel, past: History, horizon: int, how: Training, *, until: int
) -> Design | None:
    """What can be learnt from days before position `until`; None where that is nothing."""
    origins = origins_of(past.known, how.step, FIRST_ORIGIN, until - 2)
    share = _share(origins, len(panel.stores), horizon, how)
    rng = np.random.default_rng(how.seed)
    parts = []
    for origin in origins:
        rows = design_at(panel, past, origin, min(horizon, until - 1 - origin))
        keep = np.isfinite(rows.target)
        if share < 1:
            keep &= rng.random(len(keep)) < share
        parts.append(rows.take(keep))
    if sum(len(part.target) for part in parts) < 2 * how.leaf_rows:
        return None
    return joined(parts)


def train(rows: Design | None, special: BoolArray, how: Training) -> Model:
    """A model of these rows.

    Args:
        rows: none gives a model that forecasts the weekday level.
        special: (T, S), days that are rare.
        how: the training's parameters.
    """
    if rows is None:
        return Model(())
    large = len(rows.target) > _LARGE
    weights = np.where(special[rows.day, rows.store], how.special_weight, 1.0)
    weights *= np.exp(0.5 * (rows.base - rows.base.mean()))  # errors count by size, not by store
    boosters = []
    for n in range(how.boosters if not large else 1):
        booster = lgb.LGBMRegressor(
            objective="regression_l1",
            n_estimators=how.trees,
            learning_rate=how.rate if not large else 2 * how.rate,
            num_leaves=how.leaves if not large else 4 * how.leaves,
            min_child_samples=how.leaf_rows,
            subsample=0.7,
            subsample_freq=1,
            colsample_bytree=0.6,
            reg_lambda=5.0,
            random_state=how.seed + n,
            n_jobs=how.threads,
            deterministic=True,
            force_col_wise=True,
            verbose=-1,
        )
        boosters.append(booster.fit(rows.features, rows.target, sample_weight=weights))
    return Model(tuple(boosters))


def _share(origins: Sequence[int], stores: int, horizon: int, how: Training) -> float:
    rows = len(origins) * stores * horizon
    return min(1.0, how.max_rows / rows) if rows else 1.0
