"""From pictures to persons in events, with the real feature service behind."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
import pytest

from tenpo.errors import ServiceError
from tenpo.identifiers import micros
from tests.video_analyzer.faces.portrait import portrait, resnet, yunet
from tests.video_analyzer.identity.scene import (
    BLUE,
    BOX,
    GREEN,
    HEIGHT,
    MODEL,
    RED,
    WIDTH,
    Colours,
    FaceSpotter,
    Greys,
    Scene,
    Walker,
    hall,
    told,
)
from video_analyzer.analysis import Analysis
from video_analyzer.detect import Detections
from video_analyzer.events import VisitEvent
from video_analyzer.faces.face import Floats, Picture
from video_analyzer.feature_service.client import FeatureClient
from video_analyzer.identity.recogniser import WAIT_US, FaceRecogniser, Identify, Stages
from video_analyzer.source.frames import Frame

START = micros(datetime.now(UTC) - timedelta(hours=1))
GONE_S = 2.0  # a camera's `lost_s`


class Spy:
    """Notes and fails whoever looks for a face."""

    label, dimension, threshold = "spy-1", 1, 0.5

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find(self, picture: Picture) -> Any:
        self.asked.append("find")
        raise AssertionError(picture.shape)

    def extract(self, chips: Sequence[Picture]) -> Any:
        self.asked.append("extract")
        raise AssertionError(len(chips))


def recogniser(
    scene: Scene,
    identify: Identify,
    extractor: Any = None,
    timeout_s: float = 5.0,
    former: Colours | None = None,
) -> FaceRecogniser:
    stages = Stages(FaceSpotter(scene), extractor or Colours(), identify, timeout_s, former)
    return FaceRecogniser("s1", stages, lambda: True)


def by_track(events: Sequence[VisitEvent]) -> list[list[VisitEvent]]:
    tracks: dict[str, list[VisitEvent]] = {}
    for one in events:
        tracks.setdefault(one.track_id, []).append(one)
    return [tracks[name] for name in sorted(tracks)]


def bare(events: Sequence[VisitEvent]) -> list[VisitEvent]:
    """Events without anything of a person, in order."""
    names = ("person_id", "match_score", "quality", "face_model", "face_state")
    nothing: dict[str, Any] = dict.fromkeys(names)
    made = [replace(one, **nothing) for one in events]
    return sorted(made, key=lambda one: (one.occurred_us, one.track_id, one.zone_id, one.kind))


def test_who_comes_back_is_known_and_a_stranger_is_not(features: FeatureClient) -> None:
    scene = Scene([Walker(0, RED), Walker(60, BLUE), Walker(120, RED, hidden=15)], START)
    events = told(scene, recogniser(scene, features.identify), 160)
    first, stranger, again = by_track(events)
    for track in (first, stranger, again):
        assert [one.kind for one in track] == ["zone_enter", "enter", "zone_exit"]
        assert len({one.person_id for one in track}) == 1
        assert {one.face_model for one in track} == {MODEL}
        assert all(0.5 < (one.quality or 0) <= 1 for one in track)
    assert {one.face_state for one in (*first, *stranger)} == {"new"}
    assert {one.match_score for one in (*first, *stranger)} == {None}
    assert {one.face_state for one in again} == {"matched"}
    assert again[0].match_score == pytest.approx(1, abs=0.01)
    assert first[0].person_id == again[0].person_id != stranger[0].person_id
    assert str(first[0].person_id).startswith("p_")
    assert bare(events) == bare(told(scene, None, 160))


def test_a_new_model_knows_whom_the_former_one_knew(features: FeatureClient) -> None:
    teal, gold = (150, 160, 20), (30, 150, 160)
    scenes = [Scene(walkers, START + number * 10**9) for number, walkers in enumerate((
        [Walker(0, teal)], [Walker(0, gold), Walker(60, teal)], [Walker(0, teal), Walker(60, gold)]
    ))]  # fmt: skip
    models = (Colours(), None), (Greys(), Colours()), (Greys(), None)
    (first,), (new, again), (third, fourth) = (
        by_track(told(scene, recogniser(scene, features.identify, model, former=former), 100))
        for scene, (model, former) in zip(scenes, models, strict=True)
    )
    known = first[0].person_id
    assert (again[0].person_id, again[0].face_state) == (known, "matched")
    assert (new[0].face_state, again[0].face_model) == ("new", Greys.label)
    assert [one[0].person_id for one in (third, fourth)] == [known, new[0].person_id]


def test_two_at_once_keep_their_own_faces_and_cost_one_batch(features: FeatureClient) -> None:
    scene = Scene([Walker(0, GREEN), Walker(8, (150, 150, 40))], START + 10**9)
    colours = Colours()
    events = told(scene, recogniser(scene, features.identify, colours), 33)
    one, other = by_track(events)
    assert one[0].person_id != other[0].person_id
    assert None not in (one[0].person_id, other[0].person_id)
    assert max(colours.batches) <= 10  # five of the best a track, however many were seen


def test_a_face_that_is_never_seen_is_told_as_such(features: FeatureClient) -> None:
    scene = Scene([Walker(0, RED, hidden=99)], START)
    events = told(scene, recogniser(scene, features.identify), 40)
    assert {(one.face_state, one.person_id) for one in events} == {("unseen", None)}
    assert len(events) == 3


def test_events_wait_for_a_face_and_not_for_ever(features: FeatureClient) -> None:
    scene = Scene([Walker(0, RED, hidden=130, steps=200)], START)
    analysis = Analysis(hall(), scene, recogniser(scene, features.identify))
    given = [(frame.at_us, one) for frame in scene.frames(0, 250) for one in analysis.look(frame)]
    assert {one.kind: one.face_state for _, one in given} == {
        "zone_enter": "unseen", "enter": "matched", "zone_exit": "matched"}  # fmt: skip
    waited = {one.kind: at_us - one.occurred_us for at_us, one in given}
    assert WAIT_US <= waited["zone_enter"] <= WAIT_US + 100_000
    assert waited["enter"] < WAIT_US


class Mixed(Colours):
    """Makes another person of every second chip."""

    def extract(self, chips: Sequence[Picture]) -> Floats:
        made = super().extract(chips)
        made[::2] = np.roll(made[::2], 1, axis=1)
        return made


def test_faces_that_disagree_are_nobodys() -> None:
    def never(*_: object, **__: object) -> Any:
        raise AssertionError("asked who it is")

    scene = Scene([Walker(0, RED, hidden=18)], START)
    events = told(scene, recogniser(scene, never, Mixed()), 40)
    assert {(one.face_state, one.person_id) for one in events} == {("unclear", None)}


class Broken(Colours):
    """A model that fails, or hangs until it is let go."""

    def __init__(self, hangs: threading.Event | None = None) -> None:
        super().__init__()
        self._hangs = hangs

    def extract(self, chips: Sequence[Picture]) -> Floats:
        if self._hangs is None:
            raise RuntimeError("broken")
        self._hangs.wait(10)
        return super().extract(chips)


def down(*_: object, **__: object) -> Any:
    raise ServiceError("down")


@pytest.mark.parametrize("what", ["model", "slow model", "service"])
def test_people_are_counted_whatever_fails(what: str, features: FeatureClient) -> None:
    scene, hangs = Scene([Walker(0, RED), Walker(40, BLUE)], START), threading.Event()
    made = {
        "model": lambda: recogniser(scene, features.identify, Broken()),
        "slow model": lambda: recogniser(scene, features.identify, Broken(hangs), 0.05),
        "service": lambda: recogniser(scene, down),
    }[what]()
    events = told(scene, made, 80)
    hangs.set()
    assert {(one.face_state, one.person_id) for one in events} == {("failed", None)}
    assert {one.face_model for one in events} == {MODEL}
    assert bare(events) == bare(told(scene, None, 80))
    assert len(events) == 6


def test_a_store_without_faces_computes_nothing_of_one() -> None:
    """Neither with `faces: false`, nor after the store's master was changed."""
    scene, spy = Scene([Walker(0, RED)], START), Spy()
    stages = Stages(spy, spy, down)
    events = told(scene, FaceRecogniser("s1", stages, lambda: False), 40)
    assert bare(events) == bare(told(scene, None, 40))
    assert {one.person_id for one in events} == {None}
    assert spy.asked == []
    told(scene, FaceRecogniser("s1", stages, lambda: True), 40)
    assert "find" in spy.asked  # it does see who looks


