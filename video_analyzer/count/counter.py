"""The counter: what the tracks of one camera did to its lines and zones.

Only confirmed tracks come here. What a track did is told once it has moved: a poster that the
detector takes for a person never does. Nothing is told twice, and a track that ends inside a
zone leaves it when it was last seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tenpo.contracts.events import VisitKind
from video_analyzer.camera import Camera, Point
from video_analyzer.count.shapes import LineShape, ZoneShape
from video_analyzer.count.side import Side
from video_analyzer.events import VisitEvent, track_name
from video_analyzer.track import Seen, Tracked


@dataclass
class _Track:
    """A track's past, as far as counting needs it."""

    track_id: str
    first_us: int
    confirmed_us: int
    last_us: int
    first: Point
    last: Point
    has_moved: bool = False
    is_staff: bool = False
    dropped: int = 0
    sides: dict[str, Side] = field(default_factory=dict)
    through: dict[str, bool] = field(default_factory=dict)
    held: list[VisitEvent] = field(default_factory=list)


class Counter:
    """Counts one camera.

    Args:
        camera: its lines, zones and policies.
        detector: what events say saw the person.
        zones: names of the zones that open tracks leave when they end; None: the camera's.

    Attributes:
        moved_count: tracks that ended and had moved.
        still_count: tracks that ended and never had: left out of all events.
    """

    def __init__(self, camera: Camera, detector: str, zones: Sequence[str] | None = None) -> None:
        self.moved_count = self.still_count = 0
        self._camera, self._detector = camera, detector
        self._lines = [LineShape(line) for line in camera.lines]
        self._zones = [ZoneShape(zone) for zone in camera.zones]
        self._left = [one.zone_id for one in camera.zones] if zones is None else zones
        self._tracks: dict[int, _Track] = {}

    def update(self, at_us: int, lost: int, tracked: Tracked) -> list[VisitEvent]:
        """What happened, now that another picture is known.

        Args:
            at_us: time of the picture.
            lost: pictures lost just before it.
            tracked: who is in it, and who has been given up.
        """
        for track in self._tracks.values():
            track.dropped += lost
        ended = [event for number in tracked.ended for event in self._end(number)]
        return ended + [event for seen in tracked.seen for event in self._see(at_us, seen)]

    def finish(self) -> list[VisitEvent]:
        """End all tracks: no further picture will come."""
        return [event for number in sorted(self._tracks) for event in self._end(number)]

    def names(self) -> dict[int, str]:
        """Names of the open tracks, by number."""
        return {number: track.track_id for number, track in self._tracks.items()}

    def state(self) -> dict[str, Any]:
        """Open tracks, as JSON."""
        return {str(number): asdict(track) for number, track in self._tracks.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._tracks = {int(number): _read(track) for number, track in state.items()}

    def _see(self, at_us: int, seen: Seen) -> Iterator[VisitEvent]:
        point, height = self._placed(seen)
        track = self._tracks.get(seen.track)
        if track is None:
            track = self._begun(at_us, seen, point)
            self._tracks[seen.track] = track
        margin = self._camera.hysteresis * height
        track.held += self._at_lines(track, point, margin, at_us)
        track.held += self._at_zones(track, point, margin, at_us)
        track.last, track.last_us = point, at_us
        track.has_moved |= math.dist(track.first, point) >= self._camera.least_travel * height
        if track.has_moved:
            yield from track.held
            track.held = []

    def _begun(self, at_us: int, seen: Seen, point: Point) -> _Track:
        same = sum(one.first_us == seen.first_us for one in self._tracks.values())
        name = track_name(seen.first_us, same)
        return _Track(name, seen.first_us, at_us, at_us, point, point)

    def _placed(self, seen: Seen) -> tuple[Point, float]:
        """Where somebody is, and how high the box is, in pixels of the camera's picture."""
        left, top, right, bottom = seen.box.tolist()
        y = bottom if self._camera.anchor == "feet" else (top + bottom) / 2
        width, height = self._camera.width, self._camera.height
        return ((left + right) / 2 * width, y * height), (bottom - top) * height

    def _at_lines(
        self, track: _Track, point: Point, margin: float, at_us: int
    ) -> Iterator[VisitEvent]:
        for shape in self._lines:
            name = shape.line.line_id
            side = track.sides.setdefault(name, Side())
            before = side.sign
            change = side.update(shape.distance(point), margin, at_us)
            if side.sign != before:
                track.through[name] = shape.passes(track.last, point)
            if change is None or not change.before or not track.through[name]:
                continue
            kind: VisitKind = "enter" if change.after > 0 else "exit"
            kind = "pass" if shape.line.role == "passage" else kind
            yield self._event(track, name, kind, change.at_us)

    def _at_zones(
        self, track: _Track, point: Point, margin: float, at_us: int
    ) -> Iterator[VisitEvent]:
        for shape in self._zones:
            name = shape.zone.zone_id
            side = track.sides.setdefault(name, Side())
            change = side.update(shape.distance(point), margin, at_us)
            if change is None:
                continue
            if change.after > 0:
                track.is_staff |= shape.zone.is_staff
                from_start = change.at_us == track.confirmed_us
                began = track.first_us if from_start else change.at_us
                yield self._event(track, name, "zone_enter", began)
            elif change.before:
                yield self._event(track, name, "zone_exit", change.at_us)

    def _end(self, number: int) -> Iterator[VisitEvent]:
        track = self._tracks.pop(number, None)
        if track is None:
            return
        self.moved_count += track.has_moved
        self.still_count += not track.has_moved
        if not track.has_moved:
            return
        for name in self._left:
            if name in track.sides and track.sides[name].settled > 0:
                yield self._event(track, name, "zone_exit", track.last_us)

    def _event(self, track: _Track, name: str, kind: VisitKind, at_us: int) -> VisitEvent:
        return VisitEvent(
            camera_id=self._camera.camera_id,
            track_id=track.track_id,
            zone_id=name,
            kind=kind,
            occurred_us=at_us,
            detector=self._detector,
            dropped_frame_count=track.dropped,
            is_staff=track.is_staff or None,
        )


def _read(written: dict[str, Any]) -> _Track:
    sides = {name: Side(**side) for name, side in written["sides"].items()}
    held = [VisitEvent(**event) for event in written["held"]]
    points = {name: tuple(written[name]) for name in ("first", "last")}
    return _Track(**{**written, **points, "sides": sides, "held": held})
