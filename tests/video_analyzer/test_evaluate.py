"""Scores, against numbers worked out by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tenpo.errors import InputError
from tests.video_analyzer.clips import FIGURE, Straight, camera, render
from video_analyzer.commands import video
from video_analyzer.evaluate.crossings import Crossing, line_errors
from video_analyzer.evaluate.mot import mot_lines, mot_scores
from video_analyzer.track import Seen

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def mot(path: Path, rows: list[tuple[int, int, float]]) -> Path:
    """Boxes of 20 by 40 pixels at y = 10: frame, id, left."""
    path.write_text("".join(f"{frame},{who},{x},10,20,40,1,1,1\n" for frame, who, x in rows))
    return path


def test_scores_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    """Ten frames of one person; ours misses frame 10, changes id at frame 6, adds two boxes.

    MOTA = 1 - (1 missed + 2 false + 1 switch) / 10 = 0.6.
    IDF1: the better id covers 5 frames: 2 * 5 / (10 truth + 11 ours) = 10 / 21.
    HOTA, boxes being the same: DetA = 9 / (9 + 1 + 2) = 0.75. Association of the 5 boxes of the
    first id: 5 / (10 truth + 5 ours - 5) = 0.5; of the 4 of the second: 4 / (10 + 4 - 4) = 0.4.
    AssA = (5 * 0.5 + 4 * 0.4) / 9; HOTA = sqrt(DetA * AssA).
    """
    truth = mot(tmp_path / "gt.txt", [(n, 1, 10 * n) for n in range(1, 11)])
    ours = [(n, 1 if n < 6 else 2, 10.0 * n) for n in range(1, 10)]
    found = mot_scores(truth, mot(tmp_path / "t.txt", [*ours, (3, 9, 500.0), (4, 9, 500.0)]))
    assert found.mota == pytest.approx(0.6)
    assert found.idf1 == pytest.approx(10 / 21)
    assert found.hota == pytest.approx((0.75 * (5 * 0.5 + 4 * 0.4) / 9) ** 0.5)
    assert (found.switch_count, found.missed_count, found.false_count) == (1, 1, 2)
    assert found.truth_count == 10


def test_the_truth_scores_one_against_itself(tmp_path: Path) -> None:
    truth = mot(tmp_path / "gt.txt", [(n, 1 + n % 2, 10 * n) for n in range(1, 11)])
    found = mot_scores(truth, truth)
    assert (found.mota, found.idf1, found.hota) == pytest.approx((1, 1, 1))


@pytest.mark.parametrize("content", ["", "1,2\n", "frame,id\n", "a,b,c,d,e,f,g,h\n"])
def test_what_is_no_mot_file_is_told(tmp_path: Path, content: str) -> None:
    truth = mot(tmp_path / "gt.txt", [(1, 1, 10)])
    (tmp_path / "t.txt").write_text(content)
    with pytest.raises(InputError):
        mot_scores(truth, tmp_path / "t.txt")


def test_boxes_are_written_in_pixels_of_the_camera() -> None:
    seen = Seen(4, 0, np.array([0.5, 0.25, 0.625, 0.75]))
    assert list(mot_lines(0, [seen], camera())) == ["1,5,160.00,60.00,40.00,120.00,1,1,1"]


def test_crossings_are_paired_once_each() -> None:
    truth = [Crossing("door", "enter", at) for at in (1.0, 2.0, 10.0)]
    counted = [Crossing("door", "enter", at) for at in (1.6, 2.5, 2.6, 30.0)]
    [found] = line_errors(truth, counted, within_s=1.0)
    assert (found.truth_count, found.counted_count, found.matched_count) == (3, 4, 2)
    assert found.error_ratio == pytest.approx(1 / 3)
    assert found.worst_s == pytest.approx(0.6)


def test_a_wrong_direction_is_an_error_of_its_own() -> None:
    truth, counted = [Crossing("door", "enter", 1.0)], [Crossing("door", "exit", 1.0)]
    found = {one.kind: one for one in line_errors(truth, counted, within_s=1.0)}
    assert (found["enter"].matched_count, found["enter"].error_ratio) == (0, -1)
    assert (found["exit"].counted_count, found["exit"].error_ratio) == (1, None)


def test_a_rendered_clip_is_tracked_and_counted(tmp_path: Path) -> None:
    """From the clip to the scores by the commands alone; the truth is what was drawn."""
    walk = Straight(1, 4, (40, 120), (280, 120))
    clip = render(tmp_path / "walk.mp4", [walk], 5)
    door = tmp_path / "door.yaml"
    door.write_text(camera().model_dump_json(by_alias=True), "utf-8")
    truth = tmp_path / "gt.txt"
    width, height = FIGURE
    drawn = {n: walk(n / 10) for n in range(50)}
    rows = [f"{n + 1},1,{place[0] - width / 2},{place[1] - height / 2},{width},{height},1,1,1\n"
            for n, place in drawn.items() if place]  # fmt: skip
    truth.write_text("".join(rows))
    (tmp_path / "seen.csv").write_text("at_s\n2.5\n")
    at, out = START.isoformat(), str(tmp_path / "visits.json")
    tracks = str(tmp_path / "tracks.txt")
    run = CliRunner().invoke
    told = run(video, ["analyze", str(clip), "--camera", str(door), "--out", out, "--start", at,
                       "--mot", tracks])  # fmt: skip
    assert told.exit_code == 0, told.output
    told = run(video, ["evaluate", "--truth", str(truth), "--tracks", tracks, "--json"])
    [scores] = json.loads(told.stdout)
    assert (scores["truth_count"], scores["switch_count"]) == (30, 0)
    assert scores["mota"] > 0.8  # the first two pictures are unconfirmed
    assert scores["idf1"] > 0.9
    told = run(video, ["evaluate", "--truth", str(tmp_path / "seen.csv"), "--events", out,
                       "--start", at, "--within", "0.3", "--json"])  # fmt: skip
    [error] = json.loads(told.stdout)
    assert (error["kind"], error["matched_count"], error["error_ratio"]) == ("enter", 1, 0)


@pytest.mark.parametrize(
    ("content", "said"), [("at_s\nlate\n", "line 2"), ("when\n1\n", "--column"), (None, "read")]
)
def test_a_truth_that_cannot_be_read_is_named(
    tmp_path: Path, content: str | None, said: str
) -> None:
    truth, events = tmp_path / "seen.csv", tmp_path / "visits.json"
    events.write_text("[]")
    if content is not None:
        truth.write_text(content)
    told = CliRunner().invoke(
        video, ["evaluate", "--truth", str(truth), "--events", str(events), "--start",
                START.isoformat()])  # fmt: skip
    assert isinstance(told.exception, InputError)
    assert said in str(told.exception)
