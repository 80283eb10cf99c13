"""Clips that the tests render: dark figures on a grey floor, where the test puts them.

A figure is a box; `motion` sees it. What is drawn is known exactly, so the expectation does not
come from the code under test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.video.stream import VideoStream

from video_analyzer.camera import Camera, Line, Zone
from video_analyzer.detect import Detections

WIDTH, HEIGHT, RATE = 320, 240, 10
FIGURE = (24, 64)
Place = tuple[float, float] | None
Walk = Callable[[float], Place]

DOOR = Line.model_validate(
    {"line_id": "door", "from": (160, 0), "to": (160, 240), "inside": (300, 120)}
)
VIEW = Zone(zone_id="view")


def camera(**changes: object) -> Camera:
    """A camera that looks at rendered clips, with a line in the middle."""
    told: dict[str, object] = {
        "tenant_id": "acme", "store_id": "tokyo-1", "camera_id": "door-1", "width": WIDTH,
        "height": HEIGHT, "detector": "motion", "lines": [DOOR], "zones": [VIEW],
    }  # fmt: skip
    return Camera.model_validate(told | changes)


@dataclass(frozen=True)
class Straight:
    """A figure that walks in a straight line, and is not there before and after.

    Args:
        begins_s: when it appears.
        ends_s: when it is gone.
        start: centre at the beginning.
        end: centre at the end.
    """

    begins_s: float
    ends_s: float
    start: tuple[float, float]
    end: tuple[float, float]

    def __call__(self, at_s: float) -> Place:
        """Where it is."""
        if not self.begins_s <= at_s < self.ends_s:
            return None
        part = (at_s - self.begins_s) / (self.ends_s - self.begins_s)
        return (
            self.start[0] + part * (self.end[0] - self.start[0]),
            self.start[1] + part * (self.end[1] - self.start[1]),
        )


def picture(walks: Sequence[Walk], at_s: float) -> npt.NDArray[np.uint8]:
    """One picture, (240, 320, 3)."""
    drawn = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    drawn[::16] = 140  # a floor with boards
    for walk in walks:
        place = walk(at_s)
        if place is None:
            continue
        x, y = round(place[0]), round(place[1])
        left, top = max(0, x - FIGURE[0] // 2), max(0, y - FIGURE[1] // 2)
        drawn[top : y + FIGURE[1] // 2, left : x + FIGURE[0] // 2] = (30, 40, 60)
    return drawn


def render(
    path: Path,
    walks: Sequence[Walk],
    seconds: float,
    times_ms: Iterable[int] | None = None,
    codec: str = "libx264",
) -> Path:
    """A clip with a key frame every second.

    Args:
        path: its suffix chooses the container.
        walks: the figures.
        seconds: its length at 10 pictures a second.
        times_ms: the pictures' times, where the rate varies.
        codec: FFmpeg's name of the encoder.
    """
    times = range(0, round(seconds * 1000), 1000 // RATE) if times_ms is None else times_ms
    with av.open(str(path), "w") as container:
        assert isinstance(container, OutputContainer)
        stream = container.add_stream(codec, rate=RATE)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = RATE
        stream.codec_context.time_base = Fraction(1, 1000)
        if codec == "libx264":
            stream.codec_context.options = {"preset": "ultrafast", "tune": "zerolatency"}
        for at_ms in times:
            frame = av.VideoFrame.from_ndarray(picture(walks, at_ms / 1000), format="bgr24")
            frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class DarkDetector:
    """Finds figures by their colour: without memory, unlike `motion`."""

    label = "dark-1"
    width = 320
    height = 320

    def __init__(self) -> None:
        self.spent_s = 0.0

    def detect(self, picture: npt.NDArray[np.uint8]) -> Detections:
        dark = (picture.max(axis=2) < 95).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(dark)
        large = stats[1:][stats[1:, cv2.CC_STAT_AREA] > 400].astype(np.float64)
        corners = np.hstack((large[:, :2], large[:, :2] + large[:, 2:4]))
        height, width = picture.shape[:2]
        return Detections(corners / (width, height, width, height), np.ones(len(large)))
