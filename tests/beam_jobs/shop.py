"""A tenant whose store knows people: lake, ingest, features and figures, in throw-away places."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zlib import crc32

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.aggregate.job import Request, aggregate
from beam_jobs.replay.job import replay
from beam_jobs.replay.plan import Request as Replayed
from gateways.intake.archive import Delivery, raw_name, write_archive
from tenpo.datamart import dirty, transaction
from tenpo.datamart.kpi_answer import KpiRow
from tenpo.datamart.kpi_query import KpiQuery
from tenpo.datamart.kpi_read import read_kpis
from tenpo.erasure import Erasures
from tenpo.keys import TenantKeys
from tenpo.masters import Device
from tenpo.warehouse import Published, query
from tests.beam_jobs.test_ingest import World
from tests.kernel.warehouse.sales import job, store
from tests.video_analyzer.feature_db.faces import MODEL, SECRET, SEEN, QuickDisk, faces
from video_analyzer.feature_db import FeatureDatabase, FeatureStore
from video_analyzer.feature_db.erasure import erase
from video_analyzer.feature_db.publish import of_folder, publish

MONDAY, TUESDAY, SUNDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 8)
EVER = "business_date BETWEEN '2026-01-01' AND '2026-12-31'"


def visit(person: str, day: date, kinds: Sequence[str] = ("enter", "exit")) -> list[dict[str, Any]]:
    """What a camera told of one person's half hour in the store."""
    nine = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    key = f"{crc32(person.encode()):x}-{day}"  # the id itself is in the one column alone
    return [
        {
            "event_id": f"{key}{kind}", "store_id": "s1", "source": "video",
            "adapter_version": "1", "source_object": f"raw/{key}", "source_position": "1/1",
            "document_key": key, "document_version": 1,
            "occurred_at": nine + timedelta(minutes=30 * place), "received_at": nine,
            "camera_id": "c1", "track_id": key, "kind": kind, "person_id": person,
            "match_score": 0.97, "face_state": "matched",
        }
        for place, kind in enumerate(kinds)
    ]  # fmt: skip


class Shop(World):
    """A tenant whose store knows people: lake, ingest, features, figures."""

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self.settings = settings
        self.has(store("s1", timezone="UTC"))
        self.features = FeatureDatabase(settings.home / "features", SECRET, disk=QuickDisk())

    def open(self) -> FeatureStore:
        return self.features.open_store(self.tenant)

    def people(self, count: int) -> list[str]:
        """New raw ids, the oldest first."""
        with self.open() as features:
            added = features.add(MODEL, faces(np.random.default_rng(3), count), SEEN)
        return [one.raw_id for one in added]

    def publish(self) -> Published:
        return publish(self.settings, self.tenant, of_folder(self.features, self.tenant))

    def aggregate(self) -> int:
        return aggregate(self.settings, Request(self.tenant)).store_days

    def figures(self, day: date) -> KpiRow:
        with self.ingest.engine.connect() as connection:
            (row,) = read_kpis(connection, KpiQuery(self.tenant, day, day, "total"))
        return row

    def persons(self) -> dict[str, tuple[str, str]]:
        """What `dwh.person` says."""
        table = self.ingest.warehouse.table("dwh", "person")
        sql = f"SELECT raw_id, person_id, state FROM `{table}` WHERE tenant_id = @tenant"  # noqa: S608
        rows = query(self.ingest.warehouse, sql, {"tenant": self.tenant}, job=job(self.tenant))
        return {row["raw_id"]: (row["person_id"], row["state"]) for row in rows.to_pylist()}

    def now(self, tenant: str = "") -> dict[str, str]:
        """The current person of each raw id that has events."""
        view = self.ingest.warehouse.table("dwh", "visit_event_current")
        sql = (
            f"SELECT DISTINCT raw_person_id, person_id FROM `{view}` "  # noqa: S608
            f"WHERE tenant_id = @tenant AND {EVER} AND raw_person_id IS NOT NULL"
        )
        params = {"tenant": tenant or self.tenant}
        rows = query(self.ingest.warehouse, sql, params, job=job(f"now-{self.tenant}"))
        return {row["raw_person_id"]: row["person_id"] for row in rows.to_pylist()}

    def marks(self) -> dict[date, str]:
        with transaction(self.ingest.engine) as connection:
            taken = dirty.take(connection, tenant_id=self.tenant)
        return {mark.store_day.business_date: mark.cause for mark in taken}

    def erasures(self) -> Erasures:
        return Erasures(self.lake, SECRET, self.tenant)

    def erase(self, person: str) -> str:
        with self.open() as features:
            proof = erase(features, person, unlink=self.erasures().ask)
        assert proof.request is not None
        return proof.request

    def rows(self, dataset: str, table: str, column: str) -> list[dict[str, Any]]:
        name = self.ingest.warehouse.table(dataset, table)
        sql = f"SELECT * FROM `{name}` WHERE tenant_id = @tenant AND {column} >= '2020-01-01'"  # noqa: S608
        params = {"tenant": self.tenant}
        found = query(self.ingest.warehouse, sql, params, job=job(f"all-{self.tenant}"))
        rows: list[dict[str, Any]] = found.to_pylist()
        return rows

    def places(self, raw_id: str) -> set[str]:
        """Where an id is: lake, raw, dwh, or the persons."""
        found = {
            "raw": self.rows("raw", "raw_visitor", "ingested_at"),
            "dwh": self.rows("dwh", "visit_event", "business_date"),
            "persons": self.rows("dwh", "person", "changed_at"),
            "lake": [
                row
                for name in self.lake.names(f"canonical/{self.tenant}")
                for row in pq.read_table(pa.BufferReader(self.lake.get(name))).to_pylist()
            ],
        }
        assert found["raw"], "nothing there to look through proves nothing"
        return {place for place, rows in found.items() if raw_id in str(rows)}

    def archive(self, *events: dict[str, Any]) -> str:
        """A sealed payload of an analyzer, as the gateway keeps it."""
        self.ingest.masters.put(
            self.tenant,
            "device",
            [Device(device_id="c1", store_id="s1", source="video", role="camera")],
        )
        names = ("camera_id", "track_id", "kind", "person_id", "match_score", "face_state")
        body = [
            {**{name: event[name] for name in names}, "occurred_at": event["occurred_at"]}
            for event in events
        ]
        name = raw_name(self.tenant, "iot", "2026-11-05/00000000000000000001-w")
        at = datetime(2026, 11, 5, tzinfo=UTC)
        delivery = Delivery(
            at, "video", "1", "application/json", orjson.dumps(body), None, None, None
        )
        write_archive(self.lake, TenantKeys(SECRET, self.tenant), name, [delivery])
        return name

    def recordings(self, camera: str, begins: Sequence[str]) -> list[str]:
        """Sealed chunks of a camera; nobody opens them."""
        names = [
            f"video/{self.tenant}/s1/{camera}/{at[:4]}-{at[4:6]}-{at[6:8]}/{at}.000000Z.mp4.sealed"
            for at in begins
        ]
        for name in names:
            self.lake.put(name, b"sealed")
        return names

    def replay(self) -> tuple[int, int]:
        """How many documents came out otherwise, and how many the same."""
        days = (date(2026, 11, 1), date(2026, 11, 30))
        outcome = replay(self.settings, Replayed(self.tenant, *days))
        assert outcome.failed == {}
        return outcome.changed.total(), outcome.same