@pytest.mark.parametrize("cut", [5, 12, 20, 30])
def test_a_state_hands_on_persons_but_no_face(cut: int, features: FeatureClient) -> None:
    """Two who go on at the same picture find the same; the state has neither chip nor feature."""
    walkers = [Walker(0, RED), Walker(10, BLUE, hidden=8)]
    runs = []
    for _ in range(2):
        scene = Scene(walkers, START)
        made = recogniser(scene, features.identify)
        runs.append(told(scene, made, 50, [cut]))
    assert [(one.document_key, one.person_id) for one in runs[0]] == [
        (one.document_key, one.person_id) for one in runs[1]]  # fmt: skip
    assert len({one.person_id for one in runs[0]}) == 2
    assert {one.face_state for one in runs[1]} == {"matched"}
    assert bare(runs[0]) == bare(told(Scene(walkers, START), None, 50))
    scene = Scene(walkers, START)
    analysis = Analysis(hall(), scene, recogniser(scene, features.identify))
    analysis.look_all(scene.frames(0, cut))
    state = json.loads(analysis.state())["recogniser"]
    assert set(state) == {"looked_us", "visitors", "held"}
    for known in state["visitors"].values():
        assert known is None or set(known) == {
            "face_state", "person_id", "match_score", "quality"}  # fmt: skip


