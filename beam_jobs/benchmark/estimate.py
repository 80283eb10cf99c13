"""Quartiles of a group that no store's figure can be read from: smoothed, then rounded.

The estimator weighs every store by its rank, so that a quartile of five stores is not the second
store's own figure: Harrell and Davis, A new distribution-free quantile estimator, Biometrika 69
(1982), https://doi.org/10.1093/biomet/69.3.635, as SciPy has it. Floats are enough for two digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from scipy.stats.mstats import hdquantiles

from tenpo.benchmark import Quartiles

_DIGITS = 2
_LAST_PLACE = -9  # of a NUMERIC
_STEPS = (5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


def estimated(figures: Sequence[Decimal]) -> Quartiles | None:
    """Rounded quartiles; None where all figures are the same, which would tell each of them.

    Args:
        figures: one a store, at least two.
    """
    if rounded(min(figures)) == rounded(max(figures)):
        return None
    found = hdquantiles(np.array(figures, dtype=np.float64), prob=(0.25, 0.5, 0.75))
    return Quartiles(*(rounded(Decimal(repr(float(each)))) for each in found))


def rounded(value: Decimal) -> Decimal:
    """The value to two significant digits, halves to the even one."""
    last = max(value.adjusted() - _DIGITS + 1, _LAST_PLACE)
    return Decimal(format(value.quantize(Decimal(1).scaleb(last)), "f"))


def at_least(stores: int) -> int:
    """A round number of stores, not above theirs, from 5 on."""
    return max(step for step in _STEPS if step <= stores)
