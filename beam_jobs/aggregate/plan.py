"""Plan: which store-days are computed, and in which chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from beam_jobs.aggregate.hours import StoreDay

#: Store-days of one chunk: some hundred thousand grouped rows, well within memory.
MAX_STORE_DAYS = 5_000

#: Days of one chunk: far below the 4,000 partitions that one BigQuery job may touch.
MAX_SPAN = timedelta(days=366)

#: Dates further apart than this are asked for apart, or their query would read the gap.
MAX_GAP = timedelta(days=7)


@dataclass(frozen=True)
class Chunk:
    """Store-days that one query each reads: all within `date_from`..`date_to`."""

    days: tuple[StoreDay, ...]

    @property
    def date_from(self) -> date:
        """The first business date."""
        return self.days[0].business_date

    @property
    def date_to(self) -> date:
        """The last business date."""
        return self.days[-1].business_date

    @property
    def name(self) -> str:
        """No other chunk of the same plan has it."""
        return f"{self.date_from:%Y%m%d}-{self.date_to:%Y%m%d}-{self.stores[0]}"

    @property
    def stores(self) -> list[str]:
        """The stores, each once."""
        return sorted({day.store_id for day in self.days})


def chunks(days: Iterable[StoreDay]) -> Iterator[Chunk]:
    """Cut store-days, in order of date, into chunks. Each store-day is in exactly one."""
    batch: list[StoreDay] = []
    for day in sorted(set(days), key=lambda d: (d.business_date, d.store_id)):
        if batch and _ends(batch, day):
            yield Chunk(tuple(batch))
            batch = []
        batch.append(day)
    if batch:
        yield Chunk(tuple(batch))


def _ends(batch: list[StoreDay], day: StoreDay) -> bool:
    return (
        len(batch) >= MAX_STORE_DAYS
        or day.business_date - batch[0].business_date >= MAX_SPAN
        or day.business_date - batch[-1].business_date > MAX_GAP
    )
