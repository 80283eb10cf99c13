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
from numpy.typing import NDArray

from video_analyzer.feature_db.records import Floats

IndexKind = Literal["flat", "hnsw", "ivf"]
Places = NDArray[np.intp]

#: Fewer vectors than this a cell cannot be told apart from noise (FAISS asks for 39).
_TRAINING_PER_CELL = 64
_CHUNK_BYTES = 1024**2


@dataclass(frozen=True)
class Tuning:
    """How indexes are built and searched.

    Args:
        flat_max: up to this many vectors every one is compared.
        hnsw_max: up to this many a graph is built; above, cells.
        links: of a vector in the graph.
        build_width: candidates that are looked at when a vector is put into the graph.
        search_width: candidates that are looked at in a search of the graph.
        probes: cells that are looked into.
        threads: that building may take; a search takes one.
    """

    flat_max: int = 4_096
    hnsw_max: int = 4_000_000
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
        index = _empty(kind, vectors, tuning)
        index.add(vectors)
        if kind == "ivf":
            index.make_direct_map(True)
    return index


def _empty(kind: IndexKind, vectors: Floats, tuning: Tuning) -> Any:
    count, dimension = vectors.shape
    if kind == "flat":
        return faiss.IndexFlatIP(dimension)
    if kind == "hnsw":
        index = faiss.IndexHNSWFlat(dimension, tuning.links, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = tuning.build_width
        return index
    cells = max(1, min(int(4 * count**0.5), count // _TRAINING_PER_CELL))
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(dimension), dimension, cells, faiss.METRIC_INNER_PRODUCT
    )
    index.train(vectors)
    return index


def extended(index: Any, vectors: Floats, tuning: Tuning) -> Any:
    """A copy with these vectors behind those it has."""
    with _threads(tuning.threads):
        made = faiss.clone_index(index)
        made.add(vectors)
    return made


def overwritten(index: Any, places: Places, vectors: Floats) -> Any:
    """A copy in which other vectors stand at some positions; nothing of the old ones is left.

    A graph keeps its links and cells their entries, so positions stay and what was found
    through them is found still.
    """
    made = faiss.clone_index(index)
    if kind_of(made) != "ivf":
        _stored(made)[places] = vectors
        return made
    order = np.argsort(places)
    for ids, stored in _cells(made):
        hits = np.flatnonzero(np.isin(ids, places))
        stored[hits] = vectors[order[np.searchsorted(places[order], ids[hits])]]
    return made


def vectors_of(index: Any) -> Floats:
    """All vectors (n, dimension) by position, as a copy."""
    if kind_of(index) != "ivf":
        return _stored(index).copy()
    found = np.empty((index.ntotal, index.d), np.float32)
    for ids, stored in _cells(index):
        found[ids] = stored
    return found


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


def _cells(index: Any) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """The memory of each cell that is not empty: positions and vectors."""
    lists = index.invlists
    for cell in range(index.nlist):
        size = lists.list_size(cell)
        if size:
            codes = faiss.rev_swig_ptr(lists.get_codes(cell), size * index.d * 4)
            vectors: Floats = codes.view(np.float32).reshape(size, index.d)
            yield faiss.rev_swig_ptr(lists.get_ids(cell), size), vectors


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """FAISS's threads for this thread of ours (OpenMP keeps the number a thread)."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
