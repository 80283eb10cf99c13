"""The conditions of a spec as masks over columns of text.

Patterns are RE2's: their time grows with the text and never explodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateways.declarative.parts import Condition, Conditions
from gateways.normalize import columns
from gateways.normalize.columns import NUMERIC, Column, Plain, flags, missing
from gateways.normalize.faults import Mask


class Rows:
    """Columns of text that rules look at."""

    def __init__(self, text: Mapping[str, Column], length: int, plain: Plain | None) -> None:
        self.length = length
        self._text = text
        self._plain = plain

    def all(self, conditions: Conditions) -> Mask:
        """The rows where every condition holds; without any, all."""
        held = [self._holds(self._text[name], one) for name, one in conditions.items()]
        return reduce(np.logical_and, held, np.ones(self.length, np.bool_))

    def any(self, rules: Iterable[Conditions]) -> Mask:
        """The rows where one of the rules holds."""
        return reduce(np.logical_or, map(self.all, rules), np.zeros(self.length, np.bool_))

    def _holds(self, column: Column, condition: Condition) -> Mask:
        if condition.one_of is not None:
            return flags(pc.is_in(column, value_set=pa.array(condition.one_of, pa.string())))
        if condition.filled is not None:
            return missing(column) ^ condition.filled
        if condition.matches is not None:
            coded = column.dictionary_encode()
            return flags(
                pc.match_substring_regex(coded.dictionary, condition.matches).take(coded.indices)
            )
        number, _ = columns.decimals(column, self._plain)
        for compare, limit in (
            (pc.equal, condition.equals),
            (pc.less, condition.below),
            (pc.greater, condition.above),
        ):
            if limit is not None:
                return flags(compare(number, pa.scalar(limit).cast(NUMERIC)))
        return np.zeros(self.length, np.bool_)
