"""A still of a video with the camera's lines and zones on it, for whoever draws them.

Lines are red with an arrow to the inside, zones are blue. The still shows people as they are:
keep it no longer than it is needed.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tenpo.errors import PayloadError
from video_analyzer.camera import Camera, Line, Point, Zone
from video_analyzer.count.shapes import LineShape
from video_analyzer.source.frames import FrameSource
from video_analyzer.source.wire import Order

Canvas = npt.NDArray[np.uint8]
_RED, _BLUE, _ARROW_PX = (0, 0, 255), (255, 80, 0), 40


def still_of(path: Path, camera: Camera, second: int) -> Canvas:
    """The picture at a second of a file, in the camera's size, with its lines and zones.

    Raises:
        PayloadError: the file has no picture there.
    """
    order = Order(
        path=str(path.absolute()),
        start_us=0,
        fit_width=camera.width,
        fit_height=camera.height,
        period_us=1_000_000,
    )
    with FrameSource(order) as source:
        found = [frame.picture.copy() for frame in islice(source, second, second + 1)]
    if not found:
        told = "" if source.outcome is None else f": {source.outcome.reason}"
        raise PayloadError(
            f"there is no picture at second {second}{told}",
            where=str(path),
            remedy="Name an earlier one with --second.",
        )
    size = (camera.width, camera.height)
    return drawn(np.asarray(cv2.resize(found[0], size), np.uint8), camera)


def drawn(canvas: Canvas, camera: Camera) -> Canvas:
    """The picture with lines and zones on it.

    Args:
        canvas: (height, width, 3) of the camera's size; drawn upon.
        camera: its lines and zones.
    """
    for zone in camera.zones:
        _draw_zone(canvas, zone)
    for line in camera.lines:
        _draw_line(canvas, line)
    return canvas


def as_png(canvas: Canvas) -> bytes:
    """The picture as PNG."""
    return cv2.imencode(".png", canvas)[1].tobytes()


def _draw_zone(canvas: Canvas, zone: Zone) -> None:
    if zone.polygon is None:
        return
    corners = np.array(zone.polygon, np.float64).round().astype(np.int32)
    cv2.polylines(canvas, [corners.reshape(-1, 1, 2)], True, _BLUE, 2)
    _write(canvas, zone.zone_id, zone.polygon[0], _BLUE)


def _draw_line(canvas: Canvas, line: Line) -> None:
    start, end = _pixel(line.start), _pixel(line.end)
    cv2.line(canvas, start, end, _RED, 2)
    middle = np.add(line.start, line.end) / 2
    along = np.subtract(line.end, line.start)
    across = np.array([-along[1], along[0]]) / np.hypot(*along) * _ARROW_PX
    tip = middle + across
    if LineShape(line).distance((float(tip[0]), float(tip[1]))) < 0:
        tip = middle - across
    cv2.arrowedLine(canvas, _pixel(tuple(middle)), _pixel(tuple(tip)), _RED, 2)
    _write(canvas, line.line_id, line.start, _RED)


def _write(canvas: Canvas, text: str, place: Point, colour: tuple[int, int, int]) -> None:
    x, y = _pixel(place)
    spot = (min(x + 4, canvas.shape[1] - 60), min(max(y + 16, 16), canvas.shape[0] - 4))
    cv2.putText(canvas, text, spot, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1)


def _pixel(place: Point) -> tuple[int, int]:
    return round(place[0]), round(place[1])
