"""Threads that look at stills, each with a model of its own; so many may wait, and no more."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tenpo.errors import RateLimited, ServiceError, TenpoError
from tenpo.telemetry import get_logger
from video_analyzer.detect.detection import Detector
from video_analyzer.serving.still import StillAnswer, look

log = get_logger(__name__)

MAX_WAITING = 1_000
LIMIT_S = 30.0
_ASK_S = 30.0


class Pool:
    """Looks at stills.

    Args:
        make: a detector for one thread; called once a thread.
        threads: how many.
        limit_s: how long an answer may take, waiting included.
        wanted: label of the detector to look through now; None: always the first one.
    """

    def __init__(
        self, make: Callable[[], Detector], threads: int, limit_s: float = LIMIT_S,
        wanted: Callable[[], str] | None = None,
    ) -> None:  # fmt: skip
        self._own = threading.local()
        self._make, self._limit_s, self._waiting = make, limit_s, 0
        self._wanted = wanted
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="still")

    async def look(self, data: bytes) -> StillAnswer:
        """The people in a picture.

        Raises:
            PayloadError: it cannot be used.
            RateLimited: too many wait.
            ServiceError: it took too long.
        """
        if self._waiting >= MAX_WAITING:
            raise RateLimited(
                f"{self._waiting:,} pictures wait already",
                remedy="Wait for their answers, then send more.",
            )
        self._waiting += 1
        future = self._threads.submit(self._look, data)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done))
        try:
            async with asyncio.timeout(self._limit_s):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise ServiceError(
                f"the answer took longer than {self._limit_s:g} s",
                remedy="Send fewer at once, or a job.",
            ) from error

    def _done(self) -> None:
        self._waiting -= 1

    def _look(self, data: bytes) -> StillAnswer:
        if not hasattr(self._own, "detector"):
            self._own.detector, self._own.asked_s = self._make(), time.monotonic()
        elif self._wanted is not None and time.monotonic() - self._own.asked_s > _ASK_S:
            self._own.asked_s = time.monotonic()
            self._renew(self._wanted)
        return look(data, self._own.detector)

    def _renew(self, wanted: Callable[[], str]) -> None:
        """Look through another model, if the registry names one by now and it can be had."""
        before = self._own.detector.label
        try:
            if wanted() != before:
                self._own.detector = self._make()
        except Exception as error:  # of whatever reads registry and weights
            why = error.what if isinstance(error, TenpoError) else type(error).__name__
            log.warning("model_kept", model=before, why=why)

    def close(self) -> None:
        """Finish what is under way."""
        self._threads.shutdown(cancel_futures=True)
