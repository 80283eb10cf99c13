"""Columns of text made into numbers: whole columns at a time, exact, never through float.

Each function returns the typed column and a mask of the rows whose text was
there but could not be read; missing text (null) is no fault here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gateways.normalize.faults import Mask, Places

Column: TypeAlias = "pa.Array[Any]"
Plain: TypeAlias = Callable[["pa.Array[Any]"], "pa.Array[Any]"]
T = TypeVar("T")

NUMERIC = pa.decimal128(38, 9)
WIDE = pa.decimal256(37, 9)
# Fourteen digits each, so that price times quantity still fits NUMERIC's twenty-nine.
_DECIMAL = r"^[+-]?(\d{1,14}(\.\d{0,9})?|\.\d{1,9})$"
_INTEGER = r"^[+-]?\d{1,15}(\.0{1,9})?$"
_EDGE = r"^\+|(\.0*)$"
_CONTROL = r"[\x00-\x1f\x7f]"
_DELETE = 0x7F


def flags(column: Column) -> Mask:
    """A boolean column as a mask; null is False."""
    filled = pc.fill_null(column, False) if column.null_count else column
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.bool_)


def missing(column: Column) -> Mask:
    """Which rows are null."""
    if not column.null_count:
        return np.zeros(len(column), np.bool_)
    return flags(pc.is_null(column))


def text(column: Column, empty: Sequence[str] = ("",)) -> Column:
    """Trimmed text; what stands for a missing value becomes null."""
    trimmed = pc.utf8_trim_whitespace(column) if _may_have_space(column) else column
    if tuple(empty) == ("",):
        gone = pc.equal(pc.binary_length(trimmed), 0)
    else:
        gone = pc.is_in(trimmed, value_set=pa.array(empty, pa.string()))
    return pc.if_else(gone, pa.scalar(None, pa.string()), trimmed) if flags(gone).any() else trimmed


def _may_have_space(column: Column) -> bool:
    """Whether any text may hold white space, which outside of ASCII takes a closer look."""
    codes = _bytes_of(column)
    return bool(len(codes)) and bool(codes.min() <= ord(" ") or codes.max() >= _DELETE)


def decimals(column: Column, plain: Plain | None = None) -> tuple[Column, Mask]:
    """Text as NUMERIC; `plain` makes numbers plain that are written otherwise."""
    return _per_value(column, lambda values: _decimals(plain(values) if plain else values))


def integers(column: Column, plain: Plain | None = None) -> tuple[Column, Mask]:
    """Text as INT64; `12.0` is read as 12."""
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.int64()), np.zeros(len(column), np.bool_)
    return _per_value(column, lambda values: _integers(plain(values) if plain else values))


def has_control(column: Column) -> Mask:
    """Which texts hold control characters."""
    codes = _bytes_of(column)
    # One look at the bytes of all rows spares nearly every column the search row by row.
    if not len(codes) or (codes.min() >= ord(" ") and not (codes == _DELETE).any()):
        return np.zeros(len(column), np.bool_)
    return flags(pc.match_substring_regex(column, _CONTROL))


def _bytes_of(column: Column) -> npt.NDArray[np.uint8]:
    """The bytes that a column's texts lie in, others perhaps among them."""
    data = column.buffers()[2]
    return np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)


def _per_value(
    column: Column, function: Callable[[Column], tuple[Column, Mask]]
) -> tuple[Column, Mask]:
    """Read each distinct text once: a file has many more rows than different numbers."""
    coded = column.dictionary_encode()
    values, bad = function(coded.dictionary)
    wrong = bad[codes_of(column)] & ~missing(column) if bad.any() else None
    taken = values.take(coded.indices)
    return taken, np.zeros(len(column), np.bool_) if wrong is None else wrong


def _decimals(column: Column) -> tuple[Column, Mask]:
    good = pc.match_substring_regex(column, _DECIMAL)
    bad = flags(pc.and_(pc.is_valid(column), pc.invert(good)))
    readable = pc.if_else(good, column, pa.scalar(None, pa.string()))
    # Arrow reads neither a leading plus nor a trailing point.
    plain = pc.replace_substring_regex(readable, r"^\+|\.$", "")
    return pc.cast(plain, NUMERIC), bad


