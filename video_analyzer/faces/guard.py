"""A model, or a service, that may fail or hang, called so that counting goes on without it.

Each has a time limit, one retry and a circuit breaker (pybreaker,
https://github.com/danielfm/pybreaker): after a few failures in a row it is left alone for a
while. What was asked meanwhile is not asked again; events say so.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import pybreaker

from tenpo.errors import ServiceError, TenpoError
from tenpo.telemetry import get_logger

log = get_logger(__name__)

T = TypeVar("T")

FAILURES = 3
REST_S = 30.0


class Guard:
    """Calls to one model.

    Args:
        name: of what is called, for errors and the log.
        timeout_s: how long a call may take.
        tries: of a call that fails in a way that may pass.
        failures: calls that fail in a row before it is left alone,
        rest_s: and for how long.
    """

    def __init__(
        self,
        name: str,
        timeout_s: float = 5.0,
        tries: int = 2,
        failures: int = FAILURES,
        rest_s: float = REST_S,
    ) -> None:
        self._name, self._timeout_s, self._tries = name, timeout_s, tries
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=failures, reset_timeout=rest_s, exclude=[_is_refusal]
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"guard-{name}")
        self._hanging: Future[Any] | None = None

    def call(self, work: Callable[[], T]) -> T:
        """Do it within the time.

        Raises:
            ServiceError: it failed, took too long, or is left alone.
            TenpoError: it refused for a reason that no further try mends.
        """
        try:
            answer: T = self._breaker.call(self._tried, work)
        except pybreaker.CircuitBreakerError as error:
            raise ServiceError(
                f"{self._name} has failed too often and is left alone for a while",
                where=self._name,
                remedy="See the log for why; it is tried again by itself.",
            ) from error
        return answer

    def _tried(self, work: Callable[[], T]) -> T:
        for _ in range(self._tries - 1):
            try:
                return self._timed(work)
            except ServiceError as error:
                log.warning("model_failed", model=self._name, reason=error.what)
                if self._hanging is not None:
                    raise
        return self._timed(work)

    def _timed(self, work: Callable[[], T]) -> T:
        if self._hanging is not None and not self._hanging.done():
            raise self._failed("still has not answered an earlier call")
        future: Future[T] = self._thread.submit(work)
        self._hanging = None
        try:
            return future.result(self._timeout_s)
        except TimeoutError as error:
            self._hanging = (
                future  # a thread cannot be stopped: nothing follows until it is through
            )
            raise self._failed(f"took longer than {self._timeout_s:g} s") from error
        except TenpoError:
            raise
        except Exception as error:  # of a foreign model: whatever it is, people are still counted
            raise self._failed(f"failed: {type(error).__name__}") from error

    def _failed(self, how: str) -> ServiceError:
        return ServiceError(f"{self._name} {how}", where=self._name, remedy="It is tried again.")

    def close(self) -> None:
        """Let the thread go; one that hangs is not waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _is_refusal(error: BaseException) -> bool:
    """Whether it answered, and said no: that is no failure of it."""
    return isinstance(error, TenpoError) and not isinstance(error, ServiceError)
