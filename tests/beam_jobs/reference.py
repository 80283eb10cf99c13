"""A slow, plain reading of the KPI definitions, independent of the code under test."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Line:
    """One receipt line of a small world."""

    store: str
    receipt: str
    at: datetime
    kind: str
    quantity: Decimal
    net: Decimal
    gross: Decimal | None


@dataclass(frozen=True)
class Interval:
    """One interval of a counter."""

    store: str
    device: str
    start: datetime
    end: datetime
    entered: int
    left: int
    staff: int


@dataclass(frozen=True)
class Shop:
    """A store: `opening` in hours of the business date's clock."""

    store: str
    timezone: str
    cutover_h: int
    opening: tuple[int, int]
    devices: tuple[str, ...]

    def business_date(self, at: datetime) -> date:
        """Trading day by the wall clock."""
        wall = at.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)
        return (wall - timedelta(hours=self.cutover_h)).date()

    def hour(self, at: datetime) -> datetime:
        """Start of the local hour, in UTC."""
        wall = at.astimezone(ZoneInfo(self.timezone))
        return at - timedelta(minutes=wall.minute, seconds=wall.second)

    def moment(self, day: date, hours: int) -> datetime:
        """UTC of an hour on the business date's clock."""
        wall = datetime(day.year, day.month, day.day) + timedelta(hours=hours)  # noqa: DTZ001
        return wall.replace(tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)


def measures(
    shop: Shop, day: date, lines: list[Line], intervals: list[Interval]
) -> dict[datetime, dict[str, Any]]:
    """Measures of each hour of one store-day, by hour start."""
    lines = [x for x in lines if x.store == shop.store and shop.business_date(x.at) == day]
    intervals = [
        x for x in intervals if x.store == shop.store and shop.business_date(x.start) == day
    ]
    opened, closed = shop.moment(day, shop.opening[0]), shop.moment(day, shop.opening[1])
    hours: dict[datetime, dict[str, Any]] = defaultdict(dict)
    step = shop.hour(opened)
    while step < closed:
        hours[step]["open_s"] = _seconds(step, step + HOUR, opened, closed)
        step += HOUR
    _counts(shop, intervals, opened, closed, hours)
    _sales(shop, lines, hours)
    _coverage(shop, intervals, opened, closed, hours)
    return dict(hours)


def _seconds(a: datetime, b: datetime, c: datetime, d: datetime) -> int:
    return max(0, int((min(b, d) - max(a, c)).total_seconds()))


def _sales(shop: Shop, lines: list[Line], hours: dict[datetime, dict[str, Any]]) -> None:
    receipts: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        receipts[line.receipt].append(line)
    for group in receipts.values():
        hours[min(shop.hour(x.at) for x in group)].setdefault("open_s", 0)
    for hour in hours.values():
        if lines:
            hour |= {"transactions": 0, "return_receipts": 0, "sale_lines": 0}
            hour |= {"net": Decimal(0), "units": Decimal(0), "returned": Decimal(0)}
    for group in receipts.values():
        hour = hours[min(shop.hour(x.at) for x in group)]
        turnover = [x for x in group if x.kind in ("sale", "return", "discount")]
        net = sum((x.net for x in turnover), Decimal(0))
        hour["sale_lines"] += len(group)
        hour["transactions"] += any(x.kind == "sale" for x in group) and net > 0
        hour["return_receipts"] += any(x.kind == "return" for x in group)
        hour["net"] += net
        hour["units"] += sum(
            (x.quantity for x in group if x.kind in ("sale", "return")), Decimal(0)
        )
        hour["returned"] -= sum((x.net for x in group if x.kind == "return"), Decimal(0))


def _counts(
    shop: Shop,
    intervals: list[Interval],
    opened: datetime,
    closed: datetime,
    hours: dict[datetime, dict[str, Any]],
) -> None:
    for interval in intervals:
        hour = hours[shop.hour(interval.start)]
        hour.setdefault("open_s", 0)
        hour["in_count"] = hour.get("in_count", 0) + interval.entered
        visitors = interval.entered - interval.staff if opened <= interval.start < closed else 0
        hour["footfall"] = hour.get("footfall", 0) + visitors


def _coverage(
    shop: Shop,
    intervals: list[Interval],
    opened: datetime,
    closed: datetime,
    hours: dict[datetime, dict[str, Any]],
) -> None:
    for start, hour in hours.items():
        minutes = [start + timedelta(minutes=n) for n in range(60)]
        told = [
            all(
                any(
                    x.device == device and x.start <= minute and minute + MINUTE <= x.end
                    for x in intervals
                )
                for device in shop.devices
            )
            for minute in minutes
            if opened <= minute and minute + MINUTE <= closed
        ]
        covered = 60 * sum(told)
        hour["covered_s"] = covered if shop.devices else None
        enough = bool(shop.devices) and hour["open_s"] > 0 and 2 * covered >= hour["open_s"]
        if enough and "footfall" in hour and "transactions" in hour:
            hour["covered_footfall"] = hour["footfall"]
            hour["covered_transactions"] = hour["transactions"]
