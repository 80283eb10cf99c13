"""People who walk past a camera, each with a face of one colour; and models that see just that.

The faces are painted into the pictures, so what the stages hand to each other is the real thing:
boxes, landmarks, chips. Only the two networks are stood in for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tests.video_analyzer.clips import camera
from video_analyzer.analysis import Analysis
from video_analyzer.camera import Camera
from video_analyzer.detect import Detections
from video_analyzer.events import VisitEvent
from video_analyzer.faces.face import Faces, Floats, Picture
from video_analyzer.identity.recogniser import FaceRecogniser
from video_analyzer.source.frames import Frame

WIDTH, HEIGHT, RATE = 640, 480, 10
BOX = (120, 320)
EYES = 44  # pixels apart
MODEL = "colours-1"
RED, GREEN, BLUE = (40, 40, 200), (40, 200, 40), (200, 40, 40)
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Walker:
    """Somebody who crosses the picture from left to right.

    Args:
        begins: number of the picture in which they appear.
        colour: of the face.
        hidden: how many pictures they keep the face away for.
        steps: pictures they take.
        is_out: from right to left.
    """

    begins: int
    colour: Colour
    hidden: int = 0
    steps: int = 25
    is_out: bool = False

    def left(self, number: int) -> int | None:
        """Left edge in a picture, or nothing while they are not there."""
        step = number - self.begins
        if not 0 <= step < self.steps:
            return None
        part = 1 - step / self.steps if self.is_out else step / self.steps
        return round(40 + part * (WIDTH - BOX[0] - 80))


class Scene:
    """What is before the camera now; both models ask it.

    Args:
        walkers: everybody.
        start_us: of the first picture.
    """

    label, width, height = "seen-1", WIDTH, HEIGHT

    def __init__(self, walkers: Sequence[Walker], start_us: int) -> None:
        self._walkers, self._start_us = walkers, start_us
        self.number, self.spent_s = 0, 0.0

    def frames(self, first: int, last: int) -> Iterator[Frame]:
        """Pictures of this range; what they show is what there is now."""
        for self.number in range(first, last):
            at_us = self._start_us + self.number * 1_000_000 // RATE
            yield Frame(self.number, at_us, 0, self._painted())

    def detect(self, picture: Picture) -> Detections:
        """The people."""
        del picture
        boxes = np.array([(x, 100, x + BOX[0], 100 + BOX[1]) for x, _ in self._present()])
        size = (WIDTH, HEIGHT, WIDTH, HEIGHT)
        return Detections(boxes.reshape(-1, 4) / size, np.ones(len(boxes)))

    def heads(self) -> list[tuple[int, int]]:
        """Centres of the faces that look here."""
        return [(x + BOX[0] // 2, 140) for x, one in self._present()
                if self.number - one.begins >= one.hidden]  # fmt: skip

    def _present(self) -> list[tuple[int, Walker]]:
        places = [(one.left(self.number), one) for one in self._walkers]
        return [(x, one) for x, one in places if x is not None]

    def _painted(self) -> Picture:
        picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        for x, one in self._present():
            picture[100 : 100 + BOX[1], x : x + BOX[0]] = 60
            picture[90:190, x : x + BOX[0]] = one.colour
            picture[90:190:3, x : x + BOX[0]] = 0  # something sharp
        return picture


class FaceSpotter:
    """Finds the faces of a scene."""

    label = "spotter-1"

    def __init__(self, scene: Scene) -> None:
        self._scene, self.calls = scene, 0

    def find(self, picture: Picture) -> Faces:
        """Faces that look straight into the camera."""
        assert picture.shape == (HEIGHT, WIDTH, 3)
        self.calls += 1
        heads = np.array(self._scene.heads(), np.float32).reshape(-1, 2)
        marks = np.array([(-0.5, -0.35), (0.5, -0.35), (0, 0.15), (-0.35, 0.65), (0.35, 0.65)])
        points = heads[:, None] + EYES * marks[None]
        corners = np.hstack((heads - 50, heads + 50))
        return Faces(corners.astype(np.float32), points.astype(np.float32),
                     np.ones(len(heads), np.float32))  # fmt: skip


class Colours:
    """Features of faces: their mean colour."""

    label, dimension, threshold = MODEL, 3, 0.95

    def __init__(self) -> None:
        self.batches: list[int] = []

    def extract(self, chips: Sequence[Picture]) -> Floats:
        """One feature a chip."""
        self.batches.append(len(chips))
        means = np.array([chip[40:110, 40:110].mean(axis=(0, 1)) for chip in chips])
        found: Floats = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
        return found


class Greys(Colours):
    """Another model of the same faces, whose numbers are no colours any more."""

    label, dimension = "greys-1", 4

    def extract(self, chips: Sequence[Picture]) -> Floats:
        """One feature a chip."""
        seen = super().extract(chips)[:, ::-1] ** 2
        made = np.hstack((seen, seen.max(axis=1, keepdims=True)))
        found: Floats = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
        return found


def hall(**changes: object) -> Camera:
    """The camera that looks at it: a line in the middle."""
    line = {"line_id": "door", "from": (320, 0), "to": (320, 480), "inside": (600, 200)}
    told = {"width": WIDTH, "height": HEIGHT, "faces": True, "lines": [line], "store_id": "s1",
            "tenant_id": "a"}  # fmt: skip
    return camera(**told | changes)


def told(
    scene: Scene,
    recogniser: FaceRecogniser | None,
    pictures: int,
    cuts: Sequence[int] = (),
    **changes: object,
) -> list[VisitEvent]:
    """All events of a scene; at each cut another analysis goes on from the state."""
    events: list[VisitEvent] = []
    state: bytes | None = None
    for first, last in zip((0, *cuts), (*cuts, pictures), strict=True):
        analysis = Analysis(hall(**changes), scene, recogniser)
        if state is not None:
            analysis.restore(state)
        events += analysis.look_all(scene.frames(first, last))
        state = analysis.state()
    return events + analysis.finish()
