"""Analysing a file of video without any service."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tenpo.errors import PayloadError
from tenpo.identifiers import micros
from video_analyzer.analysis import Analysis, in_order
from video_analyzer.camera import Camera
from video_analyzer.detect import Detector
from video_analyzer.events import VisitEvent
from video_analyzer.recognition import Recogniser
from video_analyzer.source.frames import STALL_S, FrameSource
from video_analyzer.source.wire import Order, Outcome, State


@dataclass(frozen=True)
class Report:
    """What became of a file.

    Args:
        state: `complete`, `truncated`, `damaged`, `stalled` or `died`; after all but the
            first some pictures are missing, and `reason` says what is known of them.
        reason: in words.
        frame_count: pictures decoded.
        shown_count: of these, pictures looked at.
        lost_count: pictures that could not be decoded or dated.
        track_count: people, as far as told apart, that moved.
        still_count: tracks that never moved; no event is made of them.
        events: how many of each kind.
        detector: what saw people.
        cpu_s: CPU seconds: all, decoding, shrinking, and the model alone.
    """

    state: State
    reason: str
    frame_count: int
    shown_count: int
    lost_count: int
    track_count: int
    still_count: int
    events: dict[str, int]
    detector: str
    cpu_s: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def analyze_file(
    path: Path,
    camera: Camera,
    detector: Detector,
    start: datetime | None,
    stall_s: float = STALL_S,
    watch: Callable[[int, Analysis], None] = lambda _number, _analysis: None,
    recogniser: Recogniser | None = None,
) -> tuple[list[VisitEvent], Report]:
    """Events of a file, by time, and what became of the file.

    Args:
        path: the file.
        camera: what took it.
        detector: finds people.
        start: wall clock of its beginning; None: as the file says.
        stall_s: reading is given up after so long without a picture.
        watch: called with the number of each picture looked at, once it is analysed.
        recogniser: knows people again; None where faces are off.

    Raises:
        PayloadError: nothing of the file can be used.
    """
    begun = time.process_time()
    order = order_of(path, camera, detector, None if start is None else micros(start))
    analysis = Analysis(camera, detector, recogniser)
    events: list[VisitEvent] = []
    with FrameSource(order, stall_s) as source:
        for frame in source:
            events += analysis.look(frame)
            watch(frame.number, analysis)
    outcome = source.outcome
    if outcome is None or not outcome.shown_count:
        reason = "it was not read" if outcome is None else f"{outcome.state}: {outcome.reason}"
        raise PayloadError(
            f"the video cannot be used ({reason})", where=str(path), remedy="Record it again."
        )
    events += analysis.finish()
    spent = time.process_time() - begun
    return in_order(events), _report(outcome, analysis, events, detector, spent)


def order_of(
    path: Path | str,
    camera: Camera,
    detector: Detector,
    start_us: int | None,
    due_us: int | None = None,
) -> Order:
    """What the reading child is told.

    Args:
        path: of a file, or an address.
        camera: its rate is kept.
        detector: pictures are shrunk to its input.
        start_us: wall clock of the beginning; None: as the source says.
        due_us: when the next picture is due, by what was read before.
    """
    return Order(
        path=str(path.absolute() if isinstance(path, Path) else path),
        start_us=start_us,
        fit_width=detector.width,
        fit_height=detector.height,
        period_us=round(1e6 / camera.frames_per_s),
        due_us=due_us,
    )


def _report(
    outcome: Outcome,
    analysis: Analysis,
    events: list[VisitEvent],
    detector: Detector,
    spent: float,
) -> Report:
    kinds: dict[str, int] = {}
    for event in events:
        kinds[event.kind] = kinds.get(event.kind, 0) + 1
    child = outcome.decode_s + outcome.convert_s
    times = {
        "total": spent + child,
        "decode": outcome.decode_s,
        "convert": outcome.convert_s,
        "model": detector.spent_s,
    }
    return Report(
        state=outcome.state,
        reason=outcome.reason,
        frame_count=outcome.frame_count,
        shown_count=outcome.shown_count,
        lost_count=outcome.lost_count,
        track_count=analysis.counter.moved_count,
        still_count=analysis.counter.still_count,
        events=dict(sorted(kinds.items())),
        detector=detector.label,
        cpu_s={name: round(value, 3) for name, value in times.items()},
    )
