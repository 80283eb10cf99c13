"""What each store could reach: sales = footfall x conversion x average receipt, factor by factor.

The attainable level of a factor is an upper quantile of the store's cluster peers over the same
weeks (so the season is the same), given the store's size; peers' levels are compared after a
robust line in size is taken out (scikit-learn's `QuantileRegressor`). A store without enough
peers is measured against its own best weeks. Intervals come from resampled peers and weeks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import QuantileRegressor

from kedro_project.panel import FloatArray, IntArray, Panel
from kedro_project.pipelines.forecast.level import mean
from kedro_project.pipelines.forecast.nodes import Forecast

MONTH_DAYS = 30.4
_MIN_PEERS = 5
_MIN_FOR_SIZE = 12
_FLAT = 1e-6
_FACTORS = (
    ("footfall", "footfall", None),
    ("conversion", "customers", "footfall"),
    ("customers", "customers", None),
    ("atv", "sales", "customers"),
    ("sales", "sales", None),
)


@dataclass(frozen=True)
class Targets:
    """What is attainable.

    Args:
        factors: a row a store and factor: `level`, `attainable`, `low`, `high` (of the
            attainable level), `headroom` in the factor's units, `headroom_amount` a month in
            money (or people, without sales) with `amount_low`, `amount_high`, and `basis`.
        stores: a row a store: `first`, the factor to work on, and all head-room together.
        daily: `store`, `date`, `target` over the days of the forecast.
    """

    factors: pd.DataFrame
    stores: pd.DataFrame
    daily: pd.DataFrame


@dataclass(frozen=True)
class _Weeks:
    """A factor in logarithms by week, newest last: (W, S)."""

    name: str
    values: FloatArray


def attainable_targets(
    panel: Panel,
    clusters: pd.Series,
    forecasts: dict[str, Forecast],
    parameters: dict[str, Any],
) -> Targets:
    """Targets of every store with a cluster.

    Args:
        panel: what is known.
        clusters: the cluster of each store, by store.
        forecasts: of the measures, for the daily targets.
        parameters: `weeks` compared, `quantile` of the peers, `coverage` of the intervals,
            `draws` of the resampling, `share` of the head-room asked for in the coming days,
            `seed`.
    """
    kept = np.flatnonzero([store in clusters.index for store in panel.stores])
    small = panel.of(kept)
    codes = pd.factorize(clusters.reindex(list(small.stores)))[0].astype(np.int64)
    rng = np.random.default_rng(int(parameters["seed"]))
    worth = _monthly(small, int(parameters["weeks"]))
    tables = []
    for factor in _factors(small, int(parameters["weeks"])):
        sizes = _sizes(small, factor.name, int(parameters["weeks"]))
        table = _headroom(factor, codes, sizes, parameters, rng)
        tables.append(_in_money(table.assign(store=list(small.stores)), worth))
    factors = pd.concat(tables, ignore_index=True)
    stores = _stores(factors, worth, small.stores)
    return Targets(factors, stores, _daily(forecasts, stores, float(parameters["share"])))


def _factors(panel: Panel, weeks: int) -> Iterator[_Weeks]:
    """The factors whose product is the panel's first measure, as far as it tells them apart."""
    has = set(panel.measures)
    for name, above, below in _FACTORS:
        if above not in has or (below and below not in has):
            continue
        if name == "customers" and "footfall" in has:
            continue
        if name == "sales" and "customers" in has:
            continue
        yield _Weeks(name, _weekly(panel, above, below, weeks))


