"""Columns of text: trimming, distinct rows, products."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.normalize.columns import NUMERIC, distinct, has_control, joined, text, times

few = st.lists(st.sampled_from(["", " ", "a", " a", "a\u3000", "\u00a0b ", "\x07", None, "é"]))
codes = st.sampled_from([None, "x", "y"])


@given(few)
def test_text_is_trimmed_as_python_does_and_empty_is_missing(values: list[str | None]) -> None:
    expected = [(value or "").strip() or None for value in values]
    assert text(pa.array(values, pa.string())).to_pylist() == expected


@given(few)
def test_control_characters_are_found(values: list[str | None]) -> None:
    found = has_control(pa.array(values, pa.string())).tolist()
    assert found == [value is not None and "\x07" in value for value in values]


@given(st.lists(st.tuples(codes, codes, st.just("one")), max_size=12))
def test_distinct_rows_lead_back_to_every_row(rows: list[tuple[str | None, ...]]) -> None:
    columns = [pa.array([row[n] for row in rows], pa.string()) for n in range(3)]
    first, inverse = distinct(columns)
    assert len(first) == len(set(rows))
    assert [rows[first[place]] for place in inverse] == rows


keys = st.text("|%72C5a", max_size=6)


@settings(max_examples=200)
@given(st.tuples(keys, keys), st.tuples(keys, keys))
def test_no_two_keys_are_joined_to_the_same(one: tuple[str, str], other: tuple[str, str]) -> None:
    columns = [pa.array([one[n], other[n]], pa.string()) for n in (0, 1)]
    first, second = joined(columns).to_pylist()
    assert (first == second) == (one == other)
    alone, again = joined([pa.array([one[0], other[0]], pa.string())]).to_pylist()
    assert (alone == again) == (one[0] == other[0])


def test_a_key_is_escaped_where_it_must_be_and_no_further() -> None:
    values = ["a", "50%", "a|b", "%7C", "%25", None]
    expected = ["a", "50%", "a%7Cb", "%257C", "%2525", ""]
    assert joined([pa.array(values, pa.string())]).to_pylist() == expected


@settings(max_examples=50)
@given(st.lists(st.tuples(*[st.none() | st.decimals(-(10**6), 10**6, places=3)] * 2), max_size=8))
def test_products_are_exact(pairs: list[tuple[Decimal | None, Decimal | None]]) -> None:
    left, right = (pa.array([pair[n] for pair in pairs], NUMERIC) for n in (0, 1))
    expected = [None if a is None or b is None else a * b for a, b in pairs]
    assert times(left, right).to_pylist() == expected
