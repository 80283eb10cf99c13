"""Medians from sketches: near the true one, and the same however they are merged."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenpo.kpi.sketch import GAMMA, RELATIVE_ERROR, as_text, buckets, median, merged

lengths = st.lists(st.integers(0, 100_000), min_size=1, max_size=60)


def sketch(values: list[int]) -> str:
    return as_text(Counter(buckets(np.array(values, np.int64)).tolist()))


@settings(max_examples=60, deadline=None)
@given(lengths, st.randoms(use_true_random=False))
def test_a_merged_median_is_near_the_true_one(values: list[int], dice: random.Random) -> None:
    cut = dice.randrange(len(values) + 1)
    parts = [sketch(values[cut:]), None, sketch(values[:cut])]
    assert merged(parts) == merged(reversed(parts)) == sketch(values)
    true = max(1, sorted(values)[(len(values) - 1) // 2])
    found = median(merged(parts))
    assert found is not None
    assert abs(float(found) - true) <= float(RELATIVE_ERROR) * true + 0.05, "rounded to a tenth"


def test_what_is_not_known_has_no_median() -> None:
    assert median(None) is None
    assert median("") is None
    assert merged([None, None]) is None
    assert merged(["", None]) == ""


@pytest.mark.parametrize("bucket", [0, 1, 90, 250])
def test_a_bucket_ends_where_the_dictionary_says(bucket: int) -> None:
    end = (51 / 49) ** bucket
    assert float(GAMMA) == pytest.approx(51 / 49)
    whole = np.array([int(end), int(end) + 1])
    assert (buckets(whole) <= bucket).tolist() == [True, False]
