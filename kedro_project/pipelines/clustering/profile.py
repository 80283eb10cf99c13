"""What a cluster is like, in words: where its mean lies farthest from the other stores'."""

from __future__ import annotations

import pandas as pd

from tenpo.model_words import cluster_name

_SPOKEN_OF = (
    "weekend", "conversion", "atv", "upt", "volatility", "trend", "summer", "december",
)  # fmt: skip
_TELLING = 0.5  # standard deviations from the mean of all stores
_WORDS_A_NAME = 2


def cluster_profiles(table: pd.DataFrame, label: pd.Series) -> pd.DataFrame:
    """A row a cluster: `name`, `traits` (codes), `stores`, and the mean of every feature."""
    profile = table.groupby(label).mean()
    telling = _summary(table)
    spread = telling.std(ddof=0)
    away = (telling.groupby(label).mean() - telling.mean()) / spread.where(spread > 0)
    traits = [_traits(row) for _, row in away.iterrows()]
    if len(traits) == 1:
        traits = [["all_stores"]]
    names = [cluster_name(codes)[0] for codes in traits]
    profile.insert(0, "name", _distinct(names, list(profile.index)))
    profile.insert(1, "traits", [" ".join(codes) for codes in traits])
    profile.insert(2, "stores", label.value_counts().reindex(profile.index))
    return profile


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    """The features that names speak of."""
    out = table[[name for name in _SPOKEN_OF if name in table]].copy()
    if "saturday" in table:
        week = table[["monday", "tuesday", "wednesday", "thursday"]].mean(axis=1)
        out["weekend"] = table[["saturday", "sunday"]].mean(axis=1) - week
    if "month_12" in table:
        out["december"] = table["month_12"]
        out["summer"] = table[["month_07", "month_08"]].mean(axis=1)
    return out


def _traits(away: pd.Series) -> list[str]:
    """What the cluster is like, the most telling first; codes of `tenpo.model_words`."""
    order = away.abs().sort_values(ascending=False, kind="stable").index
    telling = [name for name in order if abs(away[name]) >= _TELLING][:_WORDS_A_NAME]
    return [f"{name}_{'high' if away[name] > 0 else 'low'}" for name in telling] or ["like_chain"]


def _distinct(names: list[str], ids: list[str]) -> list[str]:
    return [
        f"{name} ({cluster})" if names.count(name) > 1 else name
        for name, cluster in zip(names, ids, strict=True)
    ]
