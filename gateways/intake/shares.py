"""A bounded stock that many draw on: nobody may hold more of it than is left to all others.

So one who floods gets half at most, two a third each, and whoever comes next always finds a
place (dynamic thresholds: Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998,
https://doi.org/10.1109/90.664262). Used by one thread, the event loop's.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from tenpo.errors import Overloaded

_REMEDY = "Nothing of it was taken. Send it again after a moment, and less at once."


class Shares:
    """The stock.

    Args:
        limit: how much there is, in whatever unit.
        what: what is said to who gets nothing.
        most: what one may hold, however much is left; None means no such bound.
    """

    def __init__(self, limit: int, what: str, most: int | None = None) -> None:
        self._limit = limit
        self._what = what
        self._most = limit if most is None else most
        self._held: dict[Hashable, int] = {}
        self.total = 0

    def take(self, who: Hashable, amount: int) -> None:
        """Hold so much more.

        Raises:
            Overloaded: too little would be left to others; nothing was taken.
        """
        total, held = self.total + amount, self._held.get(who, 0) + amount
        if held > min(self._limit - total, self._most):
            raise Overloaded(self._what, remedy=_REMEDY)
        self.total = total
        self._held[who] = held

    def give_back(self, who: Hashable, amount: int) -> None:
        """Hold so much less."""
        self.total -= amount
        left = self._held.get(who, 0) - amount
        if left > 0:
            self._held[who] = left
        else:
            self._held.pop(who, None)

    @contextmanager
    def hold(self, who: Hashable) -> Iterator[Hold]:
        """Nothing yet; what is added to it is given back at the end of the block."""
        held = Hold(self, who)
        try:
            yield held
        finally:
            held.drop()


class Holding(Protocol):
    """What a request adds to while its body comes."""

    def add(self, amount: int) -> None:
        """Hold so much more.

        Raises:
            Overloaded: too little would be left to others.
        """

    def drop(self) -> None:
        """Hold nothing any more."""


class HeldTogether:
    """The same amount of several stocks.

    Args:
        holds: what is held of each.
    """

    def __init__(self, holds: Sequence[Holding]) -> None:
        self._holds = holds

    def add(self, amount: int) -> None:
        """Hold so much more of each.

        Raises:
            Overloaded: one has too little left; nothing is held of any, any more.
        """
        try:
            for hold in self._holds:
                hold.add(amount)
        except Overloaded:
            self.drop()
            raise

    def drop(self) -> None:
        """Hold nothing of any."""
        for hold in self._holds:
            hold.drop()


class Hold:
    """What one request holds."""

    def __init__(self, shares: Shares, who: Hashable) -> None:
        self._shares = shares
        self._who = who
        self._amount = 0

    def add(self, amount: int) -> None:
        """Hold so much more.

        Raises:
            Overloaded: too little would be left to others; nothing was added.
        """
        self._shares.take(self._who, amount)
        self._amount += amount

    def drop(self) -> None:
        """Hold nothing any more."""
        self._shares.give_back(self._who, self._amount)
        self._amount = 0
