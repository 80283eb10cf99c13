"""Two tenants through every public call: what one has, the other never sees nor touches."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenpo.errors import InputError, IntegrityError, UnknownReference
from tests.video_analyzer.feature_db.conftest import Open
from tests.video_analyzer.feature_db.faces import MODEL, NOW, SEEN, QuickDisk, faces
from video_analyzer.feature_db import Feature, FeatureStore, Former, People
from video_analyzer.feature_db.erasure import erase
from video_analyzer.feature_db.export import held_of, import_store
from video_analyzer.feature_db.scan import scan
from video_analyzer.feature_db.succession import Sighting, progress, search_both, take_over

Call = Callable[[FeatureStore, list[Feature], Any], object]

#: Each call as tenant b, with what belongs to tenant a; what must come of it.
CALLS: dict[str, tuple[Call, object]] = {
    "add": (
        lambda b, a, v: b.add(MODEL, v[:1], SEEN, persons=[a[0].raw_id]),
        UnknownReference,
    ),
    "identify_or_create": (
        lambda b, a, v: b.identify_or_create(MODEL, v[0], SEEN, threshold=0.9).is_new,
        True,
    ),
    "delete": (lambda b, a, v: b.delete([one.feature for one in a[10:]]), 0),
    "expire": (lambda b, a, v: b.expire(NOW), 0),
    "search": (lambda b, a, v: b.search(MODEL, v, threshold=0.99), [[]] * 40),
    "get": (lambda b, a, v: b.get([one.feature for one in a[10:]]), []),
    "features_of": (lambda b, a, v: b.features_of(a[0].raw_id), UnknownReference),
    "stats": (lambda b, a, v: b.stats().persons, 1),
    "checkpoint": (lambda b, a, v: b.checkpoint(purge=True, whole=True), None),
    "current": (lambda b, a, v: People(b).current(a[0].raw_id), UnknownReference),
    "members": (lambda b, a, v: People(b).members(a[0].raw_id), UnknownReference),
    "links": (lambda b, a, v: People(b).links(a[0].raw_id), UnknownReference),
    "moved": (lambda b, a, v: People(b).moved(), {}),
    "merge": (
        lambda b, a, v: People(b).merge(a[0].raw_id, a[1].raw_id, NOW),
        UnknownReference,
    ),
    "split": (lambda b, a, v: People(b).split(41, NOW), UnknownReference),
    "part": (lambda b, a, v: People(b).part(a[2].raw_id, a[3].raw_id, NOW), UnknownReference),
    "rejoin": (
        lambda b, a, v: People(b).rejoin(a[2].raw_id, a[3].raw_id, NOW),
        UnknownReference,
    ),
    "erase": (lambda b, a, v: erase(b, a[0].raw_id), UnknownReference),
    "held_of": (lambda b, a, v: held_of(b, a[0].raw_id), UnknownReference),
    "progress": (lambda b, a, v: progress(b, MODEL, "next").persons, 1),
    "take_over": (
        lambda b, a, v: take_over(b, Former(MODEL, v[0], 0.9), "next", v[0], Sighting("s1", NOW)),
        False,
    ),
    "search_both": (
        lambda b, a, v: search_both(b, "next", v[0], Former(MODEL, v[0], 0.9), k=9, threshold=0.9),
        [],
    ),
    "scan": (lambda b, a, v: scan(b.folder, b.key, [a[0].raw_id], v[:2]).clean, True),
}
#: Calls that take nothing from a tenant.
ALONE = {"close", "commit"}


def test_every_public_call_is_tried() -> None:
    names = {
        name
        for kind in (FeatureStore, People)
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }
    assert names - ALONE <= CALLS.keys()
    assert len(names) > 10


@pytest.mark.parametrize("name", CALLS)
def test_no_call_reaches_another_tenant(
    database: Open, rng: np.random.Generator, name: str
) -> None:
    call, expected = CALLS[name]
    base = database(disk=QuickDisk())
    vectors = faces(rng, 40)
    with base.open_store("a") as a, base.open_store("b") as b:
        theirs = a.add(MODEL, vectors, SEEN)
        assert People(a).merge(theirs[0].raw_id, theirs[1].raw_id, NOW) == 41
        b.add(MODEL, -vectors.sum(axis=0, keepdims=True), SEEN)
        a.checkpoint()
        if isinstance(expected, type):
            with pytest.raises(expected) as caught:
                call(b, theirs, vectors)
            assert theirs[0].raw_id not in str(caught.value)
        else:
            assert call(b, theirs, vectors) == expected
        assert [m[0].feature.raw_id for m in a.search(MODEL, vectors)] == [
            one.raw_id for one in theirs
        ]
        assert People(a).members(theirs[1].raw_id) == sorted(one.raw_id for one in theirs[:2])
        assert a.stats().persons == 40


def test_files_of_one_tenant_do_not_open_as_anothers(
    database: Open, rng: np.random.Generator, tmp_path: Path
) -> None:
    base = database()
    for tenant in ("a", "b"):
        with base.open_store(tenant) as store:
            store.add(MODEL, faces(rng, 5), SEEN)
            store.checkpoint()
    root = tmp_path / "db"
    assert base.tenants() == ["a", "b"]
    shutil.copytree(root / "a", root / "c")
    with pytest.raises(IntegrityError):  # the whole folder under another name
        base.open_store("c")
    for path in (root / "a").glob("part-*"):
        shutil.copy(path, root / "b" / path.name)
    with pytest.raises(IntegrityError):
        base.open_store("b")


def test_forgetting_a_tenant_starts_with_its_key(
    database: Open, rng: np.random.Generator, tmp_path: Path
) -> None:
    base = database()
    with base.open_store("a") as store:
        store.add(MODEL, faces(rng, 5), SEEN)
    backup = tmp_path / "backup"
    shutil.copytree(tmp_path / "db" / "a", backup)
    base.forget_tenant("a")
    assert base.tenants() == []
    (backup / "key.sealed").unlink()  # a backup that keeps keys apart
    backup.rename(tmp_path / "db" / "a")
    with pytest.raises(IntegrityError, match="key is missing"):
        base.read_store("a")
    with pytest.raises(IntegrityError, match="key is missing"):
        base.open_store("a")


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "a\0"])
def test_a_tenants_name_cannot_leave_its_folder(database: Open, name: str) -> None:
    with pytest.raises(InputError):
        database().open_store(name)


def test_a_copy_opens_for_its_own_tenant_alone(
    database: Open, rng: np.random.Generator, tmp_path: Path
) -> None:
    from video_analyzer.feature_db.export import export_store

    base = database()
    vectors = faces(rng, 70)
    with base.open_store("a") as a, base.open_store("b") as b:
        a.add(MODEL, vectors, SEEN)
        a.checkpoint()
        added = a.add(MODEL, faces(rng, 1), SEEN)
        a.delete([added[0].feature])
        path = export_store(a)
        with pytest.raises(InputError, match="already"):
            import_store(a, path)
        with pytest.raises(IntegrityError):
            import_store(b, path)
        with pytest.raises(InputError, match="no such file"):
            import_store(b, path.with_name("other"))
        assert b.stats().persons == 0
    moved = tmp_path / "copy"
    path.rename(moved)
    key = (tmp_path / "db" / "a" / "key.sealed").read_bytes()
    shutil.rmtree(tmp_path / "db" / "a")
    (tmp_path / "db" / "a").mkdir()
    (tmp_path / "db" / "a" / "key.sealed").write_bytes(key)
    with base.open_store("a") as a:
        assert import_store(a, moved) == 70
        assert all(m[0].score > 0.999 for m in a.search(MODEL, vectors))
        assert a.stats().persons == 71
        assert a.expire(NOW + timedelta(days=31)) == 70
