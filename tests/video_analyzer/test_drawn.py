"""The clip that the demo draws: the analyzer counts who was drawn, in both of its tellings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenpo.demo import camera as demo
from tenpo.settings import get_settings
from tenpo.simulate.clip import IN_COUNT, OUT_COUNT, render_clip
from video_analyzer.camera import load_camera
from video_analyzer.commands import video


def test_the_drawn_clip_is_counted_as_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENPO_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    render_clip(tmp_path / "clip.mp4")
    (tmp_path / "door.yaml").write_text(demo.DRAWN.file, "utf-8")
    ran = CliRunner().invoke(
        video,
        ["run", "--camera", str(tmp_path / "door.yaml"), "--source", str(tmp_path / "clip.mp4"),
         "--start", "2026-11-02T12:00:00+09:00", "--chunk-s", "20",
         "--out", str(tmp_path / "events"), "--counts", str(tmp_path / "counts")],
    )  # fmt: skip
    get_settings.cache_clear()
    assert ran.exit_code == 0, ran.output
    events = _all(tmp_path / "events")
    kinds = [one["kind"] for one in events if one["zone_id"] == "door"]
    assert (kinds.count("enter"), kinds.count("exit")) == (IN_COUNT, OUT_COUNT) == (15, 9)
    [counted] = _all(tmp_path / "counts")
    assert (counted["in"], counted["out"]) == (IN_COUNT, OUT_COUNT)
    assert counted["device"] == "corner-door-counts"
    assert demo.truth([demo.DRAWN]).totals == {"in_count": IN_COUNT, "out_count": OUT_COUNT}


def _all(folder: Path) -> list[dict[str, object]]:
    return [one for file in sorted(folder.iterdir()) for one in json.loads(file.read_bytes())]


def test_the_real_clip_joins_where_it_is(tmp_path: Path) -> None:
    assert demo.scenes(None) == demo.scenes(tmp_path) == [demo.DRAWN]
    (tmp_path / "video").mkdir()
    (tmp_path / "video" / "one-by-one-person-detection.mp4").touch()
    both = demo.scenes(tmp_path)
    assert demo.truth(both).totals == {"in_count": IN_COUNT + 6, "out_count": OUT_COUNT}
    for one in both:
        (tmp_path / "camera.yaml").write_text(one.file, "utf-8")
        read = load_camera(tmp_path / "camera.yaml")
        assert (read.store_id, read.camera_id, read.faces) == (
            one.store_id, f"{one.store_id}-door", False)  # fmt: skip
