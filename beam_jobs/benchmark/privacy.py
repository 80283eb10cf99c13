"""Which stores of several tenants make a group that may be told of (docs/adr/0022-benchmarks.md).

Pure: figures in, groups out. Every figure ends in one group at most, released or hidden.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tenpo.benchmark import Group

MIN_STORES, MIN_TENANTS = 5, 3
#: A change of tenants that hold less than one part in so many stores gives nobody away.
_LIGHT = 10

Reason = Literal["few", "alike", "held"]
#: Stores by tenant, of the group as it was last released.
Parts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Figure:
    """One store's figure of one KPI in one period."""

    tenant_id: str
    store_id: str
    group: Group
    value: Decimal


@dataclass(frozen=True, slots=True)
class Pool:
    """A group with the stores that count in it, or why it is hidden."""

    group: Group
    figures: tuple[Figure, ...]
    hidden: Reason | None = None


def pools(
    figures: Sequence[Figure], before: Mapping[Group, Parts], *, over_currencies: bool
) -> Iterator[Pool]:
    """Groups from the finest on; the stores of those that fail are pooled one step coarser.

    Args:
        figures: of one KPI and period, one a store.
        before: who was in a group when it was last released, not long ago.
        over_currencies: whether the KPI can be compared between currencies.
    """
    waiting: dict[Group, list[Figure]] = defaultdict(list)
    for figure in figures:
        waiting[figure.group].append(figure)
    for depth in (3, 2, 1):
        for group in sorted(one for one in waiting if len(one.path) == depth):
            members = waiting.pop(group)
            coarser = group.coarser if depth > 2 or over_currencies else None
            if is_safe(members):
                yield _settled(group, members, before.get(group, {}))
            elif coarser is not None:
                waiting[coarser] += members
            else:
                yield Pool(group, tuple(members), "few")


def is_safe(members: Sequence[Figure]) -> bool:
    """At least five stores of three tenants, none with more than half of them."""
    parts = _parts(members)
    return (
        len(members) >= MIN_STORES
        and len(parts) >= MIN_TENANTS
        and 2 * max(parts.values()) <= len(members)
    )


def _settled(group: Group, members: Sequence[Figure], before: Parts) -> Pool:
    """The group as it may be told of after its last release."""
    if before and _gives_away(_parts(members), before):
        members = [one for one in members if one.tenant_id in before]  # newcomers wait
        if not is_safe(members) or _gives_away(_parts(members), before):
            return Pool(group, tuple(members), "held")
    return Pool(group, tuple(members))


def _gives_away(now: Parts, before: Parts) -> bool:
    """Whether what changed is one or two tenants, who hold enough to be seen."""
    changed = now.keys() ^ before.keys()
    stores = sum(now.get(one, 0) + before.get(one, 0) for one in changed)
    whole = max(sum(now.values()), sum(before.values()))
    return 0 < len(changed) < MIN_TENANTS and _LIGHT * stores >= whole


def _parts(members: Sequence[Figure]) -> Counter[str]:
    return Counter(one.tenant_id for one in members)
