"""Metrics against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kedro_project.pipelines.backtest.metrics import coverage, forecast_metrics, target_metrics

TRUTH = np.array([[100.0, 50.0], [200.0, np.nan]])
VALUE = np.array([[110.0, 40.0], [180.0, 70.0]])
SCORED = np.isfinite(TRUTH)


def test_forecast_metrics_by_hand() -> None:
    past = np.repeat([[10.0, 5.0], [15.0, 5.0]], 7, axis=0)  # a step of 5 a week, and none
    found = forecast_metrics(TRUTH, VALUE, past, SCORED)
    assert found["wape"] == pytest.approx((10 + 10 + 20) / 350, abs=1e-6)
    assert found["rmspe"] == pytest.approx(((0.01 + 0.04 + 0.01) / 3) ** 0.5, abs=1e-6)
    assert found["mase"] == pytest.approx((10 + 20) / 2 / 5)  # the constant store is left out


def test_coverage_by_hand() -> None:
    found = coverage(TRUTH, VALUE - 15, VALUE + 15, SCORED)
    assert found["coverage"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["interval_width"] == pytest.approx(3 * 30 / 350, abs=1e-6)


def test_target_metrics_by_hand() -> None:
    found = target_metrics(np.array([100.0, 80.0]), np.array([90.0, 100.0]), 0.75)
    # above: 0.75 x 10; below: 0.25 x 20; their mean over a mean truth of 90
    assert found["pinball"] == pytest.approx((7.5 + 5) / 2 / 90, abs=1e-6)
    assert found["reach_rate"] == 0.5


def test_what_cannot_be_said_is_none() -> None:
    nothing = np.zeros_like(SCORED)
    assert set(forecast_metrics(TRUTH, VALUE, VALUE, nothing).values()) == {None}
    assert set(target_metrics(np.array([np.nan]), np.array([1.0]), 0.75).values()) == {None}
