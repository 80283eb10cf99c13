"""One tenant's features through the calls that others use."""

from __future__ import annotations

import itertools
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tenpo.errors import InputError, ServiceError, UnknownReference
from tests.video_analyzer.feature_db.conftest import SMALL, Open
from tests.video_analyzer.feature_db.faces import MODEL, NOW, SECRET, SEEN, QuickDisk, faces
from video_analyzer.feature_db import FeatureDatabase, People, Seen, Tuning, export, snapshot
from video_analyzer.feature_db.delta import INDEX_ROWS
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.keyring import KEY_FILE
from video_analyzer.feature_db.manifest import Manifest, read_manifest
from video_analyzer.feature_db.part import Part
from video_analyzer.feature_db.records import Record, encode
from video_analyzer.feature_db.sealed import Source
from video_analyzer.feature_db.verify import verify


def test_features_are_found_before_and_after_a_checkpoint_and_a_restart(
    database: Open, rng: np.random.Generator
) -> None:
    vectors = faces(rng, 120)
    store = database().open_store("acme")
    added = store.add(MODEL, 3 * vectors, SEEN)  # of any length: kept with length 1
    assert len({feature.raw_id for feature in added}) == 120
    for step in ("delta", "part", "restart", "whole"):
        if step == "part":
            store.checkpoint()
        elif step == "restart":
            store.close()
            store = database().open_store("acme")
        elif step == "whole":
            store.add(MODEL, vectors[:1], SEEN, persons=[added[0].raw_id])
            store.checkpoint(whole=True)
        for i, matches in enumerate(store.search(MODEL, vectors, k=3, threshold=0.999)):
            assert matches[0].feature.raw_id == added[i].raw_id, step
            assert matches[0].score == pytest.approx(1.0, abs=1e-5)
    [found] = store.get([added[7].feature])
    assert found.vector is not None
    assert np.allclose(found.vector, vectors[7], atol=1e-6)
    assert (found.seen, found.model, found.raw_id) == (SEEN, MODEL, added[7].raw_id)
    assert len(store.features_of(added[0].raw_id)) == 2
    assert verify(store.folder, store.key).problems == ()
    store.close()


@pytest.mark.parametrize("k", [1, 2, 33, 35, 50])
def test_the_best_of_parts_and_delta_come_in_order(
    database: Open, rng: np.random.Generator, k: int
) -> None:
    vectors = faces(rng, 35)
    with database(disk=QuickDisk()).open_store("acme") as store:
        store.add(MODEL, vectors[:30], SEEN)
        store.checkpoint()
        store.add(MODEL, vectors[30:], SEEN)
        for query, hits in zip(vectors, store.search(MODEL, vectors, k=k), strict=True):
            expected = np.argsort(-(vectors.astype(float) @ query.astype(float)))[:k]
            assert [hit.feature.feature - 1 for hit in hits] == expected.tolist()


def test_alike_faces_at_once_become_one_person(database: Open, rng: np.random.Generator) -> None:
    people, looks = 6, 30
    base = faces(rng, people, 64)
    with database().open_store("acme") as store, ThreadPoolExecutor(12) as pool:
        noisy = [base[i % people] + 0.01 * rng.normal(size=64) for i in range(people * looks)]
        found = list(
            pool.map(lambda v: store.identify_or_create(MODEL, v, SEEN, threshold=0.9), noisy)
        )
        assert sum(one.is_new for one in found) == people
        for i in range(people):
            assert len({one.raw_id for one in found[i::people]}) == 1
        assert store.stats().persons == people


def test_the_dead_are_gone_at_once_and_for_good(database: Open, rng: np.random.Generator) -> None:
    vectors = faces(rng, 100)
    later = Seen("s2", NOW, NOW + timedelta(days=90))
    with database().open_store("acme") as store:
        short = store.add(MODEL, vectors[:50], SEEN)
        store.checkpoint()
        long = store.add(MODEL, vectors[50:], later)
        assert store.delete([short[0].feature, long[0].feature, 10**9]) == 2
        assert store.delete([short[0].feature]) == 0
        assert store.expire(NOW + timedelta(days=29)) == 0
        assert store.expire(NOW + timedelta(days=30)) == 49
        assert store.get([short[0].feature, short[5].feature]) == []
        alive = {feature.feature for feature in long[1:]}
    for _ in range(2):
        with database().open_store("acme") as store:
            hits = store.search(MODEL, vectors, k=100)
            assert {m.feature.feature for line in hits for m in line} == alive
            store.checkpoint(purge=True)


