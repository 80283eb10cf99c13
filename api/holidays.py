"""National holidays of the countries stores trade in, with English names.

A tenant's own closures and special days are masters, not holidays.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from api.models import Holiday, Words
from tenpo.holidays import country_of, named_holidays

# The library names holidays in Japanese alone; English as the Cabinet Office writes them.
_ENGLISH = {
    "元日": "New Year's Day",
    "成人の日": "Coming of Age Day",
    "建国記念の日": "National Foundation Day",
    "天皇誕生日": "Emperor's Birthday",
    "春分の日": "Vernal Equinox Day",
    "昭和の日": "Showa Day",
    "憲法記念日": "Constitution Memorial Day",
    "みどりの日": "Greenery Day",
    "こどもの日": "Children's Day",
    "海の日": "Marine Day",
    "山の日": "Mountain Day",
    "敬老の日": "Respect for the Aged Day",
    "秋分の日": "Autumnal Equinox Day",
    "体育の日": "Health and Sports Day",
    "スポーツの日": "Sports Day",
    "文化の日": "Culture Day",
    "勤労感謝の日": "Labor Thanksgiving Day",
    "国民の休日": "National holiday",
}


def countries(timezones: Iterable[str]) -> set[str]:
    """Countries of the timezones, as far as their holidays are known."""
    return {country for name in timezones if (country := country_of(name))}


def holidays(country_codes: set[str], first: date, last: date) -> list[Holiday]:
    """The holidays of a range, both ends included."""
    return [
        Holiday(date=day, country=country, name=Words(en=_english(name), ja=name))
        for country in sorted(country_codes)
        for day, name in named_holidays(country, first, last)
    ]


def _english(name: str) -> str:
    base, _, observed = name.partition(" ")
    english = _ENGLISH.get(base, "Holiday")
    return f"{english} (observed)" if observed else english
