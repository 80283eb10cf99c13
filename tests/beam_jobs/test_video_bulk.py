"""Many cameras at once: the same events as one by one, and what is damaged is rejected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from beam_jobs.video_bulk.job import count_chunks, local_url
from tenpo.errors import InputError
from tenpo.identifiers import micros
from tenpo.lake import Lake
from tenpo.settings import Settings
from tests.video_analyzer.clips import DarkDetector, Straight, camera, render
from video_analyzer.camera import Camera
from video_analyzer.events import as_json
from video_analyzer.record.bulk import Bulk
from video_analyzer.record.names import chunk_name
from video_analyzer.record.shelf import ChunkShelf

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
MADE: list[str] = []


def make(name: str, settings: Settings) -> DarkDetector:
    del settings
    MADE.append(name)
    return DarkDetector()


def recorded(settings: Settings, one: Camera, clips: list[Path]) -> ChunkShelf:
    """The clips as chunks of a camera, of two seconds each."""
    shelf = ChunkShelf(Lake(settings.lake_url), settings.root_secret(), one)
    for number, clip in enumerate(clips):
        name = chunk_name(micros(START + timedelta(seconds=2 * number)))
        path = clip.with_name(name)
        path.write_bytes(clip.read_bytes())
        shelf.take_in(path)
    return shelf


def test_cameras_side_by_side_tell_what_each_tells_alone(tmp_path: Path) -> None:
    first = render(tmp_path / "first.mp4", [Straight(0.2, 9, (40, 120), (880, 120))], 2)
    second = render(tmp_path / "second.mp4", [Straight(-2, 2, (40, 120), (280, 120))], 2)
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"no video at all")
    told: dict[str, bytes] = {}
    seen = [camera(camera_id=f"door-{n}", detector="yolox_nano") for n in (1, 2)]
    for home in ("alone", "together"):
        settings = Settings(home=tmp_path / home)
        shelves = [recorded(settings, seen[0], [first]),
                   recorded(settings, seen[1], [junk, second])]  # fmt: skip
        if home == "alone":
            results = [list(Bulk(shelf, one, DarkDetector()).run())
                       for shelf, one in zip(shelves, seen, strict=True)]  # fmt: skip
            told = {
                f"acme/tokyo-1/{one.camera_id}/{result.chunk[:-4]}.json":
                as_json(result.events, one)
                for one, found in zip(seen, results, strict=True)
                for result in found if result.events
            }  # fmt: skip
    assert len(told) == 2
    out = tmp_path / "events"
    MADE.clear()
    with_faces = camera(camera_id="door-3", faces=True)
    report = count_chunks(settings, [*seen, with_faces], local_url(out), make=make)
    written = {name: (out / name).read_bytes() for name in told}
    assert written == told
    assert MADE == ["yolox_nano"]  # once a worker, whatever number of cameras
    places = [(one["camera"][-6:], one["chunk"][:18]) for one in report.rejected]
    assert places == [("door-2", "20261102T010000.00"), ("door-3", "")]
    assert "unreadable" in report.rejected[0]["reason"]
    assert [one["state"] for one in report.counted] == ["complete"] * 2
    events = [orjson.loads(data) for data in told.values()]
    assert sum(one["events"] for one in report.counted) == sum(map(len, events)) > 0


def test_a_camera_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="given twice"):
        count_chunks(Settings(home=tmp_path), [camera(), camera()], local_url(tmp_path))
