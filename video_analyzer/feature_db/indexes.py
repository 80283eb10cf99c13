"""FAISS indexes of unit vectors by inner product, in the three kinds that a size asks for.

`flat` compares with every vector, `hnsw` walks a graph
(https://github.com/facebookresearch/faiss/wiki/Faiss-indexes), `ivf` looks into the nearest
of many cells. Positions are 0…n-1 and stay. An index in use is never changed: a change
makes a new one. Not for what a position stands for (`part`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import faiss
import numpy as np

from video_analyzer.feature_db import cells
from video_analyzer.feature_db.cells import Places
from video_analyzer.feature_db.records import Floats

IndexKind = Literal["flat", "hnsw", "ivf"]
_CHUNK_BYTES = 1024**2


@dataclass(frozen=True)
class Tuning:
    """How indexes are built and searched.

    Args:
        flat_max: up to this many vectors every one is compared.
        hnsw_max: up to this many, if they are more than that, a graph is built; above, cells.
            None by default: cells are built ten times faster, take less memory, can drop a
            vector, and find as much (docs/benchmarks.md).
        links: of a vector in the graph.
        build_width: candidates that are looked at when a vector is put into the graph.
        search_width: candidates that are looked at in a search of the graph.
        probes: cells that are looked into.
        threads: that building may take; a search takes one.
    """

    flat_max: int = 4_096
    hnsw_max: int = 0
    links: int = 32
    build_width: int = 40
    search_width: int = 64
    probes: int = 64
    threads: int = 1

    def kind(self, count: int) -> IndexKind:
        """The kind of index for that many vectors."""
        if count <= self.flat_max:
            return "flat"
        return "hnsw" if count <= self.hnsw_max else "ivf"


def build(kind: IndexKind, vectors: Floats, tuning: Tuning) -> Any:
    """A new index of unit vectors (n, dimension)."""
    with _threads(tuning.threads):
        if kind == "ivf":
            return cells.build(vectors)
        index = _empty(kind, vectors.shape[1], tuning)
        index.add(vectors)
    return index


def _empty(kind: IndexKind, dimension: int, tuning: Tuning) -> Any:
    if kind == "flat":
        return faiss.IndexFlatIP(dimension)
    index = faiss.IndexHNSWFlat(dimension, tuning.links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = tuning.build_width
    return index


def extended(index: Any, vectors: Floats, tuning: Tuning) -> Any:
    """An index with these vectors behind those it has."""
    count = index.ntotal + len(vectors)
    kind = tuning.kind(count)
    if kind_of(index) != kind or (kind == "ivf" and cells.is_outgrown(index, count)):
        return build(kind, np.concatenate([vectors_of(index), vectors]), tuning)
    with _threads(tuning.threads):
        if kind == "ivf":
            return cells.extended(index, vectors)
        made = faiss.clone_index(index)
        made.add(vectors)
    return made


def kept(index: Any, places: Places, tuning: Tuning) -> Any:
    """An index of the vectors at these ascending positions alone, numbered from 0."""
    kind = tuning.kind(len(places))
    if kind == kind_of(index) == "ivf" and not cells.is_outgrown(index, len(places)):
        return cells.kept(index, places)
    return build(kind, vectors_of(index)[places], tuning)


def overwritten(index: Any, places: Places, vectors: Floats) -> Any:
    """A copy in which nothing is left of the vectors at some positions.

    A graph keeps its links, and gets these vectors in their place, so that paths through
    them stay. Elsewhere zeros do.
    """
    if kind_of(index) == "ivf":
        return cells.blanked(index, places)
    made = faiss.clone_index(index)
    _stored(made)[places] = vectors
    return made


def vectors_of(index: Any) -> Floats:
    """All vectors (n, dimension) by position, as a copy."""
    return cells.vectors_of(index) if kind_of(index) == "ivf" else _stored(index).copy()


def vector_at(index: Any, place: int) -> Floats:
    """The vector at one position, as a copy."""
    found: Floats = index.reconstruct(place)
    return found


def kind_of(index: Any) -> IndexKind:
    """Which kind it is."""
    if isinstance(index, faiss.IndexHNSW):
        return "hnsw"
    return "ivf" if isinstance(index, faiss.IndexIVF) else "flat"


def parameters(kind: IndexKind, tuning: Tuning, selector: Any | None) -> Any:
    """FAISS's search parameters.

    Args:
        kind: of the index.
        tuning: widths and probes.
        selector: which positions count, or None for all; they are sorted out before the
            best are taken, so that the dead never crowd out the living.
    """
    if kind == "hnsw":
        found = faiss.SearchParametersHNSW()
        found.efSearch = tuning.search_width
    elif kind == "ivf":
        found = faiss.SearchParametersIVF()
        found.nprobe = tuning.probes
    else:
        found = faiss.SearchParameters()
    if selector is not None:
        found.sel = selector
    return found


def write(index: Any, put: Callable[[bytes], None]) -> None:
    """Hand out FAISS's own form of an index in pieces of at most 1 MiB."""
    writer = faiss.PyCallbackIOWriter(put, _CHUNK_BYTES)
    faiss.write_index(index, writer)


def read(chunks: Iterator[bytes]) -> Any:
    """An index from the pieces that `write` handed out, which must be authentic.

    Raises:
        ValueError: they are no index.
    """
    rest = bytearray()

    def take(size: int) -> bytes:
        while len(rest) < size and (chunk := next(chunks, None)) is not None:
            rest.extend(chunk)
        found = bytes(rest[:size])
        del rest[:size]
        return found

    try:
        index = faiss.read_index(faiss.PyCallbackIOReader(take, _CHUNK_BYTES))
    except RuntimeError as error:  # FAISS's own exceptions come as this
        raise ValueError("these bytes are no index") from error
    return index


def _stored(index: Any) -> Floats:
    """The memory in which a flat index or a graph keeps its vectors."""
    storage = faiss.downcast_index(index.storage) if kind_of(index) == "hnsw" else index
    codes = faiss.rev_swig_ptr(storage.codes.data(), storage.codes.size())
    found: Floats = codes.view(np.float32).reshape(storage.ntotal, storage.d)
    return found


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """FAISS's threads for this thread of ours (OpenMP keeps the number a thread)."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
