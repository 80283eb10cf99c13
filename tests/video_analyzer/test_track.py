"""The tracker: who is who, by boxes that the tests draw."""

from __future__ import annotations

import json

import numpy as np

from video_analyzer.detect import NOBODY, Detections
from video_analyzer.track import Tracked
from video_analyzer.track.bytetrack import ByteTrack

STEP_US = 100_000


def tracker(confirm_frames: int = 3) -> ByteTrack:
    return ByteTrack(4 / 3, 10, confirm_frames, lost_s=1.0)


def people(*centres: float, score: float = 0.9) -> Detections:
    """People of a tenth of the width and a third of the height, beside each other."""
    boxes = [[x - 0.05, 0.3, x + 0.05, 0.63] for x in centres]
    return Detections(np.array(boxes).reshape(-1, 4), np.full(len(boxes), score))


def followed(one: ByteTrack, pictures: list[Detections], start: int = 0) -> list[Tracked]:
    return [one.update((start + n) * STEP_US, found) for n, found in enumerate(pictures)]


def test_a_track_counts_once_confirmed_and_says_when_it_began() -> None:
    told = followed(tracker(), [people(0.2 + 0.01 * n) for n in range(6)])
    assert [len(one.seen) for one in told] == [0, 0, 1, 1, 1, 1]
    assert {(seen.track, seen.first_us) for one in told for seen in one.seen} == {(0, 0)}


def test_a_flicker_is_nobody() -> None:
    told = followed(tracker(), [people(0.2), people(0.2), NOBODY, NOBODY, people(0.2), NOBODY])
    assert [seen for one in told for seen in one.seen] == []


def test_who_is_hidden_shortly_stays_the_same() -> None:
    pictures = [people(0.2 + 0.01 * n) if n not in range(8, 14) else NOBODY for n in range(25)]
    told = followed(tracker(), pictures)
    assert {seen.track for one in told for seen in one.seen} == {0}
    assert [number for one in told for number in one.ended] == []


def test_who_is_gone_for_longer_ends() -> None:
    told = followed(tracker(), [people(0.2)] * 5 + [NOBODY] * 15 + [people(0.2)] * 5)
    assert {seen.track for one in told for seen in one.seen} == {0, 1}
    assert [number for one in told for number in one.ended] == [0]


def test_two_who_pass_each_other_keep_their_tracks() -> None:
    """Side by side at different heights, as people at different distances are."""
    pictures = []
    for n in range(40):
        boxes = [
            [0.1 + 0.02 * n, 0.2, 0.2 + 0.02 * n, 0.5],
            [0.8 - 0.02 * n, 0.4, 0.9 - 0.02 * n, 0.9],
        ]
        pictures.append(Detections(np.array(boxes), np.array([0.9, 0.9])))
    last = followed(tracker(), pictures)[-1]
    assert [seen.track for seen in last.seen] == [0, 1]
    assert last.seen[0].box[0] > last.seen[1].box[0]


def test_a_box_comes_back_where_it_was() -> None:
    told = followed(tracker(), [people(0.4)] * 4)[-1].seen[0]
    np.testing.assert_allclose(told.box, [0.35, 0.3, 0.45, 0.63])


def test_a_state_goes_through_json_and_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    pictures = [
        people(*(x + 0.01 * n + rng.normal(0, 0.004) for x in (0.1, 0.4, 0.7)))
        if n % 7 else NOBODY
        for n in range(30)
    ]  # fmt: skip
    for cut in (1, 2, 8, 14, 21):
        whole, first, second = tracker(), tracker(), tracker()
        expected = followed(whole, pictures)
        told = followed(first, pictures[:cut])
        second.restore(json.loads(json.dumps(first.state())))
        told += followed(second, pictures[cut:], cut)
        assert _plain(told) == _plain(expected)
    assert sum(len(one.seen) for one in expected) > 60


def _plain(told: list[Tracked]) -> list[object]:
    return [
        ([(s.track, s.first_us, s.box.tolist()) for s in one.seen], list(one.ended)) for one in told
    ]
