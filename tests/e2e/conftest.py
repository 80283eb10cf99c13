"""A stack without Airflow for the tests of the spine, started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import Machine, free_ports


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Everything but Airflow and the follower, with a data folder of its own."""
    home: Path = tmp_path_factory.mktemp("machine") / "home"
    made = Machine(home, free_ports())
    made.run("up", "--only", "postgres,bigquery,mqtt,gateway,api")
    try:
        yield made
    finally:
        made.run("down")
