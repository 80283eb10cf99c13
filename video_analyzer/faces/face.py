"""What the stages of faces hand to each other: faces found, chips cut out, features made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

#: Places of the landmarks in a row of `Faces.points`.
RIGHT_EYE, LEFT_EYE, NOSE, RIGHT_MOUTH, LEFT_MOUTH = range(5)


@dataclass(frozen=True)
class Faces:
    """Faces of one picture, in its pixels.

    Args:
        boxes: (n, 4), left, top, right, bottom; they may reach beyond the picture.
        points: (n, 5, 2), x and y of right eye, left eye, tip of the nose, right and left corner
            of the mouth: right and left are the person's.
        scores: (n,), 0..1.
    """

    boxes: Floats
    points: Floats
    scores: Floats

    def __len__(self) -> int:
        return len(self.scores)


NO_FACES = Faces(
    np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32)
)


class FaceDetector(Protocol):
    """Finds faces.

    Attributes:
        label: name and version.
    """

    label: str

    def find(self, picture: Picture) -> Faces:
        """Faces of a picture, (height, width, 3), blue, green, red, 0..255, of any size."""


class FaceExtractor(Protocol):
    """Makes features of faces: alike for one person, unlike for two.

    Attributes:
        label: name and version; features of two labels cannot be compared.
        dimension: of a feature.
        threshold: cosine from which on two features are of one person, as measured or published.
    """

    label: str
    dimension: int
    threshold: float

    def extract(self, chips: Sequence[Picture]) -> Floats:
        """Features of length 1, (n, dimension), of chips as `chip.cut` makes them."""
