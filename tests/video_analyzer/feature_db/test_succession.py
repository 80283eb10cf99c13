"""One model replaces another: who was known stays known, and nothing lives longer for it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tenpo.errors import InputError, UnknownReference
from tests.video_analyzer.feature_db.conftest import Open
from tests.video_analyzer.feature_db.faces import MODEL, NOW, SEEN, QuickDisk
from video_analyzer.feature_db import FeatureStore, Former, People, Seen
from video_analyzer.feature_db.erasure import erase
from video_analyzer.feature_db.records import Floats
from video_analyzer.feature_db.succession import Sighting, progress, sightings, take_over

NEXT = "sface-2"
OLD, NEW = np.eye(8, dtype=np.float32), np.eye(5, 6, dtype=np.float32)


def offer(store: FeatureStore, face: int, at: Sighting, new: Floats | None = None) -> bool:
    former = Former(MODEL, OLD[face], 0.9)
    return take_over(store, former, NEXT, NEW[face] if new is None else new, at)


def test_recordings_bring_people_over_and_nobody_twice(database: Open) -> None:
    later = Seen("s2", NOW + timedelta(hours=1), SEEN.expires_at + timedelta(days=2))
    with database(disk=QuickDisk()).open_store("acme") as store:
        ann, ben = store.add(MODEL, OLD[:2], SEEN)
        [cat] = store.add(MODEL, OLD[2:3], later)
        begun = progress(store, MODEL, NEXT)
        assert (begun.persons, begun.waiting, begun.over_at) == (3, 3, later.expires_at)
        ever = NOW - timedelta(days=1)
        assert sightings(store, MODEL, NEXT, "s1", after=ever, limit=9) == [Sighting("s1", NOW)]
        assert sightings(store, MODEL, NEXT, "s1", after=NOW, limit=9) == []
        here, there = Sighting("s1", NOW), Sighting("s2", later.observed_at)
        assert not offer(store, 2, here)  # alike, but of another picture
        assert not offer(store, 0, Sighting("s2", NOW))
        assert not offer(store, 3, here)  # of that picture, but somebody else
        assert [offer(store, 0, here), offer(store, 0, here)] == [True, False]
        assert offer(store, 2, there)
        held = {one.model: one for one in store.features_of(cat.raw_id)}
        assert held[NEXT].seen == held[MODEL].seen == later  # it expires as it would have
        People(store).merge(ann.raw_id, ben.raw_id, NOW)
        assert not offer(store, 1, here)  # who ben is now is known already
        done = progress(store, MODEL, NEXT)
        assert (done.persons, done.waiting, done.over_at) == (2, 0, None)
        found = store.identify_or_create(NEXT, NEW[0], SEEN, threshold=0.9)
        assert (found.raw_id, found.is_new) == (ann.raw_id, False)
        assert store.expire(SEEN.expires_at) == 3
        assert {one.model for one in store.features_of(cat.raw_id)} == {MODEL, NEXT}


def test_who_is_met_again_keeps_the_id_and_an_erased_one_is_gone_from_both(database: Open) -> None:
    with database(disk=QuickDisk()).open_store("acme") as store:
        [ann] = store.add(MODEL, OLD[:1], SEEN)
        both = Former(MODEL, OLD[0], 0.9)
        met = store.identify_or_create(NEXT, NEW[0], SEEN, threshold=0.9, former=both)
        assert (met.raw_id, met.is_new) == (ann.raw_id, False)
        assert met.score == pytest.approx(1)
        stranger = store.identify_or_create(
            NEXT, NEW[1], SEEN, threshold=0.9, former=Former(MODEL, OLD[1], 0.9)
        )
        assert stranger.is_new
        before = store.identify_or_create(MODEL, OLD[1], SEEN, threshold=0.9)
        assert before.raw_id == stranger.raw_id  # a camera with the former model alone
        assert erase(store, ann.raw_id).features == 2
        assert store.search(NEXT, NEW[:1], threshold=0.9) == [[]]
        assert not offer(store, 0, Sighting("s1", NOW))
        assert progress(store, MODEL, NEXT).persons == 1


def test_what_cannot_replace_anything_is_refused(database: Open) -> None:
    with database(disk=QuickDisk()).open_store("acme") as store:
        with pytest.raises(UnknownReference, match="no features of the model"):
            progress(store, MODEL, NEXT)
        store.add(MODEL, OLD[:1], SEEN)
        same = Former(MODEL, OLD[0], 0.9)
        with pytest.raises(InputError, match="replace itself"):
            progress(store, MODEL, MODEL)
        with pytest.raises(InputError, match="replace itself"):
            take_over(store, same, MODEL, OLD[0], Sighting("s1", NOW))
        with pytest.raises(InputError, match="replace itself"):
            store.identify_or_create(MODEL, OLD[0], SEEN, threshold=0.9, former=same)
        with pytest.raises(InputError, match="no direction"):
            offer(store, 0, Sighting("s1", NOW), np.zeros(6, np.float32))
        assert progress(store, MODEL, NEXT).waiting == 1
