"""How well a face can be used to know somebody again: size, pose, sharpness, light.

Each is a number in 0..1, and the quality is the product: one bad property spoils a face. Cheap
measures, taken for every face of every picture; no model of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from video_analyzer.faces.face import (
    LEFT_EYE,
    LEFT_MOUTH,
    NOSE,
    RIGHT_EYE,
    RIGHT_MOUTH,
    Floats,
    Picture,
)

#: Pixels between the eyes: nothing to be known from, and as good as it gets.
_NO_EYES, _GOOD_EYES = 10.0, 40.0
#: Variance of the Laplacian of a chip's grey values; Pech-Pacheco et al. 2000,
#: https://doi.org/10.1109/ICPR.2000.903548
_BLURRED, _SHARP = 8.0, 80.0
_DARK, _BRIGHT = 40.0, 215.0
_SHADE = 30.0  # grey values from the edge of useful light to full light
_MOST_TURN, _MOST_TILT = 0.8, 0.6
_FACE = slice(38, 112)  # of a chip's 150 pixels: the face without its surroundings


@dataclass(frozen=True)
class Quality:
    """Of one face, each 0..1."""

    size: float
    pose: float
    sharpness: float
    light: float

    @property
    def overall(self) -> float:
        """All together."""
        return self.size * self.pose * self.sharpness * self.light


def judge(points: Floats, chip: Picture) -> Quality:
    """The quality of one face.

    Args:
        points: (5, 2), its landmarks in pixels of the picture.
        chip: the face, cut out of that picture.
    """
    grey = cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY)[_FACE, _FACE]
    return Quality(
        size=_part(eye_distance(points), _NO_EYES, _GOOD_EYES),
        pose=_frontal(points),
        sharpness=_part(float(cv2.Laplacian(grey, cv2.CV_64F).var()), _BLURRED, _SHARP),
        light=_lit(float(grey.mean())),
    )


def eye_distance(points: Floats) -> float:
    """Pixels between the eyes."""
    return float(np.linalg.norm(points[LEFT_EYE] - points[RIGHT_EYE]))


def _frontal(points: Floats) -> float:
    """1 for a face that looks at the camera, 0 for a profile, or eyes on the ground.

    Turned aside, the nose moves from the middle of the eyes; tilted, from the middle between eyes
    and mouth. Both against the face's own size, so that a turned picture makes no difference.
    """
    eyes = (points[RIGHT_EYE] + points[LEFT_EYE]) / 2
    mouth = (points[RIGHT_MOUTH] + points[LEFT_MOUTH]) / 2
    across, down = points[LEFT_EYE] - points[RIGHT_EYE], mouth - eyes
    width, height = float(np.linalg.norm(across)), float(np.linalg.norm(down))
    if min(width, height) < 1:
        return 0.0
    nose = points[NOSE] - eyes
    turn = abs(float(nose @ across)) / width**2
    tilt = abs(float(nose @ down) / height**2 - 0.5)
    return _part(_MOST_TURN - 2 * turn, 0, _MOST_TURN) * _part(_MOST_TILT - 2 * tilt, 0, _MOST_TILT)


def _lit(mean: float) -> float:
    return min(_part(mean, _DARK - _SHADE, _DARK), _part(_BRIGHT + _SHADE - mean, 0, _SHADE))


def _part(value: float, nothing: float, all_of_it: float) -> float:
    return min(1.0, max(0.0, (value - nothing) / (all_of_it - nothing)))
