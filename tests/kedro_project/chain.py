"""Panels drawn for tests, simpler than the worlds of the benchmark."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kedro_project.panel import FloatArray, Panel

WEEK = np.array([1.0, 1.0, 1.0, 1.1, 1.3, 1.6, 0.8])


def sales_panel(values: FloatArray, start: str = "2024-01-01") -> Panel:
    """A panel of sales alone."""
    days, stores = values.shape
    names = tuple(f"s{n}" for n in range(stores))
    return Panel(pd.date_range(start, periods=days, freq="D"), names, {"sales": values})


def weekly_sales(days: int, stores: int, seed: int = 0) -> FloatArray:
    """Sales with a week's shape and a little noise (T, S); 2024-01-01 is a Monday."""
    rng = np.random.default_rng(seed)
    size = np.linspace(1_000, 4_000, stores)
    noise = np.exp(rng.normal(0, 0.05, (days, stores)))
    return np.asarray(WEEK[np.arange(days) % 7][:, None] * size * noise)
