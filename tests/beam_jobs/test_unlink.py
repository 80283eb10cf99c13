"""An erased person is in no event any more, and no duplicate and no replay brings them back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr
from sqlalchemy import Connection

from beam_jobs.ingest.unlink import Unlinker
from beam_jobs.replay.job import replay
from beam_jobs.replay.plan import Request as Replayed
from gateways.intake.archive import Delivery, raw_name, write_archive
from tenpo.datamart import ledger, transaction
from tenpo.datamart.lease import Lease
from tenpo.datamart.ledger import LedgerObject
from tenpo.erasure import Erasures
from tenpo.errors import LeaseLost
from tenpo.keys import TenantKeys
from tenpo.kpi.causes import ERASED
from tenpo.masters import Device
from tenpo.warehouse import Warehouse, query
from tests.beam_jobs.test_persons import MONDAY, SUNDAY, TUESDAY, Shop, visit
from tests.kernel.warehouse.sales import job
from tests.video_analyzer.feature_db.faces import NOW, SECRET
from video_analyzer.feature_db import People
from video_analyzer.feature_db.erasure import erase


class Rooms(Shop):
    """A shop that can say where an id is."""

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

    def replay(self) -> tuple[int, int]:
        """How many documents came out otherwise, and how many the same."""
        days = (date(2026, 11, 1), date(2026, 11, 30))
        outcome = replay(self.settings, Replayed(self.tenant, *days))
        assert outcome.failed == {}
        return outcome.changed.total(), outcome.same


@pytest.fixture
def shop(warehouse: Warehouse, datamart_dsn: str, tmp_path: Path) -> Iterator[Rooms]:
    more = {"lake_url": f"file://{tmp_path}/lake", "datamart_dsn": datamart_dsn, "home": tmp_path,
            "secret_key": SecretStr(SECRET.hex())}  # fmt: skip
    made = Rooms(warehouse.settings.model_copy(update=more))
    yield made
    made.ingest.close()


def test_an_erased_person_is_in_no_event_and_does_not_come_back(shop: Rooms) -> None:
    ann, bob, other = shop.people(3)
    shop.archive(*visit(ann, MONDAY), *visit(bob, TUESDAY), *visit(other, TUESDAY))
    assert shop.replay() == (6, 0)
    shop.run()
    neighbour = Rooms(shop.settings)
    neighbour.put("visit_event", 1, visit(bob, TUESDAY))  # the same id, by an evil chance
    neighbour.run()
    with shop.open() as features:
        People(features).merge(ann, bob, NOW)
    shop.publish()
    shop.aggregate()
    assert shop.places(ann) == {"raw", "dwh", "persons", "lake"}
    assert shop.places(bob) == {"raw", "dwh", "persons", "lake"}
    untouched = neighbour.rows("dwh", "visit_event", "business_date")
    before = shop.figures(TUESDAY)
    assert (before.values["visits"], before.values["repeat_visitor_ratio"]) == (2, 0.5)

    request = shop.erase(bob)
    assert shop.erasures().state(request) == {"state": "pending"}
    assert not [name for name in shop.lake.names("erasure") if ann.encode() in shop.lake.get(name)]
    shop.run()
    assert shop.places(ann) == shop.places(bob) == set()
    assert shop.places(other) == {"raw", "dwh", "lake"}
    assert shop.marks() == {MONDAY: ERASED, TUESDAY: ERASED}
    proof = shop.erasures().state(request)
    assert (proof["state"], proof["raw_rows"], proof["events"]) == ("done", 4, 4)
    assert len(proof["raw_objects"]) == 1, "sealed, and to be named"
    assert {ann, bob} & set(str(proof).split("'")) == set()
    shop.aggregate()
    after = shop.figures(TUESDAY)
    assert (after.values["visits"], after.values["repeat_visitor_ratio"]) == (1, 0)
    assert len(shop.rows("dwh", "visit_event", "business_date")) == 6, "events stay"
    assert neighbour.rows("dwh", "visit_event", "business_date") == untouched
    assert neighbour.places(bob) == {"raw", "dwh", "lake"}
    neighbour.ingest.close()

    assert shop.replay() == (0, 6), "the sealed payload still names them"
    late = [row | {"document_version": 2} for row in visit(ann, SUNDAY)]
    shop.put("visit_event", 9, [*late, *visit(other, SUNDAY)])
    shop.run()
    assert shop.places(ann) == shop.places(bob) == set()
    states = [row["face_state"] for row in shop.rows("dwh", "visit_event", "business_date")]
    assert states.count("erased") == 6
    assert shop.publish().raw_ids == 0


@dataclass
class Fading(Lease):
    """A lease that is lost at one of its checks, as if the process had died there."""

    left: int = 0

    def check(self, connection: Connection) -> None:
        super().check(connection)
        self.left -= 1
        if self.left < 0:
            raise LeaseLost("taken over")


def test_who_dies_on_the_way_is_followed_by_one_who_does_it_all(shop: Rooms) -> None:
    """Before raw is changed, before dwh is, and before the store-days are marked."""
    whose = dict(zip(shop.people(3), (MONDAY, TUESDAY, SUNDAY), strict=True))
    for number, (person, day) in enumerate(whose.items()):
        raw_object = f"raw/{shop.tenant}/iot/2026-11-01/{number:03d}.sealed"
        rows = [row | {"source_object": raw_object} for row in visit(person, day)]
        shop.put("visit_event", number, rows)
    shop.run()
    shop.aggregate()
    ingest = shop.ingest
    for checks, (person, day) in enumerate(whose.items()):
        request = shop.erase(person)
        with ingest.lease(wait_s=5) as held:
            dying = Fading(held.name, held.holder, held.token, left=checks)
            unlinker = Unlinker(shop.settings, ingest.engine, ingest.warehouse, dying)
            with pytest.raises(LeaseLost):
                unlinker.run([shop.tenant])
        assert shop.erasures().state(request)["state"] == "pending"
        left = shop.places(person)
        assert ("raw" in left, "dwh" in left) == (checks < 1, checks < 2)
        assert day not in shop.marks()
        shop.run()
        assert shop.places(person) == set()
        assert shop.marks()[day] == ERASED
        proof = shop.erasures().state(request)
        assert (proof["state"], proof["raw_rows"], proof["events"]) == ("done", 2, 2)
    assert shop.erasures().pending() == []


def test_an_erasure_waits_for_a_load_that_may_have_read_the_person_before(shop: Rooms) -> None:
    [ann] = shop.people(1)
    request = shop.erase(ann)
    name = f"canonical/{shop.tenant}/visit_event/2026-11-01/009.parquet"
    began_at = datetime.now(UTC) - timedelta(minutes=1)
    ingest = shop.ingest
    with transaction(ingest.engine) as connection:
        objects = [LedgerObject(name, shop.tenant, "visit_event", 1)]
        ledger.begin(connection, f"load-{shop.tenant}", objects, ingested_at=began_at)
    with ingest.lease(wait_s=5) as held:
        Unlinker(shop.settings, ingest.engine, ingest.warehouse, held).run([shop.tenant])
        assert shop.erasures().state(request) == {"state": "pending"}
        with transaction(ingest.engine) as connection:
            ledger.release(connection, [f"load-{shop.tenant}"])
        Unlinker(shop.settings, ingest.engine, ingest.warehouse, held).run([shop.tenant])
    assert shop.erasures().state(request)["state"] == "done"
    assert shop.erasures().state("0" * 24) == {"state": "unknown"}
