"""A detector behind a wider lens finds in large pictures what it finds in small ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.video_analyzer.clips import DarkDetector, Straight, picture
from video_analyzer.detect.detection import Picture
from video_analyzer.detect.shrunk import Shrunk


@pytest.mark.parametrize("factor", [1, 3])
def test_boxes_are_parts_of_the_picture_whatever_its_size(factor: int) -> None:
    drawn = picture([Straight(0, 2, (100, 120), (200, 120))], 1)
    large: Picture = np.asarray(cv2.resize(drawn, None, fx=factor, fy=factor), np.uint8)
    inner = DarkDetector()
    wide = Shrunk(inner, 1280, 1280)
    expected, found = inner.detect(drawn), wide.detect(large)
    assert len(found) == len(expected) == 1
    assert np.allclose(found.boxes, expected.boxes, atol=0.01)
    assert (wide.label, wide.width, wide.height) == ("dark-1", 1280, 1280)
