"""A camera, live: recorded and analysed at once, for as long as it sends.

The child that reads may break, hang or be killed: it is started again, and the tracks that are
open go on. A recording waits for no analysis: pictures without room are dropped, and events say
how many.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from tenpo.telemetry import get_logger
from video_analyzer.analysis import Analysis
from video_analyzer.detect import Detector
from video_analyzer.events import VisitEvent
from video_analyzer.record.spool import Spool
from video_analyzer.source.frames import FrameSource
from video_analyzer.source.wire import Order, Outcome

log = get_logger(__name__)

_REST_S = 2.0


@dataclass(frozen=True)
class Live:
    """One camera's process.

    Args:
        order: what to read; with a tape if it shall be recorded.
        analysis: takes up the pictures.
        spool: takes finished chunks in; of the tape's folder.
        stall_s: a child that says nothing for so long is started again.
        newest: asked where a chunk of the recording begins: another detector, or None.
    """

    order: Order
    analysis: Analysis
    spool: Spool | None
    stall_s: float = 60.0
    newest: Callable[[], Detector | None] = lambda: None

    def events(self, goes_on: Callable[[], bool] = lambda: True) -> Iterator[list[VisitEvent]]:
        """What happens, picture by picture; a file ends, a camera does not.

        Args:
            goes_on: asked after each picture, and about every second without one.

        Raises:
            InputError: another recorder holds the folder.
        """
        with ExitStack() as stack:
            if self.spool is not None:
                stack.enter_context(self.spool.held())
                self.spool.recover()
                stack.enter_context(self.spool.emptied())
            yield from self._looked(goes_on)
            yield self.analysis.finish()  # before the last chunk: the lake may take its time
            self._recover()

    def _looked(self, goes_on: Callable[[], bool]) -> Iterator[list[VisitEvent]]:
        chunk_us = 0
        while goes_on():
            with FrameSource(self.order, self.stall_s, self._keep, on_told=_tell) as source:
                for frame in source.heard():
                    events: list[VisitEvent] = []
                    if frame is not None and frame.chunk_us != chunk_us:
                        chunk_us, events = frame.chunk_us, self._begin_chunk()
                    yield events if frame is None else events + self.analysis.look(frame)
                    if not goes_on():
                        break
            if not self.order.is_live:
                return
            if source.outcome is not None:
                _tell(source.outcome)
                time.sleep(_REST_S)
            self._recover()

    def _begin_chunk(self) -> list[VisitEvent]:
        self.analysis.settle()
        other = self.newest()
        return [] if other is None else self.analysis.look_through(other)

    def _recover(self) -> None:
        if self.spool is not None:
            self.spool.recover()

    def _keep(self, chunk: str) -> None:
        del chunk  # it lies in the spool
        if self.spool is not None:
            self.spool.wake()


def _tell(outcome: Outcome) -> None:
    log.warning("camera_read_again", state=outcome.state, reason=outcome.reason)
