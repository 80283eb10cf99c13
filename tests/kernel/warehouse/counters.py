"""Readings for tests, the short way to dwh, and a plain reading of what intervals they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count, groupby, pairwise
from typing import Any, NamedTuple

from tenpo.clock import StoreClock
from tenpo.contracts import COUNT_READING
from tenpo.identifiers import digest
from tenpo.store_day import StoreDay
from tenpo.warehouse import ConformResult, Warehouse, append, query
from tests.kernel.warehouse.sales import NOW, Till, job

_runs = count()


@dataclass(frozen=True)
class Reading:
    """One sending of the totals of one line at one moment."""

    at: datetime
    entered: int
    left: int = 0
    device: str = "d1"
    line: str = "1"
    store_id: str = "s1"
    version: int = 1
    staff: int | None = None
    #: When it came; a device sends at once.
    received: datetime | None = None

    @property
    def arrived(self) -> datetime:
        return self.received or self.at + timedelta(seconds=3)

    def row(self, tenant_id: str, load_id: str) -> dict[str, Any]:
        document = f"{self.device}|{self.line}|{self.at:%Y%m%dT%H%M%S}"
        return {
            "event_id": digest(tenant_id, document),
            "tenant_id": tenant_id,
            "store_id": self.store_id,
            "source": "door",
            "adapter_version": "1",
            "source_object": f"raw/o{self.version}",
            "source_position": "1/1",
            "document_key": document,
            "document_version": self.version,
            "occurred_at": self.at,
            "received_at": self.arrived,
            "device_id": self.device,
            "line_id": self.line,
            "in_total": self.entered,
            "out_total": self.left,
            "staff_in_total": self.staff,
            "ingested_at": NOW,
            "load_id": load_id,
        }


class Stretch(NamedTuple):
    """One row of `dwh.reading_interval`, without its hour."""

    store_id: str
    device: str
    line: str
    day: date
    start: datetime
    end: datetime
    entered: int
    left: int
    staff: int | None
    is_reset: bool
    is_gap: bool


@dataclass
class Counters(Till):
    """Loads readings of one tenant that no other test uses."""

    def load_readings(self, readings: Sequence[Reading]) -> str:
        """Append to raw as one load."""
        load_id = f"{self.tenant_id}-r{next(_runs)}"
        rows = [reading.row(self.tenant_id, load_id) for reading in readings]
        append(self.warehouse, COUNT_READING, COUNT_READING.table(rows))
        return load_id

    def conform_readings(self, load_id: str, marked: list[StoreDay] | None = None) -> ConformResult:
        return self.conform(load_id, marked=marked, event="count_reading")

    def read(self, *readings: Reading) -> ConformResult:
        return self.conform_readings(self.load_readings(readings))

    def intervals(self) -> list[Stretch]:
        """What dwh holds, sorted."""
        return sorted(Stretch(*row) for row in held_rows(self.warehouse, self.tenant_id))


def held_rows(warehouse: Warehouse, tenant_id: str) -> Iterable[tuple[Any, ...]]:
    table = warehouse.table("dwh", "reading_interval")
    rows = query(
        warehouse,
        "SELECT store_id, device_id, line_id, business_date, start_at, end_at, in_count, "  # noqa: S608
        f"out_count, staff_in_count, is_reset, is_gap FROM `{table}` "
        "WHERE tenant_id = @tenant AND business_date > '0001-01-01'",
        {"tenant": tenant_id},
        job=job(tenant_id),
    )
    for row in rows.to_pylist():
        row["start_at"], row["end_at"] = (row[n].astimezone(UTC) for n in ("start_at", "end_at"))
        yield tuple(row.values())


def expected(readings: Iterable[Reading], clocks: dict[str, StoreClock]) -> list[Stretch]:
    """The intervals of readings, taken in order: the rules once more, in the plainest way."""
    newest: dict[tuple[str, str, str, datetime], Reading] = {}
    for reading in readings:
        key = (reading.store_id, reading.device, reading.line, reading.at)
        if key not in newest or reading.version > newest[key].version:
            newest[key] = reading
    found: list[Stretch] = []
    for before, after in pairwise(_without_slips([newest[key] for key in sorted(newest)])):
        if (before.store_id, before.device, before.line) == (
            after.store_id, after.device, after.line,
        ):  # fmt: skip
            found += _between(before, after, clocks[after.store_id])
    return sorted(found)


def _people(reading: Reading) -> tuple[str, str, str, int]:
    return (reading.store_id, reading.device, reading.line, reading.entered + reading.left)


def _without_slips(readings: list[Reading]) -> list[Reading]:
    """All but stretches of one total that fell from what the next one had not counted since."""
    stretches = [list(same) for _, same in groupby(readings, _people)]
    kept = list(readings)
    for before, low, after in zip(stretches, stretches[1:], stretches[2:], strict=False):
        lines = {_people(one[0])[:3] for one in (before, low, after)}
        was, fell, rose = (_people(one[0])[3] for one in (before, low, after))
        time = after[0].at - low[-1].at
        is_quick = time <= timedelta(days=1) and rose - fell > 6 * (time / timedelta(minutes=1))
        is_short = low[-1].at - low[0].at <= timedelta(hours=2)
        if len(lines) == 1 and fell < was <= rose and is_quick and is_short:
            kept = [one for one in kept if one not in low]
    return kept


def _between(before: Reading, after: Reading, clock: StoreClock) -> list[Stretch]:
    if after.at - before.at > timedelta(days=400):
        return []
    fell = after.entered < before.entered or after.left < before.left
    if after.staff is not None and before.staff is not None:
        fell = fell or after.staff < before.staff
    staff = None
    if after.staff is not None and (fell or before.staff is not None):
        staff = after.staff - (0 if fell else before.staff or 0)
    is_gap = after.at - before.at > timedelta(hours=2)
    first, last = clock.business_date(before.at), clock.business_date(after.at)
    days = (last - first).days if is_gap else 0
    return [
        Stretch(
            after.store_id, after.device, after.line, first + timedelta(days=n),
            before.at, after.at,
            after.entered - (0 if fell else before.entered),
            after.left - (0 if fell else before.left),
            staff, fell, is_gap,
        )
        for n in range(days + 1)
    ]  # fmt: skip
