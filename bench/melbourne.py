"""The City of Melbourne's pedestrian counters as a panel, and AutoETS on them.

Public counts (CC BY 4.0, https://data.melbourne.vic.gov.au), hourly in local time; days are sums
of their hours. Holidays are Victoria's public ones, known ahead. AutoETS runs in an environment of
its own: `make .venvs/bench/.made`.
"""

from __future__ import annotations

import subprocess
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from kedro_project.panel import FloatArray, Panel

FOLDS = ("2013-06-30", "2013-09-30", "2013-12-31")
_BENCH_PYTHON = Path(".venvs/bench/bin/python")
_FILE = "counters/melbourne/pedestrian_counts_even_sensors_2012_2013.csv.gz"
_HOLIDAYS = {
    2012: "01-01 01-02 01-26 03-12 04-06 04-07 04-09 04-25 06-11 11-06 12-25 12-26",
    2013: "01-01 01-28 03-11 03-29 03-30 04-01 04-25 06-10 11-05 12-25 12-26",
}


def melbourne_panel(data: Path) -> Panel:
    """Footfall a day and sensor."""
    hours = pd.read_csv(data / _FILE)
    hours["date"] = pd.to_datetime(hours["Date"], format="%d-%b-%Y")
    daily = hours.pivot_table(
        index="date",
        columns="SensorID",
        values="PedestrianCount",
        aggfunc=lambda counts: counts.sum(min_count=1),
    )
    dates = pd.date_range(daily.index.min(), daily.index.max(), freq="D")
    values = daily.reindex(dates).to_numpy(dtype=np.float64)
    feasts = [f"{year}-{day}" for year, days in _HOLIDAYS.items() for day in days.split()]
    holiday = np.isin(dates, pd.to_datetime(feasts))[:, None] * np.ones(values.shape[1])
    stores = tuple(str(sensor) for sensor in daily.columns)
    return Panel(dates, stores, {"footfall": values}, {"holiday": holiday})


def auto_ets(panel: Panel, horizon: int) -> tuple[FloatArray, FloatArray]:
    """AutoETS and seasonal naive of statsforecast, (H, S) each; NaN for too short series."""
    wide = pd.DataFrame(
        panel.measures["footfall"][: panel.known],
        index=panel.dates[: panel.known],
        columns=list(panel.stores),
    )
    long = wide.ffill().rename_axis("ds").melt(ignore_index=False, var_name="unique_id")
    text = long.dropna().rename(columns={"value": "y"}).to_csv()
    done = subprocess.run(
        [_BENCH_PYTHON, Path(__file__).with_name("auto_ets.py"), str(horizon)],
        input=text, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = pd.read_csv(StringIO(done.stdout), parse_dates=["ds"], dtype={"unique_id": str})
    ets, naive = (
        found.pivot(index="ds", columns="unique_id", values=name)
        .reindex(columns=list(panel.stores))
        .to_numpy(dtype=np.float64)
        for name in ("AutoETS", "SeasonalNaive")
    )
    return ets, naive
