"""Persons by both ways: live, and from the recorded chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tenpo.identifiers import micros
from tenpo.lake import Lake
from tests.video_analyzer.clips import DarkDetector, Straight, camera, render
from video_analyzer.analysis import Analysis
from video_analyzer.faces.face import Faces, Floats, Picture
from video_analyzer.identity.recogniser import FaceRecogniser, Stages
from video_analyzer.offline import order_of
from video_analyzer.record.bulk import Bulk
from video_analyzer.record.live import Live
from video_analyzer.record.shelf import ChunkShelf
from video_analyzer.record.spool import Spool
from video_analyzer.source.wire import TapeOrder

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
SEEN = camera(faces=True)
#: In view when the chunks of 2 s end, and between.
WALKS = [
    Straight(0.4, 3.6, (40, 120), (280, 120)),
    Straight(2.6, 6.0, (280, 60), (40, 60)),
    Straight(5.0, 6.8, (40, 180), (160, 180)),
]


class DarkHeads:
    """Heads of dark figures; the farther right the larger, so that later faces are better."""

    label = "heads-1"

    def find(self, picture: Picture) -> Faces:
        height, width = picture.shape[:2]
        boxes = DarkDetector().detect(picture).boxes * (width, height, width, height)
        heads = np.stack(((boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 1] + 8), -1)
        marks = np.array([(-0.5, -0.35), (0.5, -0.35), (0, 0.15), (-0.35, 0.65), (0.35, 0.65)])
        points = heads[:, None] + (18 + heads[:, :1] / 16)[..., None] * marks[None]
        return Faces(np.hstack((heads - 8, heads + 8)).astype(np.float32),
                     points.astype(np.float32), np.ones(len(heads), np.float32))  # fmt: skip


class Alike:
    """One feature for all."""

    label, dimension, threshold = "alike-1", 2, 0.9

    def extract(self, chips: Sequence[Picture]) -> Floats:
        return np.tile(np.array([[1, 0]], np.float32), (len(chips), 1))


@dataclass(frozen=True)
class Found:
    raw_id: str
    score: float | None = 0.97
    is_new: bool = False


def recogniser() -> FaceRecogniser:
    def identify(
        model: str,
        vector: Sequence[float],
        store_id: str,
        observed_at: datetime,
        *,
        former: tuple[str, Sequence[float]] | None = None,
    ) -> Found:
        del model, vector, store_id, former
        return Found(f"p_{micros(observed_at):016x}")  # which pictures were voted on shows

    return FaceRecogniser("s1", Stages(DarkHeads(), Alike(), identify), lambda: True)


def test_live_and_recorded_tell_the_same_persons(tmp_path: Path) -> None:
    clip = render(tmp_path / "busy.mp4", WALKS, 7)
    shelf = ChunkShelf(Lake(f"file://{tmp_path}/lake"), bytes(range(32)), SEEN)
    spool = tmp_path / "spool"
    order = order_of(clip, SEEN, DarkDetector(), micros(START)).model_copy(
        update={"tape": TapeOrder(folder=str(spool), chunk_s=2)}
    )
    running = Live(order, Analysis(SEEN, DarkDetector(), recogniser()), Spool(spool, shelf))
    live = [event for found in running.events() for event in found]
    jobs = [Bulk(shelf, SEEN, DarkDetector(), recogniser=recogniser()) for _ in range(5)]
    chunks = [next(job.run()) for job in jobs[:4]]  # each by a process of its own, as it were
    recorded = [event for one in chunks for event in one.events] + jobs[4].finished()
    assert recorded == live
    assert len({one.track_id for one in live}) == 3
    assert len({one.person_id for one in live} - {None}) == 3
    assert {one.face_state for one in live} == {"matched"}
    assert len({one.quality for one in live}) == 3
