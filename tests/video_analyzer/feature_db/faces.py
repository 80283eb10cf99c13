"""Values that the tests of the feature database share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from video_analyzer.feature_db import Seen
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.records import Floats

SECRET = bytes(range(32))
NOW = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)
SEEN = Seen("s1", NOW, NOW + timedelta(days=30))
MODEL = "sface-1"


class QuickDisk(Disk):
    """Does not wait for the disk: for tests that kill no machine."""

    def sync(self, handle: int) -> None:
        del handle

    def sync_folder(self, folder: Path) -> None:
        del folder


def faces(rng: np.random.Generator, count: int, dimension: int = 32) -> Floats:
    """Vectors of length 1 around a few centres, about one centre for ten of them."""
    centres = rng.normal(size=(count // 10 + 1, dimension))
    made = centres[rng.integers(0, len(centres), count)]
    made = made + 0.6 * rng.normal(size=(count, dimension))
    found: Floats = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    return found
