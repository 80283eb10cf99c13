"""A flipped bit, a missing file, a full disk: reported, never returned as data."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tenpo.errors import IntegrityError, ServiceError
from tests.video_analyzer.feature_db.conftest import Open
from tests.video_analyzer.feature_db.faces import MODEL, NOW, SEEN, QuickDisk, faces
from video_analyzer.feature_db import Feature, FeatureStore, People
from video_analyzer.feature_db.declared import Declared, declare, read_declared
from video_analyzer.feature_db.erasure import erase, read_proofs
from video_analyzer.feature_db.export import export_store
from video_analyzer.feature_db.log import FeatureWriteError
from video_analyzer.feature_db.proposals import propose, read_proposals
from video_analyzer.feature_db.records import Floats
from video_analyzer.feature_db.verify import verify

KINDS = ("manifest", "log-*", "part-*", "identity-*", "key.sealed")


@pytest.fixture
def closed(database: Open, rng: np.random.Generator, tmp_path: Path) -> Path:
    """The folder of a tenant with something in every kind of file, and nobody at it."""
    with database(disk=QuickDisk()).open_store("acme") as store:
        a, b, *_ = store.add(MODEL, faces(rng, 60), SEEN)
        store.checkpoint()
        store.add(MODEL, faces(rng, 5), SEEN)
        People(store).merge(a.raw_id, b.raw_id, NOW)
    return tmp_path / "db" / "acme"


def one_file(folder: Path, kind: str) -> Path:
    found = list(folder.glob(kind))
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_reported_with_its_place(
    database: Open, closed: Path, kind: str, rng: np.random.Generator
) -> None:
    path = one_file(closed, kind)
    good = path.read_bytes()
    for place in [0, 20, len(good) - 1, *rng.integers(0, len(good), 12).tolist()]:
        damaged = bytearray(good)
        damaged[place] ^= 1 << int(rng.integers(0, 8))
        path.write_bytes(damaged)
        for opening in (database().open_store, database().read_store):
            with pytest.raises(IntegrityError) as caught:
                opening("acme")
            assert path.name.removesuffix(".sealed") in str(caught.value)
            assert "byte" in str(caught.value)
        if kind != "key.sealed":
            path.write_bytes(good)
            folder, key = database().sealed_folder("acme")
            path.write_bytes(damaged)
            [problem] = verify(folder, key).problems
            assert path.name in problem
    path.write_bytes(good)
    with database().open_store("acme") as store:
        assert store.stats().persons == 65


@pytest.mark.parametrize("kind", ["declared", "proposals", "proof"])
def test_a_flipped_bit_beside_the_features_is_reported(
    database: Open, closed: Path, kind: str, rng: np.random.Generator
) -> None:
    model = Declared(model=MODEL, dimension=32, threshold=0.93)
    with database(disk=QuickDisk()).open_store("acme") as store:
        if kind == "proof":
            erase(store, store.add(MODEL, faces(rng, 1), SEEN)[0].raw_id)
        elif kind == "declared":
            declare(store, [model])
        else:
            propose(store, MODEL, 0.2)
        reads: dict[str, Callable[[], object]] = {
            "declared": lambda: read_declared(store.folder, store.key),
            "proposals": lambda: read_proposals(store.folder, store.key),
            "proof": lambda: read_proofs(store.folder),
        }
    path = one_file(closed, "proof/*.json" if kind == "proof" else kind)
    good, as_it_was = path.read_bytes(), reads[kind]()
    assert as_it_was
    for place in [0, len(good) - 1, *rng.integers(0, len(good), 12).tolist()]:
        damaged = bytearray(good)
        damaged[place] ^= 1 << int(rng.integers(0, 8))
        path.write_bytes(damaged)
        with pytest.raises(IntegrityError) as caught:
            reads[kind]()
        assert path.name in str(caught.value)
        [problem] = verify(*database().sealed_folder("acme")).problems
        assert path.name in problem
    path.write_bytes(good)
    assert reads[kind]() == as_it_was


@pytest.mark.parametrize("kind", KINDS[:1] + KINDS[2:])
def test_a_missing_file_is_reported(database: Open, closed: Path, kind: str) -> None:
    one_file(closed, kind).unlink()
    with pytest.raises(IntegrityError, match="missing"):
        database().open_store("acme")


def test_a_lost_log_segment_is_noticed_by_the_next(
    database: Open, closed: Path, rng: np.random.Generator
) -> None:
    lost = one_file(closed, "log-*")
    with database().open_store("acme") as store:
        store.add(MODEL, faces(rng, 1), SEEN)
    kept = lost.read_bytes()
    lost.unlink()
    with pytest.raises(IntegrityError, match="batches are missing"):
        database().open_store("acme")
    lost.write_bytes(kept[:-60])  # shortened: it looks torn, but something came after it
    with pytest.raises(IntegrityError, match="batches are missing"):
        database().open_store("acme")


def test_an_older_copy_of_a_file_is_not_taken_for_the_new_one(database: Open, closed: Path) -> None:
    part = one_file(closed, "part-*")
    older = part.read_bytes()
    with database().open_store("acme") as store:
        store.checkpoint(whole=True)
    newer = one_file(closed, "part-*")
    newer.write_bytes(older)
    with pytest.raises(IntegrityError):
        database().open_store("acme")


def test_a_torn_end_is_left_out_and_noted(database: Open, closed: Path) -> None:
    log = one_file(closed, "log-*")
    whole = log.read_bytes()
    log.write_bytes(whole[:-9])  # the merge came last
    folder, key = database().sealed_folder("acme")
    report = verify(folder, key)
    assert report.problems == ()
    assert len(report.notes) == 1
    with database().open_store("acme") as store:
        assert store.stats().spaces[0].living == 65
        assert not any(chunk["kind"].max() > 1 for chunk in store.identity.chunks)


class FullDisk(QuickDisk):
    """Takes so many bytes, then half of a write, then no more, until there is room again."""

    def __init__(self) -> None:
        self.room: int | None = None
        self.bad_sync = False

    def write(self, handle: int, data: bytes) -> None:
        if self.room is not None:
            taken = data[: self.room]
            self.room -= len(taken)
            super().write(handle, taken)
            if len(taken) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return
        super().write(handle, data)

    def sync(self, handle: int) -> None:
        if self.bad_sync:
            self.bad_sync = False
            raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("room", [0, 10, 45, 300, 900])
def test_a_full_disk_refuses_writes_and_loses_none(
    database: Open, rng: np.random.Generator, room: int
) -> None:
    vectors = faces(rng, 40)
    disk = FullDisk()
    store = database(disk=disk).open_store("acme")
    kept = store.add(MODEL, vectors[:20], SEEN)
    disk.room = room

    def fill() -> None:
        for vector in vectors[20:30]:
            kept.extend(store.add(MODEL, vector[None], SEEN))

    with pytest.raises(FeatureWriteError, match="Free disk space"):
        fill()
    disk.room = min(room, 20)  # not even the head of a new segment
    for _ in range(2):
        with pytest.raises(FeatureWriteError):
            store.add(MODEL, vectors[39:], SEEN)
    with pytest.raises(ServiceError):
        store.checkpoint()
    assert not any(store.folder.glob("part-*"))
    assert all(m[0].score > 0.999 for m in store.search(MODEL, vectors[: len(kept)]))
    disk.room = None
    kept += store.add(MODEL, vectors[30:31], SEEN)
    store.close()
    with database().open_store("acme") as store:
        assert {one.feature for one in store.get(range(200))} == {one.feature for one in kept}
        store.checkpoint()
        assert verify(store.folder, store.key).problems == ()


def test_a_failed_sync_is_no_acknowledgement(database: Open, rng: np.random.Generator) -> None:
    disk = FullDisk()
    store = database(disk=disk).open_store("acme")
    [first] = store.add(MODEL, faces(rng, 1), SEEN)
    disk.bad_sync = True
    with pytest.raises(FeatureWriteError):
        store.add(MODEL, faces(rng, 1), SEEN)
    [third] = store.add(MODEL, faces(rng, 1), SEEN)
    image = store.folder.with_name("image")
    shutil.copytree(store.folder, image)  # as a crash would leave it
    store.close()
    shutil.rmtree(store.folder)
    image.rename(store.folder)
    with database().open_store("acme") as store:
        assert {one.feature for one in store.get(range(9))} == {first.feature, third.feature}


class Unmendable(FullDisk):
    """Cannot even take back what was half written."""

    is_bad = True

    def truncate(self, handle: int, size: int) -> None:
        if self.is_bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().truncate(handle, size)


def test_a_log_that_cannot_be_set_right_takes_nothing_more_until_a_restart(
    database: Open, rng: np.random.Generator
) -> None:
    disk = Unmendable()
    with database(disk=disk).open_store("acme") as store:
        [first] = store.add(MODEL, faces(rng, 1), SEEN)
        disk.bad_sync = True
        with pytest.raises(FeatureWriteError, match="Free disk space"):
            store.add(MODEL, faces(rng, 1), SEEN)
        disk.is_bad = False
        with pytest.raises(FeatureWriteError, match="restart the process"):
            store.add(MODEL, faces(rng, 1), SEEN)
        assert [one.feature for one in store.get(range(9))] == [first.feature]
    with database().open_store("acme") as store:
        held = [one.feature for one in store.get(range(9))]
        assert held[0] == first.feature
        assert len(held) <= 2  # the one that was refused may be there, whole
        store.add(MODEL, faces(rng, 1), SEEN)
        assert verify(store.folder, store.key).problems == ()


class Failing(QuickDisk):
    """Refuses from a certain request on, until it is mended; half of a write may have come."""

    def __init__(self, after: int) -> None:
        self.left, self.count = after, 0

    def ask(self) -> None:
        self.count += 1
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def create(self, path: Path) -> int:
        self.ask()
        return super().create(path)

    def write(self, handle: int, data: bytes) -> None:
        try:
            self.ask()
        except OSError:
            super().write(handle, data[: len(data) // 2])
            raise
        super().write(handle, data)

    def sync(self, handle: int) -> None:
        self.ask()

    def truncate(self, handle: int, size: int) -> None:
        os.ftruncate(handle, size)  # which needs no room

    def sync_folder(self, folder: Path) -> None:
        self.ask()

    def replace(self, draft: Path, path: Path) -> None:
        self.ask()
        super().replace(draft, path)

    def remove(self, paths: list[Path]) -> None:
        self.ask()
        super().remove(paths)

    def make_folder(self, folder: Path) -> None:
        self.ask()
        super().make_folder(folder)


def everything(store: FeatureStore, vectors: Floats) -> Iterator[Callable[[], object]]:
    """Each call that writes; one that was refused may be tried again."""
    first: list[Feature] = []
    yield lambda: first.extend(store.add(MODEL, vectors[:8], SEEN))
    yield store.checkpoint
    ids = [one.raw_id for one in first]
    yield lambda: People(store).merge(ids[0], ids[1], NOW)
    yield lambda: store.delete([first[2].feature])
    yield lambda: propose(store, MODEL, 0.2)
    yield lambda: declare(store, [Declared(model=MODEL, dimension=32, threshold=0.9)])
    yield lambda: export_store(store)
    for path in (store.folder / "export").iterdir():
        path.unlink()  # it holds who is erased next
    yield lambda: erase(store, ids[3]) if store.identity.knows(int(ids[3][2:], 16)) else None
    yield lambda: store.checkpoint(purge=True, whole=True)


def test_a_disk_that_refuses_at_any_moment_is_told_and_takes_nothing(
    database: Open, rng: np.random.Generator, tmp_path: Path
) -> None:
    """TENPO_FEATURE_FAULTS=all tries every moment."""
    vectors = faces(rng, 8)
    counting = Failing(10**9)
    with database(disk=counting).open_store("counted") as store:
        begun = counting.count
        for call in everything(store, vectors):
            call()
    moments = np.arange(counting.count - begun)
    if os.environ.get("TENPO_FEATURE_FAULTS") != "all":
        moments = np.sort(rng.choice(moments, 12, replace=False))
    for moment in moments.tolist():
        disk = Failing(10**9)
        refused = 0
        with database(disk=disk).open_store(f"t{moment}") as store:
            disk.left = moment
            for call in everything(store, vectors):
                try:
                    call()
                except ServiceError:
                    refused += 1
                    disk.left = 10**9
                    call()
            held = [one.feature for one in store.get(range(99))]
            assert len(held) == 6, "two of eight are gone, and nobody is there twice"
        assert refused == 1
        with database().open_store(f"t{moment}") as store:
            assert [one.feature for one in store.get(range(99))] == held
            assert store.identity.count() == 7
            assert [proof["completed_at"] is not None for proof in read_proofs(store.folder)] == [
                True
            ]
            assert verify(store.folder, store.key).problems == ()
