"""Counters whose clocks are off, and what they truly counted. It knows nothing of the rules."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.kernel.warehouse.counters import Reading, Stretch

START = datetime(2026, 3, 28, 3, tzinfo=UTC)
EVERY = timedelta(minutes=15)
#: How far a clock is off, ahead above 0: in another zone, never set, set to another year. No
#: two of them are quarters apart: readings of the same time by the clock would be one document.
OFFSETS = (
    timedelta(0),
    timedelta(minutes=29),
    timedelta(hours=3, minutes=1),
    timedelta(hours=22, minutes=58),
    -timedelta(minutes=34),
    -timedelta(hours=3, minutes=3),
    -timedelta(hours=9, minutes=7),
    -timedelta(days=40, minutes=11),
)


class Truth(NamedTuple):
    """What went on between two readings in truth."""

    device: str
    start: datetime
    end: datetime
    entered: int
    left: int
    is_reset: bool


@dataclass(frozen=True)
class Life:
    """A counter's readings as they came, and what it counted."""

    sent: list[Reading]
    truth: list[Truth]


def life(chance: random.Random, device: str) -> Life:
    """A day or so of a counter: its clock is set again and again, it was offline, it began anew."""
    total, left = chance.randint(0, 500), 0
    at = START + timedelta(seconds=chance.randint(0, 840))
    sent: list[Reading] = []
    truth: list[Truth] = []
    begins_anew = chance.random() < 0.5
    clocks = [chance.choice(OFFSETS) for _ in range(chance.randint(1, 4))]
    for number, offset in enumerate(clocks):
        # What came once or twice is told from what came late by the totals alone, so there must
        # be totals before and after, and no new beginning between them.
        least = 1 if 0 < number < len(clocks) - 1 and not begins_anew else 4
        stay = chance.randint(least, 14)
        offline = range(1, stay - 3) if stay > 6 and chance.random() < 0.4 else range(0)
        for step in range(stay):
            # Of a beginning at which no total falls nobody can tell.
            is_reset = begins_anew and total > 9 and left > 5 and chance.random() < 0.06
            came, went = chance.randint(1, 9), chance.randint(1, 5)
            before = at
            at += EVERY if sent else timedelta(0)
            total, left = (came, went) if is_reset else (total + came, left + went)
            if sent:
                truth.append(Truth(device, before, at, came, went, is_reset))
            arrives = at + EVERY * (offline.stop - step if step in offline else 0)
            received = arrives + timedelta(seconds=3, milliseconds=len(sent))
            sent.append(Reading(at + offset, total, left, device, received=received))
    return Life(sent, truth)


def repeated(sent: list[Reading], chance: random.Random) -> list[Reading]:
    """The same readings sent once more, minutes or hours later."""
    again = chance.sample(sent, len(sent) // 4)
    return [
        replace(one, version=2, received=one.arrived + EVERY * chance.randint(1, 30))
        for one in again
    ]


def disagreement(found: list[Stretch], truth: list[Truth]) -> str:
    """The first interval that differs; moments may by what a clock may be off unnoticed."""
    by_device = sorted(found, key=lambda one: (one.device, one.end, one.start))
    for mine, real in zip(by_device, sorted(truth), strict=False):
        same = (mine.device, mine.entered, mine.left, mine.is_reset) == (
            real.device, real.entered, real.left, real.is_reset,
        )  # fmt: skip
        near = max(abs(mine.start - real.start), abs(mine.end - real.end)) <= timedelta(minutes=5)
        if not (same and near):
            return f"{mine} is {real}"
    return "" if len(found) == len(truth) else f"{len(found)} intervals of {len(truth)}"
