"""One camera's way from pictures to events: detector, tracker, counter, one after the other.

An `Analysis` knows nothing of files or streams. It can be stopped after any picture and go on
elsewhere from its state, and then tells what it would have told without the stop.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from tenpo.errors import InputError
from video_analyzer.camera import Camera
from video_analyzer.count.counter import Counter
from video_analyzer.detect import Detections, Detector
from video_analyzer.events import VisitEvent
from video_analyzer.source.frames import Frame
from video_analyzer.track import Seen
from video_analyzer.track.bytetrack import ByteTrack

_STATE_VERSION = 1
_CLOCK_WENT_BACK_US = 5_000_000


class Analysis:
    """Analyses one camera.

    Args:
        camera: which.
        detector: finds people; keeps no state that events depend on, but for `motion`.

    Attributes:
        frame_count: pictures taken up.
        misplaced_count: of these, pictures not later than the one before: left out.
        seen: who is in the latest picture.
    """

    def __init__(self, camera: Camera, detector: Detector) -> None:
        self._camera, self._detector = camera, detector
        self._tracker = _tracker_of(camera)
        self._last_us: int | None = None
        self.counter = Counter(camera, detector.label)
        self.frame_count = self.misplaced_count = 0
        self.seen: list[Seen] = []

    def look(self, frame: Frame) -> list[VisitEvent]:
        """What happened, by a picture."""
        return self.take(frame.at_us, frame.lost, self._detector.detect(frame.picture))

    def take(self, at_us: int, lost: int, found: Detections) -> list[VisitEvent]:
        """As `look`, where people have been found already.

        When the clock goes back by seconds, all tracks end and others begin.
        """
        self.frame_count += 1
        ended: list[VisitEvent] = []
        if self._last_us is not None and at_us <= self._last_us:
            if self._last_us - at_us < _CLOCK_WENT_BACK_US:
                self.misplaced_count += 1
                return []
            ended, self._tracker = self.finish(), _tracker_of(self._camera)
        self._last_us = at_us
        tracked = self._tracker.update(at_us, found)
        self.seen = list(tracked.seen)
        return ended + self.counter.update(at_us, lost, tracked)

    def look_all(self, frames: Iterable[Frame]) -> list[VisitEvent]:
        """What happened, by many pictures."""
        return [event for frame in frames for event in self.look(frame)]

    def finish(self) -> list[VisitEvent]:
        """What happened to those who are in view: no further picture will come."""
        return self.counter.finish()

    def state(self) -> bytes:
        """All that the next pictures depend on; no picture, no feature."""
        return orjson.dumps(
            {
                "version": _STATE_VERSION,
                "camera_id": self._camera.camera_id,
                "detector": self._detector.label,
                "last_us": self._last_us,
                "tracker": self._tracker.state(),
                "counter": self.counter.state(),
            }
        )

    def restore(self, state: bytes) -> None:
        """Go on from a state of the same camera and detector.

        Raises:
            InputError: it is another's.
        """
        try:
            read = orjson.loads(state)
            owner = (read["version"], read["camera_id"], read["detector"])
            if owner != (_STATE_VERSION, self._camera.camera_id, self._detector.label):
                raise ValueError("another camera's")
            self._last_us = read["last_us"]
            self._tracker.restore(read["tracker"])
            self.counter.restore(read["counter"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                "the state is not of this camera and detector",
                where=self._camera.camera_id,
                remedy="Begin without a state: open tracks begin anew.",
            ) from error


def _tracker_of(camera: Camera) -> ByteTrack:
    aspect = camera.width / camera.height
    return ByteTrack(aspect, camera.frames_per_s, camera.confirm_frames, camera.lost_s)


def in_order(events: Iterable[VisitEvent]) -> list[VisitEvent]:
    """Events by time."""
    return sorted(events, key=lambda one: (one.occurred_us, one.track_id, one.zone_id, one.kind))
