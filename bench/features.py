"""The feature database against FAISS as it is, hnswlib and usearch, on the same vectors.

`python -m bench.features --count 100000` prints what it measures; `--count 1000000` takes
about five minutes of CPU, and half an hour more with the rivals, who build graphs. Raw FAISS
is the very index of our own part, so both have the same recall. hnswlib and usearch run in
an environment of their own (`make .venvs/bench/.made`) on the same vectors; without it they are
left out. They search wider and wider until their recall is 0.99, as ours must be.

Vectors are synthetic, of length 1, about ten to a cluster; queries lie beside some of them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import orjson

from video_analyzer.feature_db import FeatureDatabase, FeatureStore, Seen, Tuning, indexes
from video_analyzer.feature_db.records import Floats, Ids

DIMENSION, MODEL = 128, "bench-1"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
SEEN = Seen("s1", NOW, NOW + timedelta(days=30))
ROOT = Path(__file__).parents[1]
QUERIES, CHUNK, WRITERS = 2_000, 10_000, 64
TARGET_ADDS_S = 200


def unit(vectors: Floats) -> Floats:
    """Scaled to length 1."""
    found: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found.astype(np.float32)


def clustered(count: int, seed: int) -> tuple[Floats, Floats]:
    """Vectors (count, 128) and queries beside some of them."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(1, count // 10), DIMENSION), np.float32)
    vectors = centres[rng.integers(0, len(centres), count)]
    vectors += 0.5 * rng.standard_normal(vectors.shape, np.float32)
    vectors = unit(vectors)
    queries = vectors[rng.integers(0, count, QUERIES)]
    queries = queries + 0.03 * rng.standard_normal(queries.shape, np.float32)
    return vectors, unit(queries)


def exact(vectors: Floats, queries: Floats) -> Ids:
    """The nearest vector of each query, by comparing with every one."""
    best = np.full(len(queries), -np.inf, np.float32)
    found = np.zeros(len(queries), np.int64)
    for start in range(0, len(vectors), 65_536):
        scores = queries @ vectors[start : start + 65_536].T
        places = scores.argmax(axis=1)
        top = scores[np.arange(len(queries)), places]
        better = top > best
        best[better], found[better] = top[better], start + places[better]
    return found


class Times:
    """Seconds of calls: those that passed, and those of the processor in the calling thread.

    On a machine with other work the second are what a machine of one's own would come near to.
    """

    def __init__(self, wall: Sequence[float] = ()) -> None:
        self.wall, self.cpu = list(wall), list(wall)

    def take(self, call: Callable[[Floats], Any], query: Floats) -> None:
        """Time one call."""
        start, cpu = time.perf_counter(), time.thread_time()
        call(query)
        self.cpu.append(time.thread_time() - cpu)
        self.wall.append(time.perf_counter() - start)


def timed(call: Callable[[Floats], Any], queries: Floats) -> Times:
    """Time each call with one query."""
    times = Times()
    for query in queries:
        times.take(call, query[None])
    return times


def shown(name: str, times: Times) -> str:
    """A line: median, 99th percentile, and the same of the processor's time."""
    p50, p99, cpu50, cpu99 = (
        float(np.percentile(found, share)) * 1e3
        for found in (times.wall, times.cpu)
        for share in (50, 99)
    )
    return f"{name:<34} p50 {p50:6.2f} ms  p99 {p99:6.2f} ms  CPU {cpu50:5.2f}, {cpu99:5.2f} ms"


def measure_adds(database: FeatureDatabase, vectors: Floats, seconds: float) -> None:
    """Durable adds a second, one vector a call, many callers."""
    until = time.perf_counter() + seconds
    with database.open_store("adds") as store, ThreadPoolExecutor(WRITERS) as pool:

        def write(writer: int) -> int:
            done = 0
            while time.perf_counter() < until:
                store.add(MODEL, vectors[(writer + done * WRITERS) % len(vectors)][None], SEEN)
                done += 1
            return done

        start = time.perf_counter()
        total = sum(pool.map(write, range(WRITERS)))
        rate = total / (time.perf_counter() - start)
        print(f"durable adds, {WRITERS} callers           {rate:10.0f} /s, {total:,} in all")
        start = time.perf_counter()
        batches = [vectors[i : i + 100] for i in range(0, min(20_000, len(vectors)), 100)]
        list(pool.map(lambda batch: store.add(MODEL, batch, SEEN), batches))
        rate = 100 * len(batches) / (time.perf_counter() - start)
        print(f"durable adds, 100 a call             {rate:10.0f} /s")


def load(store: FeatureStore, vectors: Floats) -> None:
    """Put everything in, and make one part of it."""
    start = time.perf_counter()
    for first in range(0, len(vectors), CHUNK):
        store.add(MODEL, vectors[first : first + CHUNK], SEEN)
    added = time.perf_counter()
    store.checkpoint(whole=True)
    done = time.perf_counter()
    print(
        f"load                                 {added - start:8.1f} s, index {done - added:.1f} s"
    )


def recall(store: FeatureStore, queries: Floats, truth: Ids) -> float:
    """Share of queries of which the nearest is found; features are numbered from 1."""
    hits = store.search(MODEL, queries)
    return float(np.mean([hit[0].feature.feature - 1 for hit in hits] == truth))


