"""Replay: what a mended spec makes otherwise is written again, and nothing else."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_jobs.replay import readapt
from beam_jobs.replay.compare import difference, in_force
from beam_jobs.replay.job import Outcome, replay
from beam_jobs.replay.plan import Request
from gateways.intake.archive import Delivery, raw_name, write_archive
from gateways.intake.canonical import write_canonical
from gateways.intake.group import Part
from gateways.intake.spec_shelf import SpecShelf
from gateways.intake.workroom import Job, Limits, ReadingBroke, Workroom
from gateways.normalize.context import Context
from gateways.normalize.normalized import Normalized
from gateways.pos.shopify import Shopify
from tenpo.contracts.events import canonical_schema
from tenpo.errors import InputError
from tenpo.keys import TenantKeys
from tenpo.lake import Lake
from tenpo.masters import MasterBook, Store, StoreCode, Tenant
from tenpo.settings import Settings

TENANT = "acme"
ROOT = bytes(range(32))
AT = datetime(2026, 11, 3, 9, tzinfo=UTC)
SPEC = """
name: till
event: sale_line
store: {column: shop}
time: {columns: [time], formats: ["%Y-%m-%d %H:%M"]}
document: [DOCUMENT]
columns: {receipt_id: receipt, sku: article, quantity: qty, amount: total}
tax: {mode: included, rate: "RATE"}
"""
CSV = b"""shop,receipt,time,article,qty,total
Berlin,1001,2026-11-02 10:05,Mug,2,20.00
Berlin,1001,2026-11-02 10:05,Bread,1,3.00
Berlin,1002,2026-11-03 10:31,Mug,1,10.00
"""
OTHER = CSV.replace(b"1002", b"1003").replace(b"1001", b"1004")


class Here(Workroom):
    """Reads in this process; starting a child for each replay would be most of these tests."""

    def __init__(self, root: bytes, limits: Limits) -> None:
        del limits
        self._root = root

    def read_here(self, job: Job) -> Normalized:
        return job.adapter.normalize(job.body, job.context(TenantKeys(self._root, TENANT)))

    def close(self) -> None:
        """There is nothing to stop."""


@pytest.fixture(autouse=True)
def no_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readapt, "Workroom", Here)


class World:
    """A tenant with one spec and a raw archive, in a folder."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, secret_key=ROOT.hex())
        self.lake = Lake(self.settings.lake_url)
        self.book = MasterBook(self.lake)
        self.book.put(TENANT, "tenant", [Tenant(tenant_id=TENANT, name="Acme")])
        stores = [
            Store(store_id=one, name=one, timezone="Europe/Berlin", currency="EUR")
            for one in ("berlin", "bonn")
        ]
        self.book.put(TENANT, "store", stores)
        codes = [StoreCode(source="till", code="Berlin", store_id="berlin")]
        self.book.put(TENANT, "store_code", codes)

    def spec(self, rate: str = "0.19", document: str = "receipt") -> str:
        text = SPEC.replace("RATE", rate).replace("DOCUMENT", document)
        return SpecShelf(self.lake).put(TENANT, "till", text.encode())

    def archive(self, *bodies: bytes, at: datetime = AT, allowed: str | None = None) -> str:
        stem = f"{at:%Y-%m-%d}/{int(at.timestamp() * 1e6):020d}-w"
        name = raw_name(TENANT, "pos", stem)
        deliveries = [
            Delivery(at, "till", "1", "text/csv", body, "spec/x", None, allowed) for body in bodies
        ]
        write_archive(self.lake, TenantKeys(ROOT, TENANT), name, deliveries)
        return name

    def archive_unopened(self, body: bytes) -> None:
        name = raw_name(TENANT, "pos", f"{AT:%Y-%m-%d}/{1:020d}-w")
        kept = Delivery(AT, "till", "1", "application/gzip", body, "spec/x")
        write_archive(self.lake, TenantKeys(ROOT, TENANT), name, [kept])

    def replay(self, *, dry_run: bool = False, sources: tuple[str, ...] = ()) -> Outcome:
        days = (date(2026, 11, 1), date(2026, 11, 30))
        return replay(self.settings, Request(TENANT, *days, sources, dry_run))

    def rows(self, event: str = "sale_line") -> pa.Table:
        names = self.lake.names(f"canonical/{TENANT}/{event}")
        parts = [pq.read_table(io.BytesIO(one)) for one in self.lake.get_many(names)]
        return pa.concat_tables([canonical_schema(event).empty_table(), *parts])

    def held(self) -> list[tuple[str, Decimal]]:
        rows = in_force(self.rows())
        return sorted(zip(rows["receipt_id"].to_pylist(), rows["net_amount"].to_pylist(),
                          strict=True))  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.spec()
    made.archive(CSV)
    made.archive(OTHER, at=AT + timedelta(days=1))
    first = made.replay()
    assert (first.changed.total(), first.retracted.total(), first.same) == (4, 0, 0)
    return made


