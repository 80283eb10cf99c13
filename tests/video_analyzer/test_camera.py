"""A camera's file: what is taken, and what is said of what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenpo.errors import ConfigError
from video_analyzer.camera import load_camera

GOOD = """tenant_id: acme
store_id: tokyo-1
camera_id: door-1
width: 640
height: 360
lines:
  - {line_id: door, from: [10, 300], to: [630, 300], inside: [320, 100]}
"""


def load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "door.yaml"
    path.write_text(text, "utf-8")
    load_camera(path)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "door.yaml"
    path.write_text(GOOD, "utf-8")
    camera = load_camera(path)
    assert list(camera.lines[0].start) == [10, 300]
    assert (camera.faces, camera.detector) == (False, "yolox_nano")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("inside: [320, 100]", "inside: [320, 300]", "line 7, key lines.0.inside"),
        ("to: [630, 300]", "to: [10, 300]", "no length"),
        ("width: 640", "width: 4", "line 4, key width"),
        ("camera_id: door-1", "camera_id: ../door", "line 3, key camera_id"),
        ("height: 360", "height: 360\nfaces: perhaps", "faces"),
        ("height: 360", "height: 360\nhigth: 360", "higth"),
        ("lines:", "zones: [{zone_id: door}]\nlines:", "two lines or zones"),
        ("lines:", "zones: [{zone_id: a, polygon: [[0, 0], [9, 9], [18, 18]]}]\nlines:", "no area"),
        (GOOD[GOOD.index("lines:") :], "", "neither a line nor a zone"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, GOOD.replace(old, new))
    assert said in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_camera(tmp_path / "none.yaml")