def compare(store: FeatureStore, queries: Floats, truth: Ids) -> None:
    """Ours against the index inside it."""
    index = store.state.spaces[0].view.parts[0].index
    parameters = indexes.parameters(indexes.kind_of(index), Tuning(), None)

    def raw(query: Floats) -> Any:
        return index.search(query, 1, params=parameters)

    print(f"recall@1                             {recall(store, queries, truth):8.4f}")
    for _ in range(2):  # the first round warms up
        ours = timed(lambda query: store.search(MODEL, query), queries)
        bare = timed(raw, queries)
    print(shown("ours, one at a time", ours))
    print(shown("raw FAISS, the same index", bare))
    print(f"ratio to raw FAISS, CPU              {sum(bare.cpu) / sum(ours.cpu):8.2f}")
    rounds = []
    for call in (lambda: store.search(MODEL, queries), lambda: raw(queries)):
        start = time.thread_time()
        call()
        rounds.append(time.thread_time() - start)
    print(f"the same, {QUERIES:,} at once                {rounds[1] / rounds[0]:8.2f}")


def under_load(store: FeatureStore, vectors: Floats, queries: Floats) -> None:
    """Identifying on one core while others add, at 200 a second."""
    stop = threading.Event()
    added = [0]

    def add() -> None:
        start = time.perf_counter()
        while not stop.is_set():
            due = int((time.perf_counter() - start) * TARGET_ADDS_S)
            if added[0] < due:
                store.add(MODEL, -vectors[added[0] % len(vectors)][None], SEEN)
                added[0] += 1
            else:
                time.sleep(0.001)

    cores = os.sched_getaffinity(0)
    pin({min(cores)})
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(add)]
        start = time.perf_counter()
        times = Times()
        for query in np.tile(queries, (10, 1)):  # a camera asks now and then, it does not spin
            times.take(lambda q: store.identify_or_create(MODEL, q, SEEN, threshold=0.5), query)
            time.sleep(0.002)
        seconds = time.perf_counter() - start
        stop.set()
        for writer in writers:
            writer.result()
    pin(cores)
    print(shown("identify, one core, under adds", times))
    print(f"adds meanwhile                       {added[0] / seconds:8.0f} /s")


def pin(cores: set[int]) -> None:
    """Put every thread of this process on these cores."""
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def memory_mb() -> float:
    """What this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def deletion(store: FeatureStore, vectors: Floats, queries: Floats) -> None:
    """A tenth dies; then a checkpoint."""
    dead = np.arange(1, len(vectors) + 1, 10)
    start = time.perf_counter()
    store.delete(dead.tolist())
    print(f"deleting a tenth                     {time.perf_counter() - start:8.1f} s")
    kept = np.delete(np.arange(len(vectors)), dead - 1)
    truth = kept[exact(vectors[kept], queries)]
    print(f"recall@1 then                        {recall(store, queries, truth):8.4f}")
    before = memory_mb()
    store.delete([int(kept[0]) + 1])  # one more than a tenth: the part is built anew
    start = time.perf_counter()
    store.checkpoint(whole=True)
    print(f"checkpoint                           {time.perf_counter() - start:8.1f} s")
    print(f"memory before and after              {before:8.0f} MB, {memory_mb():.0f} MB")
    print(f"recall@1 then                        {recall(store, queries, truth):8.4f}")


def rivals(folder: Path, vectors: Floats, queries: Floats, truth: Ids) -> None:
    """Hnswlib and usearch, in their own environment."""
    python = ROOT / ".venvs" / "bench" / "bin" / "python"
    if not python.exists():
        print("hnswlib and usearch: left out, run `make .venvs/bench/.made` first")
        return
    for name, data in (("vectors", vectors), ("queries", queries), ("truth", truth)):
        np.save(folder / f"{name}.npy", data)
    done = subprocess.run(
        [python, ROOT / "bench" / "vector_rivals.py", folder], stdout=subprocess.PIPE, check=True
    )
    for line in done.stdout.splitlines():
        found = orjson.loads(line)
        print(
            shown(found["name"], Times(found["times"])), f" recall@1 {found['recall']:.4f}", end=""
        )
        print(f"  built in {found['built_s']:.0f} s")


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=10.0, help="of adding")
    parser.add_argument("--no-rivals", action="store_true")
    parser.add_argument("--no-deletion", action="store_true")
    asked = parser.parse_args()
    faiss.omp_set_num_threads(1)
    vectors, queries = clustered(asked.count, seed=1)
    truth = exact(vectors, queries)
    cores, now = len(os.sched_getaffinity(0)), datetime.now(UTC)
    print(f"{now:%Y-%m-%d %H:%M} UTC, {cores} cores, {asked.count:,} x {DIMENSION}")
    print(f"load of the machine at the start     {os.getloadavg()[0]:8.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = FeatureDatabase(folder / "db", os.urandom(32))
        measure_adds(database, vectors, asked.seconds)
        bulk = FeatureDatabase(folder / "db", bytes(range(32)), merge_rows=10**9)
        with bulk.open_store("main") as store:
            load(store, vectors)
            compare(store, queries, truth)
        database = FeatureDatabase(folder / "db", bytes(range(32)))
        start = time.perf_counter()
        with database.open_store("main") as store:
            print(f"opening                              {time.perf_counter() - start:8.1f} s")
            under_load(store, vectors, queries)
            if not asked.no_deletion:
                deletion(store, vectors, queries)
        if not asked.no_rivals:
            rivals(folder, vectors, queries, truth)


if __name__ == "__main__":
    main()
