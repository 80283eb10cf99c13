"""A camera, live: recorded and analysed at once, for as long as it sends.

The child that reads may break, hang or be killed: it is started again, and the tracks that are
open go on. A recording waits for no analysis: pictures without room are dropped, and events say
how many.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tenpo.telemetry import get_logger
from video_analyzer.analysis import Analysis
from video_analyzer.events import VisitEvent
from video_analyzer.record.shelf import ChunkShelf
from video_analyzer.record.tape import keep_leftovers
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
        shelf: takes finished chunks in.
        stall_s: a child that says nothing for so long is started again.
    """

    order: Order
    analysis: Analysis
    shelf: ChunkShelf | None
    stall_s: float = 60.0

    def events(self, goes_on: Callable[[], bool] = lambda: True) -> Iterator[list[VisitEvent]]:
        """What happens, picture by picture; a file ends, a camera does not.

        Args:
            goes_on: asked after each picture.
        """
        self.take_in()
        while goes_on():
            with FrameSource(self.order, self.stall_s, self._keep) as source:
                for frame in source:
                    yield self.analysis.look(frame)
                    if not goes_on():
                        break
            if not self.order.is_live:
                break
            self._rest(source.outcome)
        self.take_in()
        yield self.analysis.finish()

    def _rest(self, outcome: Outcome | None) -> None:
        if outcome is not None:
            log.warning("camera_read_again", state=outcome.state, reason=outcome.reason)
            time.sleep(_REST_S)
        self.take_in()

    def _keep(self, chunk: str) -> None:
        if self.shelf is not None and self.order.tape is not None:
            name = self.shelf.take_in(Path(self.order.tape.folder) / chunk)
            log.info("chunk_recorded", object=name)

    def take_in(self) -> None:
        """Take in what a killed child or process has left, finished or not."""
        if self.order.tape is None:
            return
        folder = Path(self.order.tape.folder)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        keep_leftovers(folder)
        for path in sorted(folder.glob("*.mp4")):
            self._keep(path.name)
