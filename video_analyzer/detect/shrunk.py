"""A detector that is given larger pictures than it looks at: faces need every pixel, it does not.

Not for cameras without faces: their pictures are shrunk where they are read.
"""

from __future__ import annotations

import cv2
import numpy as np

from video_analyzer.detect.detection import Detections, Detector, Picture


class Shrunk:
    """A detector behind a wider lens.

    Args:
        detector: looks at shrunk pictures.
        width: pictures come to fit into width by height pixels.
        height: see width.
    """

    def __init__(self, detector: Detector, width: int, height: int) -> None:
        self._detector, self.label = detector, detector.label
        self.width, self.height = max(width, detector.width), max(height, detector.height)
        self.spent_s = detector.spent_s

    def detect(self, picture: Picture) -> Detections:
        """People in one picture; boxes are parts of it, so its size is no matter to them."""
        height, width = picture.shape[:2]
        scale = min(self._detector.width / width, self._detector.height / height)
        if scale < 1:
            size = max(1, int(width * scale)), max(1, int(height * scale))
            small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            picture = small.astype(np.uint8, copy=False)
        found = self._detector.detect(picture)
        self.spent_s = self._detector.spent_s
        return found
