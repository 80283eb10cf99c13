"""The pose of a face by its landmarks, drawn as a head that turns."""

from __future__ import annotations

import numpy as np
import pytest

from video_analyzer.faces.face import Floats, Picture
from video_analyzer.faces.quality import judge

_DEPTH = 0.6  # of the nose before the plane of the eyes, in parts of the eyes' distance


def head(yaw_deg: float, roll_deg: float = 0.0) -> Floats:
    """Landmarks of a head that is turned to the side by yaw and leans by roll; 60 px wide."""
    x = np.array([-0.5, 0.5, 0.0, -0.35, 0.35])
    y = np.array([0.0, 0.0, 0.55, 1.1, 1.1])
    z = np.array([0.0, 0.0, _DEPTH, 0.0, 0.0])
    yaw, roll = np.deg2rad([yaw_deg, roll_deg])
    seen = x * np.cos(yaw) + z * np.sin(yaw)
    turned = np.stack((seen * np.cos(roll) - y * np.sin(roll),
                       seen * np.sin(roll) + y * np.cos(roll)), -1)  # fmt: skip
    points: Floats = (60 * turned + 100).astype(np.float32)
    return points


def pose(points: Floats) -> float:
    chip: Picture = np.full((150, 150, 3), 120, np.uint8)
    return judge(points, chip).pose


def test_the_more_a_head_is_turned_the_worse_its_pose() -> None:
    poses = [pose(head(yaw)) for yaw in (0, 10, 20, 40, 60, 80)]
    assert poses == sorted(poses, reverse=True)
    assert poses[0] > 0.9
    assert poses[-1] == 0


@pytest.mark.parametrize("roll", [-40, 15, 90])
def test_a_leaning_head_is_as_good(roll: float) -> None:
    assert pose(head(10, roll)) == pytest.approx(pose(head(10)), abs=1e-3)


def test_points_without_a_face_have_no_pose() -> None:
    assert pose(np.zeros((5, 2), np.float32)) == 0
