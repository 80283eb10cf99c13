"""The interval of a whole chain: stores that miss together miss as much together."""

from __future__ import annotations

import numpy as np
import pytest

from kedro_project.panel import FloatArray
from kedro_project.pipelines.forecast.design import Design
from kedro_project.pipelines.forecast.interval import chain_spread

DAYS, STORES = 400, 4


def rows(misses: FloatArray) -> Design:
    """Forecasts of 1,000 a store and day, one day ahead, missed by so much in logarithms."""
    days = misses.shape[0]
    base = np.full(misses.size, np.log1p(1_000.0))
    return Design(
        names=(),
        features=np.empty((misses.size, 0), dtype=np.float32),
        target=misses.ravel(),
        base=base,
        store=np.tile(np.arange(misses.shape[1]), days),
        day=np.repeat(np.arange(days), misses.shape[1]),
        ahead=np.ones(misses.size, dtype=np.int64),
    )


def ends(misses: FloatArray) -> tuple[float, float]:
    design = rows(misses)
    low, high = chain_spread(design.base, design, 0.8)
    return float(low[0]), float(high[0])


def test_stores_that_miss_together_have_the_interval_of_one() -> None:
    alone = np.random.default_rng(0).normal(0, 0.2, (DAYS, 1))
    low, high = ends(np.repeat(alone, STORES, axis=1))
    expected = np.quantile(alone, (0.1, 0.9))
    assert (low, high) == pytest.approx(tuple(expected), rel=0.02)


def test_stores_that_miss_by_themselves_even_out() -> None:
    low, high = ends(np.random.default_rng(1).normal(0, 0.2, (DAYS, STORES)))
    width = 2 * 1.2816 * 0.2 / np.sqrt(STORES)
    assert high - low == pytest.approx(width, rel=0.1)


def test_a_few_days_on_one_side_make_no_one_sided_band() -> None:
    low, high = ends(np.full((7, STORES), -0.1))
    assert (low, high) == pytest.approx((-0.1, 0.1), abs=0.01)


def test_where_nothing_is_known_the_band_is_wide() -> None:
    low, high = ends(np.full((7, STORES), np.nan))
    assert low < -0.3
    assert high > 0.3
