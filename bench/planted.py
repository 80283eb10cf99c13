"""Worlds whose truth is known: groups of stores, stores below what they could reach.

Groups differ in habits (the week, the season, conversion, the receipt), and overlap in size, so
that sales levels do not tell them apart. Under-performers lose a planted share of one factor.
The models know nothing of this module.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kedro_project.panel import FloatArray, IntArray, Panel

_START = "2023-01-02"
_WEEKS = {  # what each weekday adds, in logarithms, Monday first
    "office": (0.25, 0.25, 0.25, 0.25, 0.2, -0.5, -0.7),
    "leisure": (-0.3, -0.3, -0.25, -0.15, 0.1, 0.5, 0.4),
    "suburb": (0.0, -0.05, 0.0, 0.0, 0.1, 0.15, -0.2),
    "station": (0.1, 0.1, 0.1, 0.1, 0.25, -0.2, -0.45),
}
_CONVERSION = {"office": 0.42, "leisure": 0.18, "suburb": 0.34, "station": 0.27}
_ATV = {"office": 900.0, "leisure": 3200.0, "suburb": 2100.0, "station": 1300.0}
_SEASON = {"office": -0.12, "leisure": 0.22, "suburb": 0.05, "station": -0.03}
_MONTH_DAYS = 30.4


@dataclass(frozen=True)
class World:
    """A chain and its truth.

    Args:
        panel: what the models may see.
        group: of each store (S,).
        lost_amount: sales a month that each store loses against its group (S,), 0 for most.
    """

    panel: Panel
    group: IntArray
    lost_amount: FloatArray


def planted_world(
    seed: int, *, stores: int = 60, days: int = 560, groups: int = 4, weak_share: float = 0.25
) -> World:
    """A world of a seed."""
    rng = np.random.default_rng(seed)
    kinds = list(_WEEKS)[:groups]
    group = np.arange(stores) % groups
    area = rng.lognormal(6.0, 0.5, stores)
    chosen = rng.permutation(stores)[: int(weak_share * stores)]
    loss = np.zeros(stores)
    loss[chosen] = rng.uniform(0.1, 0.4, len(chosen))
    factor = rng.integers(0, 3, stores)
    dates = pd.date_range(_START, periods=days, freq="D")
    # Sales a square metre are the same for all groups: size alone makes sales.
    typical = np.array([_CONVERSION[k] * _ATV[k] for k in kinds])
    visits = 900.0 * area / typical[group]
    promo = (np.arange(days) // 7 % 5 == 0).astype(np.float64)[:, None] * np.ones(stores)
    logs = np.log(visits)[None] + _course(rng, dates, kinds, group) + 0.12 * promo
    own = rng.normal(0, 0.05, (3, stores)) + np.log1p(-loss) * (np.arange(3)[:, None] == factor)
    footfall = np.round(np.exp(logs + own[0] + _noise(rng, days, stores, 0.12)))
    rate = np.array([_CONVERSION[k] for k in kinds])[group] * np.exp(own[1])
    customers = rng.binomial(footfall.astype(np.int64), np.minimum(rate, 1.0)).astype(np.float64)
    basket = np.array([_ATV[k] for k in kinds])[group] * np.exp(own[2])
    sales = np.round(customers * basket * np.exp(rng.normal(0, 0.05, (days, stores))))
    lost = sales[-56:].mean(axis=0) * _MONTH_DAYS * (1 / (1 - loss) - 1)
    names = tuple(f"s{n:04d}" for n in range(stores))
    panel = Panel(
        dates,
        names,
        {"sales": sales, "footfall": footfall, "customers": customers},
        {"promo": promo},
        attributes=pd.DataFrame({"area": area.astype(str)}, index=list(names)),
        size="area",
    )
    return World(panel, group, lost)


def large_panel(stores: int = 1115, days: int = 942) -> Panel:
    """A panel of the shape of a large public one: sales and customers, promotions, closures."""
    world = planted_world(0, stores=stores, days=days)
    panel = world.panel
    planned = np.ones(panel.shape, dtype=np.bool_)
    planned[panel.weekday == 6] = False
    measures = {
        name: np.where(planned, panel.measures[name], 0.0) for name in ("sales", "customers")
    }
    return Panel(panel.dates, panel.stores, measures, panel.inputs, planned, panel.attributes)


def _course(
    rng: np.random.Generator, dates: pd.DatetimeIndex, kinds: list[str], group: IntArray
) -> FloatArray:
    """What weekday and season add (T, S)."""
    weeks = np.array([_WEEKS[k] for k in kinds])[group]
    weeks = weeks + rng.normal(0, 0.04, weeks.shape)
    angle = 2 * np.pi * (np.asarray(dates.day_of_year) - 30) / 365.25
    season = np.array([_SEASON[k] for k in kinds])[group]
    course: FloatArray = weeks.T[np.asarray(dates.day_of_week)] + np.cos(angle)[:, None] * season
    return course


def _noise(rng: np.random.Generator, days: int, stores: int, scale: float) -> FloatArray:
    """Independent days and a slow drift that the chain shares."""
    drift = np.cumsum(rng.normal(0, 0.004, days))
    return rng.normal(0, scale, (days, stores)) + drift[:, None]
