"""Head-room: a planted shortfall comes out with its size, its factor and its worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kedro_project.panel import Panel
from kedro_project.pipelines.targets.nodes import MONTH_DAYS, attainable_targets
from tests.kedro_project.chain import sales_panel

DAYS, STORES = 56, 9


def chain() -> Panel:
    """Nine equal stores: 100 come, 20 buy for 10 each; in the last, 15 buy."""
    footfall = np.full((DAYS, STORES), 100.0)
    customers = np.full((DAYS, STORES), 20.0)
    customers[:, -1] = 15.0
    base = sales_panel(customers * 10.0)
    measures = {"sales": customers * 10.0, "footfall": footfall, "customers": customers}
    return Panel(base.dates, base.stores, measures)


@pytest.fixture
def found(quick: dict[str, Any]) -> Any:
    panel = chain()
    labels = pd.Series("c1", index=list(panel.stores))
    from kedro_project.pipelines.forecast.nodes import forecast_measures

    forecasts = forecast_measures(panel, labels, quick["forecast"])
    return attainable_targets(panel, labels, forecasts, quick["targets"])


def test_the_weak_store_is_found_with_its_factor_and_worth(found: Any) -> None:
    stores = found.stores.sort_values("headroom_amount", ascending=False)
    assert stores.index[0] == "s8"
    assert stores["first"].iloc[0] == "conversion"
    # 150 a day could be 200: 50 a day
    assert stores["headroom_amount"].iloc[0] == pytest.approx(50 * MONTH_DAYS)
    assert stores["headroom_amount"].iloc[1] == pytest.approx(0, abs=1e-6)


def test_the_factor_is_told_in_its_units(found: Any) -> None:
    weak = found.factors.set_index(["store", "factor"]).loc[("s8", "conversion")]
    assert weak["level"] == pytest.approx(0.15)
    assert weak["attainable"] == pytest.approx(0.20)
    assert weak["low"] <= weak["attainable"] <= weak["high"]
    assert weak["basis"] == "cluster peers"


def test_daily_targets_ask_for_a_share_of_it(found: Any, quick: dict[str, Any]) -> None:
    last = found.daily[found.daily["store"] == "s8"]
    assert len(last) == quick["forecast"]["horizon"]
    raised = 150 * (1 + quick["targets"]["share"] * (200 / 150 - 1))
    assert last["target"].to_numpy() == pytest.approx(np.full(14, raised), rel=0.01)
