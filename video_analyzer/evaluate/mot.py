"""Tracks against ground truth: MOTA, IDF1 and HOTA, as the library `trackers` computes them.

MOT format: one line a box, `frame, id, left, top, width, height, confidence, class, …`, frames
from 1 (https://motchallenge.net/instructions/). In ground truth a confidence of 0 is left out,
and so is every class but 1. CLEAR: Bernardin and Stiefelhagen 2008; IDF1: Ristani et al. 2016;
HOTA: Luiten et al. 2020, https://arxiv.org/abs/2009.07736.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenpo.errors import InputError
from video_analyzer.camera import Camera
from video_analyzer.track import Seen

_MAX_BYTES = 256 * 1024**2


@dataclass(frozen=True)
class MotScores:
    """How well tracks match ground truth, at half overlap; HOTA over all overlaps.

    Args:
        mota: 1 - (missed + false + switched) ÷ boxes of the truth; below 0 if that is more.
        idf1: how much of the truth is under one id, 0..1.
        hota: detection and association together, 0..1.
        switch_count: changes of id.
        missed_count: boxes of the truth without one of ours.
        false_count: boxes of ours without one of the truth.
        truth_count: boxes of the truth.
    """

    mota: float
    idf1: float
    hota: float
    switch_count: int
    missed_count: int
    false_count: int
    truth_count: int


def mot_lines(number: int, seen: Iterable[Seen], camera: Camera) -> Iterable[str]:
    """One picture's tracks in MOT format.

    Args:
        number: of the picture, from 0.
        seen: who is in it.
        camera: whose pixels the boxes are in.
    """
    for one in seen:
        left, top, right, bottom = one.box.tolist()
        x, y = left * camera.width, top * camera.height
        width, height = (right - left) * camera.width, (bottom - top) * camera.height
        yield f"{number + 1},{one.track + 1},{x:.2f},{y:.2f},{width:.2f},{height:.2f},1,1,1"


def mot_scores(truth: Path, tracks: Path) -> MotScores:
    """Scores of one sequence.

    Raises:
        InputError: a file is missing, too large, empty, or no MOT file.
    """
    from trackers.eval import evaluate_mot_sequence

    for path in (truth, tracks):
        _check(path)
    try:
        found = evaluate_mot_sequence(truth, tracks, ["CLEAR", "Identity", "HOTA"])
    except (ValueError, IndexError) as error:
        raise InputError(
            "one of the files is not in MOT format",
            where=f"{truth}, {tracks}",
            remedy="Lines are: frame, id, left, top, width, height, confidence, class.",
        ) from error
    clear, identity, hota = found.CLEAR, found.Identity, found.HOTA
    if clear is None or identity is None or hota is None:
        raise TypeError("the library left out a metric that was asked for")
    return MotScores(
        mota=float(clear.MOTA),
        idf1=float(identity.IDF1),
        hota=float(hota.HOTA),
        switch_count=int(clear.IDSW),
        missed_count=int(clear.CLR_FN),
        false_count=int(clear.CLR_FP),
        truth_count=int(clear.CLR_TP + clear.CLR_FN),
    )


def _check(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(
            "there is no such file", where=str(path), remedy="Give its path."
        ) from error
    if not 0 < size <= _MAX_BYTES:
        raise InputError(
            "the file is empty or too large", where=str(path), remedy="Give one sequence."
        )


def write_mot(path: Path, lines: Sequence[str]) -> None:
    """Write tracks in MOT format."""
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
