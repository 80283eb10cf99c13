"""Rows of KPIs, and how they are told as JSON and CSV, exactly."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from tenpo.datamart.kpi_query import KEYS, QUALITY, KpiQuery
from tenpo.kpi import evaluate
from tenpo.kpi.calendar import Period
from tenpo.kpi.definitions import Number, Sum


@dataclass(frozen=True)
class KpiRow:
    """The sums of one currency, and of one store, period, day and hour as far as asked for.

    `revision` and `computed_at` are the newest of the rows summed. `hour_start_at` is
    None where stores of several timezones were summed for the same wall-clock hour.
    `place` is the row's place among the query's periods.
    """

    currency: str
    store_id: str | None
    business_date: date | None
    hour_start_at: datetime | None
    local_hour: int | None
    store_count: int
    day_count: int
    sums: dict[str, Sum | None]
    partial: tuple[str, ...]
    definition_version: int
    mixed_definitions: bool
    revision: int
    computed_at: datetime
    period: Period | None = None
    place: int | None = None

    @cached_property
    def values(self) -> dict[str, Number | None]:
        """Every KPI of the sums."""
        return evaluate(self.sums)

    def number(self, measure: str) -> Number | None:
        """What a measure comes to; None where it is unknown, and of sketches."""
        found = self.sums[measure]
        return None if isinstance(found, str) else found

    def as_json(self, columns: Sequence[str]) -> dict[str, Any]:
        """The row as the API and `tenpo kpi --json` give it."""
        return {
            "store_id": self.store_id,
            "currency": self.currency,
            "period": self.period and self.period.name,
            "period_from": self.period and self.period.first.isoformat(),
            "period_to": self.period and self.period.last.isoformat(),
            "business_date": self.business_date and self.business_date.isoformat(),
            "hour_start_at": self.hour_start_at and stamp(self.hour_start_at),
            "local_hour": self.local_hour,
            "store_count": self.store_count,
            "day_count": self.day_count,
            "values": {name: exact(self.values[name]) for name in columns},
            "partial": [name for name in self.partial if name in columns],
            **{name: exact(self.values[name]) for name in QUALITY},
            "definition_version": self.definition_version,
            "mixed_definitions": self.mixed_definitions,
            "revision": self.revision,
            "computed_at": stamp(self.computed_at),
        }


def exact(value: Sum | None) -> int | str | None:
    """A number that survives JSON: counts as integers, decimals as strings without exponent."""
    if not isinstance(value, Decimal):
        return value
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def stamp(moment: datetime) -> str:
    """A moment as ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def range_document(query: KpiQuery) -> dict[str, Any]:
    """What was asked for, as answers repeat it."""
    return {
        "tenant_id": query.tenant_id,
        "from": query.first.isoformat(),
        "to": query.last.isoformat(),
        "grain": query.grain,
        "by": query.by,
        "calendar": query.calendar,
        "as_of": query.as_of and stamp(query.as_of),
    }


def as_document(query: KpiQuery, rows: Iterable[KpiRow]) -> dict[str, Any]:
    """The whole answer, as the API's body and `tenpo kpi --json`."""
    return range_document(query) | {"rows": [row.as_json(query.columns) for row in rows]}


def as_csv(query: KpiQuery, rows: Iterable[KpiRow]) -> Iterator[str]:
    """The answer as CSV lines (RFC 4180): keys, KPIs, quality, provenance; null is empty."""
    keys = [key for key in KEYS[query.grain, query.by] if key != "fold"]
    if query.grain == "hour" and query.by == "all":
        keys.append("hour_start_at")
    if "period" in keys:
        keys[1:1] = ["period_from", "period_to"]
    trail = ("store_count", "day_count", *QUALITY, "definition_version", "revision", "computed_at",
             "partial")  # fmt: skip
    yield _csv_line(["currency", *keys, *query.columns, *trail])
    for row in rows:
        flat = row.as_json(query.columns)
        flat |= {**flat["values"], "partial": " ".join(flat["partial"])}
        yield _csv_line([flat[name] for name in ("currency", *keys, *query.columns, *trail)])


def _csv_line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
