"""The future: features and forecasts of a day do not change with what comes after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from kedro_project.panel import Panel
from kedro_project.pipelines.features.nodes import store_features
from kedro_project.pipelines.forecast.design import design_at
from kedro_project.pipelines.forecast.level import history
from kedro_project.pipelines.forecast.nodes import forecast
from tests.kedro_project.chain import sales_panel, weekly_sales

KNOWN, DAYS, HORIZON = 420, 460, 14


def two_futures() -> tuple[Panel, Panel]:
    """The same past with two futures, the second shuffled."""
    values = weekly_sales(DAYS, 6)
    other = values.copy()
    np.random.default_rng(1).shuffle(other[KNOWN:])
    assert not np.array_equal(values, other)
    return sales_panel(values), sales_panel(other)


def test_a_shuffled_future_changes_no_feature(quick: dict[str, Any]) -> None:
    one, other = (store_features(p.until(KNOWN), quick["features"]) for p in two_futures())
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.table.shape[0] == 6


def test_a_shuffled_future_changes_no_row_of_the_design() -> None:
    # The panels are not cut: the design itself must look at nothing after its origin.
    nobody = np.zeros(6, dtype=np.int64)
    one, other = (
        design_at(p, history(p, "sales", nobody), KNOWN - 1, HORIZON) for p in two_futures()
    )
    np.testing.assert_array_equal(one.features, other.features)
    np.testing.assert_array_equal(one.base, other.base)
    assert not np.array_equal(one.target, other.target)
    year_day = one.features[:, one.names.index("year_day")]
    assert np.isfinite(year_day).all(), "the test must reach last year's days"


def test_same_data_and_seed_give_the_same_forecast(quick: dict[str, Any]) -> None:
    one, other = (
        forecast(p.until(KNOWN), "sales", pd.Series(dtype=object), quick["forecast"])
        for p in two_futures()
    )
    pd.testing.assert_frame_equal(one.frame(), other.frame())
