"""How fast a token may send: a bucket of tokens each, as the generic cell rate algorithm.

A bucket is one number, the moment at which it will be full again (ITU-T I.371, annex A).
Keyed by the token that was shown, never by what a body says; so there are no more buckets
than valid tokens. Of this process alone: two gateways let twice as much through.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from tenpo.errors import RateLimited


class Rates:
    """Buckets by token.

    Args:
        burst: requests that a full bucket lets through at once.
        now: a monotonic clock, in seconds.
    """

    def __init__(self, burst: int, now: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._now = now
        self._full_at: dict[Hashable, float] = {}

    def take(self, key: Hashable, per_s: float) -> None:
        """Take one from a bucket that fills with `per_s` a second; 0 means no limit.

        Raises:
            RateLimited: it is empty; says when to come again. Nothing is taken.
        """
        if per_s <= 0:
            return
        now = self._now()
        full_at = max(self._full_at.get(key, now), now) + 1 / per_s
        wait_s = full_at - now - self._burst / per_s
        if wait_s > 1e-9:
            raise RateLimited(
                "the token sends too fast",
                where="Authorization",
                remedy=f"Send at most {per_s:g} payloads a second, or several in one.",
                retry_after_s=wait_s,
            )
        self._full_at[key] = full_at
