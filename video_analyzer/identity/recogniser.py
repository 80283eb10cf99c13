"""Knows people again: looks at the faces of open tracks, asks who it is, and tells the events.

A track is settled once: when it has enough good faces, when it ends, when its events have waited
long enough, or when a chunk of the recording ends. So `run` and `bulk` settle at the same
pictures, and a state holds persons but neither pictures nor features. Whatever fails here, people
are counted; the events say that it failed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import numpy as np

from tenpo.contracts.events import FaceState
from tenpo.errors import TenpoError
from tenpo.telemetry import get_logger
from video_analyzer.detect.detection import Boxes, Picture
from video_analyzer.events import VisitEvent, moment
from video_analyzer.faces.chip import cut
from video_analyzer.faces.face import FaceDetector, FaceExtractor, Floats
from video_analyzer.faces.guard import Guard
from video_analyzer.faces.quality import judge
from video_analyzer.identity.album import Album, Shot
from video_analyzer.identity.heads import faces_of
from video_analyzer.identity.vote import vote, weighted_mean
from video_analyzer.recognition import held_events

log = get_logger(__name__)

_LOOK_EVERY_US = 200_000
#: Events wait no longer for a face: an occupancy of the minute needs them.
WAIT_US = 10_000_000


class Answer(Protocol):
    """Who it is, as the feature database says."""

    @property
    def raw_id(self) -> str:
        """Pseudonym of the visit."""

    @property
    def score(self) -> float | None:
        """Cosine with the nearest feature."""

    @property
    def is_new(self) -> bool:
        """Whether nobody was like this."""


class Identify(Protocol):
    """Asks the feature database who somebody is; `FeatureClient.identify` does."""

    def __call__(
        self,
        model: str,
        vector: Sequence[float],
        store_id: str,
        observed_at: datetime,
        *,
        former: tuple[str, Sequence[float]] | None = None,
    ) -> Answer:
        """Who it is, or a new person; `former` is how the model sees it that is being replaced."""


@dataclass(frozen=True)
class Known:
    """What a track was settled to, as events tell it."""

    face_state: FaceState
    person_id: str | None = None
    match_score: float | None = None
    quality: float | None = None


@dataclass
class _Visitor:
    album: Album = field(default_factory=Album)
    known: Known | None = None
    was_missed: bool = False  # the detector of faces failed while this one was in view


@dataclass(frozen=True)
class Stages:
    """What it works with.

    Args:
        detector: finds faces.
        extractor: makes features.
        identify: says who has a feature.
        timeout_s: of each call to any of them.
        former: made the features before; used beside the other until nobody waits any more.
    """

    detector: FaceDetector
    extractor: FaceExtractor
    identify: Identify
    timeout_s: float = 5.0
    former: FaceExtractor | None = None

    def features(self, chips: Sequence[Picture]) -> tuple[Floats, Floats | None]:
        """The features of chips, and those of the former model."""
        former = None if self.former is None else self.former.extract(chips)
        return self.extractor.extract(chips), former


class FaceRecogniser:
    """Recognises the people of one camera.

    Args:
        store_id: the camera's store.
        stages: see there.
        is_allowed: whether the store has faces now; asked before every look, nothing of a face
            is computed while it has not.
    """

    def __init__(self, store_id: str, stages: Stages, is_allowed: Callable[[], bool]) -> None:
        self.label = stages.extractor.label
        self._store_id, self._stages, self._is_allowed = store_id, stages, is_allowed
        self._finding = Guard(stages.detector.label, stages.timeout_s)
        self._extracting = Guard(stages.extractor.label, stages.timeout_s)
        self._asking = Guard("feature service", stages.timeout_s)
        self.begin()

    def begin(self) -> None:
        """Forget all tracks: another analysis begins."""
        self._visitors: dict[str, _Visitor] = {}
        self._held: list[VisitEvent] = []
        self._looked_us: int | None = None

    def update(
        self,
        at_us: int,
        picture: Picture,
        seen: Mapping[str, Boxes],
        alive: Collection[str],
        events: Sequence[VisitEvent],
    ) -> list[VisitEvent]:
        """Take up a picture; gives what need not wait any longer."""
        for track in seen:
            self._visitors.setdefault(track, _Visitor())
        self._look(at_us, picture, seen)
        self._held += events
        ended = self._visitors.keys() - set(alive)
        late = {one.track_id for one in self._held if at_us - one.occurred_us >= WAIT_US}
        full = {name for name, one in self._visitors.items() if one.album.is_full}
        self._settle(ended | late | full)
        told = self._told(late | ended)
        for track in ended:
            del self._visitors[track]
        return told

    def settle(self) -> None:
        """Settle all who have a face, by what has been seen of it."""
        self._settle(self._visitors)

    def finish(self, events: Sequence[VisitEvent]) -> list[VisitEvent]:
        """Everything that was held back, and these: all tracks have ended."""
        self._held += events
        self._settle(self._visitors)
        told = self._told({one.track_id for one in self._held})
        self._visitors.clear()
        return told

    def state(self) -> dict[str, Any]:
        """Persons and events that wait; faces at hand are settled first, and not handed on."""
        self.settle()
        known = {name: one.known and asdict(one.known) for name, one in self._visitors.items()}
        return {
            "looked_us": self._looked_us,
            "visitors": known,
            "held": [asdict(event) for event in self._held],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._looked_us, self._held = state["looked_us"], held_events(state)
        self._visitors = {
            name: _Visitor(known=None if known is None else Known(**known))
            for name, known in state["visitors"].items()
        }

    def _look(self, at_us: int, picture: Picture, seen: Mapping[str, Boxes]) -> None:
        open_ = {name: box for name, box in seen.items() if self._visitors[name].known is None}
        is_due = self._looked_us is None or abs(at_us - self._looked_us) >= _LOOK_EVERY_US
        if not open_ or not is_due or not self._is_allowed():
            return
        self._looked_us = at_us
        looked_at = picture.copy()  # a call that hangs outlives the picture's memory
        try:
            faces = self._finding.call(lambda: self._stages.detector.find(looked_at))
        except TenpoError:
            for name in open_:
                self._visitors[name].was_missed = True
            return
        height, width = picture.shape[:2]
        # Those who are settled have faces, too: theirs must not be given to somebody else.
        for name, row in faces_of(seen, faces, width, height).items():
            if name in open_:
                chip = cut(looked_at, faces.points[row])
                quality = judge(faces.points[row], chip).overall
                self._visitors[name].album.add(Shot(quality, at_us, chip))

    def _settle(self, names: Collection[str]) -> None:
        """Find out who these are, all in one batch; those without a face stay open."""
        asked = {
            name: one for name in sorted(names)
            if (one := self._visitors.get(name)) and one.known is None and one.album.shots
        }  # fmt: skip
        if not asked or not self._is_allowed():
            return
        chips = [shot.chip for one in asked.values() for shot in one.album.shots]
        try:
            features, former = self._extracting.call(lambda: self._stages.features(chips))
        except TenpoError:
            for one in asked.values():
                one.known, one.album = Known("failed"), Album()
            return
        start = 0
        for one in asked.values():
            end = start + len(one.album.shots)
            before = None if former is None else former[start:end]
            one.known = self._person(one.album.shots, features[start:end], before)
            start, one.album = end, Album()

    def _person(self, shots: Sequence[Shot], features: Floats, before: Floats | None) -> Known:
        qualities = np.array([shot.quality for shot in shots], np.float32)
        best = round(shots[0].quality, 3)
        voted = vote(features, qualities, self._stages.extractor.threshold)
        if voted is None:
            return Known("unclear", quality=best)
        vector, seen_at = voted.vector.tolist(), moment(shots[voted.members[0]].at_us)
        former = None
        if before is not None and self._stages.former is not None:
            members = list(voted.members)
            mean = weighted_mean(before[members], qualities[members])
            former = self._stages.former.label, mean.tolist()
        try:
            found = self._asking.call(
                lambda: self._stages.identify(
                    self.label, vector, self._store_id, seen_at, former=former
                )
            )
        except TenpoError as error:
            log.warning("person_not_asked", reason=type(error).__name__, what=error.what)
            return Known("failed", quality=best)
        if found.is_new:
            return Known("new", found.raw_id, None, best)
        score = None if found.score is None else round(min(1.0, max(0.0, found.score)), 4)
        return Known("matched", found.raw_id, score, best)

    def _told(self, late: Collection[str]) -> list[VisitEvent]:
        """Events of those who are settled, who have gone, or who have been waited for."""
        told, held = list[VisitEvent](), list[VisitEvent]()
        for event in self._held:
            visitor = self._visitors.get(event.track_id)
            if visitor is not None and visitor.known is None and event.track_id not in late:
                held.append(event)
                continue
            told.append(self._with_person(event, visitor))
        self._held = held
        return told

    def _with_person(self, event: VisitEvent, visitor: _Visitor | None) -> VisitEvent:
        known = None if visitor is None else visitor.known
        if known is None:
            is_missed = visitor is not None and visitor.was_missed
            known = Known("failed" if is_missed else "unseen")
        return replace(event, face_model=self.label, **asdict(known))
