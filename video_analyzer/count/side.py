"""Which side of a border somebody is on, told without trembling.

A side counts once somebody is clearly on it, beyond a margin; until then the former one does.
The moment of a change is that of the border, not of the margin.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """From one settled side (-1, 0 for unknown, 1) to another, when the border was passed."""

    before: int
    after: int
    at_us: int


@dataclass
class Side:
    """One track against one border.

    Args:
        settled: the side that counts; 0 before there is one.
        sign: the side of the latest picture, the margin apart.
        since_us: since when.
    """

    settled: int = 0
    sign: int = 0
    since_us: int = 0

    def update(self, distance: float, margin: float, at_us: int) -> Change | None:
        """Take up a position.

        Args:
            distance: from the border, positive on one side and negative on the other.
            margin: how far beyond the border a side counts; same unit.
            at_us: when.
        """
        sign = (distance > 0) - (distance < 0)
        if sign not in (0, self.sign):
            self.sign, self.since_us = sign, at_us
        if abs(distance) < margin or sign in (0, self.settled):
            return None
        before, self.settled = self.settled, sign
        return Change(before, sign, self.since_us)
