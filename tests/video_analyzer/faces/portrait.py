"""One real face: the portrait of Grace Hopper that comes with matplotlib, in the public domain.

What the network says of it is compared with OpenCV's own reading of the same network.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pytest

from tests.video_analyzer.real import real_models
from video_analyzer.detect.registry import model_named
from video_analyzer.faces import dlib_resnet
from video_analyzer.faces.dlib_resnet import DlibResnet
from video_analyzer.faces.face import Picture
from video_analyzer.faces.yunet import YuNet


@cache
def portrait() -> Picture:
    """(600, 512, 3), blue, green, red; one face, 81 pixels between the eyes."""
    path = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    found = cv2.imread(str(path))
    if found is None:
        pytest.skip("matplotlib comes without the portrait")
    return np.asarray(found, np.uint8)


def yunet_file() -> Path:
    """The weights of YuNet."""
    path = real_models() / model_named("yunet", task="face").file
    if not path.exists():
        pytest.skip("the weights of YuNet are not here (set TENPO_MODELS_SEED)")
    return path


@cache
def yunet() -> YuNet:
    """The real detector of faces."""
    return YuNet(model_named("yunet", task="face"), yunet_file())


@cache
def resnet() -> DlibResnet:
    """The real features."""
    if not dlib_resnet.is_installed():
        pytest.skip("features of faces are not installed (make faces)")
    return DlibResnet()
