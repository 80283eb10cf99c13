"""A space: the features of one tenant made by one version of a model.

    view = parts (immutable, indexed) + deltas (the last one grows)

Readers take the view as it is and are never blocked; a checkpoint puts another in its
place, and what was replaced goes when its last reader is through. Not for durability.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenpo.errors import InputError
from video_analyzer.feature_db.cells import Places
from video_analyzer.feature_db.delta import Delta
from video_analyzer.feature_db.part import Part
from video_analyzer.feature_db.records import ROW, Floats, Ids, Rows

MAX_DIMENSION = 4_096


@dataclass(frozen=True)
class View:
    """What a search looks at."""

    parts: tuple[Part, ...]
    deltas: tuple[Delta, ...]

    def holders(self) -> Iterator[Part | Delta]:
        """Whatever holds features."""
        yield from self.parts
        yield from (delta for delta in self.deltas if len(delta))


class Space:
    """One space.

    Args:
        number: its number with the tenant.
        model: the model version.
        dimension: of its vectors.
    """

    def __init__(self, number: int, model: str, dimension: int) -> None:
        self.number, self.model, self.dimension = number, model, dimension
        self.view = View((), (Delta(dimension),))
        #: Features that died since a checkpoint began; None while there is none.
        self.deaths: list[Ids] | None = None

    def units(self, vectors: Sequence[Sequence[float]] | Floats) -> Floats:
        """Vectors (n, dimension) scaled to length 1, the form in which they are kept.

        Raises:
            InputError: another dimension, a number that is not finite, or a zero vector.
        """
        try:
            found = np.ascontiguousarray(vectors, np.float32)
        except (ValueError, TypeError) as error:
            raise InputError("the vectors are no table of numbers") from error
        if found.ndim != 2 or found.shape[1] != self.dimension:
            raise InputError(
                f"the vectors have the shape {found.shape}",
                where=self.model,
                remedy=f"Give (n, {self.dimension}).",
            )
        length = np.sqrt(np.einsum("ij,ij->i", found, found))[:, None]
        if not ((length > 0) & (length < np.inf)).all():
            raise InputError(
                "a vector has no direction",
                where=self.model,
                remedy="Give finite numbers, at least one of them not zero.",
            )
        units: Floats = found / length
        return units

    def search(self, queries: Floats, k: int) -> tuple[Floats, Rows]:
        """The best `k` living features of each query.

        Args:
            queries: unit vectors (n, dimension).
            k: how many, at least 1.

        Returns:
            Scores (cosine) and rows (n, k), best first; feature 0 where there are no more.
        """
        scores: list[Floats] = []
        rows: list[Rows] = []
        for holder in self.view.holders():
            best, places = holder.search(queries, k)
            found = holder.rows[places]
            if places.size and places.min() < 0:
                found[places < 0] = np.zeros((), ROW)
                best = np.where(places < 0, -np.inf, best).astype(np.float32)
            scores.append(best)
            rows.append(found)
        if len(scores) == 1 and scores[0].shape[1] == k:
            return scores[0], rows[0]
        return _best(scores, rows, len(queries), k)

    def kill(self, features: Ids) -> None:
        """Let features die."""
        deaths = self.deaths  # once: a checkpoint may end meanwhile
        if deaths is not None:
            deaths.append(features)
        for holder in self.view.holders():
            holder.kill(features)

    def rows_where(
        self,
        *,
        person: Ids | None = None,
        expired_at: int | None = None,
        seen_before: NDArray[np.int64] | None = None,
    ) -> Rows:
        """The living rows, of all or of persons.

        Args:
            person: those of these persons alone.
            expired_at: those alone that expire until then (µs since 1970), and
            seen_before: those that were seen by then, a moment for each store by its number.
        """
        found: list[Rows] = []
        for holder in self.view.holders():
            wanted = np.ones(len(holder.rows), np.bool_)
            if person is not None:
                wanted &= np.isin(holder.rows["person"], person)
            if expired_at is not None:
                over = holder.rows["expires"] <= expired_at
                if seen_before is not None:
                    over |= holder.rows["observed"] <= seen_before[holder.rows["store"]]
                wanted &= over
            places = np.flatnonzero(wanted)
            places = places[holder.is_alive(places)]
            found.append(holder.rows[places])
        return np.concatenate(found) if found else np.empty(0, ROW)

    def rows_of(self, features: Ids) -> Rows:
        """The living ones of these features."""
        found: list[Rows] = [np.empty(0, ROW)]
        for holder in self.view.holders():
            places = holder.places_of(features)
            found.append(holder.rows[places[holder.is_alive(places)]])
        return np.concatenate(found)

    def every_vector(self, person: Ids) -> Floats:
        """The vectors of persons, those too of the dead that were not purged yet."""
        found: list[Floats] = [np.empty((0, self.dimension), np.float32)]
        for holder in self.view.holders():
            places = np.flatnonzero(np.isin(holder.rows["person"], person))
            found += [_vector(holder, int(place))[None] for place in places]
        vectors = np.concatenate(found)
        kept: Floats = vectors[np.linalg.norm(vectors, axis=1) > 0]
        return kept

    def get(self, features: Ids) -> tuple[Rows, Floats]:
        """The living ones of these features, with their vectors."""
        rows: list[Rows] = [np.empty(0, ROW)]
        vectors: list[Floats] = [np.empty((0, self.dimension), np.float32)]
        for holder in self.view.holders():
            places: Places = holder.places_of(features)
            places = places[holder.is_alive(places)]
            rows.append(holder.rows[places])
            vectors += [_vector(holder, int(place))[None] for place in places]
        return np.concatenate(rows), np.concatenate(vectors)

    def living(self) -> int:
        """How many features are alive."""
        return sum(len(holder) - holder.dead for holder in self.view.holders())


def _vector(holder: Part | Delta, place: int) -> Floats:
    if isinstance(holder, Delta):
        return holder.vector_at(place)
    found: Floats = holder.index.reconstruct(place)
    return found


def _best(scores: list[Floats], rows: list[Rows], queries: int, k: int) -> tuple[Floats, Rows]:
    """The best of several answers, filled up where they are fewer than `k`."""
    scores.append(np.full((queries, k), -np.inf, np.float32))
    rows.append(np.zeros((queries, k), ROW))
    all_scores, all_rows = np.concatenate(scores, axis=1), np.concatenate(rows, axis=1)
    order = np.argsort(-all_scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(all_scores, order, 1), np.take_along_axis(all_rows, order, 1)
