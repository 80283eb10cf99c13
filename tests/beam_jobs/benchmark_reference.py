"""Benchmarks the slow way: pooled from the top of a tree, quartiles by integrating a density.

Nothing here is taken from the code under test but the names of groups.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GroupName = tuple[str, str, str]


@dataclass(frozen=True)
class Store:
    """A store of a tenant and its figure; an empty size is not known."""

    tenant: str
    name: str
    industry: str
    currency: str
    size: str
    value: float


def safe(stores: Sequence[Store]) -> bool:
    """Five stores, three tenants, nobody above a half."""
    tally = Counter(store.tenant for store in stores)
    top = max(tally.values(), default=0)
    return len(stores) >= 5 and len(tally) >= 3 and top / len(stores) <= 0.5 if stores else False


def pooled(stores: Sequence[Store], *, is_amount: bool) -> dict[GroupName, set[str]]:
    """Names of the stores of every group that may be told of."""
    told: dict[GroupName, set[str]] = {}
    for industry in {store.industry for store in stores}:
        own = [store for store in stores if store.industry == industry]
        left: list[Store] = []
        for currency in {store.currency for store in own}:
            rest: list[Store] = []
            market = [store for store in own if store.currency == currency]
            for size in ("small", "medium", "large"):
                part = [store for store in market if store.size == size]
                if safe(part):
                    told[industry, currency, size] = names(part)
                else:
                    rest += part
            rest += [store for store in market if not store.size]
            if safe(rest):
                told[industry, currency, ""] = names(rest)
            else:
                left += rest
        if safe(left) and not is_amount:
            told[industry, "", ""] = names(left)
    return told


def names(stores: Iterable[Store]) -> set[str]:
    """What the stores are called."""
    return {store.name for store in stores}


def harrell_davis(values: Sequence[float], share: float) -> float:
    """Every value weighed by the Beta density over its place: midpoint rule."""
    n, steps = len(values), 150
    a, b = (n + 1) * share, (n + 1) * (1 - share)
    weights = []
    for place in range(n):
        points = ((place + (step + 0.5) / steps) / n for step in range(steps))
        weights.append(sum(x ** (a - 1) * (1 - x) ** (b - 1) for x in points))
    return math.fsum(
        weight * value for weight, value in zip(weights, sorted(values), strict=True)
    ) / math.fsum(weights)
