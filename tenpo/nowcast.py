"""Today's final figure, from the hours so far, what such hours were of past days, and the forecast.

What the hours so far say grows in weight with the part of the day that they usually make; before
the first whole hour the forecast speaks alone, and without any the history does. Not for reading
the datamart (`tenpo.datamart.nowcast_read`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Basis = Literal["hours so far", "hours so far and forecast", "forecast", "past weeks"]
_ONE = Decimal(1)
_TELLING_SHARE = Decimal("0.02")  # less of a day than this says nothing of its rest


@dataclass(frozen=True, slots=True)
class Band:
    """A value with the ends of its interval; `low` <= `value` <= `high`."""

    value: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Nowcast:
    """What a day will end with.

    Args:
        band: the final figure and its interval of 80 %.
        basis: what it was made from.
    """

    band: Band
    basis: Basis


def nowcast(
    so_far: Decimal | None, share: Band | None, forecast: Band | None, usual: Band | None
) -> Nowcast | None:
    """The day's final figure.

    Args:
        so_far: sum of the whole hours of today; None where live data is missing.
        share: which part of past days these hours made, 0..1.
        forecast: of today, by the models; None where there is none.
        usual: what such days ended with in the past weeks.

    Returns:
        None where nothing is known at all.
    """
    seen = _from_hours(so_far, share)
    if seen is None or share is None:
        if forecast is not None:
            return Nowcast(_at_least(forecast, so_far), "forecast")
        return None if usual is None else Nowcast(_at_least(usual, so_far), "past weeks")
    if forecast is None:
        return Nowcast(_at_least(seen, so_far), "hours so far")
    weight = min(share.value, _ONE)
    mixed = Band(
        *(
            weight * getattr(seen, end) + (_ONE - weight) * getattr(forecast, end)
            for end in ("value", "low", "high")
        )
    )
    return Nowcast(_at_least(mixed, so_far), "hours so far and forecast")


def _from_hours(so_far: Decimal | None, share: Band | None) -> Band | None:
    if so_far is None or share is None or share.value < _TELLING_SHARE:
        return None
    most, least = min(share.high, _ONE), max(share.low, _TELLING_SHARE)
    return Band(so_far / share.value, so_far / most, so_far / least)


def _at_least(band: Band, so_far: Decimal | None) -> Band:
    """No day ends below what it has; sales of hours to come may be returns, but seldom."""
    floor = so_far or Decimal(0)
    return Band(*(max(getattr(band, end), floor) for end in ("value", "low", "high")))
