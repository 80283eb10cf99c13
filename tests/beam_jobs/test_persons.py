"""Who is whom reaches the figures: merges and splits follow into the past, the erased leave it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Connection

from beam_jobs.ingest.sources import forget_in_payloads
from beam_jobs.ingest.unlink import Unlinker
from gateways.intake.archive import Delivery, read_archive, write_archive
from tenpo.datamart import ledger, transaction
from tenpo.datamart.explain import ExplainQuery, read_explanation
from tenpo.datamart.explain_words import in_words
from tenpo.datamart.lease import Lease
from tenpo.datamart.ledger import LedgerObject
from tenpo.erasure import NOBODY, Erasures
from tenpo.errors import IntegrityError, LeaseLost, UnknownReference
from tenpo.keys import TenantKeys
from tenpo.kpi.causes import ERASED, PERSONS
from tenpo.lake import Lake
from tenpo.store_day import StoreDay
from tenpo.warehouse import Published, Warehouse, publish_persons
from tenpo.warehouse.persons import difference
from tests.beam_jobs.shop import MONDAY, SUNDAY, TUESDAY, Shop, visit
from tests.kernel.warehouse.sales import job
from tests.video_analyzer.feature_db.faces import NOW, SECRET
from video_analyzer.feature_db import FeatureDatabase, People
from video_analyzer.feature_db.publish import of_folder, publish


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
    theirs = neighbour.marks()
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
    assert neighbour.marks() == theirs
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


def test_who_dies_between_two_steps_is_made_up_for_by_the_next(shop: Shop) -> None:
    ann, bob = shop.people(2)
    shop.put("visit_event", 1, [*visit(ann, MONDAY), *visit(bob, TUESDAY)])
    shop.run()
    with shop.open() as features:
        link = People(features).merge(ann, bob, NOW)
        merged = People(features).moved()

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
    assert PERSONS not in shop.marks().values()
    assert shop.publish().dirty == (StoreDay(shop.tenant, "s1", TUESDAY),)
    assert shop.marks()[TUESDAY] == PERSONS
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
    nowhere = of_folder(FeatureDatabase(tmp_path / "elsewhere", SECRET), shop.tenant)
    assert publish(shop.settings, shop.tenant, nowhere) == Published(0)
    ann, bob = shop.people(2)
    with shop.open() as features:
        People(features).merge(ann, bob, NOW)
    shop.publish()
    with pytest.raises(UnknownReference, match="no features here"):
        publish(shop.settings, shop.tenant, nowhere)
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


def test_an_erased_person_is_in_no_event_and_does_not_come_back(shop: Shop) -> None:
    ann, bob, other = shop.people(3)
    sealed = shop.archive(*visit(ann, MONDAY), *visit(bob, TUESDAY), *visit(other, TUESDAY))
    assert shop.replay() == (6, 0)
    finding = f"artifact/{shop.tenant}/video/s1/c1/20261103T090000.000000Z.json"
    shop.lake.put(
        finding, f'{{"state": "{{\\"person_id\\": \\"{bob}\\"}}", "of": "{other}"}}'.encode()
    )
    chunks = shop.recordings(
        "c1", ["20261102T060000", "20261102T084500", "20261102T091500", "20261102T233000"]
    )
    shop.recordings("c2", ["20261102T091500"])
    shop.run()
    neighbour = Shop(shop.settings)
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
    assert (len(proof["raw_objects"]), proof["payloads_left"]) == (1, [])
    bodies = b"".join(
        one.body for one in read_archive(shop.lake, TenantKeys(SECRET, shop.tenant), sealed)
    )
    assert [bodies.count(one.encode()) for one in (ann, bob, NOBODY, other)] == [0, 0, 4, 2]
    found = shop.lake.get(finding).decode()
    assert [one in found for one in (bob, NOBODY, other)] == [False, True, True]
    # ann is there from 9:00 to 9:30 on Monday, and bob on Tuesday, when nothing was recorded
    assert proof["recordings"] == chunks[1:3]
    assert {ann, bob} & set(str(proof).split("'")) == set()
    shop.aggregate()
    after = shop.figures(TUESDAY)
    assert (after.values["visits"], after.values["repeat_visitor_ratio"]) == (1, 0)
    assert len(shop.rows("dwh", "visit_event", "business_date")) == 6, "events stay"
    assert neighbour.rows("dwh", "visit_event", "business_date") == untouched
    assert neighbour.places(bob) == {"raw", "dwh", "lake"}
    neighbour.ingest.close()

    assert shop.replay() == (0, 6), "it comes out as it is held"
    shop.lake.delete(chunks[1])
    assert shop.erasures().state(request)["recordings"] == chunks[2:3]
    late = [row | {"document_version": 2} for row in visit(ann, SUNDAY)]
    shop.put("visit_event", 9, [*late, *visit(other, SUNDAY)])
    shop.run()
    assert shop.places(ann) == shop.places(bob) == set()
    states = [row["face_state"] for row in shop.rows("dwh", "visit_event", "business_date")]
    assert states.count("erased") == 6
    assert shop.publish().raw_ids == 0


def test_a_payload_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    lake, keys, person = Lake(f"file://{tmp_path}"), TenantKeys(SECRET, "a"), "p_00000000000000aa"
    bodies = {"text": b'[{"person_id": "p_00000000000000aa"}]', "hidden": b"\x1f\x8b", "torn": b""}
    names = {each: f"raw/a/iot/2026-11-05/{each}.sealed" for each in (*bodies, "gone")}
    at = datetime(2026, 11, 5, tzinfo=UTC)
    for each, body in bodies.items():
        write_archive(lake, keys, names[each], [Delivery(at, "video", "1", "x", body)])
    lake.put(names["torn"], lake.get(names["torn"])[:-3])
    left = forget_in_payloads(lake, keys, names.values(), [person])
    assert left == [names["hidden"], names["torn"]]
    [delivery] = read_archive(lake, keys, names["text"])
    assert delivery.body == b'[{"person_id": "p_0000000000000000"}]'
    assert forget_in_payloads(lake, keys, names.values(), [person]) == left, "and again"


@dataclass
class Fading(Lease):
    """A lease that is lost at one of its checks, as if the process had died there."""

    left: int = 0

    def check(self, connection: Connection) -> None:
        super().check(connection)
        self.left -= 1
        if self.left < 0:
            raise LeaseLost("taken over")


def test_who_dies_on_the_way_is_followed_by_one_who_does_it_all(shop: Shop) -> None:
    """Before raw is changed, before dwh is, and before the store-days are marked."""
    whose = dict(zip(shop.people(3), (MONDAY, TUESDAY, SUNDAY), strict=True))
    for number, (person, day) in enumerate(whose.items()):
        raw_object = f"raw/{shop.tenant}/iot/2026-11-01/{number:03d}.sealed"
        rows = [row | {"source_object": raw_object} for row in visit(person, day)]
        shop.put("visit_event", number, rows)
    shop.run()
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
        assert shop.marks()[day] != ERASED
        shop.run()
        assert shop.places(person) == set()
        assert shop.marks()[day] == ERASED
        proof = shop.erasures().state(request)
        assert (proof["state"], proof["raw_rows"], proof["events"]) == ("done", 2, 2)
    assert shop.erasures().pending() == []


def test_a_request_that_does_not_open_holds_up_nothing(shop: Shop) -> None:
    Erasures(shop.lake, bytes(32), shop.tenant).ask(["p_0000000000000001"])
    shop.put("visit_event", 1, visit("p_0000000000000002", MONDAY))
    assert shop.run().conformed == {"visit_event": 2}
    with pytest.raises(IntegrityError, match="does not open"):
        shop.erasures().pending()


def test_an_erasure_waits_for_a_load_that_may_have_read_the_person_before(shop: Shop) -> None:
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
