"""What a cluster is like, in words: where its mean lies farthest from the other stores'."""

from __future__ import annotations

import pandas as pd

_WORDS = {
    "weekend": ("strong weekdays", "strong weekends"),
    "conversion": ("low conversion", "high conversion"),
    "atv": ("small baskets", "large baskets"),
    "upt": ("few pieces a receipt", "many pieces a receipt"),
    "volatility": ("steady", "changeable"),
    "trend": ("falling behind", "growing"),
    "summer": ("quiet in summer", "busy in summer"),
    "december": ("little Christmas trade", "strong Christmas trade"),
}
_TELLING = 0.5  # standard deviations from the mean of all stores
_WORDS_A_NAME = 2


def cluster_profiles(table: pd.DataFrame, label: pd.Series) -> pd.DataFrame:
    """A row a cluster: `name`, `stores`, and the mean of every feature."""
    profile = table.groupby(label).mean()
    telling = _summary(table)
    spread = telling.std(ddof=0)
    away = (telling.groupby(label).mean() - telling.mean()) / spread.where(spread > 0)
    names = [_name(row) for _, row in away.iterrows()]
    profile.insert(0, "name", _distinct(names, list(profile.index)))
    profile.insert(1, "stores", label.value_counts().reindex(profile.index))
    return profile


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    """The features that names speak of."""
    out = table[[name for name in _WORDS if name in table]].copy()
    if "saturday" in table:
        week = table[["monday", "tuesday", "wednesday", "thursday"]].mean(axis=1)
        out["weekend"] = table[["saturday", "sunday"]].mean(axis=1) - week
    if "month_12" in table:
        out["december"] = table["month_12"]
        out["summer"] = table[["month_07", "month_08"]].mean(axis=1)
    return out


def _name(away: pd.Series) -> str:
    order = away.abs().sort_values(ascending=False, kind="stable").index
    words = [_WORDS[name][int(away[name] > 0)] for name in order if abs(away[name]) >= _TELLING]
    return ", ".join(words[:_WORDS_A_NAME]) or "like the whole chain"


def _distinct(names: list[str], ids: list[str]) -> list[str]:
    return [
        f"{name} ({cluster})" if names.count(name) > 1 else name
        for name, cluster in zip(names, ids, strict=True)
    ]
