"""What is typical of each store: shapes and ratios, not its size.

Each feature is also taken from odd and from even weeks alone; how well the two agree over the
chain is its reliability, by which clustering weighs it. Stores with too little history are left
out with a reason. Only known days are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kedro_project.panel import BoolArray, FloatArray, Panel
from kedro_project.pipelines.forecast.level import history, mean, special_days, weekday_means

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
RATIOS = {
    "conversion": ("customers", "footfall"),
    "atv": ("sales", "customers"),
    "upt": ("units", "customers"),
}
_VISITS = ("footfall", "customers", "sales")  # the first that there is tells when people come
_YEAR_DAYS = 330
_MIN_SPREAD = 1e-9


@dataclass(frozen=True)
class StoreFeatures:
    """Features of the stores that have enough history.

    Args:
        table: a row a store; ratios and levels in logarithms.
        family: of each column; columns of one family describe one thing together.
        reliability: of each column, 0..1.
        left_out: `store` and `reason`.
    """

    table: pd.DataFrame
    family: pd.Series
    reliability: pd.Series
    left_out: pd.DataFrame


def visits_of(panel: Panel) -> str:
    """The measure that tells when people come."""
    return next(name for name in _VISITS if name in panel.measures)


def store_features(panel: Panel, parameters: dict[str, Any]) -> StoreFeatures:
    """Features from the known days of a panel.

    Args:
        panel: what is known of the chain.
        parameters: `window_days` looked at, `min_days` a store needs in them.
    """
    first = max(0, panel.known - int(parameters["window_days"]))
    view = _View.of(panel, first)
    days = np.isfinite(view.visits).sum(axis=0)
    enough = days >= int(parameters["min_days"])
    whole = dict(view.features(np.ones(view.visits.shape[0], dtype=np.bool_)))
    odd = (np.arange(view.visits.shape[0]) // 7) % 2 == 1
    halves = [dict(view.features(part)) for part in (odd, ~odd)]
    columns = {name: values[enough] for (_, name), values in whole.items()}
    stores = [store for store, kept in zip(panel.stores, enough, strict=True) if kept]
    table = pd.DataFrame(columns, index=pd.Index(stores, name="store", dtype=object))
    return StoreFeatures(
        table=table,
        family=pd.Series({name: family for family, name in whole}),
        reliability=pd.Series(
            {key[1]: _agreement(*(h[key][enough] for h in halves)) for key in whole}
        ),
        left_out=pd.DataFrame(
            [
                (store, f"{n} known trading days; {parameters['min_days']} are needed")
                for store, n, kept in zip(panel.stores, days, enough, strict=True)
                if not kept
            ],
            columns=["store", "reason"],
        ),
    )


@dataclass(frozen=True)
class _View:
    """The days that features look at, in logarithms; special days masked."""

    panel: Panel
    first: int
    visits: FloatArray
    adjusted: FloatArray

    @classmethod
    def of(cls, panel: Panel, first: int) -> _View:
        nobody = np.zeros(len(panel.stores), dtype=np.int64)
        visits = history(panel, visits_of(panel), nobody).plain[first : panel.known]
        weekday = panel.weekday[first : panel.known]
        own = weekday_means(visits, weekday)
        return cls(panel, first, visits, visits - own[weekday])

    @property
    def days(self) -> slice:
        return slice(self.first, self.panel.known)

    def features(self, part: BoolArray) -> Iterator[tuple[tuple[str, str], FloatArray]]:
        """Family, name and values (S,) from some of the days."""
        visits = np.where(part[:, None], self.visits, np.nan)
        yield ("level", "level"), mean(visits, axis=0)
        yield from self._week(visits)
        yield from self._season(part)
        yield from self._ratios(part)
        rest = np.where(part[:, None], self.adjusted, np.nan)
        yield ("volatility", "volatility"), _quiet(np.nanstd, rest)
        yield from self._trend(rest)
        yield from self._uplifts(rest)

    def _week(self, visits: FloatArray) -> Iterator[tuple[tuple[str, str], FloatArray]]:
        means = weekday_means(visits, self.panel.weekday[self.days])
        # A weekday on which the store never opens is far below the others, not unknown.
        low = np.nanmin(means, initial=0.0, axis=0) - 3.0
        means = np.where(np.isfinite(means), means, low)
        shape = means - means.mean(axis=0)
        for name, values in zip(WEEKDAYS, shape, strict=True):
            yield ("weekday", name), values

    def _season(self, part: BoolArray) -> Iterator[tuple[tuple[str, str], FloatArray]]:
        if self.visits.shape[0] < _YEAR_DAYS:
            return
        months = np.asarray(self.panel.dates.month)[self.days]
        rest = np.where(part[:, None], self.adjusted, np.nan)
        for month in range(1, 13):
            yield ("season", f"month_{month:02d}"), mean(rest[months == month], axis=0)

    def _ratios(self, part: BoolArray) -> Iterator[tuple[tuple[str, str], FloatArray]]:
        for name, (above, below) in RATIOS.items():
            if above in self.panel.measures and below in self.panel.measures:
                tops = self.panel.measures[above][self.days]
                bottoms = self.panel.measures[below][self.days]
                used = part[:, None] & np.isfinite(tops) & np.isfinite(bottoms)
                used &= ~special_days(self.panel)[self.days]
                total, of = (np.where(used, v, 0.0).sum(axis=0) for v in (tops, bottoms))
                sound = (total > 0) & (of > 0)
                safe = np.where(sound, total, 1.0) / np.where(sound, of, 1.0)
                yield (name, name), np.where(sound, np.log(safe), np.nan)

    def _trend(self, rest: FloatArray) -> Iterator[tuple[tuple[str, str], FloatArray]]:
        """Growth a year against the chain: the newer half of the days over the older."""
        half = rest.shape[0] // 2
        if half >= _YEAR_DAYS // 2:
            against = rest - mean(rest, axis=1)[:, None]
            growth = mean(against[half:], axis=0) - mean(against[:half], axis=0)
            yield ("trend", "trend"), growth * 365.0 / half

    def _uplifts(self, rest: FloatArray) -> Iterator[tuple[tuple[str, str], FloatArray]]:
        for name, values in self.panel.inputs.items():
            is_set = values[self.days] != 0
            with_it = np.where(is_set, rest, np.nan)
            if np.isfinite(with_it).sum() >= 7 * max(1, len(self.panel.stores)):
                gain = mean(with_it, axis=0) - mean(np.where(is_set, np.nan, rest), axis=0)
                yield ("uplift", f"uplift_{name}"), gain


def _quiet(function: Callable[..., Any], values: FloatArray) -> FloatArray:
    known = np.isfinite(values).sum(axis=0) > 1
    out = np.full(values.shape[1], np.nan)
    out[known] = function(values[:, known], axis=0)
    return out


def _agreement(one: FloatArray, other: FloatArray) -> float:
    """Correlation over stores, 0 where there is none to speak of."""
    known = np.isfinite(one) & np.isfinite(other)
    one, other = one[known], other[known]
    if len(one) < 3 or min(one.std(), other.std()) < _MIN_SPREAD:
        return 0.0
    return float(np.clip(np.corrcoef(one, other)[0, 1], 0.0, 1.0))
