"""Groups of stores that are alike, whatever their size.

k-means (scikit-learn) on weighted features; the number of groups is the one with the best
silhouette among those that come out again when stores are left out. No groups at all is an
answer, too. Not for naming and matching groups (`identity`, `profile`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from kedro_project.panel import FloatArray, IntArray
from kedro_project.pipelines.clustering.identity import matched
from kedro_project.pipelines.clustering.profile import cluster_profiles
from kedro_project.pipelines.features.nodes import StoreFeatures

_KEPT_VARIANCE = 0.95
_NOT_FOR_CLUSTERS = frozenset({"level"})
_SCARCELY_RELIABLE = 0.3


@dataclass(frozen=True)
class Clusters:
    """Stores by cluster.

    Args:
        label: the cluster's id of each store.
        silhouette: -1..1; 0 for a single cluster.
        stability: mean adjusted Rand index of refits without some stores, 1 for one cluster.
        tried: `k`, `silhouette` and `stability` of what was tried.
        profile: a row a cluster: `name`, `stores` and the mean of each feature.
        map: each store's place on the picture, `x` and `y`.
    """

    label: pd.Series
    silhouette: float
    stability: float
    tried: pd.DataFrame
    profile: pd.DataFrame
    map: pd.DataFrame


def cluster_stores(
    features: StoreFeatures, previous: pd.Series, parameters: dict[str, Any]
) -> Clusters:
    """Clusters of the stores with features.

    Args:
        features: of the stores.
        previous: cluster id by store of the run before; may be empty.
        parameters: `max_clusters`, `min_silhouette`, `min_stability`, `refits`, `seed`.
    """
    space = weighted(features)
    seed = int(parameters["seed"])
    # Chains are small: threads would only wait for each other, long on a busy machine.
    with threadpool_limits(1):
        tried = [_try(space, k, parameters) for k in _candidates(len(space), parameters)]
    columns = ["k", "silhouette", "stability"]
    table = pd.DataFrame(tried, columns=columns).astype({"k": "int64"})
    good = table[
        (table["silhouette"] >= parameters["min_silhouette"])
        & (table["stability"] >= parameters["min_stability"])
    ]
    if good.empty:
        codes, silhouette, stability = np.zeros(len(space), dtype=np.int64), 0.0, 1.0
    else:
        best = good.loc[good["silhouette"].idxmax()]
        with threadpool_limits(1):
            codes = _fit(space, int(best["k"]), seed).predict(space).astype(np.int64)
        silhouette, stability = float(best["silhouette"]), float(best["stability"])
    label = matched(pd.Series(codes, index=features.table.index, name="cluster"), previous)
    return Clusters(
        label, silhouette, stability, table, cluster_profiles(features.table, label),
        _map(space, features.table.index),
    )  # fmt: skip


def labels(clusters: Clusters) -> pd.Series:
    """The cluster of each store."""
    return clusters.label.copy()


def weighted(features: StoreFeatures) -> FloatArray:
    """The space that stores are compared in (stores, dimensions).

    Each family counts as much as it is reliable, however many columns it has; within a family
    columns keep their relative spread.
    """
    parts: list[FloatArray] = []
    if features.table.empty:
        return np.zeros((len(features.table), 1))
    for family in dict.fromkeys(features.family):
        names = features.family.index[features.family == family]
        if family in _NOT_FOR_CLUSTERS:
            continue
        block = features.table[list(names)].to_numpy(dtype=np.float64)
        block = np.where(np.isfinite(block), block, np.nanmedian(_or_zero(block), axis=0))
        weights = features.reliability[list(names)].to_numpy(dtype=np.float64)
        weights = np.where(weights < _SCARCELY_RELIABLE, 0.0, weights)
        block = (block - np.median(block, axis=0)) * weights
        spread = float(np.sqrt(np.mean(block**2)))
        if spread > 0:
            parts.append(block / (spread * np.sqrt(_dimensions(block))) * weights.max())
    if not parts:
        return np.zeros((len(features.table), 1))
    space = np.hstack(parts)
    if min(space.shape) < 2:
        return space
    return np.asarray(PCA(_KEPT_VARIANCE, svd_solver="full").fit_transform(space))


def _or_zero(block: FloatArray) -> FloatArray:
    """A column that no store has counts as 0."""
    return np.where(np.isfinite(block).any(axis=0), block, 0.0)


def _dimensions(block: FloatArray) -> float:
    """How many independent directions a block has (its participation ratio)."""
    squares = np.linalg.svd(block, compute_uv=False) ** 2
    return float(block.shape[1] * np.sum(squares) ** 2 / (np.sum(squares**2) * block.shape[1]))


def _candidates(stores: int, parameters: dict[str, Any]) -> range:
    return range(2, min(int(parameters["max_clusters"]), stores // 4) + 1)


def _fit(space: FloatArray, k: int, seed: int) -> KMeans:
    return KMeans(k, n_init=10, random_state=seed).fit(space)


def _try(space: FloatArray, k: int, parameters: dict[str, Any]) -> tuple[int, float, float]:
    seed = int(parameters["seed"])
    if len(np.unique(space.round(9), axis=0)) <= k:
        return k, 0.0, 0.0
    labels: IntArray = _fit(space, k, seed).labels_
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(int(parameters["refits"])):
        some = rng.choice(len(space), max(k + 1, int(0.8 * len(space))), replace=False)
        again = _fit(space[some], k, seed).predict(space)
        scores.append(adjusted_rand_score(labels, again))
    return k, float(silhouette_score(space, labels)), float(np.mean(scores))


def _map(space: FloatArray, stores: pd.Index) -> pd.DataFrame:
    flat = np.zeros((len(space), 2))
    width = min(2, space.shape[1])
    flat[:, :width] = space[:, :width]
    return pd.DataFrame(flat, index=stores, columns=["x", "y"])
