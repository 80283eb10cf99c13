"""Versions of a model: which camera looks through which, and how a running one changes over."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from tenpo.errors import ConfigError, ServiceError
from tenpo.identifiers import micros
from tenpo.lake import Lake
from tenpo.settings import Settings
from tests.video_analyzer.clips import DarkDetector, camera, render
from tests.video_analyzer.real import real_models
from tests.video_analyzer.serving.test_serving import STILL
from tests.video_analyzer.test_record import ROOT, START, WALKS, order
from video_analyzer.analysis import Analysis
from video_analyzer.detect import NOBODY, Detections, Detector, Picture, make_detector, newest
from video_analyzer.detect.newest import Newest
from video_analyzer.detect.registry import model_named, models
from video_analyzer.record.live import Live
from video_analyzer.record.shelf import ChunkShelf
from video_analyzer.record.spool import Spool
from video_analyzer.serving import pool as pools
from video_analyzer.serving.pool import Pool


def written(path: Path, *versions: dict[str, object]) -> Path:
    """A file with further versions of yolox_nano."""
    (shipped,) = (one for one in models() if one.name == "yolox_nano")
    same = shipped.model_dump(mode="json")
    path.write_text(yaml.safe_dump({"models": [same | one for one in versions]}))
    # A file system's clock may be slower than this test.
    os.utime(path, ns=(0, len(versions) * 10**9))
    return path


def label(own: Path, lot: float, name: str = "yolox_nano") -> str:
    return model_named(name, own, lot).label


def test_a_version_on_trial_is_for_some_cameras(tmp_path: Path) -> None:
    own = written(tmp_path / "own.yaml", {"version": "2"}, {"version": "3", "share": 0.25})
    assert [label(own, lot) for lot in (0.0, 0.24, 0.25, 0.99, 1.0)] == [
        f"yolox_nano-{version}" for version in (3, 3, 2, 2, 2)
    ]
    assert label(own, 0.9, "yolox_nano-3") == "yolox_nano-3"  # whoever names it gets it
    assert label(own, 0.0, "yolox_nano-1") == "yolox_nano-1"
    written(own, {"version": "2"}, {"version": "3", "share": 0.25}, {"version": "4"})
    assert label(own, 0.9) == "yolox_nano-4"  # read again
    lots = [camera(camera_id=f"c{number}").lot for number in range(400)]
    assert 0.2 < np.mean(np.array(lots) < 0.25) < 0.3
    assert lots[:9] == [camera(camera_id=f"c{number}").lot for number in range(9)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("models: [{name: x}]", "own.yaml"),
        ("models: 3", "own.yaml"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, text: str | None, what: str) -> None:
    own = tmp_path / "own.yaml"
    if text is not None:
        own.write_text(text)
    with pytest.raises(ConfigError) as caught:
        models(own)
    assert what in str(caught.value)


def test_a_version_is_there_once_and_one_is_for_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two models yolox_nano-1"):
        models(written(tmp_path / "same.yaml", {"version": "1"}))
    other = {"name": "mine", "version": "1", "share": 0.5}
    with pytest.raises(ConfigError, match="no version of mine is for all"):
        label(written(tmp_path / "own.yaml", other), 0.9, "mine")


class Newer(DarkDetector):
    """Another version of the same."""

    label = "dark-2"
    width = height = 160


def test_a_running_camera_changes_over_where_a_chunk_begins(tmp_path: Path) -> None:
    clip = render(tmp_path / "busy.mp4", WALKS, 25)
    shelf = ChunkShelf(Lake(f"file://{tmp_path}/lake"), ROOT, camera())
    answers: list[Detector | None] = [None, Newer(), None]
    running = Live(
        order(clip, tmp_path / "spool"), Analysis(camera(), DarkDetector()),
        Spool(tmp_path / "spool", shelf), newest=lambda: answers.pop(0),
    )  # fmt: skip
    told = [event for found in running.events() for event in found]
    border = micros(START) + 10_000_000
    assert answers == []
    assert {one.detector for one in told if one.occurred_us < border} == {"dark-1"}
    assert {one.detector for one in told if one.occurred_us >= border} == {"dark-2"}
    before = {one.track_id for one in told if one.detector == "dark-1"}
    after = {one.track_id for one in told if one.detector == "dark-2"}
    assert not before & after
    assert len(before) == 3  # all were in view, and are told to have left
    assert [one.kind for one in told if one.detector == "dark-1"].count("zone_exit") == 3


Make = Callable[..., Detector]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    own = written(tmp_path / "own.yaml", {"version": "2", "share": 0.5})
    return Settings(home=tmp_path, models_file=own)


def first_of(settings: Settings, share: float) -> Newest:
    place = next(n for n in range(99) if camera(camera_id=f"c{n}").lot < share)
    detector = DarkDetector()
    detector.label = "yolox_nano-1"
    chosen = camera(camera_id=f"c{place}", detector="yolox_nano")
    return Newest(chosen, settings, detector)


def test_what_cannot_be_had_leaves_the_camera_as_it_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> Detector:
        raise ServiceError("the weights cannot be fetched", remedy="Try again.")

    def broken(*_: object) -> Detector:
        raise RuntimeError("no ONNX")

    asked = first_of(settings, 0.5)
    for way in (failing, broken):
        monkeypatch.setattr(newest, "make_detector", way)
        assert asked() is None
    made = Newer()
    made.label = "yolox_nano-2"
    monkeypatch.setattr(newest, "make_detector", lambda *_: made)
    found = asked()
    assert found is not None
    assert (found.label, found.width) == ("yolox_nano-2", 320)  # pictures stay as large as they are
    assert asked() is None  # once
    settings.models_file.unlink()  # type: ignore[union-attr]
    assert asked() is None


def test_a_version_that_is_taken_back_is_left(settings: Settings) -> None:
    seed = real_models()
    given = settings.model_copy(update={"models_seed": seed})
    asked = first_of(given, 0.5)
    found = asked()
    assert found is not None
    assert found.label == "yolox_nano-2"
    assert len(found.detect(np.zeros((200, 300, 3), np.uint8))) == 0
    written(Path(str(settings.models_file)), {"version": "2", "share": 0.000001}, {"name": "b"})
    back = asked()
    assert back is not None
    assert back.label == "yolox_nano-1" == make_detector("yolox_nano", given).label


class Named:
    """Sees nobody."""

    width = height = 320
    spent_s = 0.0

    def __init__(self, label: str) -> None:
        self.label = label

    def detect(self, picture: Picture) -> Detections:
        del picture
        return NOBODY


async def test_the_service_changes_over_between_two_stills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "_ASK_S", -1)
    registry = ["one"]

    def wanted() -> str:
        if registry[-1] == "broken":
            raise ConfigError("the file of models cannot be read", where="own.yaml")
        return registry[-1]

    pool = Pool(lambda: Named(wanted()), 1, wanted=wanted)
    try:
        told = []
        for label in ("one", "two", "broken", "three"):
            registry.append(label)
            told.append((await asyncio.wait_for(pool.look(STILL), 20)).detector)
    finally:
        pool.close()
    assert told == ["one", "two", "two", "three"]
