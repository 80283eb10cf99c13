"""Which face is whose: faces of a picture and the people who were found in it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from video_analyzer.detect.detection import Boxes
from video_analyzer.faces.face import Faces

_HEAD = 0.12  # of a person's height from the top, where the middle of the face is about
_LOWEST = 0.5  # faces below belong to somebody in front
_FARTHEST = 0.35  # from there, in parts of the person's box


def faces_of(seen: Mapping[str, Boxes], faces: Faces, width: int, height: int) -> dict[str, int]:
    """The face of each track that has one: track → row of `faces`.

    A face is of one track and a track has one face: the nearest pairs are taken first.

    Args:
        seen: boxes as parts of the picture.
        faces: in pixels of it.
        width: of the picture.
        height: of the picture.
    """
    if not len(faces) or not seen:
        return {}
    boxes = np.stack(list(seen.values())) * (width, height, width, height)
    centres = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    spans = np.maximum(boxes[:, 2:] - boxes[:, :2], 1)
    place = (centres[None] - boxes[:, None, :2]) / spans[:, None]
    away = np.hypot(place[..., 0] - 0.5, place[..., 1] - _HEAD)
    away[(place[..., 1] > _LOWEST) | (away > _FARTHEST)] = np.inf
    names, found = list(seen), dict[str, int]()
    for pair in np.argsort(away, axis=None):
        track, face = divmod(int(pair), len(faces))
        if not np.isfinite(away[track, face]):
            break
        if names[track] not in found and face not in found.values():
            found[names[track]] = face
    return found
