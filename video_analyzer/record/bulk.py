"""Recorded chunks of one camera, analysed in their order; tracks go on from chunk to chunk.

What was found in a chunk is one object, with the state that the next chunk begins with: written
once, whole, after its events were kept. A killed run is taken up at the chunk it was in, finds
the same and keeps it again. A damaged chunk is told and passed over. Where the fault may pass (a
reader that died, another key) nothing is written, and the run ends: no chunk counts as analysed
that nobody has looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from tenpo.errors import InputError, IntegrityError, ServiceError
from video_analyzer.analysis import Analysis
from video_analyzer.camera import Camera
from video_analyzer.detect import Detector
from video_analyzer.events import VisitEvent
from video_analyzer.offline import order_of
from video_analyzer.recognition import Recogniser
from video_analyzer.record.names import chunk_start
from video_analyzer.record.shelf import ChunkShelf
from video_analyzer.source.frames import FrameSource
from video_analyzer.source.wire import Outcome

_PASSING = ("died", "stalled")
_TRIED = 3  # other chunks, before the key is held to be wrong


@dataclass(frozen=True)
class ChunkResult:
    """What was found in a chunk.

    Args:
        chunk: its name.
        outcome: what became of reading it.
        events: of it, in the order in which they were found.
        notice: what else is to be told, e.g. that tracks of the chunk before were ended.
    """

    chunk: str
    outcome: Outcome
    events: tuple[VisitEvent, ...]
    notice: str = ""


class Bulk:
    """Analyses what is on a shelf and has not been analysed.

    Args:
        shelf: the camera's chunks.
        camera: which.
        detector: finds people. `motion` learns its background anew in each run.
        keep: makes what was found durable, before the chunk counts as analysed.
        recogniser: knows people again; None where faces are off.
    """

    def __init__(
        self,
        shelf: ChunkShelf,
        camera: Camera,
        detector: Detector,
        keep: Callable[[ChunkResult], None] = lambda _result: None,
        recogniser: Recogniser | None = None,
    ) -> None:
        self._shelf, self._camera, self._detector = shelf, camera, detector
        self._keep, self._recogniser = keep, recogniser

    def run(self, again: Collection[str] = (), skip: Collection[str] = ()) -> Iterator[ChunkResult]:
        """Analyse the open chunks, oldest first.

        A chunk older than the latest analysed one came too late: its events would need tracks
        that have gone on since. It is analysed alone. So is one that could not be read before.

        Args:
            again: chunks to analyse although they have been.
            skip: chunks that are given up, without looking.

        Raises:
            InputError: one of those is not there.
            ServiceError: the reader broke; the chunk stays open.
            IntegrityError: no chunk opens with this key; the chunk stays open.
        """
        chunks, done = self._shelf.chunks(), set(self._shelf.results())
        for name in {*again, *skip} - set(chunks):
            raise InputError(
                "there is no such chunk", where=name, remedy="Names look like " + _example(chunks)
            )
        latest = max(done, default="")
        for chunk in [one for one in chunks if one not in done or one in again]:
            before = max((one for one in done if one < chunk), default=None)
            alone = chunk < latest and not (chunk in done and self._was_read(chunk))
            yield self._chunk(chunk, None if alone else before, alone, chunk in skip)
            done.add(chunk)
            latest = max(latest, chunk)

    def finished(self) -> list[VisitEvent]:
        """What those did who were in view at the end of the latest chunk, if none follows."""
        done = self._shelf.results()
        analysis = Analysis(self._camera, self._detector, self._recogniser)
        return [*_taken_up(analysis, self._read(done[-1]))[0], *analysis.finish()] if done else []

    def _chunk(self, chunk: str, before: str | None, alone: bool, skipped: bool) -> ChunkResult:
        analysis, due_us, notice = (
            Analysis(self._camera, self._detector, self._recogniser),
            None,
            "",
        )
        ended: list[VisitEvent] = []
        if before is not None:
            handed = self._read(before)
            ended, notice = _taken_up(analysis, handed)
            due_us = None if notice else handed["due_us"]
        if skipped:
            outcome, events = (
                Outcome(state="unreadable", reason="it was passed over"),
                list[VisitEvent](),
            )
        else:
            outcome, events = self._looked(chunk, analysis, due_us)
        if alone:
            events += analysis.finish()
        result = ChunkResult(chunk, outcome, (*ended, *events), notice)
        self._keep(result)
        written = {
            "outcome": outcome.model_dump(),
            "state": analysis.state().decode(),
            "due_us": due_us if outcome.due_us is None else outcome.due_us,
            "events": result.events,
        }
        self._shelf.lake.put(self._shelf.result_name(chunk), orjson.dumps(written))
        return result

    def _looked(
        self, chunk: str, analysis: Analysis, due_us: int | None
    ) -> tuple[Outcome, list[VisitEvent]]:
        try:
            content = self._shelf.read(chunk)
        except IntegrityError as error:
            self._check_key(chunk, error)
            return Outcome(state="unreadable", reason=error.what), []
        start_us = chunk_start(chunk)
        order = order_of("", self._camera, self._detector, start_us, due_us)
        with FrameSource(order, content=content) as source:
            events = analysis.look_all(source)
        outcome = source.outcome
        if outcome is None or outcome.state in _PASSING:
            raise ServiceError(
                f"the reader broke: {'' if outcome is None else outcome.reason}",
                where=chunk,
                remedy=f"Run it again. If it always ends here, add --skip {chunk}",
            )
        return outcome, events

    def _check_key(self, chunk: str, error: IntegrityError) -> None:
        """Damage is one chunk's; a wrong key opens none."""
        others = [one for one in self._shelf.chunks() if one != chunk]
        for other in others[-_TRIED:]:
            with suppress(IntegrityError):
                self._shelf.read(other)
                return
        raise IntegrityError(
            error.what,
            where=chunk,
            remedy="The newest chunks do not open either: check TENPO_SECRET_KEY. If this one is "
            f"damaged, add --skip {chunk}",
        ) from error

    def _was_read(self, chunk: str) -> bool:
        return bool(self._read(chunk)["outcome"]["shown_count"])

    def _read(self, chunk: str) -> dict[str, Any]:
        read: dict[str, Any] = orjson.loads(self._shelf.lake.get(self._shelf.result_name(chunk)))
        return read


def _taken_up(analysis: Analysis, handed: dict[str, Any]) -> tuple[list[VisitEvent], str]:
    """Go on from what the chunk before left, or end its tracks where that is not possible."""
    state = handed["state"].encode()
    try:
        analysis.restore(state)
    except InputError:
        try:
            ended = analysis.end(state)
        except InputError as error:
            return [], f"{error.what}; tracks begin anew"
        return ended, "the camera's file or the detector has changed; open tracks end, others begin"
    return [], ""


def _example(chunks: list[str]) -> str:
    return chunks[-1] if chunks else "20261102T010000.000000Z.mp4"
