"""AutoETS and seasonal naive of statsforecast (https://nixtlaverse.nixtla.io/statsforecast).

Runs in the environment of `locks/bench.txt`, which the platform does not share:
`python auto_ets.py HORIZON < long.csv > forecasts.csv`, columns unique_id, ds, y.
"""

from __future__ import annotations

import sys

import pandas as pd


def main() -> None:
    """Forecast every series with at least a week."""
    from statsforecast import StatsForecast
    from statsforecast.models import AutoETS, SeasonalNaive

    long = pd.read_csv(sys.stdin, parse_dates=["ds"])
    days = long.groupby("unique_id")["y"].transform("size")
    models = [AutoETS(season_length=7), SeasonalNaive(season_length=7)]
    engine = StatsForecast(models=models, freq="D", n_jobs=1)
    engine.forecast(df=long[days >= 7], h=int(sys.argv[1])).to_csv(sys.stdout, index=False)


if __name__ == "__main__":
    main()