class Passer:
    """Somebody with a real face, who walks by; also the detector that finds them."""

    label, width, height, spent_s = "passer-1", WIDTH, HEIGHT, 0.0

    def __init__(self) -> None:
        size = BOX[0], round(BOX[0] * 1.17)
        self._head = np.asarray(cv2.resize(portrait()[60:400, 120:410], size), np.uint8)
        self._left = 0

    def frames(self, begins: int) -> list[tuple[int, Picture]]:
        made = []
        for step in range(14):
            picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
            left = 40 + 35 * step
            picture[100 : 100 + BOX[1], left : left + BOX[0]] = 60
            picture[100 : 100 + len(self._head), left : left + BOX[0]] = self._head
            made.append((begins + step, picture))
        return made

    def detect(self, picture: Picture) -> Detections:
        columns = np.flatnonzero(picture[350, :, 0] == 60)
        if not len(columns):
            return Detections(np.zeros((0, 4)), np.zeros(0))
        box = (columns[0], 100, columns[-1] + 1, 100 + BOX[1])
        return Detections(np.array([box]) / (WIDTH, HEIGHT, WIDTH, HEIGHT), np.ones(1))


def test_a_real_face_is_known_again_by_the_real_models(features: FeatureClient) -> None:
    passer = Passer()
    stages = Stages(yunet(), resnet(), features.identify)
    analysis = Analysis(hall(), passer, FaceRecogniser("s1", stages, lambda: True))
    empty = [(20, np.full((HEIGHT, WIDTH, 3), 120, np.uint8))]
    events: list[VisitEvent] = []
    for number, picture in (*passer.frames(0), *empty, *passer.frames(50)):
        events += analysis.look(Frame(number, START + number * 100_000, 0, picture))
    first, again = by_track(events + analysis.finish())
    assert {one.face_state for one in first} == {"new"}
    assert {one.face_state for one in again} == {"matched"}
    assert {one.person_id for one in first} == {one.person_id for one in again} != {None}
    assert {one.face_model for one in again} == {"dlib_resnet-1"}
    assert (again[0].match_score or 0) > 0.97
