"""Lines and zones as geometry: how far a point is from them, and on which side.

Pixels of the camera's picture, y downwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from video_analyzer.camera import Line, Point, Zone


@dataclass(frozen=True)
class LineShape:
    """A line with an inside.

    Args:
        line: as the operator drew it.
    """

    line: Line

    def distance(self, point: Point) -> float:
        """Pixels from the endless line; positive inside."""
        return _cross(self.line, point) / _length(self.line) * _sign(self.line)

    def passes(self, before: Point, after: Point) -> bool:
        """Whether the way between two points, one on each side, goes through the line itself.

        Somebody who walks round its end does not cross it.
        """
        from_line, to_line = _cross(self.line, before), _cross(self.line, after)
        if from_line == to_line:
            return False
        part = from_line / (from_line - to_line)
        meeting = [a + part * (b - a) for a, b in zip(before, after, strict=True)]
        (ax, ay), (bx, by) = self.line.start, self.line.end
        along = (meeting[0] - ax) * (bx - ax) + (meeting[1] - ay) * (by - ay)
        return 0 <= along <= _length(self.line) ** 2


@dataclass(frozen=True)
class ZoneShape:
    """A zone, or the whole view.

    Args:
        zone: as the operator drew it.
    """

    zone: Zone

    def distance(self, point: Point) -> float:
        """Pixels from its border; positive inside, infinite where it has none."""
        if self.zone.polygon is None:
            return math.inf
        corners = np.array(self.zone.polygon, np.float32)
        return float(cv2.pointPolygonTest(corners, point, True))


def _cross(line: Line, point: Point) -> float:
    (ax, ay), (bx, by), (px, py) = line.start, line.end, point
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


def _sign(line: Line) -> float:
    return math.copysign(1.0, _cross(line, line.inside))


def _length(line: Line) -> float:
    return math.dist(line.start, line.end)
