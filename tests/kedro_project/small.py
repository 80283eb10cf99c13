"""Parameters of small models, which train in a blink."""

from __future__ import annotations

from typing import Any

from kedro_project.execution import parameters, seeded


def small(*, horizon: int, folds: int = 1) -> dict[str, Any]:
    settings = seeded(parameters(), seed=0, horizon=horizon, folds=folds)
    settings["forecast"]["training"] |= {"trees": 12, "boosters": 1, "leaves": 7, "step": 14}
    settings["clustering"] |= {"refits": 3}
    settings["targets"] |= {"draws": 40}
    return settings
