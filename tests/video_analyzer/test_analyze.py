"""From a file to events: rendered clips with the motion detector, and the real clip."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tenpo.contracts.events import canonical_schema
from tenpo.errors import InputError, PayloadError
from tenpo.identifiers import micros
from tenpo.settings import Settings
from tests.video_analyzer.clips import Straight, camera, render
from tests.video_analyzer.real import real_clip, real_models
from video_analyzer.analysis import Analysis
from video_analyzer.camera import Camera
from video_analyzer.commands import video
from video_analyzer.detect import Detections, make_detector
from video_analyzer.detect.motion import MotionDetector
from video_analyzer.events import VisitEvent, as_table
from video_analyzer.offline import Report, analyze_file, order_of
from video_analyzer.source.frames import FrameSource

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
#: In over the middle at 2.0 s, a second one out at 5.0 s, a third one turns up on the left only.
WALKS = [
    Straight(1, 3, (60, 120), (260, 120)),
    Straight(4, 6, (260, 60), (60, 60)),
    Straight(6.5, 8, (30, 180), (110, 180)),
]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("clips") / "door.mp4", WALKS, 9)


@pytest.fixture(scope="module")
def analysed(clip: Path) -> tuple[list[VisitEvent], Report]:
    return analyze_file(clip, camera(), MotionDetector(), START)


def seconds(event: VisitEvent) -> float:
    return (event.occurred_at - START).total_seconds()


def test_who_was_drawn_is_counted(analysed: tuple[list[VisitEvent], Report]) -> None:
    events, report = analysed
    crossings = [(one.kind, round(seconds(one))) for one in events if one.zone_id == "door"]
    assert crossings == [("enter", 2), ("exit", 5)]
    assert {one.detector for one in events} == {"motion-1"}
    assert {one.dropped_frame_count for one in events} == {0}
    assert (report.state, report.frame_count, report.track_count) == ("complete", 90, 3)
    views = sum(seconds(one) * (1 if one.kind == "zone_exit" else -1)
                for one in events if one.zone_id == "view")  # fmt: skip
    assert views == pytest.approx(2 + 2 + 1.5, rel=0.15)


def test_a_file_that_breaks_off_gives_what_was_in_it(tmp_path: Path) -> None:
    whole = render(tmp_path / "whole.mkv", WALKS, 9)
    part = tmp_path / "part.mkv"
    part.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.45)])
    events, report = analyze_file(part, camera(), MotionDetector(), START)
    assert report.state == "truncated"
    assert "enter" in report.events
    assert "exit" not in report.events
    assert 0 < report.frame_count < 90
    assert events


def test_a_file_without_pictures_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "none.mp4").touch()
    with pytest.raises(PayloadError, match="no bytes"):
        analyze_file(tmp_path / "none.mp4", camera(), MotionDetector(), START)


def test_a_state_goes_on_where_it_stopped() -> None:
    walk = Straight(0, 4, (0.1, 0.5), (0.9, 0.5))
    found = []
    for step in range(40):
        x, y = walk(step / 10) or (0, 0)
        boxes = np.array([[x - 0.05, y - 0.2, x + 0.05, y + 0.2]])
        found.append(Detections(boxes, np.array([0.9])))
    expected = _told(Analysis(camera(), MotionDetector()), found, 0)
    for cut in (1, 3, 20, 25):
        first, second = (Analysis(camera(), MotionDetector()) for _ in range(2))
        events = _told(first, found[:cut], 0, end=False)
        second.restore(first.state())
        assert events + _told(second, found[cut:], cut) == expected
    assert [one.kind for one in expected] == ["zone_enter", "enter", "zone_exit"]


def test_the_state_of_another_camera_is_refused() -> None:
    state = Analysis(camera(), MotionDetector()).state()
    with pytest.raises(InputError, match="not of this camera"):
        Analysis(camera(camera_id="door-2"), MotionDetector()).restore(state)
    with pytest.raises(InputError, match="not of this camera"):
        Analysis(camera(), MotionDetector()).restore(b"[]")


def _told(
    analysis: Analysis, found: list[Detections], start: int, end: bool = True
) -> list[VisitEvent]:
    events = []
    for step, one in enumerate(found, start):
        events += analysis.take(step * 100_000, 0, one)
    return events + (analysis.finish() if end else [])


def test_events_are_canonical_rows(analysed: tuple[list[VisitEvent], Report]) -> None:
    events, _ = analysed
    table = as_table(events, camera(), START)
    assert table.schema == canonical_schema("visit_event")
    assert table.num_rows == len(set(table["event_id"].to_pylist())) == len(events) > 0
    moments = table["occurred_at"].to_pylist()
    assert moments == sorted(moments)
    assert min(moments) >= START


def test_the_same_again_without_a_feature_of_a_face_and_without_a_file(
    clip: Path,
    analysed: tuple[list[VisitEvent], Report],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That nothing here can reach the features of faces is held by `make imports`."""
    monkeypatch.chdir(tmp_path)
    events, _ = analyze_file(clip, camera(), MotionDetector(), START)
    assert events == analysed[0]
    assert list(tmp_path.rglob("*")) == []
    table = as_table(events, camera(), START)
    for name in ("person_id", "match_score", "quality", "face_model", "face_state"):
        assert table[name].null_count == table.num_rows > 0
    assert set(json.loads(Analysis(camera(), MotionDetector()).state())) == {
        "version", "made_by", "detector", "zones", "last_us", "tracker", "counter",
        "recogniser"}  # fmt: skip


