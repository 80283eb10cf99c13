"""Erasing: the scan finds a person wherever and however hidden, and then nowhere any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tenpo.errors import UnknownReference
from tests.video_analyzer.feature_db.conftest import Open
from tests.video_analyzer.feature_db.faces import MODEL, NOW, SECRET, SEEN, QuickDisk, faces
from video_analyzer.feature_db import FeatureDatabase, People, Tuning
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.erasure import erase, read_proofs
from video_analyzer.feature_db.export import export_store
from video_analyzer.feature_db.identity import person_number
from video_analyzer.feature_db.records import Floats
from video_analyzer.feature_db.scan import ScanReport, scan
from video_analyzer.feature_db.sealed import SealedWriter
from video_analyzer.feature_db.verify import verify

KEY = bytes(32)
ID = "p_0123456789abcdef"
TUNINGS = {
    "flat": Tuning(flat_max=10_000),
    "hnsw": Tuning(flat_max=10, hnsw_max=10_000),
    "ivf": Tuning(flat_max=10),
}


def as_bytes(vector: Floats) -> dict[str, bytes]:
    """A vector in the forms that people store vectors in."""
    low, high = float(vector.min()), float(vector.max())
    scaled = np.round((vector - low) / (high - low) * 255)
    return {
        "float64": vector.astype("<f8").tobytes(),
        "float32": (3.5 * vector).astype("<f4").tobytes(),
        "float16": vector.astype("<f2").tobytes(),
        "bfloat16": (vector.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes(),
        "int8": np.round(vector * 127 / np.abs(vector).max()).astype("i1").tobytes(),
        "uint8": scaled.astype("u1").tobytes(),
    }


def looked(folder: Path, vector: Floats) -> ScanReport:
    return scan(folder, KEY, [ID], vector[None])


@pytest.mark.parametrize("form", ["float64", "float32", "float16", "bfloat16", "int8", "uint8"])
@pytest.mark.parametrize("sealed", [False, True])
def test_the_scan_finds_a_vector_in_every_form_at_any_offset(
    tmp_path: Path, rng: np.random.Generator, form: str, sealed: bool
) -> None:
    vector, other = faces(rng, 2, 128)
    around = rng.bytes(10_001), as_bytes(other)[form], rng.bytes(5_003)
    clean = around[0] + around[1] + around[2]
    dirty = around[0] + as_bytes(vector)[form] + around[2]
    for data, expected in ((clean, set()), (dirty, {("hidden/.tmp", "vector", form)})):
        path = tmp_path / "hidden" / ".tmp"
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        if sealed:
            writer = SealedWriter(Disk(), path, KEY, ".tmp")
            for start in range(0, len(data), 97):  # the vector lies in several frames
                writer.append(data[start : start + 97])
            writer.close()
        else:
            path.write_bytes(data)
        report = looked(tmp_path, vector)
        assert report.unreadable == ()
        found = {(f.file, f.what, f.form) for f in report.findings}
        assert expected <= found
        assert bool(found) == bool(expected)


@pytest.mark.parametrize(
    "data",
    [
        ID.encode(),
        ID[2:].upper().encode(),
        str(person_number(ID)).encode(),
        person_number(ID).to_bytes(8, "little"),
        person_number(ID).to_bytes(8, "big"),
    ],
)
def test_the_scan_finds_an_id_in_every_form(
    tmp_path: Path, rng: np.random.Generator, data: bytes
) -> None:
    (tmp_path / "f").write_bytes(rng.bytes(4_193_999) + data + rng.bytes(99))
    [finding] = scan(tmp_path, KEY, [ID], np.empty((0, 1), np.float32)).findings
    assert (finding.file, finding.what) == ("f", "id")


def test_what_does_not_open_proves_nothing(tmp_path: Path, rng: np.random.Generator) -> None:
    writer = SealedWriter(Disk(), tmp_path / "f", KEY[::-1][:31] + b"x", "f")
    writer.append(b"something")
    writer.close()
    report = looked(tmp_path, faces(rng, 1, 128)[0])
    assert report.unreadable == ("f",)
    assert not report.clean


@pytest.mark.parametrize("kind", TUNINGS)
def test_an_erased_person_is_nowhere(database: Open, rng: np.random.Generator, kind: str) -> None:
    vectors = faces(rng, 200, 64)
    told: list[str] = []
    with database(tuning=TUNINGS[kind], disk=QuickDisk()).open_store("acme") as store:
        added = store.add(MODEL, vectors[:190], SEEN)
        a, b, c = (one.raw_id for one in added[:3])
        store.add(MODEL, vectors[190:191], SEEN, persons=[a])
        store.delete([added[0].feature])  # dead, but in the log still
        store.checkpoint()
        assert store.stats().spaces[0].parts[0][0] == kind
        store.add(MODEL, vectors[191:192], SEEN, persons=[b])
        people = People(store)
        people.merge(a, b, NOW)
        people.part(b, c, NOW)
        gone = vectors[[1, 190, 191]]
        assert not scan(store.folder, store.key, [], gone).clean
        proof = erase(store, b, unlink=told.extend)
        assert proof.completed_at is not None
        assert (len(proof.digests), proof.features) == (2, 3)
        before = {(finding.file.split("-")[0], finding.what) for finding in proof.found_before}
        assert before >= {("log", "id"), ("log", "vector"), ("part", "vector"), ("part", "id")}
        assert ("identity", "id") in before
        assert (proof.found_after, proof.twins) == ((), 0)
        # a scan of its own, with the dead vector too
        assert scan(store.folder, store.key, [a, b], vectors[[0, 1, 190, 191]]).clean
        assert told == sorted([a, b])
        for person in (a, b):
            with pytest.raises(UnknownReference, match="was erased"):
                people.current(person)
        assert people.current(c) == c
        left = np.delete(vectors[:190], [0, 1], axis=0)
        hits = store.search(MODEL, left)
        assert np.mean([hit[0].score > 0.999 for hit in hits]) > 0.98
        assert store.search(MODEL, gone, threshold=0.999) == [[], [], []]
        [kept] = read_proofs(store.folder)
        assert kept["digests"] == list(proof.digests)
        assert a not in str(kept)
        assert b not in str(kept)
    with database().open_store("acme") as store:
        assert store.identity.is_erased(person_number(a))
        assert verify(store.folder, store.key).problems == ()


def test_people_are_erased_while_others_come_in(database: Open, rng: np.random.Generator) -> None:
    stop = threading.Event()
    with database(merge_rows=25, disk=QuickDisk()).open_store("acme") as store:
        added = store.add(MODEL, faces(rng, 100), SEEN)
        others = faces(rng, 2_000)

        def come() -> int:
            for count, vector in enumerate(others):
                if stop.is_set():
                    return count
                store.add(MODEL, vector[None], SEEN)
            return len(others)

        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(come)
            try:
                proofs = [erase(store, one.raw_id) for one in added[:4]]
            finally:
                stop.set()
            count = coming.result()
        assert all(proof.completed_at is not None for proof in proofs)
        assert store.stats().spaces[0].living == 96 + count
        store.checkpoint()
        ids = [one.raw_id for one in added[:4]]
        assert scan(store.folder, store.key, ids, np.empty((0, 1), np.float32)).clean
        assert verify(store.folder, store.key).problems == ()


def test_a_copy_that_holds_the_person_leaves_the_erasure_open(
    database: Open, rng: np.random.Generator
) -> None:
    with database(disk=QuickDisk()).open_store("acme") as store:
        added = store.add(MODEL, faces(rng, 5), SEEN)
        path = export_store(store)
        proof = erase(store, added[0].raw_id)
        assert proof.completed_at is None
        assert f"export/{path.name}" in proof.note
        assert {finding.file for finding in proof.found_after} == {f"export/{path.name}"}


def test_a_picture_taken_up_twice_does_not_hold_up_an_erasure(
    database: Open, rng: np.random.Generator
) -> None:
    vectors = faces(rng, 50)
    with database(disk=QuickDisk()).open_store("acme") as store:
        one, other = store.add(MODEL, vectors[[0, 0]], SEEN)
        store.add(MODEL, vectors, SEEN)
        proof = erase(store, one.raw_id)
        assert proof.completed_at is not None
        assert proof.twins == 1
        assert store.features_of(other.raw_id)


def test_what_has_expired_is_in_no_file_after_a_purge(
    database: Open, rng: np.random.Generator
) -> None:
    vectors = faces(rng, 80)
    with database(disk=QuickDisk()).open_store("acme") as store:
        added = store.add(MODEL, vectors[:5], SEEN)
        store.add(MODEL, vectors[5:], type(SEEN)("s1", NOW, NOW + timedelta(days=99)))
        store.checkpoint()
        assert not scan(store.folder, store.key, [], vectors[:5]).clean
        store.expire(NOW + timedelta(days=31))
        store.checkpoint(purge=True)
        assert scan(store.folder, store.key, [], vectors[:5]).clean
        assert People(store).current(added[0].raw_id) == added[0].raw_id  # visits keep their id


CHILD = """
import sys
from pathlib import Path
from video_analyzer.feature_db import FeatureDatabase
from video_analyzer.feature_db.erasure import erase
erase(FeatureDatabase(Path(sys.argv[1]), bytes(range(32))).open_store("acme"), sys.argv[2])
"""


@pytest.mark.parametrize(
    ("step", "gone"),
    [
        ("features.erasure_noted", False),
        ("features.erasure_committed", True),
        ("features.built", True),
        ("features.swapped", True),
    ],
)
def test_an_erasure_cut_short_is_finished_at_the_next_opening(
    tmp_path: Path, rng: np.random.Generator, step: str, gone: bool
) -> None:
    vectors = faces(rng, 30)
    base = FeatureDatabase(tmp_path, SECRET)
    with base.open_store("acme") as store:
        person = store.add(MODEL, vectors, SEEN)[3].raw_id
        store.checkpoint()
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), person],
        env=os.environ | {"TENPO_FAILPOINT": step},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    with base.open_store("acme") as store:
        assert scan(store.folder, store.key, [person], vectors[3:4]).clean == gone
        assert store.identity.is_erased(person_number(person)) == gone
        assert [p["completed_at"] is not None for p in read_proofs(store.folder)] == [True] * gone
        assert store.stats().spaces[0].living == 30 - gone
