"""What a camera counted, as a people counter tells it: in and out of each line in each interval.

For footfall and occupancy, which are made of intervals: an interval without anybody says that the
camera was looking, and one that is missing that it was not. A crossing belongs to the interval in
which it was told, which is seconds after it at most. Not for who it was, nor for how long they
stayed (`events`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from video_analyzer.camera import Camera
from video_analyzer.events import VisitEvent, moment

INTERVAL_S = 900
_SUFFIX = "-counts"


@dataclass(frozen=True)
class Interval:
    """What one line counted.

    Args:
        line_id: the line.
        start_us: when the camera began to look, or the interval began; microseconds since 1970.
        end_us: when the interval ended, or the camera ceased to look.
        in_count: people, staff among them.
        out_count: people, staff among them.
        staff_in_count: staff, as far as known at the door.
        staff_out_count: staff.
    """

    line_id: str
    start_us: int
    end_us: int
    in_count: int
    out_count: int
    staff_in_count: int
    staff_out_count: int


class Tally:
    """Counts the doors of one camera; intervals begin with the quarters of the hour.

    Args:
        camera: its lines of role `door` are counted.
        interval_s: length of an interval.
    """

    def __init__(self, camera: Camera, interval_s: int = INTERVAL_S) -> None:
        self._doors = [line.line_id for line in camera.lines if line.role == "door"]
        self._interval_us = interval_s * 1_000_000
        self._start_us = self._last_us = -1
        self._counts: Counter[tuple[str, str, bool]] = Counter()

    def take(self, at_us: int, events: Sequence[VisitEvent]) -> list[Interval]:
        """Take up a picture and what it told; gives the intervals that are over.

        Args:
            at_us: when it was taken. Where the clock goes back, another interval begins.
            events: what was told.
        """
        over: list[Interval] = []
        if self._start_us >= 0 and not self._start_us <= at_us < self._end_us:
            over = self._close(min(at_us, self._end_us) if at_us > self._last_us else self._last_us)
        if self._start_us < 0:
            self._start_us = at_us
        self._last_us = at_us
        for event in events:
            if event.kind in ("enter", "exit"):
                self._counts[event.zone_id, event.kind, bool(event.is_staff)] += 1
        return over

    def finish(self, events: Sequence[VisitEvent]) -> list[Interval]:
        """The interval that is open, with what was told last; nothing further will come."""
        if self._start_us < 0:
            return []
        self.take(self._last_us, events)
        return self._close(self._last_us)

    @property
    def _end_us(self) -> int:
        return (self._start_us // self._interval_us + 1) * self._interval_us

    def _close(self, end_us: int) -> list[Interval]:
        start_us, self._start_us = self._start_us, -1
        counts, self._counts = self._counts, Counter()
        if end_us <= start_us:
            end_us = start_us + 1
        return [_interval(line, start_us, end_us, counts) for line in self._doors]


def _interval(
    line: str, start_us: int, end_us: int, counts: Counter[tuple[str, str, bool]]
) -> Interval:
    (into, out), staff = (
        [counts[line, kind, True] + counts[line, kind, False] for kind in ("enter", "exit")],
        [counts[line, kind, True] for kind in ("enter", "exit")],
    )
    return Interval(line, start_us, end_us, into, out, *staff)


def as_json(intervals: Sequence[Interval], camera: Camera) -> bytes:
    """A JSON list, as the spec `video_counts` reads it; the device is `<camera>-counts`."""
    told = [
        {
            "device": camera.camera_id + _SUFFIX,
            "line": one.line_id,
            "start": moment(one.start_us).isoformat(),
            "end": moment(one.end_us).isoformat(),
            "in": one.in_count,
            "out": one.out_count,
            "staff_in": one.staff_in_count,
            "staff_out": one.staff_out_count,
        }
        for one in intervals
    ]
    return orjson.dumps(told)
