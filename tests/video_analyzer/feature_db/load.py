"""A process under load, to be killed: says on stdout what was acknowledged, line by line.

`python -m tests.video_analyzer.feature_db.load FOLDER SEED`; the vector of feature n of
writer w is made from (seed, w, n) alone, so whoever reads the line can make it again.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np

from tests.video_analyzer.feature_db.faces import MODEL, SECRET, SEEN
from video_analyzer.feature_db import FeatureDatabase, Tuning
from video_analyzer.feature_db.records import Floats

WRITERS = 4
DIMENSION = 16
_printing = threading.Lock()


def vectors_of(seed: int, writer: int, number: int) -> Floats:
    """One to three vectors of length 1: one call's."""
    rng = np.random.default_rng((seed, writer, number))
    found = rng.normal(size=(1 + number % 3, DIMENSION)).astype(np.float32)
    units: Floats = found / np.linalg.norm(found, axis=1, keepdims=True)
    return units


def main(folder: Path, seed: int) -> None:
    """Add from several threads until killed; every seventh feature dies again."""
    database = FeatureDatabase(folder, SECRET, tuning=Tuning(flat_max=50), merge_rows=60)
    store = database.open_store("acme")

    def write(writer: int) -> None:
        for number in range(1_000_000):
            added = store.add(MODEL, vectors_of(seed, writer, number), SEEN)
            say(f"+ {writer} {number} {' '.join(str(one.feature) for one in added)}")
            if number % 7 == 0:
                say(f"? {added[0].feature}")
                store.delete([added[0].feature])
                say(f"- {added[0].feature}")

    print("ready", flush=True)
    for writer in range(WRITERS):
        threading.Thread(target=write, args=(writer,)).start()


def say(line: str) -> None:
    """One whole line at once."""
    with _printing:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
