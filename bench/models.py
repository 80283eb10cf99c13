"""The numbers of the models, beside what they have to beat.

    python -m bench.models melbourne --data FOLDER   # the public counters; AutoETS beside
    python -m bench.models planted --seeds 20        # worlds whose truth is known
    python -m bench.models large                     # 1,115 stores x 942 days, one fold

`--data` holds `counters/melbourne` (City of Melbourne, CC BY 4.0). Everything runs on `--threads`
cores. The worlds are drawn by `bench.planted`, which the models cannot import.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from bench.melbourne import FOLDS, auto_ets, melbourne_panel
from bench.planted import World, large_panel, planted_world
from kedro_project.execution import parameters, seeded
from kedro_project.pipelines.backtest.nodes import Fold, backtest

HORIZON = 42


def main() -> None:
    """Run one of the benchmarks and print its result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=sorted(_BENCHMARKS))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--trees", type=int, help="smaller models for the planted worlds")
    arguments = parser.parse_args()
    begun = time.monotonic()
    found = _BENCHMARKS[arguments.what](arguments)
    found |= {
        "seconds": round(time.monotonic() - begun, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 2),
    }
    print(json.dumps(found, indent=2))


def _melbourne(arguments: argparse.Namespace) -> dict[str, Any]:
    panel = melbourne_panel(arguments.data)
    settings = _settings(arguments.threads)
    rows = []
    for day in FOLDS:
        known = panel.until(int(panel.dates.searchsorted(pd.Timestamp(day))) + 1)
        fold = backtest(known, settings)[0]
        rows.append(_compared(known, fold))
    sums = pd.DataFrame(rows).drop(columns=["fold", "coverage"]).sum()
    total = sums["truth"]
    return {
        "folds": [
            {"fold": r["fold"], "coverage": r["coverage"]}
            | {k: round(r[k] / r["truth"], 4) for k in ("model", "seasonal_naive", "auto_ets")}
            | {"ratio": round(r["model"] / r["seasonal_naive"], 3)}
            for r in rows
        ],
        "pooled": {k: round(sums[k] / total, 4) for k in ("model", "seasonal_naive", "auto_ets")},
        "ratio": round(sums["model"] / sums["seasonal_naive"], 3),
    }


def _compared(panel: Any, fold: Fold) -> dict[str, Any]:
    """Sums of absolute errors over the same sensors and days."""
    forecast, truth = fold.forecasts["footfall"], fold.truth["footfall"]
    ets, naive = auto_ets(panel.until(panel.known - HORIZON), HORIZON)
    used = np.isfinite(truth) & np.isfinite(ets) & np.isfinite(naive)
    sums = {
        name: float(np.abs(values - truth)[used].sum())
        for name, values in (
            ("model", forecast.value),
            ("seasonal_naive", naive),
            ("auto_ets", ets),
        )
    }
    inside = (truth >= forecast.low) & (truth <= forecast.high)
    return {
        "fold": f"{fold.last:%Y-%m-%d}",
        **sums,
        "truth": float(truth[used].sum()),
        "coverage": round(float(inside[used].mean()), 3),
    }


def _planted(arguments: argparse.Namespace) -> dict[str, Any]:
    settings = _settings(arguments.threads)
    if arguments.trees:
        settings["forecast"]["training"] |= {"trees": arguments.trees, "boosters": 1}
    rows = [judged(planted_world(seed), settings) for seed in range(arguments.seeds)]
    table = pd.DataFrame(rows)
    return {
        "seeds": arguments.seeds,
        "nominal_coverage": settings["forecast"]["coverage"],
        "median": table.median().round(3).to_dict(),
        "worst": {
            "ari_of_levels": float(table["ari_of_levels"].max()),
            "ari": float(table["ari"].min()),
            "spearman": float(table["spearman"].min()),
            "coverage": [float(table["coverage"].min()), float(table["coverage"].max())],
        },
        "mean_coverage": round(float(table["coverage"].mean()), 4),
    }


def judged(world: World, settings: dict[str, Any]) -> dict[str, float]:
    """One world: what was planted against what was found."""
    fold = backtest(world.panel, settings)[0]
    label = fold.clusters.label.reindex(list(world.panel.stores))
    levels = np.log(np.nanmean(world.panel.measures["sales"], axis=0))[:, None]
    rough = KMeans(len(set(world.group)), n_init=10, random_state=0).fit_predict(levels)
    weak = world.lost_amount > 0
    found = fold.targets.stores["headroom_amount"].reindex(list(world.panel.stores))
    covered = [m["model"]["coverage"] for m in fold.metrics.values()]
    return {
        "ari_of_levels": round(float(adjusted_rand_score(world.group, rough)), 3),
        "ari": round(float(adjusted_rand_score(world.group, label)), 3),
        "clusters": float(label.nunique()),
        "spearman": round(
            float(spearmanr(world.lost_amount[weak], found[weak]).statistic), 3
        ),
        "coverage": round(float(np.mean([value or 0.0 for value in covered])), 4),
    }  # fmt: skip


def _large(arguments: argparse.Namespace) -> dict[str, Any]:
    fold = backtest(large_panel(), _settings(arguments.threads))[0]
    return {"metrics": fold.metrics, "clusters": int(fold.clusters.label.nunique())}


def _settings(threads: int) -> dict[str, Any]:
    return seeded(parameters(), seed=0, horizon=HORIZON, folds=1, threads=threads)


_BENCHMARKS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "melbourne": _melbourne,
    "planted": _planted,
    "large": _large,
}

if __name__ == "__main__":
    main()
