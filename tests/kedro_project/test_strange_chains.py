"""Chains that are not as they should be: a sensible result or a clear message, never a NaN."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kedro_project.panel import FloatArray, Panel
from kedro_project.pipelines.backtest.nodes import Fold, backtest, summary
from kedro_project.results.codec import from_bytes, to_bytes
from kedro_project.results.record import RunRecord
from kedro_project.results.rows import ChainResults, published_tables
from tenpo.errors import InputError
from tests.kedro_project.chain import sales_panel, weekly_sales
from tests.kedro_project.small import small

STORED = ("panel", "features", "clusters", "forecasts", "targets")


def check(panel: Panel, parameters: dict[str, Any]) -> Fold:
    """Every figure that would be published is a number, and intervals hold their forecast."""
    fold = backtest(panel, parameters)[0]
    assert fold.forecasts
    for forecast in fold.forecasts.values():
        frame = forecast.frame()
        assert len(frame)
        assert np.isfinite(frame[["value", "low", "high"]].to_numpy()).all()
        assert (frame["low"] <= frame["value"] + 1e-9).all()
        assert (frame["value"] <= frame["high"] + 1e-9).all()
        assert (frame["low"] >= 0).all()
    targets = fold.targets
    assert np.isfinite(targets.daily["target"].to_numpy()).all()
    assert np.isfinite(targets.factors.select_dtypes("number").to_numpy()).all()
    assert (targets.factors["headroom_amount"] >= 0).all()
    text = json.dumps(summary([fold]), allow_nan=False)
    assert "forecast" in text
    none = pd.Series(dtype=object)
    chain = ChainResults("JPY", [], panel, none, fold.features, fold.clusters, fold.forecasts,
                         fold.targets)  # fmt: skip
    record = RunRecord.new("acme", (date(2024, 1, 1), date(2024, 5, 1)), ("JPY",), parameters)
    stored = replace(chain, **{name: from_bytes(to_bytes(getattr(chain, name))) for name in STORED})
    tables, again = (published_tables([one], record) for one in (chain, stored))
    assert tables == again, "what is stored between pipelines comes back as it was"
    assert tables["store_cluster"].num_rows == len(panel.stores)
    assert tables["store_forecast"].num_rows == len(panel.stores) * len(forecast.dates)
    return fold


def closed_months(values: FloatArray) -> FloatArray:
    values[30:92] = 0.0
    return values


def late_store(values: FloatArray) -> FloatArray:
    values[:-17, 0] = np.nan  # three known days before the fold
    return values


def unopened_store(values: FloatArray) -> FloatArray:
    values[:-14, 0] = np.nan
    return values


def dead_store(values: FloatArray) -> FloatArray:
    values[:, 0] = 0.0
    return values


def gaps(values: FloatArray) -> FloatArray:
    values[np.random.default_rng(3).random(values.shape) < 0.4] = np.nan
    return values


def closed_sundays(values: FloatArray) -> FloatArray:
    values[6::7] = 0.0
    return values


@pytest.mark.parametrize(
    "change",
    [
        closed_months, late_store, unopened_store, dead_store, gaps, closed_sundays,
        lambda v: np.full_like(v, 500.0), lambda v: v[:, :1], lambda v: v[-40:],
        lambda v: np.full_like(v, np.nan), np.zeros_like,
    ],
    ids=[
        "closed months", "three days", "unopened", "dead", "gaps", "closed Sundays",
        "constant", "one store", "forty days", "nothing known", "nothing sold",
    ],
)  # fmt: skip
def test_strange_chains(change: Callable[[FloatArray], FloatArray], quick: dict[str, Any]) -> None:
    values = change(weekly_sales(140, 6))
    check(sales_panel(values), quick)


def test_a_weekday_without_trade_is_forecast_closed(quick: dict[str, Any]) -> None:
    fold = backtest(sales_panel(closed_sundays(weekly_sales(140, 6))), quick)[0]
    forecast = fold.forecasts["sales"]
    sunday = np.asarray(forecast.dates.day_of_week) == 6
    assert (forecast.value[sunday] == 0).all()
    assert (forecast.value[~sunday] > 0).all()


def test_a_store_unknown_so_far_is_forecast_like_its_chain(quick: dict[str, Any]) -> None:
    fold = backtest(sales_panel(unopened_store(weekly_sales(140, 6))), quick)[0]
    forecast = fold.forecasts["sales"]
    assert forecast.cold == ("s0",)
    others = forecast.value[:, 1:]
    assert others.min() < forecast.value[:, 0].mean() < others.max()
    assert list(fold.features.left_out["store"]) == ["s0"]
    assert "0 known trading days" in fold.features.left_out["reason"].iloc[0]


def test_a_history_of_three_days_is_refused_with_a_remedy() -> None:
    with pytest.raises(InputError) as caught:
        backtest(sales_panel(weekly_sales(3, 2)), small(horizon=42))
    assert "3 days" in caught.value.what
    assert "--horizon" in caught.value.remedy


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_any_small_chain_gives_numbers(data: st.DataObject) -> None:
    days, stores = data.draw(st.integers(29, 60)), data.draw(st.integers(1, 4))
    seed = data.draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    values = weekly_sales(days, stores, seed) * 10.0 ** rng.integers(-3, 6, stores)
    values[rng.random(values.shape) < data.draw(st.floats(0, 1))] = np.nan
    values[rng.random(values.shape) < data.draw(st.floats(0, 1))] = 0.0
    panel: Panel = sales_panel(values)
    check(panel, small(horizon=7))
