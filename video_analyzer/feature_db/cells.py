"""Vectors in cells: FAISS's inverted file, filled cell by cell so that no memory is spare.

A cell's centre is the mean direction of vectors near it; a search looks into the cells whose
centres are nearest (https://github.com/facebookresearch/faiss/wiki/Faiss-indexes). Cells
are trained once and filled up until there are too few of them for their vectors. An index in
use is never changed. Not for choosing between cells and other kinds (`indexes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from video_analyzer.feature_db.records import Floats

Places = NDArray[np.intp]

#: Cells as a multiple of the root of the vectors: with 64 probes a million asks for 8,000.
_PER_ROOT = 8
#: Vectors of a cell that its centre is trained on (FAISS asks for 39 at least), and rounds.
_TRAINING_PER_CELL = 48
_ROUNDS = 6
#: Cells are trained anew when there should be this many times more, or fewer.
_OUTGROWN = 2
_ASSIGNED_AT_ONCE = 65_536
#: Centres near a vector that may have been trained on it.
_TOUCHED = 4


def build(vectors: Floats) -> Any:
    """Train cells on vectors (n, dimension) and put them in."""
    dimension = vectors.shape[1]
    index = _empty(faiss.IndexFlatIP(dimension), dimension, cells_for(len(vectors)))
    index.cp.niter, index.cp.min_points_per_centroid = _ROUNDS, 1
    index.cp.max_points_per_centroid = _TRAINING_PER_CELL
    index.train(vectors)
    return _finished(index, _assigned(index, vectors, 0), len(vectors))


def cells_for(count: int) -> int:
    """How many cells that many vectors should have."""
    return max(1, min(int(_PER_ROOT * count**0.5), count // _TRAINING_PER_CELL))


def is_outgrown(index: Any, count: int) -> bool:
    """Whether cells for that many vectors should be trained anew."""
    wanted = cells_for(count)
    cells = int(index.nlist)
    return wanted > _OUTGROWN * cells or cells > _OUTGROWN * wanted


def extended(index: Any, vectors: Floats) -> Any:
    """A copy with these vectors behind those it has, in the same cells."""
    made = _like(index)
    fresh = dict(_assigned(index, vectors, index.ntotal))
    old = {cell: (ids, stored) for cell, ids, stored in cells_of(index)}

    def both() -> Iterator[tuple[int, tuple[Places, Floats]]]:
        for cell in sorted(old.keys() | fresh.keys()):
            found = [each[cell] for each in (old, fresh) if cell in each]
            ids, stored = (np.concatenate(column) for column in zip(*found, strict=True))
            yield cell, (ids, stored)

    return _finished(made, both(), index.ntotal + len(vectors))


def kept(index: Any, places: Places) -> Any:
    """The vectors at these ascending positions alone, numbered from 0, in the same cells.

    Nothing is left of the others, in the centres neither (see `blanked`).
    """
    new = np.full(index.ntotal, -1, np.int64)
    new[places] = np.arange(len(places))

    def living() -> Iterator[tuple[int, tuple[Places, Floats]]]:
        for cell, ids, stored in cells_of(index):
            hits = new[ids] >= 0
            yield cell, (new[ids[hits]], stored[hits])

    made = _finished(_like(index), living(), len(places))
    _centre(made, range(made.nlist))
    return made


def blanked(index: Any, places: Places) -> Any:
    """A copy with zeros at some positions, and centres that owe nothing to what was there.

    A centre is a mean: with all other vectors at hand, the missing one could be computed.
    """
    made = faiss.clone_index(index)
    old = np.stack([index.reconstruct(int(place)) for place in places])
    _, near = made.quantizer.search(old, min(_TOUCHED, index.nlist))
    gone = np.zeros(index.ntotal, np.bool_)
    gone[places] = True
    for _, ids, stored in cells_of(made):
        stored[gone[ids]] = 0.0
    _centre(made, np.unique(near).tolist())
    return made


def _centre(index: Any, cells: Iterable[int]) -> None:
    """Put the centres of some cells amid what is in them; an empty one's becomes zero."""
    flat = faiss.downcast_index(index.quantizer)
    codes = faiss.rev_swig_ptr(flat.codes.data(), flat.codes.size())
    centres = codes.view(np.float32).reshape(flat.ntotal, flat.d)
    sums = np.zeros_like(centres)
    for cell, _, stored in cells_of(index):
        sums[cell] = stored.sum(axis=0)
    chosen = np.fromiter(cells, np.int64)
    lengths = np.linalg.norm(sums[chosen], axis=1, keepdims=True)
    centres[chosen] = sums[chosen] / np.where(lengths > 0, lengths, 1.0)


def vectors_of(index: Any) -> Floats:
    """All vectors (n, dimension) by position, as a copy."""
    found = np.empty((index.ntotal, index.d), np.float32)
    for _, ids, stored in cells_of(index):
        found[ids] = stored
    return found


def cells_of(index: Any) -> Iterator[tuple[int, NDArray[np.int64], Floats]]:
    """The memory of each cell that is not empty: its number, positions and vectors."""
    lists = index.invlists
    for cell in range(index.nlist):
        size = lists.list_size(cell)
        if size:
            codes = faiss.rev_swig_ptr(lists.get_codes(cell), size * index.d * 4)
            vectors: Floats = codes.view(np.float32).reshape(size, index.d)
            yield cell, faiss.rev_swig_ptr(lists.get_ids(cell), size), vectors


def _empty(centres: Any, dimension: int, cells: int) -> Any:
    return faiss.IndexIVFFlat(centres, dimension, cells, faiss.METRIC_INNER_PRODUCT)


def _like(index: Any) -> Any:
    """Another one with the same cells, empty."""
    made = _empty(faiss.clone_index(index.quantizer), index.d, index.nlist)
    made.is_trained = True
    return made


def _assigned(
    index: Any, vectors: Floats, first: int
) -> Iterator[tuple[int, tuple[Places, Floats]]]:
    """The vectors by cell, with their positions, counted from `first`."""
    cells = np.empty(len(vectors), np.int64)
    for start in range(0, len(vectors), _ASSIGNED_AT_ONCE):
        block = vectors[start : start + _ASSIGNED_AT_ONCE]
        cells[start : start + len(block)] = index.quantizer.search(block, 1)[1][:, 0]
    order = np.argsort(cells, kind="stable")
    names, starts = np.unique(cells[order], return_index=True)
    for cell, places in zip(names.tolist(), np.split(order, starts[1:]), strict=True):
        yield cell, (places + first, vectors[places])


def _finished(index: Any, filled: Iterator[tuple[int, tuple[Places, Floats]]], count: int) -> Any:
    """Put whole cells in: each then takes exactly the memory that it needs."""
    for cell, (ids, stored) in filled:
        ids = np.ascontiguousarray(ids, np.int64)
        codes = np.ascontiguousarray(stored, np.float32).view(np.uint8)
        if len(ids):
            index.invlists.add_entries(cell, len(ids), faiss.swig_ptr(ids), faiss.swig_ptr(codes))
    index.ntotal = count
    index.make_direct_map(True)
    return index
