"""Detectors: from a picture to boxes around people. One interface, one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from video_analyzer.detect.detection import NOBODY, Detections, Detector, Picture

if TYPE_CHECKING:
    from tenpo.settings import Settings

__all__ = ["NOBODY", "Detections", "Detector", "Picture", "make_detector"]

MOTION = "motion"


def make_detector(name: str, settings: Settings) -> Detector:
    """The detector that a camera names; its weights are fetched if need be.

    Raises:
        ConfigError: there is none of this name.
        ServiceError: its weights cannot be fetched.
        IntegrityError: its weights are not those of the registry.
    """
    if name == MOTION:
        from video_analyzer.detect.motion import MotionDetector

        return MotionDetector()
    from video_analyzer.detect.registry import model_named, weights
    from video_analyzer.detect.yolox import YoloxDetector

    model = model_named(name)
    path = weights(model, settings.models_dir, settings.models_seed)
    return YoloxDetector(model, path)
