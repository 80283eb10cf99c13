"""The busiest hour, and the power hours: when the footfall of a week comes.

Hours are those of the week (weekday and local hour), each the sum over the dates asked for; of one
date they are its hours. Power hours are the fewest hours that hold half of the footfall, the term
of StoreForce (https://www.storeforcesolutions.com/). Of equally busy hours the earlier counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from tenpo.kpi.definitions import Words


class WeekHour(NamedTuple):
    """People who came in one hour of the week; weekday 0 is Monday."""

    weekday: int
    local_hour: int
    footfall: int


@dataclass(frozen=True, slots=True)
class Busy:
    """When people come.

    Args:
        footfall: all of it.
        peak: the busiest hour; none where nobody came.
        power: the fewest hours that hold half of the footfall, the busiest first.
    """

    footfall: int
    peak: WeekHour | None
    power: tuple[WeekHour, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is told of many hours at once, and is no sum of theirs."""

    name: str
    formula: str
    unit: str
    label: Words
    meaning: Words


PATTERNS: dict[str, Pattern] = {
    pattern.name: pattern
    for pattern in (
        Pattern("peak_hour", "hour of the week with the highest footfall", "hour",
                ("Busiest hour", "最も混雑する時間帯"),
                ("The hour of the week in which most people came.",
                 "1週間のうち最も多くの人が来店した時間帯。")),
        Pattern("power_hours", "fewest hours of the week that hold half of footfall", "hours",
                ("Power hours", "パワーアワー"),
                ("The fewest hours of the week in which half of all people came.",
                 "全来店客の半数が来店した、最少の時間帯。")),
    )
}  # fmt: skip


def busiest(hours: Iterable[WeekHour]) -> Busy:
    """The busiest hour and the power hours.

    Args:
        hours: sums by hour of the week, each hour once; negative ones count as nobody.
    """
    came = [hour for hour in hours if hour.footfall > 0]
    ordered = sorted(came, key=lambda hour: (-hour.footfall, hour.weekday, hour.local_hour))
    total, held = sum(hour.footfall for hour in came), 0
    power = []
    for hour in ordered:
        if 2 * held >= total:
            break
        power.append(hour)
        held += hour.footfall
    return Busy(total, ordered[0] if ordered else None, tuple(power))
