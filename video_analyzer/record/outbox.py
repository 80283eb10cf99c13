"""Events of a running camera as files: each a JSON list that a gateway takes, whole or absent.

    <folder>/<camera>-<first event>.json
    <folder>/<camera>-<interval>.json     what its doors counted, where that is asked for

Names come from the events, so what is found twice is written twice to the same place.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from tenpo.durable import write_files
from video_analyzer.camera import Camera
from video_analyzer.events import VisitEvent, as_json, moment
from video_analyzer.tally import Interval, Tally
from video_analyzer.tally import as_json as intervals_json

_EVERY_S = 10.0


class Outbox:
    """Gathers events for a few seconds and writes them.

    Args:
        folder: where.
        camera: whose events.
        every_s: how long they may wait.
    """

    def __init__(self, folder: Path, camera: Camera, every_s: float = _EVERY_S) -> None:
        self._folder, self._camera, self._every_s = folder, camera, every_s
        self._events: list[VisitEvent] = []
        self._written_s = time.monotonic()
        self.count = 0

    def add(self, events: Sequence[VisitEvent]) -> None:
        """Take up events; writes if it is time."""
        self._events += events
        if time.monotonic() - self._written_s >= self._every_s:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        self._written_s = time.monotonic()
        if not self._events:
            return
        first = self._events[0]
        at = f"{moment(first.occurred_us):%Y%m%dT%H%M%S.%fZ}"
        name = f"{first.camera_id}-{at}-{first.kind}-{first.zone_id}-{first.track_id}.json"
        write_files([(self._folder / name, as_json(self._events, self._camera))])
        self.count += len(self._events)
        self._events = []


class CountsBox:
    """Writes what the doors counted, interval by interval.

    Args:
        folder: where.
        camera: whose doors.
    """

    def __init__(self, folder: Path, camera: Camera) -> None:
        self._folder, self._camera, self._tally = folder, camera, Tally(camera)

    def take(self, at_us: int, events: Sequence[VisitEvent]) -> None:
        """Take up a picture; writes the intervals that are over."""
        self._write(self._tally.take(at_us, events))

    def finish(self, events: Sequence[VisitEvent]) -> None:
        """Write the interval that is open."""
        self._write(self._tally.finish(events))

    def _write(self, intervals: Sequence[Interval]) -> None:
        if not intervals:
            return
        name = f"{self._camera.camera_id}-{moment(intervals[0].start_us):%Y%m%dT%H%M%S.%fZ}.json"
        write_files([(self._folder / name, intervals_json(intervals, self._camera))])
