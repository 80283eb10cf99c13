"""The beat: which pictures are looked at, so many a second and no more."""

from __future__ import annotations

_LATE = 0.1  # a picture this part of a period early is on time: clocks of cameras tremble


class Beat:
    """Takes at most one picture a period, by the pictures' own times.

    The same pictures are taken however the video is cut into files, if `due_us` is handed on.

    Args:
        period_us: the least time between two pictures.
        due_us: when the next one is due.
    """

    def __init__(self, period_us: int, due_us: int | None) -> None:
        self._period, self.due_us = period_us, due_us

    def takes(self, at_us: int) -> bool:
        """Whether to look at a picture of this moment."""
        due = at_us if self.due_us is None else self.due_us
        if at_us < due - self._period * _LATE:
            return False
        behind = at_us - due > self._period
        self.due_us = (at_us if behind else due) + self._period
        return True
