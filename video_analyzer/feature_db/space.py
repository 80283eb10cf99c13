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
        if len(length) and not (length.min() > 0 and length.max() < np.inf):
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
        holders = tuple(self.view.holders())
        found = [holder.search(queries, k) for holder in holders]
        scores, places, columns = _joined(found, len(queries), k)
        if columns == [k] and holders and places.min(initial=0) >= 0:
            return scores, holders[0].rows[places]
        owners = np.repeat(np.arange(len(columns)), columns)
        if len(holders) > 1:
            order = _best(scores, k)
            scores = np.take_along_axis(scores, order, 1)
            places, owners = np.take_along_axis(places, order, 1), owners[order]
        else:
            owners = np.broadcast_to(owners, places.shape)
        rows = np.zeros((len(queries), k), ROW)
        for number, holder in enumerate(holders):
            hits = (owners == number) & (places >= 0)
            rows[hits] = holder.rows[places[hits]]
        return scores, rows

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


def _joined(
    found: list[tuple[Floats, Places]], lines: int, k: int
) -> tuple[Floats, Places, list[int]]:
    """Answers side by side, at least `k` columns, and how many each of them has."""
    columns = [places.shape[1] for _, places in found]
    if sum(columns) < k:
        shape = (lines, k - sum(columns))
        found = [*found, (np.full(shape, -np.inf, np.float32), np.full(shape, -1))]
        columns.append(shape[1])
    if len(found) == 1:
        [(scores, places)] = found
    else:
        scores = np.concatenate([best for best, _ in found], axis=1)
        places = np.concatenate([at for _, at in found], axis=1)
    if places.min(initial=0) < 0:  # FAISS's score of nothing is no infinity
        scores = np.where(places < 0, -np.inf, scores).astype(np.float32)
    return scores, places, columns


def _best(scores: Floats, k: int) -> Places:
    """The columns of the best `k` scores of each line, best first."""
    if k == 1:
        found: Places = scores.argmax(axis=1)[:, None]
    else:
        found = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return found
