"""Figures as people read them on a terminal and in sentences."""

from __future__ import annotations

from tenpo.kpi.definitions import Number

WITHOUT_DECIMALS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})


def figure(unit: str | None, value: Number | None, currency: str, unknown: str = "—") -> str:
    """A figure for people: yen without decimals, ratios in percent, a dash where unknown."""
    if value is None:
        return unknown
    match unit:
        case "ratio":
            return f"{value:.1%}"
        case "currency" | "currency/m²":
            places = 0 if currency in WITHOUT_DECIMALS else 2
            return f"{value:,.{places}f}"
        case "units/receipt":
            return f"{value:,.2f}"
        case "s":
            return duration(int(value))
        case _:
            return f"{value:,.0f}"


def duration(seconds: int) -> str:
    """`9 h 28 min`."""
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
