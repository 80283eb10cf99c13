"""`kill -9` at random moments under load: what was acknowledged is there, and whole.

TENPO_FEATURE_KILLS sets how often (the acceptance run takes 50).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.video_analyzer.feature_db.faces import MODEL, SECRET
from tests.video_analyzer.feature_db.load import vectors_of
from video_analyzer.feature_db import FeatureDatabase, Tuning
from video_analyzer.feature_db.verify import verify

KILLS = int(os.environ.get("TENPO_FEATURE_KILLS", "5"))
LOAD = [sys.executable, "-m", "tests.video_analyzer.feature_db.load"]


def run_until_killed(folder: Path, seed: int) -> list[list[str]]:
    """The lines of a process that was killed after some random number of them."""
    child = subprocess.Popen([*LOAD, str(folder), str(seed)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    wanted = random.Random(seed).randrange(5, 400)
    lines = []
    for line in child.stdout:
        lines.append(line)
        if len(lines) == wanted:
            # in the midst of whatever comes next, not right after an acknowledgement
            threading.Timer(random.Random(seed).uniform(0, 0.05), child.kill).start()
    assert child.wait() == -9
    child.stdout.close()
    assert len(lines) >= wanted
    return [line.split() for line in lines if line.endswith("\n")]


@pytest.mark.timeout(120 + 30 * KILLS)
def test_every_acknowledged_write_is_there_and_none_is_torn(tmp_path: Path) -> None:
    added: dict[int, np.ndarray[tuple[int], np.dtype[np.float32]]] = {}
    deleted: set[int] = set()
    doubtful: set[int] = set()
    for seed in range(KILLS):
        for sign, *words in run_until_killed(tmp_path, seed):
            numbers = [int(word) for word in words]
            if sign == "+":
                vectors = vectors_of(seed, numbers[0], numbers[1])
                assert len(vectors) == len(numbers) - 2
                assert not added.keys() & set(numbers[2:])
                added |= dict(zip(numbers[2:], vectors, strict=True))
            else:
                (deleted if sign == "-" else doubtful).update(numbers)
        database = FeatureDatabase(tmp_path, SECRET, tuning=Tuning(flat_max=50), merge_rows=60)
        folder, key = database.sealed_folder("acme")
        assert verify(folder, key).problems == ()
        with database.open_store("acme") as store:
            there = {one.feature: one for one in store.get(sorted(added))}
            assert not there.keys() & deleted
            assert added.keys() - deleted - there.keys() <= doubtful - deleted
            for number, one in there.items():
                assert one.vector is not None
                assert np.array_equal(one.vector, added[number]) or np.allclose(
                    one.vector, added[number], atol=1e-6
                )
            living = store.stats().spaces[0].living
            # what was written but not yet acknowledged may be there: a call each, whole
            assert len(there) <= living <= len(there) + 3 * 4 * (seed + 1)
            numbers_found = sorted(there)
            hits = store.search(MODEL, np.stack([added[n] for n in numbers_found]))
            exact = [hit[0].score > 0.9999 for hit in hits]
            assert np.mean(exact) > 0.99
    assert added
    assert deleted
