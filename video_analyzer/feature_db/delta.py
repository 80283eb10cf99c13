"""The delta: features since the last checkpoint, in plain arrays, compared one by one.

One thread writes while others search: rows are filled in before the count that shows them,
and growing makes new arrays. What it holds is in the log; it has no file of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from video_analyzer.feature_db.indexes import Places
from video_analyzer.feature_db.records import ROW, Floats, Ids, Rows

_FIRST_CAPACITY = 1_024


class Delta:
    """Features of one space, in the order in which they came.

    Args:
        dimension: of the vectors.
    """

    def __init__(self, dimension: int) -> None:
        self._vectors = np.zeros((_FIRST_CAPACITY, dimension), np.float32)
        self._rows = np.zeros(_FIRST_CAPACITY, ROW)
        self._alive = np.zeros(_FIRST_CAPACITY, np.bool_)
        self._seen = (self._vectors, self._rows, self._alive, 0)
        self.dead = 0

    def __len__(self) -> int:
        return self._seen[3]

    @property
    def rows(self) -> Rows:
        """All rows, the dead too."""
        _, rows, _, count = self._seen
        return rows[:count]

    def add(self, rows: Rows, vectors: Floats) -> None:
        """Put features behind those there are."""
        start = len(self)
        end = start + len(rows)
        if end > len(self._rows):
            self._grow(max(end, 2 * len(self._rows)))
        self._vectors[start:end] = vectors
        self._rows[start:end] = rows
        self._alive[start:end] = True
        self._seen = (self._vectors, self._rows, self._alive, end)

    def _grow(self, capacity: int) -> None:
        count = len(self)
        for name in ("_vectors", "_rows", "_alive"):
            old = getattr(self, name)
            new = np.zeros((capacity, *old.shape[1:]), old.dtype)
            new[:count] = old[:count]
            setattr(self, name, new)

    def search(self, queries: Floats, k: int) -> tuple[Floats, Places]:
        """The best living positions of each query, as `Part.search` gives them.

        There are fewer than `k` columns where there are fewer features.
        """
        vectors, _, alive, count = self._seen
        scores = queries @ vectors[:count].T
        if self.dead:
            scores[:, ~alive[:count]] = -np.inf
        if k == 1:
            places = scores.argmax(axis=1)[:, None]
        else:
            k = min(k, count)
            places = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        best = np.take_along_axis(scores, places, axis=1)
        order = np.argsort(-best, axis=1, kind="stable")
        best, places = np.take_along_axis(best, order, 1), np.take_along_axis(places, order, 1)
        return best, np.where(np.isneginf(best), -1, places)

    def places_of(self, features: Ids) -> Places:
        """The positions of those of these features that are here, dead or alive."""
        return np.flatnonzero(np.isin(self.rows["feature"], features))

    def is_alive(self, places: Places) -> NDArray[np.bool_]:
        """Whether each position is alive."""
        found: NDArray[np.bool_] = self._seen[2][places]
        return found

    def kill(self, features: Ids) -> None:
        """Let these features die; those that are not here, or dead already, do not matter."""
        places = self.places_of(features)
        places = places[self._alive[places]]
        self._alive[places] = False
        self._vectors[places] = 0.0
        self.dead += len(places)

    def vector_at(self, place: int) -> Floats:
        """The vector at one position, as a copy."""
        found: Floats = self._seen[0][place].copy()
        return found

    def living(self) -> tuple[Rows, Floats]:
        """Copies of the living features."""
        vectors, rows, alive, count = self._seen
        places = np.flatnonzero(alive[:count])
        return rows[places], vectors[places]