def _weekly(panel: Panel, above: str, below: str | None, weeks: int) -> FloatArray:
    """Logarithms by week (W, S): sums of one measure over sums, or days, of another."""
    count = max(1, min(weeks, panel.known // 7))
    first = max(0, panel.known - 7 * count)
    top = panel.measures[above][first : panel.known]
    is_open = panel.opening(above)[first : panel.known]
    bottom = panel.measures[below][first : panel.known] if below else np.ones_like(top)
    used = np.isfinite(top) & np.isfinite(bottom) & is_open
    week = np.minimum(np.arange(len(top)) // 7, count - 1)
    sums = np.zeros((2, count, top.shape[1]))
    for n, values in enumerate((top, bottom)):
        np.add.at(sums[n], week, np.where(used, values, 0.0))
    sound = (sums > 0).all(axis=0)
    ratio = np.where(sound, sums[0], 1.0) / np.where(sound, sums[1], 1.0)
    return np.where(sound, np.log(ratio), np.nan)


def _sizes(panel: Panel, factor: str, weeks: int) -> FloatArray | None:
    """Logarithm of size (S,): the mapped attribute; for ratios else how many people come."""
    size = panel.size_of()
    if size is not None:
        return np.log(size)
    if factor in ("conversion", "atv"):
        visits = "footfall" if "footfall" in panel.measures else "customers"
        return mean(_weekly(panel, visits, None, weeks), axis=0)
    return None


def _headroom(
    factor: _Weeks,
    codes: IntArray,
    sizes: FloatArray | None,
    parameters: dict[str, Any],
    rng: np.random.Generator,
) -> pd.DataFrame:
    stores = factor.values.shape[1]
    level = mean(factor.values, axis=0)
    low, mid, high = (np.full(stores, np.nan) for _ in range(3))
    basis = np.full(stores, "own best weeks", dtype=object)
    line = np.zeros(stores) if sizes is None else _size_line(level, sizes, codes)
    is_absolute = factor.name in ("footfall", "customers", "sales")
    for code in np.unique(codes):
        members = np.flatnonzero((codes == code) & np.isfinite(level))
        if len(members) < _MIN_PEERS or (is_absolute and sizes is None):
            ends = _own_best(factor.values[:, members], parameters, rng)
        else:
            basis[members] = "cluster peers"
            ends = _peers_best(factor.values[:, members], line[members], parameters, rng)
        low[members], mid[members], high[members] = ends
    return pd.DataFrame(
        {
            "factor": factor.name,
            "level": np.exp(level),
            "attainable": np.exp(np.fmax(mid, level)),
            "low": np.exp(np.fmax(low, level)),
            "high": np.exp(np.fmax(high, level)),
            "basis": basis,
        }
    )


def _peers_best(
    weeks: FloatArray,
    line: FloatArray,
    parameters: dict[str, Any],
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Low, middle and high of what peers reach, (S,) each; `line` is what size alone does."""
    quantile = float(parameters["quantile"])
    told = np.isfinite(weeks).any(axis=1)
    season = np.nanmedian(weeks[told], axis=1, keepdims=True)
    levels = mean(weeks[told] - season, axis=0) + float(season.mean())
    rest = levels - line
    middle = line + np.quantile(rest, quantile)
    draws = rng.choice(rest, (int(parameters["draws"]), len(rest)))
    best = np.quantile(draws, quantile, axis=1)
    tail = (1 - float(parameters["coverage"])) / 2
    low, high = np.quantile(best, (tail, 1 - tail))
    return line + low, middle, line + high


def _size_line(levels: FloatArray, sizes: FloatArray, codes: IntArray) -> FloatArray:
    """What size adds to each store's level (S,), against the middle of its cluster.

    One slope for the chain: clusters of a dozen stores would each bend it their own way.
    """
    known = np.isfinite(sizes) & np.isfinite(levels)
    across, up = np.zeros_like(levels), np.zeros_like(levels)
    for code in np.unique(codes[known]):
        members = known & (codes == code)
        across[members] = sizes[members] - np.median(sizes[members])
        up[members] = levels[members] - np.median(levels[members])
    if known.sum() < _MIN_FOR_SIZE or float(across[known].std()) < _FLAT:
        return np.zeros_like(levels)
    line = QuantileRegressor(quantile=0.5, alpha=0.0, solver="highs")
    line.fit(across[known, None], up[known])
    return np.asarray(line.coef_[0] * across)


def _own_best(
    weeks: FloatArray, parameters: dict[str, Any], rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The same from a store's own weeks, the cluster's season taken out."""
    if not weeks.shape[1]:
        return (np.empty(0),) * 3
    quantile = float(parameters["quantile"])
    season = np.nan_to_num(mean(weeks, axis=1))[:, None]
    plain = weeks - (season - season.mean() if weeks.shape[1] > 1 else 0.0)
    chosen = rng.integers(0, len(plain), (int(parameters["draws"]), len(plain)))
    best = np.nanquantile(plain[chosen], quantile, axis=1)
    tail = (1 - float(parameters["coverage"])) / 2
    low, high = np.nanquantile(best, (tail, 1 - tail), axis=0)
    return low, np.nanquantile(plain, quantile, axis=0), high


def _monthly(panel: Panel, weeks: int) -> FloatArray:
    """Sales a month (S,), or people where the panel tells of no sales; trading days only."""
    name = next(n for n in ("sales", "footfall", "customers") if n in panel.measures)
    first = max(0, panel.known - 7 * weeks)
    values = panel.measures[name][first : panel.known]
    closed = ~panel.opening(name)[first : panel.known]
    return np.nan_to_num(mean(np.where(closed, 0.0, values), axis=0)) * MONTH_DAYS


def _in_money(table: pd.DataFrame, worth: FloatArray) -> pd.DataFrame:
    gains = {"headroom_amount": "attainable", "amount_low": "low", "amount_high": "high"}
    amounts = {to: worth * (table[of] / table["level"] - 1) for to, of in gains.items()}
    out = table.assign(headroom=table["attainable"] - table["level"], **amounts)
    return out.dropna(subset=["level"])


def _stores(factors: pd.DataFrame, worth: FloatArray, names: tuple[str, ...]) -> pd.DataFrame:
    gain = (factors["attainable"] / factors["level"]).groupby(factors["store"]).prod() - 1
    order = factors.sort_values("headroom_amount", ascending=False, kind="stable")
    first = order.groupby("store")["factor"].first()
    monthly = pd.Series(worth, index=list(names)).reindex(gain.index)
    return pd.DataFrame(
        {"first": first, "gain_ratio": gain, "headroom_amount": gain * monthly}
    ).rename_axis("store")


def _daily(forecasts: dict[str, Forecast], stores: pd.DataFrame, share: float) -> pd.DataFrame:
    """The forecast, raised by a share of the head-room."""
    chosen = forecasts.get("sales") or next(iter(forecasts.values()))
    frame = chosen.frame()
    gain = frame["store"].map(stores["gain_ratio"]).astype(float).fillna(0.0)
    target = frame["value"] * (1 + share * gain)
    return frame[["store", "date", "measure"]].assign(target=target)
