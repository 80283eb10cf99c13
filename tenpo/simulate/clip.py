"""A clip of people who walk through a shop's door, drawn: dark figures on a grey floor.

Small and exact: how many came in and went out is known, so what a camera's analyzer makes of it
can be compared. Nobody is in it, so there are no faces, and it looks like nothing real.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

WIDTH, HEIGHT, RATE, SECONDS = 320, 240, 10, 61
#: The door is the line x = 160; the shop is to the right of it.
DOOR_X = 160
_FIGURE = (24, 64)
_CROSSING_S = 3.0
_MARGIN = 36


@dataclass(frozen=True)
class Walk:
    """One figure's way through the door.

    Args:
        begins_s: when it appears; it is gone three seconds later.
        is_in: into the shop, or out of it.
        y: middle of its way.
    """

    begins_s: float
    is_in: bool
    y: int

    def left(self, at_s: float) -> int | None:
        """Left edge, or nothing while it is not there."""
        part = (at_s - self.begins_s) / _CROSSING_S
        if not 0 <= part < 1:
            return None
        way = WIDTH - 2 * _MARGIN
        x = _MARGIN + way * (part if self.is_in else 1 - part)
        return round(x - _FIGURE[0] / 2)


_ROUND_S = 20.0
_ROUND = (
    Walk(1.0, True, 60), Walk(3.0, True, 180), Walk(5.5, False, 60), Walk(7.0, True, 180),
    Walk(9.5, True, 60), Walk(11.5, False, 180), Walk(13.0, True, 60), Walk(15.5, False, 180),
)  # fmt: skip
#: Three rounds; never two that meet. The last second is empty: what is covered counts in minutes.
WALKS = tuple(
    replace(walk, begins_s=walk.begins_s + turn * _ROUND_S) for turn in range(3) for walk in _ROUND
)
IN_COUNT = sum(walk.is_in for walk in WALKS)
OUT_COUNT = len(WALKS) - IN_COUNT


def render_clip(path: Path) -> None:
    """Write the clip as MP4 with a key frame every second."""
    with av.open(str(path), "w") as container:
        if not isinstance(container, OutputContainer):
            raise TypeError("a file to write was asked for")
        stream = container.add_stream("libx264", rate=RATE)
        if not isinstance(stream, VideoStream):
            raise TypeError("a video was asked for")
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = RATE
        stream.codec_context.options = {"preset": "ultrafast", "tune": "zerolatency"}
        for number in range(RATE * SECONDS):
            frame = av.VideoFrame.from_ndarray(_picture(number / RATE), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _picture(at_s: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    drawn = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    drawn[::16] = 140  # a floor with boards
    for walk in WALKS:
        left = walk.left(at_s)
        if left is not None:
            top = walk.y - _FIGURE[1] // 2
            drawn[top : top + _FIGURE[1], max(0, left) : left + _FIGURE[0]] = (30, 40, 60)
    return drawn
