"""Cutting a face out, upright and of one size, by its landmarks.

The chip is the one that dlib's embedding was trained with: 150 pixels a side, a quarter of the
face around it as margin, the eyes and the base of the nose where dlib's mean face has them
(https://github.com/davisking/dlib, `image_transforms/interpolation.h`, `get_face_chip_details`).
YuNet tells the tip of the nose; the base lies a third of the way to the mouth.
"""

from __future__ import annotations

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

SIDE = 150
_MARGIN = 0.25
_TO_THE_MOUTH = 0.35
#: Right eye, left eye and base of the nose of the mean face, as parts of the face.
_MEAN = np.array([[0.2273, 0.2214], [0.7528, 0.2212], [0.4901, 0.6278]])
_PLACES = ((_MEAN + _MARGIN) / (1 + 2 * _MARGIN) * SIDE).astype(np.float32)


def cut(picture: Picture, points: Floats) -> Picture:
    """One face, (150, 150, 3), blue, green, red; what lies beyond the picture is black.

    Args:
        picture: blue, green, red.
        points: (5, 2), as in `Faces`.
    """
    mouth = (points[RIGHT_MOUTH] + points[LEFT_MOUTH]) / 2
    base = points[NOSE] + _TO_THE_MOUTH * (mouth - points[NOSE])
    matrix = _similarity(np.stack((points[RIGHT_EYE], points[LEFT_EYE], base)), _PLACES)
    chip: Picture = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR).astype(
        np.uint8, copy=False
    )
    return chip


def _similarity(source: Floats, target: Floats) -> Floats:
    """The turn, scale and shift, (2, 3), with the least squared error; nothing is mirrored.

    Points as complex numbers: target ≈ a * source + b (Umeyama 1991 in the plane).
    """
    here, there = (one.astype(np.float64) @ (1, 1j) for one in (source, target))
    centred = here - here.mean()
    spread = max(float((np.abs(centred) ** 2).sum()), 1e-9)
    turn = (np.conj(centred) @ (there - there.mean())) / spread
    shift = there.mean() - turn * here.mean()
    matrix: Floats = np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]], np.float32
    )
    return matrix
