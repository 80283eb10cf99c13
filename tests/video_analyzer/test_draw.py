"""The still with lines: where they are drawn, and which way the arrow points."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from typer.testing import CliRunner

from tenpo.errors import PayloadError
from tests.video_analyzer.clips import HEIGHT, WIDTH, Straight, camera, render
from video_analyzer.camera import Zone
from video_analyzer.commands import video
from video_analyzer.draw import drawn

ZONE = Zone(zone_id="shelf", polygon=((20, 30), (100, 30), (100, 130), (20, 130)))


def test_lines_zones_and_the_inside_are_drawn() -> None:
    canvas = drawn(np.zeros((HEIGHT, WIDTH, 3), np.uint8), camera(zones=[ZONE]))
    assert list(canvas[200, 160]) == [0, 0, 255]  # the line at x = 160
    assert list(canvas[120, 185]) == [0, 0, 255]  # its arrow to the inside, x > 160
    assert not canvas[120, 130].any()
    assert list(canvas[80, 100]) == [255, 80, 0]  # the zone's right edge


def test_the_command_writes_a_still(tmp_path: Path) -> None:
    clip = render(tmp_path / "walk.mp4", [Straight(0, 3, (40, 200), (100, 200))], 3)
    door, out = tmp_path / "door.yaml", tmp_path / "still.png"
    door.write_text(camera().model_dump_json(by_alias=True), "utf-8")
    arguments = ["draw", str(clip), "--camera", str(door), "--out", str(out)]
    told = CliRunner().invoke(video, [*arguments, "--second", "1"])
    assert told.exit_code == 0, told.output
    still = cv2.imread(str(out))
    assert still is not None
    assert still.shape == (HEIGHT, WIDTH, 3)
    assert still[200, 60].max() < 100  # the figure, a second on its way
    told = CliRunner().invoke(video, [*arguments, "--second", "9"])
    assert isinstance(told.exception, PayloadError)
