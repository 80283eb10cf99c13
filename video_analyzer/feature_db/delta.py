"""The delta: features since the last checkpoint, in plain arrays, compared one by one.

Where a checkpoint takes long, the delta that grows meanwhile gets an index over its first
rows (`index`), so that what is compared one by one stays short. One thread writes while
others search: rows are filled in before the count that shows them, and growing makes new
arrays. What it holds is in the log; it has no file of its own.
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from video_analyzer.feature_db import indexes
from video_analyzer.feature_db.cells import Places
from video_analyzer.feature_db.indexes import Tuning
from video_analyzer.feature_db.records import ROW, Floats, Ids, Rows

_FIRST_CAPACITY = 1_024
#: Rows that are compared one by one before they are worth an index.
INDEX_ROWS = 8_192


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
        self._indexed: tuple[Any, int] = (None, 0)
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

    @property
    def unindexed(self) -> int:
        """How many rows are compared one by one."""
        return len(self) - self._indexed[1]

    def index(self, tuning: Tuning) -> None:
        """Put all rows into an index that searches use from then on. One thread may do so."""
        vectors, _, _, count = self._seen
        made, known = self._indexed
        if made is None:
            made = indexes.build(tuning.kind(count), vectors[:count], tuning)
        elif count > known:
            made = indexes.extended(made, vectors[known:count], tuning)
        self._tuning, self._indexed = tuning, (made, count)

    def search(self, queries: Floats, k: int) -> tuple[Floats, Places]:
        """The best living positions of each query, as `Part.search` gives them.

        There are fewer than `k` columns where there are fewer features.
        """
        made, known = self._indexed  # once: it may grow meanwhile
        if made is None:
            return self._compared(queries, k, 0)
        selector = None
        if self.dead:
            bits = np.packbits(self._seen[2][:known], bitorder="little")
            selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
        parameters = indexes.parameters(indexes.kind_of(made), self._tuning, selector)
        best, places = made.search(queries, k, params=parameters)
        best = np.where(places < 0, -np.inf, best).astype(np.float32)
        others = self._compared(queries, k, known)
        return _best((best, places), others, k)

    def _compared(self, queries: Floats, k: int, start: int) -> tuple[Floats, Places]:
        """The best living positions from `start` on, by comparing with every one."""
        vectors, _, alive, count = self._seen
        if start == count:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.intp)
        scores = queries @ vectors[start:count].T
        if self.dead:
            scores[:, ~alive[start:count]] = -np.inf
        if k == 1:
            places = scores.argmax(axis=1)[:, None]
        else:
            k = min(k, count - start)
            places = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        best = np.take_along_axis(scores, places, axis=1)
        if k > 1:
            order = np.argsort(-best, axis=1, kind="stable")
            best, places = np.take_along_axis(best, order, 1), np.take_along_axis(places, order, 1)
        return best, np.where(np.isneginf(best), -1, places + start)

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


def _best(
    one: tuple[Floats, Places], other: tuple[Floats, Places], k: int
) -> tuple[Floats, Places]:
    """The best of two answers, best first."""
    scores = np.concatenate([one[0], other[0]], axis=1)
    places = np.concatenate([one[1], other[1]], axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(places, order, 1)
