"""hnswlib and usearch on the vectors that `bench.features` leaves in a folder.

Runs in `.venvs/bench`, which has them and not the project. One JSON object a library on stdout.
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

#: The same as ours: links of a point, width of building, width of searching.
LINKS, BUILD_WIDTH, SEARCH_WIDTH = 32, 40, 64


def report(name: str, built_s: float, search: Callable[[Any], int], folder: Path) -> None:
    """Search one at a time and print what came of it."""
    queries, truth = np.load(folder / "queries.npy"), np.load(folder / "truth.npy")
    for _ in range(2):  # the first round warms up
        times, hits = [], 0
        for query, expected in zip(queries, truth, strict=True):
            start = time.perf_counter()
            found = search(query)
            times.append(time.perf_counter() - start)
            hits += found == expected
    line = {"name": name, "built_s": built_s, "times": times, "recall": hits / len(queries)}
    print(json.dumps(line), flush=True)


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
    graph.set_ef(SEARCH_WIDTH)
    built = time.perf_counter() - start
    report("hnswlib", built, lambda query: int(graph.knn_query(query, k=1)[0][0, 0]), folder)


def with_usearch(folder: Path, vectors: Any) -> None:
    """https://github.com/unum-cloud/USearch."""
    count, dimension = vectors.shape
    start = time.perf_counter()
    index = Index(
        ndim=dimension, metric="ip", dtype="f32", connectivity=LINKS,
        expansion_add=BUILD_WIDTH, expansion_search=SEARCH_WIDTH,
    )  # fmt: skip
    index.add(np.arange(count), vectors, threads=1)
    built = time.perf_counter() - start
    report("usearch", built, lambda query: int(index.search(query, 1).keys[0]), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