def test_a_store_that_keeps_features_shorter_lets_old_ones_die(
    database: Open, rng: np.random.Generator
) -> None:
    now = NOW + timedelta(days=10)
    with database(disk=QuickDisk()).open_store("acme") as store:
        for name in ("s1", "s2"):
            for days in (0, 4, 5, 9):
                seen = replace(SEEN, store_id=name, observed_at=NOW + timedelta(days=days))
                store.add(MODEL, faces(rng, 1), seen)
        store.checkpoint()
        retention = {"s2": timedelta(days=5), "other": timedelta(days=1)}
        assert store.expire(now, retention) == 3
        left = store.get(range(1, 9))
        assert [(one.seen.store_id, (one.seen.observed_at - NOW).days) for one in left] == [
            ("s1", 0), ("s1", 4), ("s1", 5), ("s1", 9), ("s2", 9),
        ]  # fmt: skip
        assert store.expire(now, {"s2": timedelta(days=50)}) == 0


def test_memory_comes_back_when_many_are_deleted(database: Open, rng: np.random.Generator) -> None:
    vectors = faces(rng, 400)
    with database().open_store("acme") as store:
        added = store.add(MODEL, vectors, SEEN)
        store.checkpoint()
        store.delete([feature.feature for feature in added[:40]])
        store.checkpoint()
        assert store.stats().spaces[0].parts == (("ivf", 400),)  # a tenth may stay a while
        store.delete([added[40].feature])
        store.checkpoint()
        [space] = store.stats().spaces
        assert (space.parts, space.dead) == ((("ivf", 359),), 0)
        hits = store.search(MODEL, vectors[41:])
        assert np.mean([m[0].feature == a for m, a in zip(hits, added[41:], strict=True)]) > 0.99


class SlowDisk(Disk):
    """Stops at the first sync after `stop` was set, until `go` is."""

    def __init__(self) -> None:
        self.stop, self.stopped, self.go = threading.Event(), threading.Event(), threading.Event()

    def sync(self, handle: int) -> None:
        if self.stop.is_set():
            self.stopped.set()
            assert self.go.wait(30)
        super().sync(handle)


def test_searches_wait_for_nobody(database: Open, rng: np.random.Generator) -> None:
    vectors = faces(rng, 60)
    disk = SlowDisk()
    with database(disk=disk).open_store("acme") as store:
        store.add(MODEL, vectors, SEEN)
        disk.stop.set()
        merging = threading.Thread(target=store.checkpoint)
        merging.start()
        adding = threading.Thread(target=lambda: store.add(MODEL, -vectors, SEEN))
        assert disk.stopped.wait(30)
        adding.start()
        assert all(m[0].score > 0.999 for m in store.search(MODEL, vectors))
        assert store.search(MODEL, -vectors[:1], threshold=0.999) == [[]]  # not durable yet
        assert merging.is_alive()
        assert adding.is_alive()
        disk.go.set()
        merging.join(30)
        adding.join(30)
        assert all(m[0].score > 0.999 for m in store.search(MODEL, -vectors))
        assert len(store.stats().spaces[0].parts) == 1


class SlowParts(QuickDisk):
    """Begins no part before `go` is set."""

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()

    def create(self, path: Path) -> int:
        if path.name.startswith("part-"):
            self.asked.set()
            assert self.go.wait(60)
        return super().create(path)


def test_what_comes_while_a_checkpoint_takes_long_is_indexed(
    database: Open, rng: np.random.Generator
) -> None:
    vectors = faces(rng, 12_050)
    disk = SlowParts()
    with (
        database(disk=disk, tuning=Tuning()).open_store("acme") as store,
        ThreadPoolExecutor(1) as pool,
    ):
        store.add(MODEL, vectors[:50], SEEN)
        merging = pool.submit(store.checkpoint)
        assert disk.asked.wait(30)
        for start in range(50, 12_050, 3_000):
            added = store.add(MODEL, vectors[start : start + 3_000], SEEN)
        store.delete([added[0].feature])  # number 9,051; by then the batch before is indexed
        [space] = store.state.spaces
        assert len(space.view.deltas[-1]) == 12_000
        assert space.view.deltas[-1].unindexed < INDEX_ROWS
        hits = store.search(MODEL, vectors[::50], threshold=0.999)
        assert [bool(hit) for hit in hits] == [n != 9_050 for n in range(0, 12_050, 50)]
        disk.go.set()
        merging.result(60)
        store.checkpoint()
        again = store.search(MODEL, vectors[::50], threshold=0.999)
        assert [[m.feature for m in hit] for hit in again] == [
            [m.feature for m in hit] for hit in hits
        ]
    assert store.stats().spaces[0].parts == (("ivf", 12_049),)


