"""The real models on the one real face that there is: found, cut out, known again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tenpo.errors import ConfigError
from tests.video_analyzer.faces.portrait import portrait, resnet, yunet, yunet_file
from video_analyzer.detect.registry import model_named
from video_analyzer.faces.chip import SIDE, cut
from video_analyzer.faces.face import Floats, Picture
from video_analyzer.faces.quality import eye_distance, judge
from video_analyzer.faces.yunet import YuNet

TURN = cv2.getRotationMatrix2D((256, 250), 20, 1)


def turned(picture: Picture) -> Picture:
    return np.asarray(cv2.warpAffine(picture, TURN, (512, 600)), np.uint8)


def feature(picture: Picture) -> Floats:
    faces = yunet().find(picture)
    assert len(faces) == 1
    [found] = resnet().extract([cut(picture, faces.points[0])])
    return np.asarray(found, np.float32)


def test_the_face_is_where_opencv_reads_it_from_the_same_network() -> None:
    picture = portrait()
    size = picture.shape[1], picture.shape[0]
    theirs = cv2.FaceDetectorYN.create(str(yunet_file()), "", size, 0.7, 0.3).detect(picture)[1]
    ours = yunet().find(picture)
    assert len(theirs) == len(ours) == 1
    left, top, width, height = theirs[0, :4]
    near = 0.05 * height  # they stretch the network over the picture, we shrink the picture
    assert np.allclose(ours.boxes[0], (left, top, left + width, top + height), atol=near)
    assert np.allclose(ours.points[0], theirs[0, 4:14].reshape(5, 2), atol=near)
    assert ours.scores[0] == pytest.approx(theirs[0, 14], abs=0.02)


def test_no_face_where_there_is_none() -> None:
    assert len(yunet().find(np.zeros((40, 3000, 3), np.uint8))) == 0
    assert len(yunet().find(portrait()[350:])) == 0


def test_other_weights_are_refused() -> None:
    other = model_named("yunet", task="face").model_copy(update={"width": 320})
    with pytest.raises(ConfigError, match="no YuNet of this size"):
        YuNet(other, yunet_file())


def test_a_chip_is_upright_however_the_head_is_held() -> None:
    straight, leaning = portrait(), turned(portrait())
    chips = []
    for picture in (straight, leaning):
        points = yunet().find(picture).points[0]
        chip = cut(picture, points)
        assert chip.shape == (SIDE, SIDE, 3)
        chips.append(cv2.GaussianBlur(chip, (0, 0), 5)[30:120, 30:120].astype(np.float32))
    assert np.corrcoef(chips[0].ravel(), chips[1].ravel())[0, 1] > 0.9


def test_the_same_person_has_features_alike_and_a_disguise_has_not() -> None:
    known = feature(portrait())
    smaller = np.asarray(cv2.resize(portrait(), None, fx=0.4, fy=0.4), np.uint8)
    darker = (portrait() * 0.6).astype(np.uint8)
    for changed in (smaller, darker, turned(portrait())):
        assert known @ feature(changed) >= resnet().threshold
    points = yunet().find(portrait()).points[0]
    covered = cut(portrait(), points)
    covered[80:] = 255 - covered[80:]  # another mouth and chin
    assert known @ resnet().extract([covered])[0] < resnet().threshold


def test_features_of_a_batch_are_those_of_each_alone() -> None:
    points = yunet().find(portrait()).points[0]
    chip = cut(portrait(), points)
    other = np.ascontiguousarray(chip[:, ::-1])
    both = resnet().extract([chip, other])
    assert both.shape == (2, resnet().dimension)
    assert np.allclose(both[0], resnet().extract([chip])[0], atol=1e-5)
    assert np.allclose(np.linalg.norm(both, axis=1), 1, atol=1e-5)
    assert resnet().extract([]).shape == (0, resnet().dimension)


def test_quality_falls_with_size_blur_and_darkness() -> None:
    picture = portrait()
    points = yunet().find(picture).points[0]
    best = judge(points, cut(picture, points))
    assert eye_distance(points) == pytest.approx(81, abs=3)
    assert best.overall > 0.6
    small = judge(points * 0.2, cut(picture, points))
    assert small.size < 0.3
    assert (small.pose, small.light) == pytest.approx((best.pose, best.light), abs=1e-6)
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 5), np.uint8)
    assert judge(points, cut(blurred, points)).sharpness < 0.1
    assert judge(points, cut(picture // 12, points)).light < 0.1
