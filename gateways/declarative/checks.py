"""What a spec may say of marks and times, as far as types do not tell it.

All of it is checked as a spec is loaded, so that no payload is the first to find it out.
Directives of times: https://docs.python.org/3/library/datetime.html#format-codes
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from gateways.formats.number_style import forms_of
from tenpo.located_yaml import AtKeyError

#: A day whose parts differ from each other and from what strptime fills in, morning and evening.
_PROBES = tuple(datetime(2026, 11, 23, hour, 41, 7, tzinfo=UTC) for hour in (9, 22))
_DIRECTIVE = re.compile("%.", re.DOTALL)
_SIGNS = frozenset("+-\N{MINUS SIGN}()▲△")
_NO_MARKS = frozenset("\r\n\0")


def check_format(pattern: str) -> None:
    """Whether a strptime format tells a day, and a clock if any.

    Raises:
        ValueError: it does not; says what is wrong.
    """
    if "%d" not in pattern and "%j" not in pattern:
        raise ValueError(f"the format {pattern!r} has no day (%d)")
    for probe in _PROBES:
        read = _read_back(pattern, probe)
        if read.date() != probe.date():
            raise ValueError(f"the format {pattern!r} tells no date: give year, month and day")
        if read not in _rounded(probe):
            raise ValueError(f"the format {pattern!r} tells no clock: %M needs %H, %I needs %p")


def _read_back(pattern: str, probe: datetime) -> datetime:
    try:
        text = _DIRECTIVE.sub(lambda found: probe.strftime(found[0]), pattern)
        return datetime.strptime(text.strip(), pattern).replace(tzinfo=UTC)
    except (ValueError, re.error) as error:
        raise ValueError(f"times written as {pattern!r} cannot be read back: {error}") from error


def _rounded(moment: datetime) -> Iterator[datetime]:
    """The moment to the second, the minute, the hour and the day."""
    yield moment
    yield moment.replace(second=0)
    yield moment.replace(second=0, minute=0)
    yield moment.replace(second=0, minute=0, hour=0)


def csv_mark(mark: str) -> str:
    """A delimiter or a quote, which the reader of CSV has to be able to find; for validators."""
    if not mark.isascii() or mark in _NO_MARKS:
        raise ValueError("give one ASCII character that ends no line")
    return mark


def check_marks(thousands: str | None, decimal: str, symbols: Sequence[str]) -> None:
    """Whether the marks of numbers leave their digits and signs alone.

    Raises:
        AtKeyError: one does not, or two are the same; names its key.
    """
    for key, mark in (("thousands", thousands), ("decimal", decimal)):
        if mark and (mark.isalnum() or mark in _SIGNS):
            raise AtKeyError((key,), "a digit, letter or sign is no such mark")
    if thousands == decimal:
        raise AtKeyError(("thousands",), "thousands and decimal are the same mark")
    marks = {thousands, decimal}
    for place, symbol in enumerate(symbols):
        if any(_alters(form, marks) for form in forms_of(symbol)):
            told = "without this text another number would be left: it holds a digit, sign or mark"
            raise AtKeyError(("symbols", place), told)


def _alters(symbol: str, marks: set[str | None]) -> bool:
    if any(one.isnumeric() or one in _SIGNS for one in symbol):
        return True
    worded = any(one.isalpha() for one in symbol)  # the points of "Fr." are never those of numbers
    return not worded and any(one in marks for one in symbol)
