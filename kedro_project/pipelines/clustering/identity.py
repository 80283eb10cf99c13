"""Clusters keep their ids from run to run: new groups take the ids of those they overlap most.

The Hungarian method (scipy's `linear_sum_assignment`) finds the matching that moves the fewest
stores.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

_PREFIX = "c"


def matched(codes: pd.Series, previous: pd.Series) -> pd.Series:
    """The id of each store's cluster.

    Args:
        codes: any codes, by store.
        previous: ids of the run before, by store; empty at first.

    Returns:
        Ids by store: old ones where groups overlap, unused ones for new groups. Without a run
        before, `c1` is the largest group.
    """
    sizes = codes.value_counts(sort=False)
    groups = sorted(sizes.index, key=lambda code: (-sizes[code], code))
    names: dict[int, str] = {}
    if len(previous):
        before = previous.reindex(codes.index)
        ids = sorted(previous.unique())
        overlap = np.array([[((codes == g) & (before == i)).sum() for i in ids] for g in groups])
        rows, columns = linear_sum_assignment(-overlap)
        for row, column in zip(rows, columns, strict=True):
            if overlap[row, column]:
                names[groups[row]] = ids[column]
    number = _highest(previous) + 1
    for group in groups:
        if group not in names:
            names[group] = f"{_PREFIX}{number}"
            number += 1
    return codes.map(names).rename("cluster")


def _highest(previous: pd.Series) -> int:
    numbers = previous.astype(str).str.removeprefix(_PREFIX)
    return max((int(text) for text in numbers if text.isdecimal()), default=0)
