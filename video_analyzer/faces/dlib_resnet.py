"""dlib's ResNet on chips: 128 numbers a face.

The network comes with the package `face-recognition-models` (CC0) and runs in `dlib` (Boost
licence); `make faces` installs both, since a shop without faces needs neither. Of that package
this file alone opens one file, by its path and checksum: its 68-point model, whose licence
forbids trade, is never read. http://dlib.net/face_recognition.py.html
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tenpo.errors import ConfigError, IntegrityError
from video_analyzer.faces.face import Floats, Picture

_FILE = "models/dlib_face_recognition_resnet_model_v1.dat"
_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
_PACKAGE = "face_recognition_models"


class DlibResnet:
    """The embedding; loaded once, for one thread at a time.

    Raises:
        ConfigError: the packages are not installed.
        IntegrityError: the file is not the one that features were made with before.
    """

    label = "dlib_resnet-1"
    dimension = 128
    #: Distances of 0.52 between dlib's own vectors, about 1 false match in 1,000.
    threshold = 0.93

    def __init__(self) -> None:
        self._network = _network()

    def extract(self, chips: Sequence[Picture]) -> Floats:
        """Features of length 1, (n, 128)."""
        if not chips:
            return np.zeros((0, self.dimension), np.float32)
        coloured = [cv2.cvtColor(chip, cv2.COLOR_BGR2RGB) for chip in chips]
        made = np.array(self._network.compute_face_descriptor(coloured), np.float32)
        found: Floats = made / np.linalg.norm(made, axis=1, keepdims=True)
        return found


def is_installed() -> bool:
    """Whether both packages are there."""
    return all(importlib.util.find_spec(name) for name in ("dlib", _PACKAGE))


def _network() -> Any:
    if not is_installed():
        raise ConfigError(
            "the packages for features of faces are not installed",
            where="faces",
            remedy="Run: make faces",
        )
    import dlib

    path = _weights()
    if hashlib.sha256(path.read_bytes()).hexdigest() != _SHA256:
        raise IntegrityError(
            "the weights of dlib_resnet-1 are not the known ones",
            where=str(path),
            remedy="Install the packages anew: make faces",
        )
    return dlib.face_recognition_model_v1(str(path))


def _weights() -> Path:
    """The file; the package itself is not imported, since it wants a long gone pkg_resources."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError(f"{_PACKAGE} has no folder", where="faces", remedy="Run: make faces")
    return Path(spec.origin).parent / _FILE
