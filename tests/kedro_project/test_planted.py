"""Worlds whose truth is known, a few of them; `bench/models.py` judges more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import adjusted_rand_score

from bench.planted import planted_world
from kedro_project.pipelines.clustering.nodes import cluster_stores
from kedro_project.pipelines.features.nodes import store_features
from kedro_project.pipelines.forecast.nodes import Forecast
from kedro_project.pipelines.targets.nodes import attainable_targets


@pytest.mark.parametrize("seed", [0, 1])
def test_groups_and_their_weak_stores_are_found(seed: int, quick: dict[str, Any]) -> None:
    world = planted_world(seed)
    panel = world.panel
    features = store_features(panel, quick["features"])
    clusters = cluster_stores(features, pd.Series(dtype=object), quick["clustering"])
    label = clusters.label.reindex(list(panel.stores))
    assert adjusted_rand_score(world.group, label) >= 0.9
    none = np.zeros((1, len(panel.stores)))
    forecast = Forecast(
        "sales", panel.dates[-1:], panel.stores, none, none, none, (), np.zeros(1), np.zeros(1)
    )
    targets = attainable_targets(panel, label, {"sales": forecast}, quick["targets"])
    found = targets.stores["headroom_amount"].reindex(list(panel.stores))
    weak = world.lost_amount > 0
    assert weak.sum() == 15
    assert spearmanr(world.lost_amount[weak], found[weak]).statistic >= 0.7
