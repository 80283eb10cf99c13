"""How many persons a store may meet for the first time: a broken camera must not make a million.

A bucket for each store, refilled by the hour; it begins full, so that a new shop's first busy day
is no fault. When it is empty nobody new is made, and whoever is known is recognised as before. In
memory: a restart fills it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tenpo.errors import InputError

_HOUR_S = 3600.0


class TooManyNew(InputError):
    """A store meets more new persons than can be; nobody was made.

    No fault of the service: whoever asks goes on asking for others.
    """

    http_status = 409


@dataclass
class Bucket:
    """One store's.

    Args:
        room: new persons that it may make now.
        filled_s: when that was reckoned.
        made: new persons since the start, and
        refused: those that were not made.
    """

    room: float
    filled_s: float
    made: int = 0
    refused: int = 0


class Newcomers:
    """The buckets of all stores. May be shared by threads.

    Args:
        per_hour: new persons of a store.
        clock: seconds; another one in tests.
    """

    def __init__(self, per_hour: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_hour, self._clock = per_hour, clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def admit(self, tenant_id: str, store_id: str) -> None:
        """Take one from a store's bucket.

        Raises:
            TooManyNew: it is empty.
        """
        now = self._clock()
        with self._lock:
            bucket = self._buckets.setdefault((tenant_id, store_id), Bucket(self._per_hour, now))
            gained = (now - bucket.filled_s) * self._per_hour / _HOUR_S
            bucket.room, bucket.filled_s = min(self._per_hour, bucket.room + gained), now
            if bucket.room >= 1:
                bucket.room -= 1
                bucket.made += 1
                return
            bucket.refused += 1
        raise TooManyNew(
            f"the store has met {self._per_hour:,} new persons within an hour",
            where="store_id",
            remedy="Look at its cameras and the declared threshold; if it is as busy as that, "
            "raise TENPO_FEATURES_NEW_PER_HOUR.",
        )

    def of(self, tenant_id: str) -> dict[str, Bucket]:
        """The buckets of a tenant's stores, by store, since the start."""
        with self._lock:
            return {s: Bucket(**vars(b)) for (t, s), b in self._buckets.items() if t == tenant_id}
