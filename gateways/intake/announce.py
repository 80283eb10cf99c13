"""Telling the ingest job that new objects lie in the lake: a hint, never more.

The telling runs beside the intake and is dropped when it cannot keep up or
PostgreSQL is down; a sweep finds what was not told.
"""

from __future__ import annotations

import contextlib
import importlib
import queue
import threading
from collections.abc import Callable, Sequence

from tenpo.telemetry import get_logger

log = get_logger(__name__)

_MODULE = "tenpo.datamart.hints"
_MAX_WAITING = 1_000


class Announcer:
    """Hands names to `tenpo.datamart.hints.announce` on a thread of its own."""

    def __init__(self) -> None:
        self._names: queue.Queue[Sequence[str]] = queue.Queue(_MAX_WAITING)
        self._failing = False
        threading.Thread(target=self._run, name="announce", daemon=True).start()

    def __call__(self, names: Sequence[str]) -> None:
        """Queue names to be told; returns at once and never raises."""
        with contextlib.suppress(queue.Full):
            self._names.put_nowait(names)

    def _run(self) -> None:
        announce = _announce()
        while announce is not None:
            names = self._names.get()
            try:
                announce(list(names))
                self._failing = False
            except Exception as error:  # a hint may fail in any way without harm
                if not self._failing:
                    log.warning("hint_not_sent", error=type(error).__name__)
                self._failing = True


def _announce() -> Callable[[list[str]], None] | None:
    try:
        found: Callable[[list[str]], None] = importlib.import_module(_MODULE).announce
    except ImportError as error:
        log.warning("hints_off", error=str(error))
        return None
    return found
