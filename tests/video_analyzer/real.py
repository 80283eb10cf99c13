"""The real clip and the real weights; tests that need them are skipped where they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.gateways.real_data import DATA

MODELS = Path(os.environ.get("TENPO_MODELS_SEED", DATA.parent / "models"))


def real_clip() -> Path:
    """The clip with six people."""
    path = DATA / "video" / "one-by-one-person-detection.mp4"
    if not path.exists():
        pytest.skip("the real clip is not here (set TENPO_SHARED_DATA)")
    return path


def real_models() -> Path:
    """The folder with weights."""
    if not (MODELS / "yolox_nano.onnx").exists():
        pytest.skip("the weights are not here (set TENPO_MODELS_SEED)")
    return MODELS
