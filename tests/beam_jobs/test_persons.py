"""Who is whom reaches the figures: merges and splits of persons change what past visits mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Engine

from beam_jobs.aggregate.job import Request, aggregate
from tenpo.datamart import dirty, transaction
from tenpo.datamart.explain import ExplainQuery, read_explanation
from tenpo.datamart.explain_words import in_words
from tenpo.datamart.kpi_answer import KpiRow
from tenpo.datamart.kpi_query import KpiQuery
from tenpo.datamart.kpi_read import read_kpis
from tenpo.errors import UnknownReference
from tenpo.kpi.causes import PERSONS
from tenpo.store_day import StoreDay
from tenpo.warehouse import Published, Warehouse, publish_persons, query
from tenpo.warehouse.persons import difference
from tests.beam_jobs.test_ingest import World
from tests.kernel.warehouse.sales import job, store
from tests.video_analyzer.feature_db.faces import MODEL, NOW, SECRET, SEEN, QuickDisk, faces
from video_analyzer.feature_db import FeatureDatabase, FeatureStore, People
from video_analyzer.feature_db.publish import moved, publish

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
        return publish(self.settings, self.features, self.tenant)

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


@pytest.fixture
def shop(warehouse: Warehouse, datamart_dsn: str, tmp_path: Path) -> Iterator[Shop]:
    more = {"lake_url": f"file://{tmp_path}/lake", "datamart_dsn": datamart_dsn, "home": tmp_path,
            "secret_key": SecretStr(SECRET.hex())}  # fmt: skip
    made = Shop(warehouse.settings.model_copy(update=more))
    yield made
    made.ingest.close()


def test_a_merge_makes_a_visitor_come_back_and_a_split_takes_it_back_exactly(shop: Shop) -> None:
    ann, bob, other = shop.people(3)
    rows = [*visit(ann, MONDAY), *visit(bob, TUESDAY), *visit(other, TUESDAY)]
    shop.put("visit_event", 1, [*rows, *visit(bob, SUNDAY, ("pass",))])
    shop.run()
    neighbour = Shop(shop.settings)
    neighbour.put("visit_event", 1, visit(bob, TUESDAY))  # the same id, by an evil chance
    neighbour.run()
    assert shop.publish() == Published(0)
    shop.aggregate()
    neighbour.aggregate()
    before = shop.figures(TUESDAY)
    assert (before.values["visits"], before.values["repeat_visitor_ratio"]) == (2, 0)
    assert shop.now() == {ann: ann, bob: bob, other: other}

    with shop.open() as features:
        link = People(features).merge(bob, ann, NOW)
    touched = (StoreDay(shop.tenant, "s1", TUESDAY),)
    assert shop.publish() == Published(1, 1, touched), "only where bob was inside"
    assert shop.marks() == {TUESDAY: PERSONS}
    assert shop.persons() == {bob: (ann, "current")}
    assert shop.now() == {ann: ann, bob: ann, other: other}
    assert shop.now(neighbour.tenant) == {bob: bob}
    assert neighbour.marks() == {}
    assert shop.publish() == Published(1), "there is nothing left to tell"
    assert shop.aggregate() == 2, "and Sunday, on which Tuesday's visitors would come back"
    after = shop.figures(TUESDAY)
    assert (after.values["visits"], after.values["repeat_visitor_ratio"]) == (2, Decimal("0.5"))
    with shop.ingest.engine.connect() as connection:
        asked = ExplainQuery(shop.tenant, "repeat_visitor_ratio", TUESDAY, TUESDAY, ("s1",))
        found = read_explanation(connection, asked)
    assert [change.cause for change in found.changes] == [PERSONS, "first computed"]
    assert "persons were found to be one, or not to be" in " ".join(in_words(found, "en"))

    with shop.open() as features:
        People(features).split(link, NOW)
    assert shop.publish() == Published(0, 1, touched)
    assert shop.persons() == {}
    shop.aggregate()
    assert shop.figures(TUESDAY).values == before.values
    assert shop.now() == {ann: ann, bob: bob, other: other}
    neighbour.ingest.close()


class Killed(Exception):
    """The process is no more."""


def test_who_dies_between_two_steps_is_made_up_for_by_the_next(
    shop: Shop, datamart: Engine
) -> None:
    ann, bob = shop.people(2)
    shop.put("visit_event", 1, [*visit(ann, MONDAY), *visit(bob, TUESDAY)])
    shop.run()
    shop.aggregate()
    with shop.open() as features:
        link = People(features).merge(ann, bob, NOW)
        merged = moved(features.identity)

    def dies(_: object) -> None:
        raise Killed

    def tell(current: dict[str, str], run: str) -> None:
        with pytest.raises(Killed):
            publish_persons(
                shop.ingest.warehouse, shop.tenant, current, job=job(run),
                dates=lambda: (MONDAY, TUESDAY), on_dirty=dies,
            )  # fmt: skip

    tell(merged, f"a{shop.tenant}")
    assert shop.persons() == {bob: (ann, "pending")}
    assert shop.now()[bob] == ann, "readers follow from the first step on"
    assert shop.marks() == {}
    assert shop.publish().dirty == (StoreDay(shop.tenant, "s1", TUESDAY),)
    shop.aggregate()
    with shop.open() as features:
        People(features).split(link, NOW)
    tell({}, f"b{shop.tenant}")
    assert shop.persons() == {bob: (bob, "pending")}
    assert shop.publish().dirty == (StoreDay(shop.tenant, "s1", TUESDAY),)
    assert shop.persons() == {}


def test_the_published_persons_are_those_of_the_identity_log(shop: Shop) -> None:
    dice = np.random.default_rng(11)
    ids = shop.people(12)
    links: list[int] = []
    for _ in range(4):
        with shop.open() as features:
            people = People(features)
            for _ in range(5):
                a, b = (str(one) for one in dice.choice(ids, 2, replace=False))
                if links and dice.random() < 0.3:
                    people.split(links.pop(int(dice.integers(len(links)))), NOW)
                elif people.current(a) != people.current(b):
                    links.append(people.merge(a, b, NOW))
            now = {raw: people.current(raw) for raw in ids}
        shop.publish()
        assert shop.persons() == {
            raw: (person, "current") for raw, person in now.items() if raw != person
        }
    assert shop.persons()


def test_a_folder_that_is_not_there_undoes_no_link(shop: Shop, tmp_path: Path) -> None:
    nowhere = FeatureDatabase(tmp_path / "elsewhere", SECRET)
    assert publish(shop.settings, nowhere, shop.tenant) == Published(0)
    ann, bob = shop.people(2)
    with shop.open() as features:
        People(features).merge(ann, bob, NOW)
    shop.publish()
    with pytest.raises(UnknownReference, match="no features here"):
        publish(shop.settings, nowhere, shop.tenant)
    assert shop.persons() == {bob: (ann, "current")}


RAW = st.sampled_from("abcde")
PAIRS = st.dictionaries(RAW, RAW)


@given(PAIRS, PAIRS.map(lambda pairs: {raw: p for raw, p in pairs.items() if raw != p}))
def test_the_difference_leads_from_what_is_held_to_what_is_wanted(
    held: dict[str, str], wanted: dict[str, str]
) -> None:
    changed = difference(held, wanted)
    after = held | changed
    assert {raw: person for raw, person in after.items() if raw != person} == wanted
    assert all(held.get(raw) != person for raw, person in changed.items()), "only what differs"
