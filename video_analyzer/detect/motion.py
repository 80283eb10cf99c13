"""Motion instead of people: what is left when no model can be had.

Anything that moves and has a person's size counts, a trolley too, and two people side by
side are one. Events carry the label `motion-1`, so that nobody takes them for detections of
people. Background subtraction: Zivkovic 2004, as OpenCV has it (MOG2).
"""

from __future__ import annotations

import time

import cv2
import numpy as np

from video_analyzer.detect.detection import NOBODY, Detections, Picture

_LEAST_PART = 0.004  # of the picture's area; less is noise
_LEARNING_FRAMES = 200
_STEADY = 5  # pictures that are looked at before anything is told


class MotionDetector:
    """Moving blobs."""

    label = "motion-1"
    width = 320
    height = 320

    def __init__(self) -> None:
        self.spent_s = 0.0
        self._seen = 0
        self._background = cv2.createBackgroundSubtractorMOG2(
            history=_LEARNING_FRAMES, varThreshold=25, detectShadows=True
        )
        self._kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))

    def detect(self, picture: Picture) -> Detections:
        """Moving blobs of one picture."""
        begun = time.thread_time()
        found = self._blobs(picture)
        self.spent_s += time.thread_time() - begun
        self._seen += 1
        return found if self._seen > _STEADY else NOBODY

    def _blobs(self, picture: Picture) -> Detections:
        mask = self._background.apply(picture)
        _, moving = cv2.threshold(mask, 200, 255, cv2.THRESH_BINARY)  # shadows are 127
        moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, self._kernel)
        moving = cv2.dilate(moving, self._kernel, iterations=3)
        _, _, stats, _ = cv2.connectedComponentsWithStats(moving)
        height, width = picture.shape[:2]
        areas = stats[1:, cv2.CC_STAT_AREA]
        large = stats[1:][areas >= _LEAST_PART * width * height].astype(np.float64)
        if not len(large):
            return NOBODY
        corners = np.hstack((large[:, :2], large[:, :2] + large[:, 2:4]))
        return Detections(corners / (width, height, width, height), np.ones(len(large)))
