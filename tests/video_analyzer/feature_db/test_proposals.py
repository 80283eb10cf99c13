"""Proposals and thresholds against angles that anybody can check."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians

import numpy as np
import pytest

from tenpo.errors import InputError, IntegrityError, UnknownReference
from tests.video_analyzer.feature_db.conftest import Open
from tests.video_analyzer.feature_db.faces import MODEL, NOW, SEEN, QuickDisk, faces
from video_analyzer.feature_db import FeatureStore, People, Seen
from video_analyzer.feature_db.calibration import calibrate
from video_analyzer.feature_db.erasure import erase
from video_analyzer.feature_db.proposals import PROPOSALS_FILE, propose, read_proposals
from video_analyzer.feature_db.records import Floats
from video_analyzer.feature_db.verify import verify


def at(*degrees: float) -> Floats:
    """Vectors at these angles of one circle: the cosine of two is that of their difference."""
    found = np.zeros((len(degrees), 8), np.float32)
    found[:, 0] = [cos(radians(angle)) for angle in degrees]
    found[:, 1] = [cos(radians(90 - angle)) for angle in degrees]
    return found


def people_at(store: FeatureStore, degrees: Sequence[float]) -> list[str]:
    return [one.raw_id for one in store.add(MODEL, at(*degrees), SEEN)]


def test_people_whose_features_are_alike_are_proposed_best_first(database: Open) -> None:
    with database(disk=QuickDisk()).open_store("acme") as store:
        a, b, c, _ = people_at(store, [0, 20, 30, 120])
        store.checkpoint()
        store.add(MODEL, at(2), SEEN, persons=[a])  # 18 degrees from b, and in the delta
        made = propose(store, MODEL, cos(radians(21)))
        assert [(one.a, one.b, one.pairs) for one in made.proposals] == [(b, c, 1), (a, b, 2)]
        assert made.proposals[0].score == pytest.approx(cos(radians(10)), abs=1e-5)
        assert made.proposals[1].score == pytest.approx(cos(radians(18)), abs=1e-5)
        assert read_proposals(store.folder, store.key) == made
        people = People(store)
        people.merge(b, c, NOW)
        [left] = propose(store, MODEL, cos(radians(21))).proposals
        assert (left.a, left.b, left.pairs) == (a, b, 2)
        people.part(a, c, NOW)  # who is b now
        assert propose(store, MODEL, cos(radians(21))).proposals == ()
        assert verify(store.folder, store.key).problems == ()
        with pytest.raises(UnknownReference):
            propose(store, "another", 0.9)


def test_proposals_do_not_outlive_who_is_erased(database: Open, rng: np.random.Generator) -> None:
    [one, other] = faces(rng, 2)
    near = one + 0.05 * rng.normal(size=32)
    with database(disk=QuickDisk()).open_store("acme") as store:
        a, b, _ = (made.raw_id for made in store.add(MODEL, [one, near, other], SEEN))
        assert len(propose(store, MODEL, 0.9).proposals) == 1
        proof = erase(store, a)
        assert any(found.file == PROPOSALS_FILE for found in proof.found_before)
        assert proof.completed_at is not None
        assert read_proposals(store.folder, store.key) is None
        assert propose(store, MODEL, 0.9).proposals == ()
        assert People(store).members(b) == [b]


def test_damaged_proposals_are_not_read(database: Open) -> None:
    with database(disk=QuickDisk()).open_store("acme") as store:
        people_at(store, [0, 5])
        propose(store, MODEL, 0.9)
        path = store.folder / PROPOSALS_FILE
        damaged = bytearray(path.read_bytes())
        damaged[60] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(IntegrityError):
            read_proposals(store.folder, store.key)


def test_a_threshold_lets_as_many_strangers_through_as_was_asked_for(database: Open) -> None:
    """101 people half a degree apart: 100 pairs at half a degree, 99 at one degree."""
    with database(disk=QuickDisk()).open_store("acme") as store:
        people = people_at(store, [n / 2 for n in range(51)])
        there = Seen("s2", NOW, SEEN.expires_at)
        people += [
            one.raw_id for one in store.add(MODEL, at(*(n / 2 for n in range(51, 101))), there)
        ]
        found = calibrate(store, MODEL, false_match_ratio=0.02)  # 101 of 5,050 pairs
        assert cos(radians(1)) < found.threshold <= cos(radians(0.5))
        every, first, second = found.groups
        assert (every.strangers, every.false_match_ratio) == (5_050, 100 / 5_050)
        assert (first.store_id, first.strangers, first.false_match_ratio) == (
            "s1", 1_275, 50 / 1_275,
        )  # fmt: skip
        assert (second.store_id, second.strangers, second.false_match_ratio) == (
            "s2", 1_225, 49 / 1_225,
        )  # fmt: skip
        # by Wilson: (0.019802 + 0.000380 + 1.96 x 0.001970) / 1.000761
        assert every.false_match_at_most == pytest.approx(0.02402, abs=2e-5)
        assert every.false_non_match_ratio is None
        People(store).merge(people[0], people[50], NOW)  # 25 degrees apart
        People(store).merge(people[7], people[8], NOW)
        wide = calibrate(store, MODEL, threshold=cos(radians(0.6))).groups[0]
        assert (wide.pairs_of_one, wide.false_non_match_ratio) == (2, 0.5)
        assert (wide.strangers, wide.false_match_ratio) == (5_048, 99 / 5_048)


def test_too_few_strangers_are_said_to_be_too_few(database: Open) -> None:
    with database(disk=QuickDisk()).open_store("acme") as store:
        people_at(store, list(range(20)))
        with pytest.raises(InputError, match="190 pairs of strangers"):
            calibrate(store, MODEL)
