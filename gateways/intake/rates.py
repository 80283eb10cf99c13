"""How fast someone may send: a bucket of tokens each, as the generic cell rate algorithm.

A bucket is one number, the moment at which it will be full again (ITU-T I.371, annex A).
So many are kept; the one not used for longest is forgotten first, and is full again. Of this
process alone: two gateways let twice as much through.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from tenpo.errors import RateLimited

MAX_BUCKETS = 100_000


@dataclass(frozen=True)
class Told:
    """What someone is told whose bucket is empty; `{}` in the remedy is the rate."""

    what: str
    where: str
    remedy: str


TOKEN = Told(
    "the token sends too fast",
    "Authorization",
    "Send at most {} payloads a second, or several in one.",
)


class Rates:
    """Buckets by whatever names a sender: never what a body says.

    Args:
        burst: requests that a full bucket lets through at once.
        now: a monotonic clock, in seconds.
        told: what is said.
        most: buckets kept.
    """

    def __init__(
        self, burst: int, now: Callable[[], float] = time.monotonic, told: Told = TOKEN,
        most: int = MAX_BUCKETS,
    ) -> None:  # fmt: skip
        self._burst = burst
        self._now = now
        self._told = told
        self._most = most
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def check(self, key: Hashable, per_s: float) -> float:
        """When a bucket that fills with `per_s` a second will be full after one more; takes none.

        Raises:
            RateLimited: it is empty; says when to come again.
        """
        now = self._now()
        full_at = max(self._full_at.get(key, now), now) + 1 / per_s
        wait_s = full_at - now - self._burst / per_s
        if wait_s > 1e-9:
            remedy = self._told.remedy.format(f"{per_s:g}")
            raise RateLimited(
                self._told.what, where=self._told.where, remedy=remedy, retry_after_s=wait_s
            )
        return full_at

    def take(self, key: Hashable, per_s: float) -> None:
        """Take one from a bucket that fills with `per_s` a second; 0 means no limit.

        Raises:
            RateLimited: it is empty; says when to come again. Nothing is taken.
        """
        if per_s <= 0:
            return
        self._full_at[key] = self.check(key, per_s)
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
