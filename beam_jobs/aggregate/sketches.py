"""Sketches of many store-hours or store-days at once (`tenpo.kpi.sketch` says what they are)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def sketches(owner: Ints, bucket: Ints, count: Ints, owners: int) -> pa.Array:
    """The sketch of each owner, from counts by bucket in any order and any number.

    Args:
        owner: whose the count is, from 0 on.
        bucket: its bucket.
        count: how many.
        owners: how many owners there are; one without counts has an empty sketch.
    """
    rows = pa.table({"owner": owner, "bucket": bucket, "count": count})
    found = rows.group_by(["owner", "bucket"]).aggregate([("count", "sum")])
    found = found.sort_by([("owner", "ascending"), ("bucket", "ascending")]).combine_chunks()
    texts = (found[name].cast(pa.string()) for name in ("bucket", "count_sum"))
    pairs = pc.binary_join_element_wise(*texts, ":").combine_chunks()
    starts = np.searchsorted(found["owner"].to_numpy(), np.arange(owners + 1))
    lists = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), pairs)
    return pc.binary_join(lists, " ")


def merged_lists(lists: pa.ChunkedArray) -> pa.Array:
    """Of each list of sketches the merged one; null where none of it is known."""
    parts = lists.combine_chunks()
    owner, texts = pc.list_parent_indices(parts), pc.list_flatten(parts)
    known = pc.is_valid(texts)
    owner, texts = owner.filter(known), texts.filter(known)
    has_any = np.isin(np.arange(len(parts)), owner.to_numpy())
    counting = pc.not_equal(texts, "")
    owner, pairs = owner.filter(counting), pc.split_pattern(texts.filter(counting), " ")
    of_pair = owner.take(pc.list_parent_indices(pairs)).to_numpy()
    numbers = pc.list_flatten(pc.split_pattern(pc.list_flatten(pairs), ":"))
    flat = numbers.cast(pa.int64()).to_numpy()
    found = sketches(of_pair, flat[::2], flat[1::2], len(parts))
    return pc.if_else(pa.array(has_any), found, pa.scalar(None, pa.string()))
