"""Medians of what is summed: a sketch of lengths of time that merges exactly.

A length falls into a bucket whose upper end is a power of `GAMMA`; the sketch counts lengths by
bucket, as text: `94:3 97:1`. Adding the counts of two sketches gives the sketch of both, in any
order. A quantile read from it is off by at most `RELATIVE_ERROR` of its value (DDSketch, Masson,
Rim and Lee 2019, https://arxiv.org/abs/1908.10693). A length of less than a second counts as one.

Not for what people are counted by, nor for amounts: those are sums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: By how much of itself a quantile may be wrong.
RELATIVE_ERROR = Decimal("0.02")
GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)


def buckets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bucket of each length, in seconds."""
    powers: NDArray[Any] = np.log(np.maximum(lengths, 1)) / np.log(float(GAMMA))
    return np.ceil(powers - 1e-9).astype(np.int64)


def as_text(counts: Mapping[int, int]) -> str:
    """A sketch of counts by bucket; empty where there are none."""
    return " ".join(f"{bucket}:{counts[bucket]}" for bucket in sorted(counts))


def counts_of(sketch: str) -> Counter[int]:
    """The counts by bucket of a sketch."""
    pairs = (pair.split(":") for pair in sketch.split())
    return Counter({int(bucket): int(count) for bucket, count in pairs})


def merged(sketches: Iterable[str | None]) -> str | None:
    """One sketch of several; None where none is known."""
    known = [sketch for sketch in sketches if sketch is not None]
    total: Counter[int] = Counter()
    for sketch in known:
        total.update(counts_of(sketch))
    return as_text(total) if known else None


def median(sketch: str | None) -> Decimal | None:
    """The lower median of a sketch to a tenth of a second; None where it counts nothing."""
    counts = counts_of(sketch or "")
    before, half = 0, (counts.total() + 1) // 2
    for bucket in sorted(counts):
        before += counts[bucket]
        if before >= half:
            return (2 * GAMMA**bucket / (GAMMA + 1)).quantize(Decimal("0.1"))
    return None