def test_a_long_delta_becomes_a_part_by_itself(database: Open, rng: np.random.Generator) -> None:
    with database(merge_rows=30).open_store("acme") as store:
        merged = threading.Event()
        for vector in faces(rng, 200):
            store.add(MODEL, vector[None], SEEN)
            if store.stats().spaces[0].parts:
                merged.set()
        assert merged.is_set()
        assert store.stats().spaces[0].living == 200


def test_model_versions_live_side_by_side(database: Open, rng: np.random.Generator) -> None:
    with database().open_store("acme") as store:
        [old] = store.add("a-1", faces(rng, 1, 16), SEEN)
        vectors = faces(rng, 1, 24)
        store.add("a-2", vectors, SEEN, persons=[old.raw_id])
        assert [f.model for f in store.features_of(old.raw_id)] == ["a-1", "a-2"]
        store.checkpoint()
        assert store.search("a-2", vectors)[0][0].feature.raw_id == old.raw_id
        with pytest.raises(InputError, match=r"\(n, 16\)"):
            store.search("a-1", vectors)
        with pytest.raises(UnknownReference, match="a-1, a-2"):
            store.search("a-3", vectors)


def test_people_can_be_merged_split_and_kept_apart(
    database: Open, rng: np.random.Generator
) -> None:
    with database().open_store("acme") as store:
        a, b, c = (feature.raw_id for feature in store.add(MODEL, faces(rng, 3), SEEN))
        people = People(store)
        link = people.merge(b, a, NOW)
        assert {people.current(x) for x in (a, b)} == {a}
        assert people.links(a) == {link: (b, a)}
        people.part(b, c, NOW)
        with pytest.raises(InputError, match="different people"):
            people.merge(a, c, NOW)
        with pytest.raises(InputError, match="one person"):
            people.part(a, b, NOW)
        people.rejoin(b, c, NOW)
        people.merge(c, a, NOW)
    with database().open_store("acme") as store:
        people = People(store)
        assert people.members(c) == sorted([a, b, c])
        assert len(store.features_of(b)) == 3
        people.split(link, NOW)
        assert people.members(b) == [b]
        assert people.current(c) == a
        with pytest.raises(UnknownReference, match="no such link"):
            people.split(link, NOW)


@pytest.mark.parametrize(
    "vectors",
    [[[0.0] * 32], [[np.nan] * 32], [[np.inf] * 32], [[1.0] * 31], [1.0] * 32, [["x"] * 32]],
)
def test_vectors_without_direction_are_refused(database: Open, vectors: list[list[float]]) -> None:
    with database().open_store("acme") as store:
        store.add(MODEL, np.eye(2, 32, dtype=np.float32), SEEN)
        with pytest.raises(InputError):
            store.add(MODEL, vectors, SEEN)
        with pytest.raises(InputError):
            store.search(MODEL, vectors)
        assert store.stats().persons == 2


def test_a_refused_call_changes_nothing_and_costs_others_nothing(
    database: Open, rng: np.random.Generator
) -> None:
    with database().open_store("acme") as store:
        vectors = faces(rng, 2)
        for persons in (["p_00000000000000aa"] * 2, ["nonsense"] * 2, []):
            with pytest.raises(InputError):
                store.add(MODEL, vectors, SEEN, persons=persons)
        with pytest.raises(InputError, match="too many"):
            store.add(MODEL, np.ones((70_000, 32), np.float32), SEEN)
        with pytest.raises(InputError, match="Choose 1 to"):
            store.search(MODEL, vectors, k=0)
        assert store.stats().spaces == ()
        store.add(MODEL, vectors, SEEN)


