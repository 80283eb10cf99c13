"""Receipts and their lines as NumPy tables, before they are written in a vendor's format.

Amounts are whole yen. At vendor A they include tax, at vendor B they do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.void]

RECEIPT = np.dtype(
    [
        ("day", "i4"),  # index of the business date
        ("second", "i4"),  # on the business date's clock, may be past 24:00
        ("register", "i4"),
        ("number", "i4"),  # per register and day (A) or per day (B)
        ("original", "i8"),  # receipt that this one returns goods of, -1 for none
        ("fate", "i1"),
        ("settled_day", "i4"),  # when it was voided or corrected
        ("customer", "i4"),  # 0 for none
        ("clerk", "i4"),
    ]
)

LINE = np.dtype(
    [
        ("receipt", "i8"),  # index of the receipt
        ("number", "i4"),  # within the receipt, from 1
        ("kind", "i1"),
        ("article", "i4"),  # index into the catalogue, -1 for none
        ("quantity", "i8"),  # signed
        ("unit_price", "i8"),
        ("amount", "i8"),  # signed
        ("rate", "i8"),  # percent
        ("dropped", "?"),  # no longer on the corrected receipt
    ]
)


class Kind(IntEnum):
    """What a line is."""

    SALE = 1
    RETURN = 2
    DISCOUNT = 3
    SHIPPING = 4
    GIFT_CARD = 5


class Fate(IntEnum):
    """What became of a receipt after it was printed."""

    STANDS = 0
    VOIDED_AT_ONCE = 1
    VOIDED_LATER = 2
    CORRECTED = 3


@dataclass
class Sales:
    """The receipts of one shop and their lines; `lines["receipt"]` indexes `receipts`."""

    receipts: Table
    lines: Table

    @property
    def line_ends(self) -> NDArray[np.int64]:
        """Where each receipt's lines begin, and the end: lines lie receipt by receipt."""
        order = np.arange(len(self.receipts) + 1)
        return np.searchsorted(self.lines["receipt"], order).astype(np.int64)


def blank(dtype: np.dtype[np.void], count: int) -> Table:
    """A table of zeros; no receipt refers to another, no line has an article."""
    table = np.zeros(count, dtype=dtype)
    for name in ("original", "article"):
        if name in (dtype.names or ()):
            table[name] = -1
    return table
