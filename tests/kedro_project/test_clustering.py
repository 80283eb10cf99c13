"""Clusters: found where there are some, none where there are none, and ids that stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from kedro_project.pipelines.clustering.identity import matched
from kedro_project.pipelines.clustering.nodes import cluster_stores
from kedro_project.pipelines.features.nodes import store_features
from tests.kedro_project.chain import sales_panel, weekly_sales

NONE_BEFORE = pd.Series(dtype=object)


def test_weeks_of_two_shapes_are_two_clusters_whatever_the_size(quick: dict[str, Any]) -> None:
    values = weekly_sales(140, 24)
    quiet_weekends = np.arange(24) % 2 == 0
    days = np.arange(140) % 7
    values[np.ix_(days >= 5, quiet_weekends)] *= 0.4
    features = store_features(sales_panel(values), quick["features"])
    clusters = cluster_stores(features, NONE_BEFORE, quick["clustering"])
    assert adjusted_rand_score(quiet_weekends, clusters.label) == 1.0
    assert sorted(clusters.profile["name"]) == ["strong weekdays", "strong weekends"]


def test_stores_that_do_not_differ_are_one_cluster(quick: dict[str, Any]) -> None:
    values = np.repeat(weekly_sales(84, 1), 12, axis=1)
    features = store_features(sales_panel(values), quick["features"])
    clusters = cluster_stores(features, NONE_BEFORE, quick["clustering"])
    assert set(clusters.label) == {"c1"}
    assert np.isfinite(clusters.map.to_numpy()).all()


def test_ids_stay_with_the_stores() -> None:
    before = pd.Series({"a": "c1", "b": "c1", "c": "c1", "d": "c2", "e": "c2", "gone": "c3"})
    codes = pd.Series({"d": 0, "e": 0, "a": 1, "b": 1, "c": 2, "new": 2})
    found = matched(codes, before)
    assert found.to_dict() == {
        "d": "c2", "e": "c2", "a": "c1", "b": "c1", "c": "c4", "new": "c4",
    }  # fmt: skip


def test_the_first_ids_go_by_size() -> None:
    found = matched(pd.Series({"a": 5, "b": 7, "c": 7}), NONE_BEFORE)
    assert found.to_dict() == {"a": "c2", "b": "c1", "c": "c1"}
