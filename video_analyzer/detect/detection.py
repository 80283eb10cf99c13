"""What every detector does: boxes around people in one picture.

A detector keeps nothing of the picture. Faces, crops and features are other stages' work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Detections:
    """People in one picture.

    Args:
        boxes: (n, 4), left, top, right, bottom, as parts (0..1) of the picture's width and
            height; they may reach beyond it.
        scores: (n,), 0..1.
    """

    boxes: Boxes
    scores: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.scores)


NOBODY = Detections(np.zeros((0, 4)), np.zeros(0))


class Detector(Protocol):
    """Finds people.

    Attributes:
        label: what events say of it: name and version.
        width: pictures are shrunk to fit into width by height pixels.
        height: see width.
        spent_s: CPU seconds of the model alone, so far.
    """

    label: str
    width: int
    height: int
    spent_s: float

    def detect(self, picture: Picture) -> Detections:
        """People in one picture, (height, width, 3), blue, green, red, 0..255."""
