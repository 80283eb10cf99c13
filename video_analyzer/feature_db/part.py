"""A part: features that no longer change, their index, and which of them are alive.

Its file is written once. Dying clears a bit in memory; the bits are kept in the manifest.
A dead feature's vector stays in the file until the part is written anew (`purged`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np
import orjson
from numpy.typing import NDArray

from video_analyzer.feature_db import indexes
from video_analyzer.feature_db.cells import Places
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.indexes import Tuning
from video_analyzer.feature_db.records import ROW, Floats, Ids, Rows
from video_analyzer.feature_db.sealed import FeatureDamage, SealedReader, SealedWriter, Source

_ROW_CHUNK = 2**14
#: Vectors are put in the place of a dead one's only if they tell nothing of it.
_MAX_LIKENESS = 0.95
_NEIGHBOURS = 8


class Written(NamedTuple):
    """A sealed file as the manifest knows it."""

    file: str
    salt: str
    frames: int


class Part:
    """Features by position.

    Args:
        index: their vectors.
        rows: beside them, with ascending feature numbers.
        tuning: of searches.
        alive: one bit a position, the lowest first; all alive if not given.
    """

    def __init__(
        self, index: Any, rows: Rows, tuning: Tuning, alive: NDArray[np.uint8] | None = None
    ) -> None:
        if index.ntotal != len(rows):
            raise ValueError("index and rows differ in length")
        self.index, self.rows, self.written = index, rows, Written("", "", 0)
        self.alive = _all_alive(len(rows)) if alive is None else alive
        self.dead = len(rows) - int(np.bitwise_count(self.alive).sum())
        self._tuning = tuning
        kind = indexes.kind_of(index)
        self._selector = faiss.IDSelectorBitmap(len(self.alive), faiss.swig_ptr(self.alive))
        self._all = indexes.parameters(kind, tuning, None)
        self._living = indexes.parameters(kind, tuning, self._selector)

    def __len__(self) -> int:
        return len(self.rows)

    def search(self, queries: Floats, k: int) -> tuple[Floats, Places]:
        """The best `k` living positions of each query.

        Args:
            queries: unit vectors (n, dimension).
            k: how many.

        Returns:
            Scores and positions (n, k), best first; position -1 where there are no more.
        """
        parameters = self._living if self.dead else self._all
        found: tuple[Floats, Places] = self.index.search(queries, k, params=parameters)
        return found

    def is_alive(self, places: Places) -> NDArray[np.bool_]:
        """Whether each position is alive."""
        bits = self.alive[places >> 3] >> (places & 7).astype(np.uint8)
        found: NDArray[np.bool_] = (bits & 1).astype(np.bool_)
        return found

    def living(self) -> Places:
        """The living positions, ascending."""
        return np.flatnonzero(np.unpackbits(self.alive, count=len(self.rows), bitorder="little"))

    def unpurged(self) -> Places:
        """Dead positions whose vectors are still there."""
        dead = np.ones(len(self.rows), np.bool_)
        dead[self.living()] = False
        return np.flatnonzero(dead & (self.rows["person"] != 0))

    def places_of(self, features: Ids) -> Places:
        """The positions of those of these features that are here, dead or alive."""
        numbers = self.rows["feature"]
        places = np.searchsorted(numbers, features)
        places = np.minimum(places, len(numbers) - 1)
        return np.unique(places[numbers[places] == features])

    def kill(self, features: Ids) -> None:
        """Let these features die; those that are not here, or dead already, do not matter."""
        places = self.places_of(features)
        places = places[self.is_alive(places)]
        np.bitwise_and.at(self.alive, places >> 3, ~(1 << (places & 7)).astype(np.uint8))
        self.dead += len(places)

    def vectors(self) -> Floats:
        """All vectors by position."""
        return indexes.vectors_of(self.index)

    def rebuilt(self) -> Part | None:
        """A part of the living alone; None if there are none."""
        places = self.living()
        if not len(places):
            return None
        index = indexes.kept(self.index, places, self._tuning)
        return Part(index, self.rows[places], self._tuning)

    def extended(self, rows: Rows, vectors: Floats) -> Part:
        """A part with more features behind these; the dead stay dead."""
        both = np.concatenate([self.rows, rows])
        index = indexes.extended(self.index, vectors, self._tuning)
        bits = np.ones(len(both), np.uint8)
        bits[: len(self)] = np.unpackbits(self.alive, count=len(self), bitorder="little")
        return Part(index, both, self._tuning, np.packbits(bits, bitorder="little"))

    def purged(self) -> Part:
        """A part in which nothing is left of the dead but an empty place in the graph.

        The vector of a dead position becomes the mean direction of living neighbours, so
        that searches still find their way through it, or zero if that were too like it.
        """
        places = self.unpurged()
        if not len(places):
            return self
        old = np.stack([indexes.vector_at(self.index, int(place)) for place in places])
        index = indexes.overwritten(self.index, places, self._stand_ins(old))
        rows = self.rows.copy()
        blank = np.zeros(len(places), ROW)
        blank["feature"] = rows["feature"][places]
        rows[places] = blank
        return Part(index, rows, self._tuning, self.alive.copy())

    def _stand_ins(self, old: Floats) -> Floats:
        made = np.zeros_like(old)
        if indexes.kind_of(self.index) != "hnsw":
            return made
        _, near = self.search(old, _NEIGHBOURS)
        for i, places in enumerate(near):
            found = [indexes.vector_at(self.index, int(place)) for place in places[places >= 0]]
            if not found:
                continue
            mean = np.mean(found, axis=0)
            mean /= np.linalg.norm(mean) or 1.0
            if float(mean @ old[i]) < _MAX_LIKENESS:
                made[i] = mean
        return made

    # ---- its file -------------------------------------------------------------------

    def write(self, disk: Disk, path: Path, key: bytes) -> None:
        """Write the part durably and note its file in `written`."""
        writer = SealedWriter(disk, path, key, path.name)
        try:
            writer.append(orjson.dumps({"rows": len(self.rows)}))
            for start in range(0, len(self.rows), _ROW_CHUNK):
                writer.append(self.rows[start : start + _ROW_CHUNK].tobytes())
            _write_index(self.index, writer)
            writer.append(b"", final=True)
            writer.sync()
        finally:
            writer.close()
        self.written = Written(path.name, writer.salt.hex(), writer.frames)

    @classmethod
    def read(
        cls, source: Source, written: Written, key: bytes, tuning: Tuning, alive: NDArray[np.uint8]
    ) -> Part:
        """The part of a file.

        Raises:
            FeatureDamage: it is not the file that was written.
        """
        reader = SealedReader(source, key, written.file, whole=True)
        chunks = (frame.plain for frame in reader)
        try:
            count = orjson.loads(next(chunks, b""))["rows"]
            rows = _read_rows(chunks, count)
            index = indexes.read(chunks)
            for _ in chunks:
                pass
            part = cls(index, rows, tuning, alive)
        except (ValueError, KeyError) as error:
            raise FeatureDamage("the part cannot be read", file=written.file) from error
        if (reader.salt.hex(), reader.frames) != (written.salt, written.frames):
            raise FeatureDamage("this is another part than was written", file=written.file)
        part.written = written
        return part


def _write_index(index: Any, writer: SealedWriter) -> None:
    """Errors cannot pass through FAISS: keep the first and raise it behind it."""
    failed: list[OSError] = []

    def put(chunk: bytes) -> None:
        if failed:
            return
        try:
            writer.append(chunk)
        except OSError as error:
            failed.append(error)

    indexes.write(index, put)
    if failed:
        raise failed[0]


def _read_rows(chunks: Iterator[bytes], count: int) -> Rows:
    found: list[Rows] = []
    left = count
    while left > 0:
        rows = np.frombuffer(next(chunks, b""), ROW)
        if not len(rows):
            raise ValueError("rows are missing")
        found.append(rows)
        left -= len(rows)
    return np.concatenate(found) if found else np.empty(0, ROW)


def _all_alive(count: int) -> NDArray[np.uint8]:
    return np.packbits(np.ones(count, np.uint8), bitorder="little")
