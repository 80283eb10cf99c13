"""One simulation for all tests of a run."""

from __future__ import annotations

from datetime import date

import pytest

from tenpo.simulate import Simulation, simulate_chain

END = date(2026, 9, 24)  # a week with two holidays, payday the day after


@pytest.fixture(scope="session")
def simulation() -> Simulation:
    """Two shops of each vendor, three weeks."""
    return simulate_chain(seed=5, stores=4, days=21, end=END)
