"""National holidays of the places where stores trade. So far Japan's, from `jpholiday`.

Not for a tenant's own closures and special days: those are masters.
"""

from __future__ import annotations

from datetime import date

import jpholiday

_COUNTRY_OF = {"Asia/Tokyo": "JP", "Japan": "JP"}


def country_of(timezone: str) -> str | None:
    """The country of a timezone, ISO 3166, as far as its holidays are known."""
    return _COUNTRY_OF.get(timezone)


def named_holidays(country: str, first: date, last: date) -> list[tuple[date, str]]:
    """The holidays of a range with their names, both ends included; empty for other countries."""
    return list(jpholiday.between(first, last)) if country == "JP" else []
