"""ByteTrack, as the library `trackers` has it: a Kalman filter and the overlap of boxes.

Times of pictures are used, not their number, so that a varying rate is no matter. Boxes are
tracked in a picture 640 wide, whatever the camera's is: the filter's noise is in pixels.
Zhang et al. 2022, https://arxiv.org/abs/2110.06864; https://github.com/roboflow/trackers.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import supervision
from trackers.core.bytetrack.tracker import ByteTrackTracker
from trackers.core.bytetrack.tracklet import ByteTrackTracklet

from video_analyzer.detect.detection import Detections
from video_analyzer.track import Seen, Tracked

_WIDTH = 640.0
_NEW_TRACK_SCORE = 0.5
_STRONG_SCORE = 0.4
_LEAST_OVERLAP = 0.1
_BUFFER_RATE = 30  # the library counts its buffer in pictures of 30 a second
_COUNTERS = ("tracker_id", "age", "time_since_update", "time_since_update_seconds",
             "number_of_successful_consecutive_updates")  # fmt: skip


class ByteTrack:
    """Tracks of one camera.

    Args:
        aspect: width ÷ height of its picture.
        frames_per_s: usual rate.
        confirm_frames: pictures in a row before a track counts.
        lost_s: how long a confirmed track may be unseen.
    """

    def __init__(
        self, aspect: float, frames_per_s: float, confirm_frames: int, lost_s: float
    ) -> None:
        self._scale = np.array([_WIDTH, _WIDTH / aspect] * 2)
        self._tracker = ByteTrackTracker(
            lost_track_buffer=round(lost_s * _BUFFER_RATE),
            frame_rate=frames_per_s,
            track_activation_threshold=_NEW_TRACK_SCORE,
            minimum_consecutive_frames=confirm_frames,
            minimum_iou_threshold=_LEAST_OVERLAP,
            high_conf_det_threshold=_STRONG_SCORE,
        )
        self._times: deque[int] = deque(maxlen=confirm_frames)
        self._first_us: dict[int, int] = {}

    def update(self, at_us: int, found: Detections) -> Tracked:
        """Take up a picture."""
        self._times.append(at_us)
        boxes = supervision.Detections(xyxy=found.boxes * self._scale, confidence=found.scores)
        told = self._tracker.update(boxes, timestamp=at_us / 1e6)
        alive = {track.tracker_id: track for track in self._tracker.tracks if track.tracker_id >= 0}
        for number in sorted(alive.keys() - self._first_us.keys()):
            self._first_us[number] = self._times[-1 - min(alive[number].age, len(self._times) - 1)]
        ended = sorted(self._first_us.keys() - alive.keys())
        numbers = [] if told.tracker_id is None else told.tracker_id.tolist()
        seen = [
            Seen(number, self._first_us[number], box / self._scale)
            for number, box in zip(numbers, told.xyxy, strict=True)
            if number in alive
        ]
        for number in ended:
            del self._first_us[number]
        return Tracked(sorted(seen, key=lambda one: one.track), ended)

    def state(self) -> dict[str, Any]:
        """Tracks, times and the next number."""
        return {
            "next": self._tracker._next_track_id,
            "last": self._tracker._last_timestamp,
            "times": list(self._times),
            "first_us": {str(number): at_us for number, at_us in self._first_us.items()},
            "tracks": [_written(track) for track in self._tracker.tracks],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._tracker._next_track_id = state["next"]
        self._tracker._last_timestamp = state["last"]
        self._times.extend(state["times"])
        self._first_us = {int(number): at_us for number, at_us in state["first_us"].items()}
        self._tracker.tracks = [_read(track) for track in state["tracks"]]


def _written(track: ByteTrackTracklet) -> dict[str, Any]:
    """What of a track changes from picture to picture; all else the library makes anew."""
    kalman = track.state_estimator.kf
    return {
        "state": kalman.state.tolist(),
        "covariance": kalman.state_covariance.tolist(),
        **{name: getattr(track, name) for name in _COUNTERS},
    }


def _read(written: dict[str, Any]) -> ByteTrackTracklet:
    track = ByteTrackTracklet(np.array([0.0, 0.0, 1.0, 1.0]))
    track.state_estimator.kf.state = np.array(written["state"])
    track.state_estimator.kf.state_covariance = np.array(written["covariance"])
    for name in _COUNTERS:
        setattr(track, name, written[name])
    return track
