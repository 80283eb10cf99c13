"""Recorded chunks of one camera, analysed in their order; tracks go on from chunk to chunk.

What was found in a chunk is one object, with the state that the next chunk begins with: written
once, whole, after its events were kept. A killed run is taken up at the chunk it was in, finds
the same and keeps it again. A chunk that
cannot be read is told and passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from tenpo.errors import IntegrityError
from video_analyzer.analysis import Analysis
from video_analyzer.camera import Camera
from video_analyzer.detect import Detector
from video_analyzer.events import VisitEvent
from video_analyzer.offline import order_of
from video_analyzer.record.names import chunk_start
from video_analyzer.record.shelf import ChunkShelf
from video_analyzer.source.frames import FrameSource
from video_analyzer.source.wire import Outcome


@dataclass(frozen=True)
class ChunkResult:
    """What was found in a chunk.

    Args:
        chunk: its name.
        outcome: what became of reading it.
        events: of it, in the order in which they were found.
    """

    chunk: str
    outcome: Outcome
    events: tuple[VisitEvent, ...]


class Bulk:
    """Analyses what is on a shelf and has not been analysed.

    Args:
        shelf: the camera's chunks.
        camera: which.
        detector: finds people. `motion` learns its background anew in each run.
        keep: makes what was found durable, before the chunk counts as analysed.
    """

    def __init__(
        self,
        shelf: ChunkShelf,
        camera: Camera,
        detector: Detector,
        keep: Callable[[ChunkResult], None] = lambda _result: None,
    ) -> None:
        self._shelf, self._camera, self._detector = shelf, camera, detector
        self._keep = keep

    def run(self) -> Iterator[ChunkResult]:
        """Analyse the open chunks, oldest first.

        A chunk older than the latest analysed one came too late: its events would need tracks
        that have gone on since. It is analysed alone.
        """
        done = self._shelf.results()
        for chunk in [one for one in self._shelf.chunks() if one not in set(done)]:
            before = max((one for one in done if one < chunk), default=None)
            yield self._chunk(chunk, before)
            done.append(chunk)

    def result(self, chunk: str) -> ChunkResult:
        """What was found in a chunk that has been analysed."""
        read = self._read(chunk)
        events = tuple(VisitEvent(**one) for one in read["events"])
        return ChunkResult(chunk, Outcome.model_validate(read["outcome"]), events)

    def finished(self) -> list[VisitEvent]:
        """What those did who were in view at the end of the latest chunk, if none follows."""
        done = self._shelf.results()
        analysis = Analysis(self._camera, self._detector)
        if done:
            analysis.restore(self._read(done[-1])["state"].encode())
        return analysis.finish()

    def _chunk(self, chunk: str, before: str | None) -> ChunkResult:
        analysis, due_us = Analysis(self._camera, self._detector), None
        if before is not None:
            handed = self._read(before)
            analysis.restore(handed["state"].encode())
            due_us = handed["due_us"]
        outcome, events = self._looked(chunk, analysis, due_us)
        result = ChunkResult(chunk, outcome, tuple(events))
        self._keep(result)
        written = {
            "outcome": outcome.model_dump(),
            "state": analysis.state().decode(),
            "due_us": due_us if outcome.due_us is None else outcome.due_us,
            "events": events,
        }
        self._shelf.lake.put(self._shelf.result_name(chunk), orjson.dumps(written))
        return result

    def _looked(
        self, chunk: str, analysis: Analysis, due_us: int | None
    ) -> tuple[Outcome, list[VisitEvent]]:
        try:
            content = self._shelf.read(chunk)
        except IntegrityError as error:
            return Outcome(state="unreadable", reason=error.what), []
        start_us = chunk_start(chunk)
        order = order_of("", self._camera, self._detector, start_us, due_us)
        with FrameSource(order, content=content) as source:
            events = analysis.look_all(source)
        return source.outcome or Outcome(state="died", reason="it was not read"), events

    def _read(self, chunk: str) -> dict[str, Any]:
        read: dict[str, Any] = orjson.loads(self._shelf.lake.get(self._shelf.result_name(chunk)))
        return read
