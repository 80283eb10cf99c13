"""A flipped bit, a missing file, a full disk: reported, never returned as data."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tenpo.errors import IntegrityError, ServiceError
from tests.video_analyzer.feature_db.conftest import Open
from tests.video_analyzer.feature_db.faces import MODEL, NOW, SEEN, QuickDisk, faces
from video_analyzer.feature_db import People
from video_analyzer.feature_db.log import FeatureWriteError
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
