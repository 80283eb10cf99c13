"""What a store's days look like as of an origin: its level and the shape of its week.

Everything is the logarithm of one plus the figure. Only days up to the origin are looked at.
Stores with few days lean on the shape of their peers.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kedro_project.panel import BoolArray, FloatArray, IntArray, Panel

WINDOWS = (28, 56, 112, 364)  # days; a longer one serves where the shorter has nothing
_PEERS_WEIGHT = 0.5  # a weekday seen n times counts n / (n + this) against its peers
_COMMON_SHARE = 0.1  # an input on more days than this is no special day


@dataclass(frozen=True)
class History:
    """The figures of one measure in logarithms.

    Args:
        logs: (T, S), NaN where unknown, closed, or after what is known.
        plain: the same without special days, as holidays.
        weekday: of each day (T,).
        clusters: of each store (S,).
        known: days of which figures are known.
    """

    logs: FloatArray
    plain: FloatArray
    weekday: IntArray
    clusters: IntArray
    known: int


@dataclass(frozen=True)
class Level:
    """A store as of an origin: `level` (S,) and `week` (7, S), what each weekday adds to it."""

    level: FloatArray
    week: FloatArray

    @property
    def base(self) -> FloatArray:
        """What each weekday brings (7, S)."""
        return self.level + self.week


def history(panel: Panel, measure: str, clusters: IntArray) -> History:
    """The history of a measure, special and closed days left out."""
    values = panel.measures[measure].copy()
    values[panel.known :] = np.nan
    values[~panel.opening(measure) | (values == 0)] = np.nan
    logs = np.log1p(values)
    plain = np.where(special_days(panel), np.nan, logs)
    return History(logs, plain, panel.weekday, clusters, panel.known)


def special_days(panel: Panel) -> BoolArray:
    """Days on which an input is set that is rare (T, S)."""
    special = np.zeros(panel.shape, dtype=np.bool_)
    for values in panel.inputs.values():
        is_set = values[: panel.known] != 0
        if is_set.any() and is_set.mean() <= _COMMON_SHARE:
            special |= values != 0
    return special


def level_at(past: History, origin: int) -> Level:
    """Level and week as of a day (its position), from that day and those before it.

    A store without any figure has a level of NaN.
    """
    level, week = _level(past, origin, WINDOWS[0])
    for days in WINDOWS[1:]:
        if np.isfinite(level).all():
            break
        longer, shape = _level(past, origin, days)
        week = np.where(np.isfinite(level), week, shape)
        level = np.where(np.isfinite(level), level, longer)
    return Level(level, np.nan_to_num(week))


def _level(past: History, origin: int, days: int) -> tuple[FloatArray, FloatArray]:
    start = max(0, origin + 1 - days)
    window, weekday = past.plain[start : origin + 1], past.weekday[start : origin + 1]
    means = weekday_means(window, weekday)
    counts = np.stack([np.isfinite(window[weekday == day]).sum(axis=0) for day in range(7)])
    whole = means - mean(means, axis=0)
    peers = by_cluster(whole, past.clusters)
    level = mean(window - peers[weekday], axis=0)
    own = means - level - peers
    trust = counts / (counts + _PEERS_WEIGHT)
    return level, peers + np.where(np.isfinite(own), own, 0.0) * trust


def weekday_means(window: FloatArray, weekday: IntArray) -> FloatArray:
    """The mean of each weekday (7, S), NaN where there is none."""
    return np.stack([mean(window[weekday == day], axis=0) for day in range(7)])


def by_cluster(values: FloatArray, clusters: IntArray) -> FloatArray:
    """For each store the mean over its cluster, else over all stores, else 0; shape kept."""
    everyone = np.nan_to_num(mean(values, axis=1))[:, None]
    out = np.broadcast_to(everyone, values.shape).copy()
    for cluster in np.unique(clusters[clusters >= 0]):  # -1 belongs to none
        members = clusters == cluster
        own = mean(values[:, members], axis=1)[:, None]
        out[:, members] = np.where(np.isfinite(own), own, everyone)
    return out


def mean(values: FloatArray, axis: int) -> FloatArray:
    """The mean of what is known; NaN, without a warning, where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(values, axis=axis))


def origins_of(known: int, step: int, first: int, last: int) -> Sequence[int]:
    """Origins a step apart, newest first, from position `last` back to `first`."""
    return range(min(last, known - 1), max(first, 0) - 1, -step)
