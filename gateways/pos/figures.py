"""Numbers of a payload's objects as Decimal, with the first fault remembered.

For adapters that must add and divide before there are columns. Columns that are taken
over as they are stay text and are read by `gateways.normalize.columns`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from gateways.formats.json_text import member
from gateways.normalize.faults import Reason

Fault = tuple[Reason, str]
#: Digits that arithmetic between a payload's numbers needs to stay exact.
PRECISION = 120
ZERO = Decimal(0)
_NUMBER = re.compile(r"[+-]?([0-9]{1,14}(\.[0-9]{0,9})?|\.[0-9]{1,9})")
_NINTH = Decimal("1e-9")


class Reading:
    """Reads the numbers of one record; a wrong one counts as nothing and is told.

    The record of a reading with a fault is rejected, so the nothing is never used.
    """

    def __init__(self) -> None:
        self.fault: Fault | None = None

    def wrong(self, reason: Reason, field: str) -> None:
        """Remember a fault, unless there is one already."""
        self.fault = self.fault or (reason, field)

    def given(self, source: Any, *path: str) -> Decimal | None:
        """The number at a path of keys; None where there is none."""
        value = member(source, *path)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or not _NUMBER.fullmatch(value.strip()):
            self.wrong(Reason.BAD_NUMBER, ".".join(path))
            return None
        return Decimal(value.strip())

    def number(self, source: Any, *path: str) -> Decimal:
        """The number at a path of keys; zero where there is none."""
        return self.given(source, *path) or ZERO

    def needed(self, source: Any, *path: str) -> Decimal:
        """The number at a path of keys, which must be there."""
        found = self.given(source, *path)
        if found is None:
            self.wrong(Reason.MISSING_FIELD, ".".join(path))
        return found or ZERO

    def listed(self, source: Any, name: str) -> list[Any]:
        """The objects of a list; nothing where there is none, a fault where it is no list."""
        value = member(source, name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.wrong(Reason.BAD_VALUE, name)
            return []
        return value


def plain(value: Decimal | None) -> str | None:
    """A number as text of at most nine decimals, without an exponent."""
    if value is None:
        return None
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < _NINTH.as_tuple().exponent:  # type: ignore[operator]
        value = value.quantize(_NINTH, ROUND_HALF_UP)
    return format(value, "f")


def share(amount: Decimal, part: Decimal, whole: Decimal, unit: Decimal) -> Decimal:
    """The part of an amount, rounded to a currency's smallest unit; zero of nothing."""
    if not whole or not amount:
        return ZERO
    return (amount * part / whole).quantize(unit, ROUND_HALF_EVEN)


def spread(amount: Decimal, weights: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """An amount in parts after their weights, whose sum is the amount.

    Without any weight nothing is spread: all parts are zero.
    """
    rest, left = amount, sum(weights, ZERO)
    parts = []
    for weight in weights:
        part = share(rest, weight, left, unit) if weight != left else rest if left else ZERO
        parts.append(part)
        rest, left = rest - part, left - weight
    return parts