def test_a_second_time_nothing_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readapt, "Workroom", Workroom)  # in a child, as always but here
    before = world.lake.names("canonical")
    outcome = world.replay()
    assert (outcome.changed.total(), outcome.retracted.total(), outcome.same) == (0, 0, 4)
    assert world.lake.names("canonical") == before


def test_a_mended_rate_changes_every_document(world: World) -> None:
    world.spec(rate="0.25")
    dry = world.replay(dry_run=True)
    assert (dry.changed.total(), dry.same) == (4, 0)
    assert world.replay().changed.total() == 4, "a dry run must write nothing"
    assert world.replay().changed.total() == 0
    nets = dict(world.held())
    assert nets["1002"] == Decimal("8.00")
    assert len(world.held()) == 6


def test_documents_of_another_key_replace_those_of_the_old(world: World) -> None:
    world.spec(document="receipt, article")
    outcome = world.replay()
    assert outcome.changed.total() == 6
    assert outcome.retracted.total() == 4
    assert [receipt for receipt, _ in world.held()] == ["1001", "1001", "1002", "1003", "1004",
                                                       "1004"]  # fmt: skip
    again = world.replay()
    assert (again.changed.total(), again.retracted.total(), again.same) == (0, 0, 6)


def test_going_back_gives_what_was(world: World) -> None:
    was = world.held()
    world.spec(rate="0.25", document="receipt, article")
    world.replay()
    world.spec()
    world.replay()
    assert world.held() == was


