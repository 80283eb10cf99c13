"""A lake with masters, and what accepts large deliveries and works on them there.

`python -m tests.gateways.workplace HOME DSN accept|look` does one of both in a process of its
own, which a failpoint may kill.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import Engine

from gateways.fetch.apis import VendorApis
from gateways.intake.acceptance import Acceptance
from gateways.intake.group import Entry
from gateways.intake.keyring import KeyRing
from gateways.intake.spec_shelf import SpecShelf
from gateways.intake.work import Tools, Worker
from gateways.intake.workroom import Job, Workroom
from gateways.normalize.context import Context, ReceivingClock
from gateways.normalize.normalized import Normalized, Result
from gateways.pos.posa import PosA
from tenpo.datamart import connect
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.receipts import Accepted, ReceiptBook, Settled
from tenpo.settings import Settings
from tests.gateways.payloads import MASTERS, POSA, ROOT, TENANT


class Room(Workroom):
    """Reads in this process; breaks as often as told."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.jobs: list[Job] = []
        self.began: Callable[[], None] = lambda: None

    def read_here(self, job: Job) -> Normalized:
        self.jobs.append(job)
        self.began()
        if self.failures:
            raise self.failures.pop()
        return job.adapter.normalize(job.body, job.context(KeyRing(ROOT).of(TENANT)))


class Place:
    """A lake with masters, and what accepts and works there."""

    def __init__(
        self, home: Path, engine: Engine, rest_s: float = 0.001, **settings: Any
    ) -> None:  # fmt: skip
        self.settings = Settings(
            home=home, work_attempts=3, work_backoff_s=rest_s, lease_s=1, **settings
        )
        self.engine = engine
        self.lake = Lake(self.settings.lake_url)
        self.masters = MasterBook(self.lake, max_age_s=0)
        self.masters.put(TENANT, "store", MASTERS.store)
        self.masters.put(TENANT, "store_code", MASTERS.store_code)
        self.book = ReceiptBook(self.lake)
        self.room = Room()
        self.told: list[tuple[Settled, Result | None]] = []
        self.announced: list[str] = []
        self.clock = ReceivingClock()
        self.worker = self.new_worker(engine)

    def new_worker(self, engine: Engine, fetches: bool | None = None) -> Worker:
        def announce(names: Sequence[str]) -> None:
            self.announced += names

        tools = Tools(
            self.lake, KeyRing(ROOT), self.masters, SpecShelf(self.lake), self.room, announce,
            lambda settled, result: self.told.append((settled, result)),
            VendorApis(self.settings),
        )  # fmt: skip
        return Worker(self.settings, engine, tools, fetches)

    def accept(self, body: bytes = POSA, tenant: str = TENANT) -> Accepted:
        masters = self.masters.get(tenant)
        keys = KeyRing(ROOT)
        context = Context(masters, keys.of(tenant), self.clock.now())
        return Acceptance(self.lake, keys).accept(Entry(PosA(), context, body))

    def canonical(self) -> dict[str, bytes]:
        return {name: self.lake.get(name) for name in self.lake.names(f"canonical/{TENANT}")}

    def rows(self, event: str) -> list[dict[str, Any]]:
        return canonical_rows(self.lake, event)

    def settled(self, job: Accepted) -> Settled:
        found = self.book.find(TENANT, job.receipt)
        assert isinstance(found, Settled)
        return found


def canonical_rows(lake: Lake, event: str) -> list[dict[str, Any]]:
    """All canonical rows of an event."""
    names = lake.names(f"canonical/{TENANT}/{event}")
    tables = [pq.ParquetFile(lake.path(name)).read() for name in names]
    return [row for table in tables for row in table.to_pylist()]


def main(home: str, dsn: str, act: str) -> None:
    """Do one thing and end."""
    place = Place(Path(home), connect(Settings(datamart_dsn=dsn)))
    if act == "accept":
        place.accept()
    else:
        place.worker.look()


if __name__ == "__main__":
    main(*sys.argv[1:])
