"""Small chains and small models: what is tested are properties, not accuracy."""

from __future__ import annotations

from typing import Any

import pytest

from kedro_project.execution import parameters, seeded


@pytest.fixture
def quick() -> dict[str, Any]:
    """Parameters whose models train in a blink."""
    return small(horizon=14)


def small(*, horizon: int, folds: int = 1) -> dict[str, Any]:
    settings = seeded(parameters(), seed=0, horizon=horizon, folds=folds)
    settings["forecast"]["training"] |= {"trees": 12, "boosters": 1, "leaves": 7, "step": 14}
    settings["clustering"] |= {"refits": 3}
    settings["targets"] |= {"draws": 40}
    return settings