def test_a_store_that_came_later_takes_what_was_rejected(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.spec()
    world.archive(CSV + b"Bonn,1,2026-11-02 11:00,Mug,1,10.00\n")
    assert world.replay().rejected == 1
    assert world.replay().rejected == 0, "what was told is not told again"
    codes = [StoreCode(source="till", code=name, store_id=name.lower()) for name in
             ("Berlin", "Bonn")]  # fmt: skip
    world.book.put(TENANT, "store_code", codes)
    outcome = world.replay()
    assert (outcome.changed.total(), outcome.same, outcome.rejected) == (1, 2, 0)


def test_a_token_of_one_store_gains_no_other_by_replay(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.spec()
    world.archive(CSV, allowed="bonn")
    outcome = world.replay()
    assert (outcome.changed.total(), outcome.rejected) == (0, 3)


def test_only_the_source_that_was_asked_for(world: World) -> None:
    world.spec(rate="0.25")
    outcome = world.replay(sources=("posa",))
    assert (outcome.raw_objects, outcome.deliveries, outcome.changed.total()) == (2, 0, 0)


def test_a_damaged_object_is_named_and_the_others_go_on(world: World) -> None:
    damaged = world.archive(b"x", at=AT + timedelta(hours=1))
    body = bytearray(world.lake.get(damaged))
    body[-1] ^= 1
    world.lake.put(damaged, bytes(body))
    world.spec(rate="0.25")
    outcome = world.replay()
    assert list(outcome.failed) == [damaged]
    assert outcome.changed.total() == 4


def test_a_payload_that_cannot_be_read_any_more_retracts_nothing_of_others(world: World) -> None:
    world.archive(b"\xff\xfe", at=AT + timedelta(hours=1))
    world.archive_unopened(CSV)  # which nothing reads: it is said to be no CSV
    outcome = world.replay()
    told = (outcome.rejected, outcome.changed.total(), outcome.retracted.total(), outcome.same)
    assert told == (2, 0, 0, 4)


@pytest.mark.parametrize("trouble", ["its child breaks", "its spec is refused by now"])
def test_what_cannot_be_read_again_stays_as_it_is_held(
    world: World, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """It says nothing of the payload: a machine under load must not take sales back."""
    was = world.held()
    if trouble == "its child breaks":
        monkeypatch.setattr(Here, "read_here", broken)
    else:
        world.lake.put(f"spec/{TENANT}/till/{10**19}.yaml", b"name: till\nno: spec\n")
    outcome = world.replay()
    assert (outcome.changed.total(), outcome.retracted.total(), outcome.rejected) == (0, 0, 0)
    assert world.held() == was
    assert [why.partition(":")[0] for why in outcome.failed.values()] == ["payload 1"] * 2


def test_a_payload_that_broke_its_child_ever_since_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    world.spec()
    world.archive(CSV)
    monkeypatch.setattr(Here, "read_here", broken)
    outcome = world.replay()
    assert (outcome.deliveries, outcome.failed, outcome.changed.total()) == (1, {}, 0)


def broken(room: Workroom, job: Job) -> Normalized:
    del room, job
    raise ReadingBroke("reading the payload took too long")


DRAFT = {
    "id": 622762746, "name": "#D1", "currency": "EUR", "taxes_included": False,
    "created_at": "2026-11-02T12:00:00+01:00", "updated_at": "2026-11-02T12:00:00+01:00",
    "line_items": [{"id": 1, "sku": "TEA", "price": "199.00", "quantity": 1}],
    "total_price": "199.00",
}  # fmt: skip


def test_sales_that_were_taken_from_draft_orders_go(world: World) -> None:
    """What an adapter that took drafts for orders wrote, beside an order that stays one."""
    order = DRAFT | {"id": 1001, "name": "#1001", "order_number": 1}
    was = Shopify()
    raw = raw_name(TENANT, "pos", stem := f"{AT:%Y-%m-%d}/{1:020d}-w")
    keys, sent = TenantKeys(ROOT, TENANT), [orjson.dumps(DRAFT), orjson.dumps(order)]
    bodies = [Delivery(AT, was.name, "2", was.media_type, body, None, "berlin") for body in sent]
    write_archive(world.lake, keys, raw, bodies)
    context = Context(world.book.get(TENANT), keys, AT, "berlin")
    taken = [orjson.dumps(one | {"order_number": 1}) for one in (DRAFT, order)]
    normalized = was.normalize_many([(body, context) for body in taken])
    write_canonical(world.lake, TENANT, raw, stem, [Part([0, 1], normalized)])
    before = world.held()
    assert [receipt for receipt, _ in before[-1:]] == ["622762746"]
    outcome = world.replay()
    assert (outcome.changed.total(), outcome.retracted.total(), outcome.same) == (0, 1, 5)
    assert world.held() == before[:-1]
    again = world.replay()
    assert (again.changed.total(), again.retracted.total(), again.same) == (0, 0, 5)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(InputError, match="ends before"):
        Request(TENANT, date(2026, 11, 2), date(2026, 11, 1))


LINES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=6)


HIGH = 2**53 + 1  # a float holds it not


def test_what_comes_out_with_a_lower_version_replaces_what_is_held_all_the_same() -> None:
    """Of a document dwh holds the highest version: a void that was none, a clock misread."""
    void, sale = table([("a", 0)], "raw/o", HIGH), table([("a", 1)], "raw/o")
    first = difference(pa.concat_tables([sale, void]), table([("a", 1)], ""), "raw/o@1")
    assert first.rows["document_version"].to_pylist() == [HIGH]
    assert first.rows["quantity"].to_pylist() == [Decimal(1)]
    held = pa.concat_tables([sale, void, first.rows])
    assert difference(held, table([("a", 1)], ""), "raw/o@2").rows.num_rows == 0
    gone = difference(held, table([], ""), "raw/o@2").rows
    told = (gone["document_version"].to_pylist(), gone["is_retraction"].to_pylist())
    assert told == ([HIGH], [True])


def table(lines: list[tuple[str, int]], source_object: str, version: int = 1) -> pa.Table:
    rows = [
        {
            "event_id": f"{key}{n}", "tenant_id": "t", "store_id": "s", "source": "till",
            "adapter_version": "1", "source_object": source_object, "source_position": "1/1",
            "document_key": key, "document_version": version, "occurred_at": AT, "received_at": AT,
            "receipt_id": key, "line_number": 1, "kind": "sale", "quantity": Decimal(amount),
            "currency": "EUR",
        }
        for n, (key, amount) in enumerate(lines)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=canonical_schema("sale_line"))


@settings(max_examples=40, deadline=None)
@given(LINES, LINES, LINES)
def test_written_differences_end_in_what_came_out_last(
    first: list[tuple[str, int]], second: list[tuple[str, int]], third: list[tuple[str, int]]
) -> None:
    held = table(sorted(first), "raw/o")
    for stamp, lines in ((1, second), (2, third), (3, third)):
        found = difference(held, table(sorted(lines), ""), f"raw/o@{stamp}")
        held = pa.concat_tables([held, found.rows])
        if stamp == 3:
            assert found.rows.num_rows == 0
    want = table(sorted(third), "")
    same = ("document_key", "event_id", "quantity")
    got = sorted(zip(*(in_force(held)[name].to_pylist() for name in same), strict=True))
    assert got == sorted(zip(*(want[name].to_pylist() for name in same), strict=True))
