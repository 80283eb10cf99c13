"""hnswlib and usearch on the vectors that `bench.features` leaves in a folder.

Runs in `.venvs/bench`, which has them and not the project. One JSON object
a library and width on stdout; times are the processor's.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hnswlib
import numpy as np
from usearch.index import Index

#: Links of a point and width of building; widths of searching, until the recall will do.
LINKS, BUILD_WIDTH, WIDTHS = 32, 40, (64, 128, 256, 512)
ENOUGH = 0.99


def report(
    name: str,
    built_s: float,
    widen: Callable[[int], None],
    search: Callable[[Any], int],
    folder: Path,
) -> None:
    """Search one at a time and print what came of it, wider and wider."""
    queries, truth = np.load(folder / "queries.npy"), np.load(folder / "truth.npy")
    for width in WIDTHS:
        widen(width)
        for _ in range(2):  # the first round warms up
            times, hits = [], 0
            for query, expected in zip(queries, truth, strict=True):
                start = time.thread_time()
                found = search(query)
                times.append(time.thread_time() - start)
                hits += found == expected
        recall = hits / len(queries)
        line = {"name": f"{name}, {width} wide", "built_s": built_s, "times": times}
        print(json.dumps(line | {"recall": recall}), flush=True)
        if recall >= ENOUGH:
            return


def main(folder: Path) -> None:
    """Build and search both."""
    with_hnswlib(folder, np.load(folder / "vectors.npy"))
    with_usearch(folder, np.load(folder / "vectors.npy"))


def with_hnswlib(folder: Path, vectors: Any) -> None:
    """https://github.com/nmslib/hnswlib."""
    count, dimension = vectors.shape
    start = time.perf_counter()
    graph = hnswlib.Index(space="ip", dim=dimension)
    graph.init_index(max_elements=count, M=LINKS, ef_construction=BUILD_WIDTH)
    graph.set_num_threads(1)
    graph.add_items(vectors)
    built = time.perf_counter() - start

    def search(query: Any) -> int:
        return int(graph.knn_query(query, k=1)[0][0, 0])

    report("hnswlib", built, graph.set_ef, search, folder)


def with_usearch(folder: Path, vectors: Any) -> None:
    """https://github.com/unum-cloud/USearch."""
    count, dimension = vectors.shape
    start = time.perf_counter()
    index = Index(
        ndim=dimension, metric="ip", dtype="f32", connectivity=LINKS, expansion_add=BUILD_WIDTH
    )
    index.add(np.arange(count), vectors, threads=1)
    built = time.perf_counter() - start

    def widen(width: int) -> None:
        index.expansion_search = width

    report("usearch", built, widen, lambda query: int(index.search(query, 1).keys[0]), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
