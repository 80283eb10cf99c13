"""A chain as arrays: one row a day, one column a store.

Not for reading files (`read`) and not for judging them: an unknown figure is NaN here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

MEASURES: Final = ("sales", "footfall", "customers", "units")
_CLOSED_SHARE = 0.75
_PATTERN_DAYS = 56


@dataclass(frozen=True)
class Panel:
    """What is known of a chain, day by day.

    Args:
        dates: every day from the first to the last, without gaps (T of them).
        stores: the stores' ids, sorted (S of them).
        measures: `sales` in currency, `footfall` people, `customers` receipts, `units` pieces;
            each (T, S), NaN where unknown. None is negative.
        inputs: what is known ahead, as promotions and holidays; each (T, S), 0 where nothing is.
        planned: (T, S), whether the store was to open; None where no one said.
        attributes: of the stores, one row each; columns may be of any kind.
        size: the attribute that tells a store's size, as its sales area.
        known: days of which measures are known; later ones have only inputs.
        opens: the first day of each store (S,), by number, where one is set: a store that is yet
            to open has one ahead, a store that never will one past every horizon; None where
            nobody said.
    """

    dates: pd.DatetimeIndex
    stores: tuple[str, ...]
    measures: Mapping[str, FloatArray]
    inputs: Mapping[str, FloatArray] = field(default_factory=dict)
    planned: BoolArray | None = None
    attributes: pd.DataFrame = field(default_factory=pd.DataFrame)
    size: str | None = None
    known: int = -1
    opens: IntArray | None = None

    def __post_init__(self) -> None:
        if self.known < 0:
            object.__setattr__(self, "known", len(self.dates))

    @property
    def shape(self) -> tuple[int, int]:
        """Days and stores."""
        return len(self.dates), len(self.stores)

    @property
    def weekday(self) -> IntArray:
        """Of each day, Monday is 0."""
        return np.asarray(self.dates.day_of_week, dtype=np.int64)

    def until(self, known: int) -> Panel:
        """The panel as it stood after its first `known` days: inputs stay, measures do not."""
        if known >= self.known:
            return self
        cut = {name: values.copy() for name, values in self.measures.items()}
        for values in cut.values():
            values[known:] = np.nan
        return replace(self, measures=cut, known=known)

    def extended(self, days: int) -> Panel:
        """The panel with room for `days` days after the known ones; inputs there are 0."""
        missing = self.known + days - len(self.dates)
        if missing <= 0:
            return self
        dates = pd.date_range(self.dates[0], periods=len(self.dates) + missing, freq="D")
        planned = None
        if self.planned is not None:
            planned = np.vstack([self.planned, weekly_pattern(self.planned, missing)])
        return replace(
            self,
            dates=dates,
            measures={n: _below(v, missing, np.nan) for n, v in self.measures.items()},
            inputs={n: _below(v, missing, 0.0) for n, v in self.inputs.items()},
            planned=planned,
        )

    def opening(self, measure: str) -> BoolArray:
        """Whether each store trades on each day (T, S), known or to be expected.

        Where no plan tells, a known day without any trade counts as closed, and days to come
        follow the weekdays of the last eight weeks. Before its first day no store trades.
        """
        trading = self._trading(measure)
        if self.opens is None:
            return trading
        return np.asarray(trading & (np.arange(len(trading))[:, None] >= self.opens))

    def _trading(self, measure: str) -> BoolArray:
        """As if every store had opened."""
        if self.planned is not None:
            return self.planned
        values = self.measures[measure]
        trades = ~(values == 0)  # an unknown day is no proof of a closed one
        past = trades[: self.known]
        ahead = len(self.dates) - self.known
        if ahead <= 0 or not self.known:
            return np.asarray(trades)
        closed = np.where(np.isnan(values[: self.known]), np.nan, ~past)
        return np.vstack([past, weekly_pattern(1.0 - closed, ahead)])

    def size_of(self) -> FloatArray | None:
        """The stores' size (S,), NaN where a store's is unknown; None where none is."""
        if self.size is None or self.size not in self.attributes:
            return None
        text = self.attributes[self.size]
        size = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
        size = np.where(size > 0, size, np.nan)
        return size if np.isfinite(size).any() else None

    def of(self, stores: npt.NDArray[Any]) -> Panel:
        """The panel of some stores, by position."""
        return replace(
            self,
            stores=tuple(self.stores[n] for n in stores),
            measures={n: v[:, stores] for n, v in self.measures.items()},
            inputs={n: v[:, stores] for n, v in self.inputs.items()},
            planned=None if self.planned is None else self.planned[:, stores],
            opens=None if self.opens is None else self.opens[stores],
            attributes=self.attributes.iloc[stores] if len(self.attributes) else self.attributes,
        )


def weekly_pattern(is_open: npt.NDArray[Any], days: int) -> BoolArray:
    """Expected opening of the next days (days, S): as each weekday's in the last eight weeks."""
    recent = np.asarray(is_open[-_PATTERN_DAYS:], dtype=np.float64)
    pattern = np.ones((7, recent.shape[1]), dtype=np.bool_)
    for back in range(min(7, len(recent))):
        same = recent[len(recent) - 1 - back :: -7]
        told = np.isfinite(same)
        share = np.where(told, same, 0).sum(axis=0) / np.maximum(told.sum(axis=0), 1)
        pattern[6 - back] = ~told.any(axis=0) | (share > 1 - _CLOSED_SHARE)
    return pattern[np.arange(days) % 7]


def _below(values: FloatArray, rows: int, fill: float) -> FloatArray:
    return np.vstack([values, np.full((rows, values.shape[1]), fill)])
