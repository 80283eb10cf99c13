"""What looks at a camera: its detector, and for a store with faces what knows people again.

The one place that knows counting, faces and the feature database together. A camera whose file
says `faces: false`, and that is the default, gets nothing of faces: no model is even loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenpo.errors import ConfigError, TenpoError
from video_analyzer.detect import make_detector

if TYPE_CHECKING:
    from tenpo.masters import MasterBook
    from tenpo.settings import Settings
    from video_analyzer.camera import Camera
    from video_analyzer.detect import Detector
    from video_analyzer.faces.face import FaceDetector
    from video_analyzer.identity.recogniser import FaceRecogniser, Stages

#: Pictures of cameras with faces come as large as this; a person detector needs less.
FACE_SIDE = 1280
_FACE_MODEL = "yunet"
#: A master that is changed counts after so long; each look may take the lake a moment.
_MASTER_AGE_S = 30.0


def onlookers(camera: Camera, settings: Settings) -> tuple[Detector, FaceRecogniser | None]:
    """The detector of a camera, and the recogniser if camera and store have faces.

    Raises:
        ConfigError: a model, package, store or token is missing, or the store has no faces.
        ServiceError: weights cannot be fetched.
        IntegrityError: weights are not those of the registry.
    """
    detector = make_detector(camera.detector, settings, camera.lot)
    if not camera.faces:
        return detector, None
    from tenpo.lake import Lake
    from tenpo.masters import MasterBook
    from video_analyzer.detect.shrunk import Shrunk
    from video_analyzer.identity.recogniser import FaceRecogniser

    book = MasterBook(Lake(settings.lake_url), _MASTER_AGE_S)
    if not has_faces(book, camera):
        raise ConfigError(
            "the store runs without faces",
            where=f"{camera.camera_id}: faces",
            remedy="Set has_faces in the store's master first, if that is lawful there, or "
            "set faces to false.",
        )
    stages = _stages(camera, settings)
    recogniser = FaceRecogniser(camera.store_id, stages, lambda: still_has_faces(book, camera))
    return Shrunk(detector, FACE_SIDE, FACE_SIDE), recogniser


def has_faces(book: MasterBook, camera: Camera) -> bool:
    """Whether the camera's store has faces, by its newest master."""
    store = book.get(camera.tenant_id).stores.get(camera.store_id)
    return store is not None and store.has_faces


def still_has_faces(book: MasterBook, camera: Camera) -> bool:
    """As `has_faces`; no, while the master cannot be read: people are counted all the same."""
    try:
        return has_faces(book, camera)
    except TenpoError:
        return False


def _stages(camera: Camera, settings: Settings) -> Stages:
    from video_analyzer.faces.extractors import make_extractor
    from video_analyzer.feature_service.client import FeatureClient
    from video_analyzer.identity.recogniser import Stages

    if settings.features_token is None:
        raise ConfigError(
            "there is no token for the feature service",
            where="TENPO_FEATURES_TOKEN",
            remedy="Make one of scope features for the store: tenpo tenant token --help",
        )
    token = settings.features_token.get_secret_value()
    client = FeatureClient(settings.features_url, camera.tenant_id, token)
    former = None if camera.former_face_model is None else make_extractor(camera.former_face_model)
    extractor = make_extractor(camera.face_model)
    return Stages(face_detector(settings), extractor, client.identify, former=former)


def face_detector(settings: Settings) -> FaceDetector:
    """What finds faces.

    Raises:
        ConfigError: the model cannot be used.
        ServiceError: weights cannot be fetched.
        IntegrityError: weights are not those of the registry.
    """
    from video_analyzer.detect.registry import model_named, weights
    from video_analyzer.faces.yunet import YuNet

    model = model_named(_FACE_MODEL, task="face")
    return YuNet(model, weights(model, settings.models_dir, settings.models_seed))