def _integers(column: Column) -> tuple[Column, Mask]:
    good = pc.match_substring_regex(column, _INTEGER)
    bad = flags(pc.and_(pc.is_valid(column), pc.invert(good)))
    readable = pc.if_else(good, column, pa.scalar(None, pa.string()))
    return pc.cast(pc.replace_substring_regex(readable, _EDGE, ""), pa.int64()), bad


def times(left: Column, right: Column) -> Column:
    """Product of two NUMERIC columns, rounded to NUMERIC's nine decimals."""
    first, inverse = distinct([left, right])
    factors = (pc.cast(column.take(pa.array(first)), WIDE) for column in (left, right))
    rounded = pc.round(pc.multiply(*factors), ndigits=9, round_mode="half_towards_infinity")
    return pc.cast(rounded, NUMERIC).take(pa.array(inverse))


def negated(column: Column, mask: Mask) -> Column:
    """The column with the sign of the masked rows turned."""
    return pc.if_else(pa.array(mask), pc.negate(column), column) if mask.any() else column


def ranks(column: Column) -> npt.NDArray[np.int64]:
    """Order of each row among the rows with the same value, from 0."""
    codes = codes_of(column)
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(codes)])
    result = np.empty(len(codes), dtype=np.int64)
    result[order] = np.arange(len(codes)) - np.repeat(starts, lengths)
    return result


def codes_of(column: Column) -> npt.NDArray[np.int64]:
    """A small number for each distinct value; null has its own, -1."""
    indices = column.dictionary_encode().indices
    if indices.null_count:
        indices = pc.fill_null(indices, -1)
    return np.asarray(indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def distinct(columns: Sequence[Column]) -> tuple[Places, Places]:
    """The first row of each distinct combination of two or more values, and which each row has."""
    inverse = codes_of(columns[0])
    for column in columns[1:]:
        codes = codes_of(column) + 1
        if len(codes) and codes.min() == codes.max():
            continue  # a store's currency or timezone: one for nearly every file
        inverse = codes_of(pa.array((inverse + 1) * (int(codes.max(initial=0)) + 1) + codes))
    if len(inverse) and inverse.min() < 0:
        inverse = codes_of(pa.array(inverse))
    first = np.empty(int(inverse.max(initial=-1)) + 1, dtype=np.int64)
    first[inverse[::-1]] = np.arange(len(inverse) - 1, -1, -1)
    return first, inverse


def for_distinct(
    columns: Sequence[Column], function: Callable[..., T]
) -> tuple[list[T], npt.NDArray[np.int64]]:
    """Call a function once for each distinct combination of values.

    Returns:
        The results, and which of them each row has.
    """
    if len(columns) == 1:
        coded = columns[0].dictionary_encode(null_encoding="encode")
        codes = np.asarray(coded.indices.to_numpy(), dtype=np.int64)
        return [function(value) for value in coded.dictionary.to_pylist()], codes
    first, inverse = distinct(columns)
    taken = [column.take(pa.array(first)).to_pylist() for column in columns]
    return [function(*values) for values in zip(*taken, strict=True)], inverse


def spread(values: Sequence[Any], inverse: npt.NDArray[np.int64], type_: Any) -> Column:
    """Results of `for_distinct` back on every row."""
    return pa.array(values, type_).take(pa.array(inverse))


def joined(columns: Sequence[Column]) -> Column:
    """Several columns as one key that no other values give; null is empty.

    A bar within a value becomes `%7C`, and what looks like an escape already is escaped itself.
    """
    parts = [_escaped(pc.fill_null(pc.cast(column, pa.string()), "")) for column in columns]
    if len(parts) == 1:
        return parts[0]
    return pc.binary_join_element_wise(*parts, "|")


def _escaped(column: Column) -> Column:
    held = _bytes_of(column)
    if (held == ord("%")).any():
        column = pc.replace_substring_regex(column, r"%(7C|25)", r"%25\1")
    return pc.replace_substring(column, "|", "%7C") if (held == ord("|")).any() else column


def negative(column: Column) -> Mask:
    """Which rows are below zero."""
    return _beyond_zero(pc.less, column)


def positive(column: Column) -> Mask:
    """Which rows are above zero."""
    return _beyond_zero(pc.greater, column)


def _beyond_zero(compare: Callable[..., Any], column: Column) -> Mask:
    if column.null_count == len(column):
        return np.zeros(len(column), np.bool_)
    return flags(compare(column, pa.scalar(0, pa.int64()).cast(column.type)))
