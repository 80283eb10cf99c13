"""Databases in throw-away folders, and faces that look like faces: points in clusters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.video_analyzer.feature_db.faces import SECRET
from video_analyzer.feature_db import FeatureDatabase, Tuning
from video_analyzer.feature_db.disk import Disk

Open = Callable[..., FeatureDatabase]

#: Small sizes, so that little data meets every kind of index.
SMALL = Tuning(flat_max=40)


@pytest.fixture
def database(tmp_path: Path) -> Open:
    """Makes databases on one folder, each as after a restart."""

    def make(
        *, merge_rows: int = 1_000_000, tuning: Tuning = SMALL, disk: Disk | None = None
    ) -> FeatureDatabase:
        return FeatureDatabase(
            tmp_path / "db", SECRET, merge_rows=merge_rows, tuning=tuning, disk=disk
        )

    return make


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
