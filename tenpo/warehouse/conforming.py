"""One conforming: where it works, its parameters, and its staging tables.

What `tenpo.warehouse.straight` and `tenpo.warehouse.contested` share. Not for deciding
anything: see `tenpo.warehouse.conform`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tenpo.contracts import CONFORMED, Contract
from tenpo.contracts.events import COMMON, LOADED
from tenpo.errors import WarehouseError
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.job import Job
from tenpo.warehouse.partitions import MAX_PARTITIONS
from tenpo.warehouse.read import Params, drop, execute, query
from tenpo.warehouse.statements import Name, load_sql

_LINEAGE = {f.name for f in (*COMMON, *LOADED)} - {"event_id", "store_id", "occurred_at"}


@dataclass
class Conforming:
    """One call's statements.

    Args:
        warehouse: where.
        event: a key of `CONFORMED`.
        job: names the work.
        raw: the table of raw's columns that the lines come from.
        picked: parameters that pick the lines from it.
        guard: called right before each statement that changes dwh.
        buckets: partitions of the document index that are touched, once they are known.
    """

    warehouse: Warehouse
    event: str
    job: Job
    raw: Contract
    picked: Params
    guard: Callable[[], None]
    buckets: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        purposes = ("moments", "sendings", "aside", "lines", "documents")
        self.staging = {purpose: self.job.table_name(purpose) for purpose in purposes}
        self._made: list[str] = []

    @property
    def contract(self) -> Contract:
        """The table of dwh."""
        return CONFORMED[self.event]

    @property
    def content(self) -> list[str]:
        """The columns that say what a line says, and not where it came from."""
        return [name for name in self.contract.names if name not in _LINEAGE]

    @property
    def index(self) -> dict[str, object]:
        """Parameters of a statement on the document index: its partitions and the event."""
        return {"buckets": self.buckets, "event": self.event}

    def stage(self, purpose: str, step: str, params: Params, **names: Name) -> None:
        """Make a staging table by the statement of a step."""
        self._made.append(self.staging[purpose])
        execute(self.warehouse, self._sql(step, names), params, job=self.job.step(step))

    def change(self, step: str, params: Params, part: str = "", **names: Name) -> None:
        """Change dwh by the statement of a step.

        Args:
            step: name of the SQL file.
            params: its parameters.
            part: tells executions of the same step apart.
            names: names it asks for besides those of the staging tables.
        """
        self.guard()
        execute(self.warehouse, self._sql(step, names), params, job=self.job.step(step + part))

    def rows(
        self, step: str, params: Params | None = None, part: str = "", **names: Name
    ) -> list[dict[str, Any]]:
        """What the query of a step answers; arguments as of `change`."""
        job = self.job.step(step + part)
        found = query(self.warehouse, self._sql(step, names), params, job=job)
        answer: list[dict[str, Any]] = found.to_pylist()
        return answer

    def clean_up(self) -> None:
        """Drop the staging tables; what cannot be dropped expires."""
        with suppress(WarehouseError):
            for name in self._made:
                drop(self.warehouse, name)

    def _sql(self, step: str, names: Mapping[str, Name]) -> str:
        return load_sql(self.warehouse, "tenpo.warehouse.sql", step, **self.staging, **names)


def changed_spans(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, object]]:
    """Parameters `first` and `last` of statements that together change all store-days.

    Args:
        rows: of a summary; those between two dates have `MAX_PARTITIONS` of them at most.
    """
    dates = sorted({row["business_date"] for row in rows})
    for start in range(0, len(dates), MAX_PARTITIONS):
        part = dates[start : start + MAX_PARTITIONS]
        yield {"first": part[0], "last": part[-1]}