@pytest.fixture
def door(tmp_path: Path) -> Path:
    path = tmp_path / "door.yaml"
    path.write_text(camera().model_dump_json(by_alias=True), "utf-8")
    return path


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_the_command_writes_events(clip: Path, door: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"visits{suffix}"
    told = CliRunner().invoke(
        video, ["analyze", str(clip), "--camera", str(door), "--out", str(out),
                "--start", START.isoformat(), "--json"])  # fmt: skip
    assert told.exit_code == 0, told.output
    report = json.loads(told.stdout)
    if suffix == ".json":
        ids = [one["event_id"] for one in json.loads(out.read_bytes())]
    else:
        ids = pq.read_table(pa.BufferReader(out.read_bytes()))["event_id"].to_pylist()
    assert len(ids) == sum(report["events"].values()) > 0


def test_a_time_without_an_offset_is_refused(clip: Path, door: Path, tmp_path: Path) -> None:
    told = CliRunner().invoke(
        video, ["analyze", str(clip), "--camera", str(door), "--out", str(tmp_path / "a.json"),
                "--start", "2026-11-02T10:00:00"])  # fmt: skip
    assert isinstance(told.exception, InputError)
    assert not (tmp_path / "a.json").exists()


def test_the_real_models_see_the_real_people(tmp_path: Path) -> None:
    """Two seconds of the shared clip: nobody, then somebody at the till."""
    source, seed = real_clip(), real_models()
    detector = make_detector("yolox_nano", Settings(home=tmp_path, models_seed=seed))
    counts = {}
    with av.open(str(source)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in (30, 150):
                small = frame.reformat(width=416, height=234, format="bgr24").to_ndarray()
                found = detector.detect(np.asarray(small, np.uint8))
                counts[number] = int((found.scores > 0.5).sum())
            if number > 150:
                break
    assert counts == {30: 0, 150: 1}


def till() -> Camera:
    line = {"line_id": "till", "from": (600, 0), "to": (600, 432), "inside": (300, 200)}
    return camera(width=768, height=432, detector="yolox_nano", lines=[line])


def truth(source: Path) -> list[float]:
    """When each of the six crossed the line, by eye."""
    with (source.parent / "GROUND_TRUTH.csv").open(encoding="utf-8") as file:
        return [float(row["exit_line_s"]) for row in csv.DictReader(file)]


def assert_exits(events: list[VisitEvent], expected: list[float]) -> None:
    crossings = [one for one in events if one.zone_id == "till"]
    assert [one.kind for one in crossings] == ["exit"] * len(expected)
    for event, at_s in zip(crossings, expected, strict=True):
        assert abs(seconds(event) - at_s) < 1


def test_the_first_of_the_real_clip_leaves_when_the_eye_says(tmp_path: Path) -> None:
    source, seed = real_clip(), real_models()
    detector = make_detector("yolox_nano", Settings(home=tmp_path, models_seed=seed))
    slow = till().model_copy(update={"frames_per_s": 5.0})
    analysis = Analysis(slow, detector)
    with FrameSource(order_of(source, slow, detector, micros(START))) as frames:
        events = analysis.look_all(islice(frames, 102))
    assert_exits(events, truth(source)[:1])


@pytest.mark.long
def test_the_real_clip_is_counted_as_by_eye(tmp_path: Path) -> None:
    source, seed = real_clip(), real_models()
    detector = make_detector("yolox_nano", Settings(home=tmp_path, models_seed=seed))
    events, report = analyze_file(source, till(), detector, START)
    assert_exits(events, truth(source))
    views = [one for one in events if one.zone_id == "view"]
    in_view = sum(seconds(one) * (1 if one.kind == "zone_exit" else -1) for one in views)
    assert len(views) == 2 * report.track_count == 12
    assert in_view == pytest.approx(108.3, rel=0.05)