def test_readers_beside_a_busy_writer_see_whole_states(
    database: Open, rng: np.random.Generator
) -> None:
    vectors = faces(rng, 400)
    seen = []
    with (
        database(merge_rows=15, disk=QuickDisk()).open_store("acme") as store,
        ThreadPoolExecutor(1) as pool,  # its end, also after a failure, comes before the store's
    ):
        store.add(MODEL, vectors[:1], SEEN)
        writing = pool.submit(lambda: [store.add(MODEL, v[None], SEEN) for v in vectors[1:]])
        while not writing.done():
            seen.append(database().read_store("acme").stats().spaces[0].living)
            assert verify(store.folder, store.key).problems == ()
        assert len(writing.result()) == 399
        assert seen
        assert seen == sorted(seen)
        assert database().read_store("acme").stats().spaces[0].living == 400


@pytest.mark.parametrize("times", [1, 3])
def test_a_reader_that_is_overtaken_by_checkpoints_reads_the_newest_files(
    database: Open, rng: np.random.Generator, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each checkpoint comes when the manifest is read and its files are not opened yet."""
    vectors = faces(rng, 60)
    with database(disk=QuickDisk()).open_store("acme") as store:
        store.add(MODEL, vectors[:50], SEEN)
        left = iter(range(times))

        def read_then_be_overtaken(source: Source, key: bytes) -> Manifest:
            found = read_manifest(source, key)
            for n in itertools.islice(left, 1):
                store.add(MODEL, vectors[50 + n : 51 + n], SEEN)
                store.checkpoint(whole=True)
            return found

        monkeypatch.setattr(snapshot, "read_manifest", read_then_be_overtaken)
        report = verify(store.folder, store.key)
        assert (report.problems, report.features) == ((), 50 + times)
        assert next(left, None) is None


def test_files_that_are_deleted_while_they_are_read_are_read_to_their_end(
    database: Open, rng: np.random.Generator
) -> None:
    with database(disk=QuickDisk()).open_store("acme") as store:
        store.add(MODEL, faces(rng, 50), SEEN)
        store.checkpoint()
        with snapshot.open_snapshot(store.folder, store.key) as found:
            store.add(MODEL, faces(rng, 1), SEEN)
            store.checkpoint(whole=True)
            [[part]] = found.manifest.parts
            assert not (store.folder / part.file).exists()
            file, bits = found.files[part.file], found.manifest.alive[0]
            assert len(Part.read(file, part, store.key, SMALL, bits)) == 50


def test_a_reader_gives_up_where_checkpoints_never_end(
    database: Open, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database(disk=QuickDisk()).open_store("acme") as store:
        store.add(MODEL, faces(rng, 2), SEEN)
        monkeypatch.setattr(snapshot, "_PAUSE_S", 0.0)
        monkeypatch.setattr(snapshot, "_is_in_force", lambda path, file: False)
        with pytest.raises(ServiceError, match="faster than they can be opened"):
            database().read_store("acme")


def test_one_process_writes_and_others_read(database: Open, rng: np.random.Generator) -> None:
    vectors = faces(rng, 30)
    with database().open_store("acme") as store:
        store.add(MODEL, vectors, SEEN)
        with pytest.raises(ServiceError, match="another process"):
            database().open_store("acme")
        reader = database().read_store("acme")
        assert all(m[0].score > 0.999 for m in reader.search(MODEL, vectors))
        with pytest.raises(InputError, match="to be read"):
            reader.add(MODEL, vectors, SEEN)
    with pytest.raises(ServiceError, match="closed"):
        store.add(MODEL, vectors, SEEN)


def test_a_copy_made_beside_a_writer_is_of_one_moment(
    database: Open, rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each record of the copy a feature comes with a person, store and space of its own."""
    vectors = faces(rng, 30)
    numbers = itertools.count()
    with database(disk=QuickDisk()).open_store("acme") as store:
        store.add(MODEL, vectors, SEEN)

        def encode_after_others(lsn: int, records: list[Record]) -> bytes:
            n = next(numbers)
            store.add(f"m-{n}", vectors[n : n + 1], replace(SEEN, store_id=f"t{n}"))
            store.add(MODEL, vectors[n : n + 1], replace(SEEN, store_id=f"t{n}"))
            return encode(lsn, records)

        monkeypatch.setattr(export, "encode", encode_after_others)
        copy = export.export_store(store)
        assert next(numbers) == 3  # names, identity log, one space
        folder = tmp_path / "again" / "acme"
        folder.mkdir(parents=True)
        shutil.copy(store.folder / KEY_FILE, folder)
    with FeatureDatabase(folder.parent, SECRET).open_store("acme") as again:
        assert export.import_store(again, copy) == 30
        assert (again.stats().persons, len(again.stats().spaces)) == (30, 1)
        assert verify(again.folder, again.key).problems == ()
