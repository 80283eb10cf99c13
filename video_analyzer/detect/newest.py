"""Whether a camera shall look through another model than before: newer, or taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenpo.errors import TenpoError
from tenpo.telemetry import get_logger
from video_analyzer.detect import MOTION, make_detector
from video_analyzer.detect.detection import Detector
from video_analyzer.detect.registry import model_named
from video_analyzer.detect.shrunk import Shrunk

if TYPE_CHECKING:
    from tenpo.settings import Settings
    from video_analyzer.camera import Camera

log = get_logger(__name__)


class Newest:
    """Asked from time to time, it gives the detector that is to follow.

    Args:
        camera: which.
        settings: where registry and weights are.
        detector: what the camera looks through now; later ones are given pictures of its size.
    """

    def __init__(self, camera: Camera, settings: Settings, detector: Detector) -> None:
        self._camera, self._settings = camera, settings
        self._label, self._size = detector.label, (detector.width, detector.height)

    def __call__(self) -> Detector | None:
        """Another detector, or None. What cannot be had is told in the log and asked for again."""
        camera, settings = self._camera, self._settings
        if camera.detector == MOTION:
            return None
        try:
            if model_named(camera.detector, settings.models_file, camera.lot).label == self._label:
                return None
            found = make_detector(camera.detector, settings, camera.lot)
        except TenpoError as error:
            log.warning("model_kept", camera=camera.camera_id, model=self._label, why=str(error))
            return None
        except Exception as error:  # of whatever reads the weights
            why = type(error).__name__
            log.warning("model_kept", camera=camera.camera_id, model=self._label, why=why)
            return None
        log.info("model_changed", camera=camera.camera_id, before=self._label, now=found.label)
        self._label = found.label
        return Shrunk(found, *self._size)
