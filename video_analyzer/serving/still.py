"""One picture from outside: opened in bounds, and the people in it."""

from __future__ import annotations

import io
from typing import Annotated

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, Field

from tenpo.errors import PayloadError
from video_analyzer.detect.detection import Detector, Picture

MAX_STILL_BYTES = 2 * 1024**2
_MAX_PIXELS = 3840 * 2160
_TOO_LARGE = "it is larger than 3,840 by 2,160 pixels, or empty"
_FORMATS = ("JPEG", "PNG", "WEBP")
#: Weaker boxes only help a tracker that knows the person already.
_LEAST_SCORE = 0.4

Part = Annotated[float, Field(ge=-1, le=2)]


class PersonAnswer(BaseModel):
    """One person: left, top, right, bottom as parts of the picture, and the detector's score."""

    box: tuple[Part, Part, Part, Part]
    score: float


class StillAnswer(BaseModel):
    """Who is in a picture."""

    detector: str
    width: int
    height: int
    people: list[PersonAnswer]


def look(data: bytes, detector: Detector) -> StillAnswer:
    """The people of a JPEG, PNG or WebP.

    Raises:
        PayloadError: it is none of these, is damaged, or larger than 3,840 by 2,160.
    """
    picture = opened(data)
    height, width = picture.shape[:2]
    found = detector.detect(_shrunk(picture, detector))
    strong = found.scores >= _LEAST_SCORE
    people = [
        PersonAnswer(box=tuple(box), score=round(score, 4))
        for box, score in zip(
            found.boxes[strong].round(5).clip(-1, 2).tolist(),
            found.scores[strong].tolist(),
            strict=True,
        )
    ]
    return StillAnswer(detector=detector.label, width=width, height=height, people=people)


def opened(data: bytes) -> Picture:
    """The pixels, blue, green, red; the size is read before any of them is decoded."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as head:
            width, height = head.size
    except Image.DecompressionBombError as error:
        raise _refused(_TOO_LARGE) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise _refused("it is no JPEG, PNG or WebP") from error
    if not 0 < width * height <= _MAX_PIXELS:
        raise _refused(_TOO_LARGE)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise _refused("it is damaged") from error
    if pixels is None:
        raise _refused("it is damaged")
    return np.asarray(pixels, np.uint8)


def _shrunk(picture: Picture, detector: Detector) -> Picture:
    height, width = picture.shape[:2]
    scale = min(1.0, detector.width / width, detector.height / height)
    size = max(1, int(width * scale)), max(1, int(height * scale))
    if size == (width, height):
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _refused(why: str) -> PayloadError:
    return PayloadError(f"the picture cannot be used: {why}", where="body", remedy="Send another.")
