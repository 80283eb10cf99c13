"""Detectors: from a picture to boxes around people. One interface, one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from video_analyzer.detect.detection import NOBODY, Detections, Detector, Picture

if TYPE_CHECKING:
    from tenpo.settings import Settings

__all__ = ["NOBODY", "Detections", "Detector", "Picture", "make_detector"]

MOTION = "motion"


def make_detector(name: str, settings: Settings, lot: float = 1.0) -> Detector:
    """The detector that a camera names; its weights are fetched if need be.

    Args:
        name: of the registry, or `motion`.
        settings: where registry and weights are.
        lot: of the camera; 1: no version that is only tried.

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

    model = model_named(name, settings.models_file, lot)
    path = weights(model, settings.models_dir, settings.models_seed)
    return YoloxDetector(model, path)
