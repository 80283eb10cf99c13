"""Events of a running camera as files: each a JSON list that a gateway takes, whole or absent.

    <folder>/<camera>-<first event>.json

Names come from the events, so what is found twice is written twice to the same place.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from tenpo.durable import write_files
from video_analyzer.camera import Camera
from video_analyzer.events import VisitEvent, as_json, moment

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
