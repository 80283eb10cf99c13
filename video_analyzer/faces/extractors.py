"""The extractors that there are, by their label; one that is loaded costs memory, so none is here.

A new version of a model is a class with a label of its own, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tenpo.errors import ConfigError
from video_analyzer.faces.dlib_resnet import DlibResnet
from video_analyzer.faces.face import FaceExtractor

EXTRACTORS: Mapping[str, Callable[[], FaceExtractor]] = {DlibResnet.label: DlibResnet}


def make_extractor(label: str) -> FaceExtractor:
    """Load an extractor.

    Raises:
        ConfigError: there is none of this label, or its packages are not installed.
        IntegrityError: its weights are not those that features were made with before.
    """
    return EXTRACTORS[checked_extractor(label)]()


def checked_extractor(label: str) -> str:
    """The label, if there is such an extractor.

    Raises:
        ConfigError: there is none.
    """
    if label not in EXTRACTORS:
        raise ConfigError(
            f"there is no model {label!r} for features of faces",
            where="face model",
            remedy=f"Known: {', '.join(sorted(EXTRACTORS))}.",
        )
    return label
