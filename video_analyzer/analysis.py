"""One camera's way from pictures to events: detector, tracker, counter, one after the other.

An `Analysis` knows nothing of files or streams. It can be stopped after any picture and go on
elsewhere from its state, and then tells what it would have told without the stop, unless the
camera's lines, policies or detector are others by then: open tracks end, others begin.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import orjson

from tenpo.errors import InputError
from video_analyzer.camera import Camera
from video_analyzer.count.counter import Counter
from video_analyzer.detect import Detections, Detector, Picture
from video_analyzer.events import VisitEvent
from video_analyzer.recognition import Recogniser, held_events
from video_analyzer.source.frames import Frame
from video_analyzer.track import Seen
from video_analyzer.track.bytetrack import ByteTrack

_STATE_VERSION = 3
_CLOCK_WENT_BACK_US = 5_000_000


class Analysis:
    """Analyses one camera.

    Args:
        camera: which.
        detector: finds people; keeps no state that events depend on, but for `motion`.
        recogniser: knows people again, of this analysis alone; None where faces are off.

    Attributes:
        frame_count: pictures taken up; those not later than the one before are left out.
        seen: who is in the latest picture.
    """

    def __init__(
        self, camera: Camera, detector: Detector, recogniser: Recogniser | None = None
    ) -> None:
        self._camera, self._detector, self._recogniser = camera, detector, recogniser
        self._tracker = _tracker_of(camera)
        if recogniser is not None:
            recogniser.begin()
        self._last_us: int | None = None
        self.counter = Counter(camera, detector.label)
        self.frame_count = 0
        self.seen: list[Seen] = []

    def look(self, frame: Frame) -> list[VisitEvent]:
        """What happened, by a picture."""
        found = self._detector.detect(frame.picture)
        return self.take(frame.at_us, frame.lost, found, frame.picture)

    def take(
        self, at_us: int, lost: int, found: Detections, picture: Picture | None = None
    ) -> list[VisitEvent]:
        """As `look`, where people have been found already.

        When the clock goes back by seconds, all tracks end and others begin.
        """
        self.frame_count += 1
        ended: list[VisitEvent] = []
        if self._last_us is not None and at_us <= self._last_us:
            if self._last_us - at_us < _CLOCK_WENT_BACK_US:
                return []
            ended, self._tracker = self.finish(), _tracker_of(self._camera)
        self._last_us = at_us
        tracked = self._tracker.update(at_us, found)
        self.seen = list(tracked.seen)
        events = self.counter.update(at_us, lost, tracked)
        if self._recogniser is not None and picture is not None:
            names = self.counter.names()
            seen = {names[one.track]: one.box for one in self.seen}
            events = self._recogniser.update(at_us, picture, seen, names.values(), events)
        return ended + events

    @property
    def last_us(self) -> int | None:
        """When the latest picture was taken, microseconds since 1970; None before any."""
        return self._last_us

    def look_through(self, detector: Detector) -> list[VisitEvent]:
        """Another detector from now on: open tracks end, others begin."""
        ended = self.finish()
        self._detector, self._tracker = detector, _tracker_of(self._camera)
        self.counter = Counter(self._camera, detector.label)
        return ended

    def look_all(self, frames: Iterable[Frame]) -> list[VisitEvent]:
        """What happened, by many pictures."""
        return [event for frame in frames for event in self.look(frame)]

    def finish(self) -> list[VisitEvent]:
        """What happened to those who are in view: no further picture will come."""
        events = self.counter.finish()
        return events if self._recogniser is None else self._recogniser.finish(events)

    def settle(self) -> None:
        """Find out who is in view by what has been seen: a chunk of the recording ends.

        `state` does so, too; both make the same events only if both ways settle alike.
        """
        if self._recogniser is not None:
            self._recogniser.settle()

    def state(self) -> bytes:
        """All that the next pictures depend on; no picture, no feature."""
        known = None if self._recogniser is None else self._recogniser.state()
        return orjson.dumps(
            {
                "version": _STATE_VERSION,
                "made_by": self._digest,
                "detector": self._detector.label,
                "zones": [zone.zone_id for zone in self._camera.zones],
                "last_us": self._last_us,
                "tracker": self._tracker.state(),
                "counter": self.counter.state(),
                "recogniser": known,
            }
        )

    def restore(self, state: bytes) -> None:
        """Go on from a state of the same camera, lines, policies and detector.

        Raises:
            InputError: it is another's.
        """
        try:
            read = orjson.loads(state)
            if (read["version"], read["made_by"]) != (_STATE_VERSION, self._digest):
                raise ValueError("another camera's")
            self._last_us = read["last_us"]
            self._tracker.restore(read["tracker"])
            self.counter.restore(read["counter"])
            if self._recogniser is not None:
                self._recogniser.restore(read["recogniser"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                "the state is not of this camera and detector",
                where=self._camera.camera_id,
                remedy="Begin without a state: open tracks begin anew.",
            ) from error

    def end(self, state: bytes) -> list[VisitEvent]:
        """What becomes of the open tracks of a state that cannot be gone on from.

        Raises:
            InputError: it holds no tracks that are known here.
        """
        try:
            read = orjson.loads(state)
            zones = read.get("zones", [zone.zone_id for zone in self._camera.zones])
            former = Counter(self._camera, read["detector"], zones)
            former.restore(read["counter"])
            held = held_events(read["recogniser"]) if read.get("recogniser") else []
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                "the state is of no known version",
                where=self._camera.camera_id,
                remedy="Begin without a state: who was in view is not told to have left.",
            ) from error
        return held + former.finish()

    @property
    def _digest(self) -> str:
        """All that a state's meaning depends on: lines, zones, policies, detector, features."""
        model = "" if self._recogniser is None else self._recogniser.label
        face_models = {"face_model", "former_face_model"}  # the label tells what counts of them
        camera = self._camera.model_dump_json(exclude=face_models)
        told = f"{self._detector.label}\n{model}\n{camera}"
        return hashlib.sha256(told.encode()).hexdigest()


def _tracker_of(camera: Camera) -> ByteTrack:
    aspect = camera.width / camera.height
    return ByteTrack(aspect, camera.frames_per_s, camera.confirm_frames, camera.lost_s)


def in_order(events: Iterable[VisitEvent]) -> list[VisitEvent]:
    """Events by time."""
    return sorted(events, key=lambda one: (one.occurred_us, one.track_id, one.zone_id, one.kind))
