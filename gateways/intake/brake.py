"""How many messages may be under way, and how large they may be together.

Not taking from the socket is the only brake that every broker heeds: Mosquitto 2.0 forgets its
own limit of unacknowledged messages after a restart (seen 2026-11). Few large messages fill a
memory as well as many small ones. Used by the thread that reads and the one that settles.
"""

from __future__ import annotations

import threading


class Brake:
    """Room for messages.

    Args:
        places: messages at most.
        size_bytes: their size at most; one that is larger alone is let in alone.
    """

    def __init__(self, places: int, size_bytes: int) -> None:
        self._places = places
        self._size_bytes = size_bytes
        self._changed = threading.Condition()
        self._count = 0
        self._size = 0

    def enter(self, size_bytes: int, timeout_s: float) -> bool:
        """Let one in; False if there was no room for it in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_room(size_bytes), timeout_s):
                return False
            self._count += 1
            self._size += size_bytes
            return True

    def leave(self, count: int, size_bytes: int) -> None:
        """Have so many fewer under way, of this size together."""
        with self._changed:
            self._count -= count
            self._size -= size_bytes
            self._changed.notify()

    def _has_room(self, size_bytes: int) -> bool:
        fits = self._size + size_bytes <= self._size_bytes
        return self._count == 0 or (fits and self._count < self._places)
