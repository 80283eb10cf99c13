"""Two small chains whose canonical objects lie in a lake, and all that is made of them."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tenpo.datamart import connect as connect_datamart
from tenpo.datamart import upgrade
from tenpo.lake import Lake
from tenpo.masters import Device, MasterBook, Store
from tenpo.settings import Settings
from tenpo.warehouse import TABLES, connect, ensure_tables
from tenpo.warehouse.read import read_table
from tests.beam_jobs.test_ingest import parquet
from tests.conftest import BigQueryServer, Postgres
from tests.kernel.warehouse.counters import Reading
from tests.kernel.warehouse.sales import Receipt

TENANTS = ("acme", "zeta")
#: Further apart than a chunk of store-days may reach, so that there are several.
MONTHS = [datetime(2026, month, 3, 3, tzinfo=UTC) for month in range(1, 7)]

#: Canonical objects of a tenant: each month's receipts and readings.
OBJECTS = 2 * len(MONTHS)

#: What no two runs have in common.
OF_THE_RUN = {"load_id", "ingested_at", "run_id", "computed_at", "published_at", "updated_at"}

Rows = Mapping[str, list[tuple[Any, ...]]]


@dataclass
class World:
    """A lake, a warehouse and a datamart of their own."""

    settings: Settings
    options: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def made(cls, server: BigQueryServer, postgres: Postgres, home: Path) -> World:
        """An empty one."""
        home.mkdir(exist_ok=True)
        settings = server.settings(f"e{secrets.token_hex(4)}_").model_copy(
            update={
                "home": home,
                "lake_url": f"file://{home}/lake",
                "datamart_dsn": postgres.new_database(),
            }
        )
        upgrade(settings.datamart_dsn)
        with connect(settings) as warehouse:
            ensure_tables(warehouse)
        return cls(settings)

    def fill(self) -> None:
        """Put both chains' masters and objects into the lake."""
        for tenant in TENANTS:
            self.arrive(tenant)

    def arrive(self, tenant: str) -> None:
        """Put a chain's masters and objects into the lake."""
        lake = Lake(self.settings.lake_url)
        book = MasterBook(lake)
        stores = [_store("s1"), _store("s2")]
        book.put(tenant, "store", stores)
        devices = [Device(device_id=f"d{s.store_id}", store_id=s.store_id, source="door")
                   for s in stores]  # fmt: skip
        book.put(tenant, "device", devices)
        for number, (event, rows) in enumerate(_objects(tenant)):
            lake.put(f"canonical/{tenant}/{event}/2026-07-01/{number:03d}.parquet",
                     parquet(event, rows))  # fmt: skip

    def tenpo(self, *args: str) -> subprocess.Popen[bytes]:
        """Start a command, its pipelines with this world's options."""
        beam = [f"--beam={option}" for option in self.options]
        log = (self.settings.home / "command.log").open("ab")
        return subprocess.Popen(
            [sys.executable, "-m", "tenpo.cli", *args, *beam],
            cwd=self.settings.home, stdout=log, stderr=log,
            env={**os.environ, **self._variables(), **self.environment},
        )  # fmt: skip

    def runs(self, *args: str) -> bool:
        """Run a command to its end; whether it succeeded."""
        return self.tenpo(*args).wait() == 0

    def said(self) -> str:
        """The end of what the commands said."""
        return (self.settings.home / "command.log").read_text("utf-8", errors="replace")[-4000:]

    def rows(self) -> Rows:
        """All rows of raw, dwh, mart and the datamart, without what is of the run alone.

        Rows of a run that was never published are none, as for every reader of mart.
        """
        found: dict[str, list[tuple[Any, ...]]] = {}
        with connect(self.settings) as warehouse:
            runs = read_table(warehouse, "mart", "publication")["run_id"]
            for contract in TABLES:
                rows = read_table(warehouse, contract.dataset, contract.name)
                if "run_id" in rows.column_names:
                    rows = rows.filter(pc.is_in(rows["run_id"], value_set=runs.combine_chunks()))
                found[f"{contract.dataset}.{contract.name}"] = _plain(rows)
        engine = connect_datamart(self.settings)
        with engine.connect() as connection:
            for name in ("kpi_store_hour", "kpi_store_day"):
                rows = connection.exec_driver_sql(f"SELECT * FROM {name}").mappings()  # noqa: S608
                found[name] = _plain(pa.Table.from_pylist([dict(row) for row in rows]))
        engine.dispose()
        return found

    def _variables(self) -> dict[str, str]:
        s = self.settings
        return {
            "TENPO_HOME": str(s.home),
            "TENPO_LAKE_URL": s.lake_url,
            "TENPO_DATAMART_DSN": s.datamart_dsn,
            "TENPO_BIGQUERY_ENDPOINT": s.bigquery_endpoint or "",
            "TENPO_BIGQUERY_GRPC_ENDPOINT": s.bigquery_grpc_endpoint or "",
            "TENPO_DATASET_PREFIX": s.dataset_prefix,
        }


def _store(store_id: str) -> Store:
    return Store(
        store_id=store_id, name=store_id, timezone="Asia/Tokyo", currency="JPY",
        opening_hours=(("09:00", "20:00"),),
    )  # fmt: skip


def _objects(tenant: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A month's receipts and readings of both stores each."""
    for number, month in enumerate(MONTHS):
        receipts = [
            Receipt(f"{tenant}{month:%m}{store}{n}", tenant_id=tenant, store_id=store,
                    at=month + timedelta(minutes=7 * n), amounts=("1.50", f"{n}.25"))
            for store in ("s1", "s2") for n in range(20)
        ]  # fmt: skip
        yield "sale_line", [row for receipt in receipts for row in _arrived(receipt.rows(""))]
        readings = [
            Reading(month + timedelta(minutes=15 * n), entered=1000 * number + 3 * n,
                    device=f"d{store}", store_id=store)
            for store in ("s1", "s2") for n in range(20)
        ]  # fmt: skip
        yield "count_reading", _arrived([reading.row(tenant, "") for reading in readings])


def _arrived(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k not in ("ingested_at", "load_id")} for row in rows]


def _plain(table: pa.Table) -> list[tuple[Any, ...]]:
    kept = table.select(sorted(set(table.column_names) - OF_THE_RUN))
    return sorted((tuple(row.values()) for row in kept.to_pylist()), key=repr)
