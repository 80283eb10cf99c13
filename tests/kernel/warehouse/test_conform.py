"""dwh holds the lines of the highest version of each document, whatever happens on the way."""

from __future__ import annotations

import itertools
import os
import random
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tenpo.contracts import EVENTS
from tenpo.errors import IntegrityError
from tenpo.store_day import StoreDay
from tenpo.warehouse import Job, Warehouse, append, conform, conforming, execute, reconcile
from tenpo.warehouse.read import Params
from tests.kernel.warehouse.sales import TODAY, Receipt, Till, job, store

DAY = date(2026, 3, 29)
NEXT = DAY + timedelta(days=1)
NOON = datetime(2026, 3, 29, 6, tzinfo=UTC)
NEXT_NOON = NOON + timedelta(days=1)
STEPS = ("conform.after_announce", "conform.after_replace", "conform.after_dirty")


@pytest.fixture
def till(warehouse: Warehouse) -> Till:
    made = Till(warehouse, f"t{secrets.token_hex(4)}")
    made.has_stores(store("s1"), store("s2", "Europe/London", "05:00"))
    return made


Line = tuple[str, int, str, date, Decimal]


def line(key: str, version: int, amount: str, day: date = DAY, where: str = "s1") -> Line:
    return (key, version, where, day, Decimal(amount))


def test_lines_arrive_once_and_say_what_is_dirty(till: Till) -> None:
    result = till.send(Receipt("a", amounts=("1.25", "2")), Receipt("b", store_id="s2"))
    assert till.held() == [line("a", 1, "1.25"), line("a", 1, "2"), line("b", 1, "1.5", where="s2")]
    assert (result.documents, result.rows, result.unchanged_documents) == (2, 3, 0)
    assert result.dirty == tuple(StoreDay(till.tenant_id, s, DAY) for s in ("s1", "s2"))


def test_conforming_the_same_load_again_changes_nothing(till: Till) -> None:
    load = till.load(Receipt("a"))
    till.conform(load)
    marked: list[StoreDay] = []
    again = till.conform(load, marked=marked)
    assert (again.documents, again.rows, again.unchanged_documents) == (0, 0, 1)
    assert marked == list(again.dirty) == []


def test_the_same_object_loaded_twice_stays_once(till: Till) -> None:
    till.conform(till.load(Receipt("a")), till.load(Receipt("a")))
    till.send(Receipt("a"))
    assert till.held() == [line("a", 1, "1.5")]
    found = reconcile(till.warehouse, till.tenant_id, "sale_line", job=job("x"))
    assert found.balanced
    assert (found.accepted, found.current, found.duplicate, found.superseded) == (3, 1, 2, 0)


def test_a_corrected_receipt_with_fewer_lines_leaves_no_ghosts(till: Till) -> None:
    till.send(Receipt("a", amounts=("1", "2", "3")), Receipt("b"))
    result = till.send(Receipt("a", version=2, amounts=("5",)))
    assert till.held() == [line("a", 2, "5"), line("b", 1, "1.5")]
    assert (result.documents, result.rows) == (1, 1)
    assert result.dirty == (StoreDay(till.tenant_id, "s1", DAY),)
    found = reconcile(till.warehouse, till.tenant_id, "sale_line", job=job("x"))
    assert (found.accepted, found.current, found.duplicate, found.superseded) == (5, 2, 1, 2)
    assert found.balanced


def test_an_older_version_that_comes_late_loses(till: Till) -> None:
    till.send(Receipt("a", version=2, amounts=("5",)))
    result = till.send(Receipt("a", version=1, amounts=("1", "2")))
    assert till.held() == [line("a", 2, "5")]
    assert (result.unchanged_documents, result.dirty) == (1, ())


def test_a_resend_of_the_same_content_dirties_nothing(till: Till) -> None:
    till.send(Receipt("a", source_object="raw/o1"))
    result = till.send(Receipt("a", version=2, source_object="raw/o2"))
    assert till.held() == [line("a", 2, "1.5")]
    assert (result.documents, result.dirty) == (1, ())


def test_only_what_says_something_else_is_dirty(till: Till) -> None:
    """As many lines in the same place may still be of other amounts."""
    places = [NOON, NEXT_NOON, NEXT_NOON + timedelta(days=1)]
    till.send(*(Receipt(f"r{n}", amounts=("1", "2"), at=at) for n, at in enumerate(places)))
    changed = Receipt("r1", version=2, amounts=("1", "3"), at=NEXT_NOON)
    again = [Receipt(f"r{n}", 2, ("1", "2"), places[n]) for n in (0, 2)]
    assert till.send(changed, *again).dirty == (StoreDay(till.tenant_id, "s1", NEXT),)
    assert {version for _, version, *_ in till.held()} == {2}


def test_of_what_comes_at_once_the_newest_sending_goes_straight(till: Till) -> None:
    first = Receipt("a", amounts=("1", "2"), source_object="raw/o1")
    moved = Receipt("a", 2, ("3",), NEXT_NOON, source_object="raw/o2")
    result = till.send(first, moved, Receipt("b", retracts=True))
    assert till.held() == [line("a", 2, "3", NEXT)]
    assert (result.documents, result.rows, result.unchanged_documents) == (2, 1, 0)
    assert till.send(moved).dirty == ()
    found = reconcile(till.warehouse, till.tenant_id, "sale_line", job=job("x"))
    assert found.balanced


def test_statements_that_are_run_twice_do_as_much_as_once(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the answer to the first was lost: BigQuery's client asks again."""

    def twice(warehouse: Warehouse, sql: str, params: Params, *, job: Job) -> None:
        execute(warehouse, sql, params, job=job)
        execute(warehouse, sql, params, job=job.step("again"))

    monkeypatch.setattr(conforming, "execute", twice)
    till.send(Receipt("a", amounts=("1", "2")), Receipt("b"), Receipt("b", version=2))
    assert till.held() == [line("a", 1, "1"), line("a", 1, "2"), line("b", 2, "1.5")]
    till.send(Receipt("a", version=2), Receipt("c"))
    settled(till, [line("a", 2, "1.5"), line("b", 2, "1.5"), line("c", 1, "1.5")])


def test_dates_beyond_what_one_statement_may_change_take_several(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conforming, "MAX_PARTITIONS", 1)
    till.send(Receipt("a"), Receipt("b", at=NEXT_NOON), Receipt("c", at=NEXT_NOON))
    moved = [Receipt("a", 2, at=NEXT_NOON), Receipt("b", 2, at=NOON), Receipt("c", 2, at=NEXT_NOON)]
    assert till.send(*moved).dirty == tuple(StoreDay(till.tenant_id, "s1", d) for d in (DAY, NEXT))
    amount = Decimal("1.5")
    assert till.held() == [
        ("a", 2, "s1", NEXT, amount), ("b", 2, "s1", DAY, amount), ("c", 2, "s1", NEXT, amount),
    ]  # fmt: skip


def test_equal_versions_are_told_apart_by_the_object(till: Till) -> None:
    till.send(Receipt("a", amounts=("1",), source_object="raw/o2"))
    till.send(Receipt("a", amounts=("9",), source_object="raw/o1"))
    assert till.held() == [line("a", 1, "1")]
    till.send(Receipt("a", amounts=("3",), source_object="raw/o3"))
    assert till.held() == [line("a", 1, "3")]


def test_a_retracted_receipt_has_no_lines_until_a_newer_sending(till: Till) -> None:
    gone = Receipt("a", source_object="raw/o1@2", retracts=True)
    till.send(Receipt("a", amounts=("1", "2"), source_object="raw/o1"), Receipt("b"))
    result = till.send(gone)
    assert till.held() == [line("b", 1, "1.5")]
    assert result.dirty == (StoreDay(till.tenant_id, "s1", DAY),)
    assert till.send(gone).dirty == ()
    assert till.send(Receipt("a", amounts=("1",), source_object="raw/o1")).dirty == ()
    found = reconcile(till.warehouse, till.tenant_id, "sale_line", job=job("x"))
    assert found.balanced
    till.send(Receipt("a", version=2, amounts=("3",), source_object="raw/o2"))
    assert till.held() == [line("a", 2, "3"), line("b", 1, "1.5")]


def test_a_retraction_that_comes_first_wins_all_the_same(till: Till) -> None:
    gone = Receipt("a", source_object="raw/o1@2", retracts=True)
    till.conform(till.load(gone), till.load(Receipt("a", source_object="raw/o1")))
    assert till.held() == []
    till.send(Receipt("a", source_object="raw/o1"))
    assert till.held() == []


def test_a_receipt_that_moves_dirties_both_places(till: Till) -> None:
    till.send(Receipt("a"), Receipt("b"))
    result = till.send(Receipt("a", version=2, at=NEXT_NOON, store_id="s2"))
    assert till.held() == [line("a", 2, "1.5", NEXT, "s2"), line("b", 1, "1.5")]
    assert result.dirty == (
        StoreDay(till.tenant_id, "s1", DAY), StoreDay(till.tenant_id, "s2", NEXT),
    )  # fmt: skip


def test_other_tenants_with_the_same_keys_are_left_alone(till: Till, warehouse: Warehouse) -> None:
    other = Till(warehouse, till.tenant_id + "x")
    other.has_stores(store("s1"))
    other.send(Receipt("a", amounts=("7",)))
    till.send(Receipt("a"))
    till.send(Receipt("a", version=2, amounts=("2",)))
    assert other.held() == [line("a", 1, "7")]


def test_any_order_of_the_same_loads_gives_the_same_tables(warehouse: Warehouse) -> None:
    sendings = [
        Receipt("a", 1, ("1", "2"), source_object="raw/o1"),
        Receipt("a", 2, ("3",), NEXT_NOON, source_object="raw/o2"),
        Receipt("a", 2, ("4",), NOON, source_object="raw/o3"),
        Receipt("b", 1, ("5",), source_object="raw/o2"),
    ]
    orders = list(itertools.permutations(range(len(sendings))))
    outcomes = set()
    for number, order in enumerate(random.Random(7).sample(orders, 4)):
        till = Till(warehouse, f"order{number}{secrets.token_hex(3)}")
        till.has_stores(store("s1"))
        loads = [till.load(sendings[n]) for n in order]
        till.conform(*loads[:2])
        till.conform(*loads[1:])
        outcomes.add(tuple(till.held()))
    assert outcomes == {(line("a", 2, "4"), line("b", 1, "5"))}


def test_unknown_stores_stop_it_before_anything_changes(till: Till) -> None:
    till.send(Receipt("a"))
    with pytest.raises(IntegrityError, match=r"nowhere.*sync_stores"):
        till.send(Receipt("a", version=2), Receipt("c", store_id="nowhere"))
    assert till.held() == [line("a", 1, "1.5")]


@pytest.mark.parametrize("event", ["count_interval", "count_reading", "visit_event"])
def test_the_other_events_conform_too(till: Till, event: str) -> None:
    sale = Receipt("a").rows("unused")[0]
    row = sale | {
        "tenant_id": till.tenant_id, "load_id": f"{till.tenant_id}-{event}", "device_id": "d1",
        "line_id": "in", "interval_end_at": NOON, "in_count": 5, "in_total": 9, "camera_id": "c1",
        "track_id": "t1", "kind": "enter", "match_score": 0.5, "is_staff": False,
    }  # fmt: skip
    append(till.warehouse, EVENTS[event], EVENTS[event].table([row]))
    marked: list[StoreDay] = []
    for expected in (1, 0):
        done = conform(
            till.warehouse, event, [row["load_id"]], TODAY,
            job=job(till.tenant_id), on_dirty=marked.extend,
        )  # fmt: skip
        assert done.rows == expected
    changed = event != "count_reading"  # one reading alone says nothing
    assert marked == [StoreDay(till.tenant_id, "s1", DAY)] * changed
    assert till.held() == []
    found = reconcile(till.warehouse, till.tenant_id, event, job=job("x"))
    assert (found.accepted, found.current, found.balanced) == (1, 1, True)


def test_no_loads_no_work(till: Till) -> None:
    assert till.conform().rows == 0
    assert till.conform("never-loaded").rows == 0


def failing(_: Sequence[StoreDay]) -> None:
    raise ConnectionError("PostgreSQL is down")


def test_marking_that_fails_is_done_again(till: Till) -> None:
    till.send(Receipt("a"))
    load = till.load(Receipt("a", version=2, amounts=("5",), at=NEXT_NOON))
    with pytest.raises(ConnectionError):
        conform(
            till.warehouse, "sale_line", [load], TODAY, job=job(till.tenant_id), on_dirty=failing
        )
    marked: list[StoreDay] = []
    till.conform(load, marked=marked)
    assert marked == [StoreDay(till.tenant_id, "s1", d) for d in (DAY, NEXT)]
    assert till.held() == [line("a", 2, "5", NEXT)]


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_two_steps_then_run_again(till: Till, step: str) -> None:
    till.send(Receipt("a", amounts=("1", "2")), Receipt("b"))
    load = till.load(
        Receipt("a", version=2, amounts=("5",), at=NEXT_NOON), Receipt("c"), Receipt("c", version=2)
    )
    kill_at(till, step, load)
    marked: list[StoreDay] = []
    till.conform(load, marked=marked)
    assert marked == [StoreDay(till.tenant_id, "s1", d) for d in (DAY, NEXT)]
    settled(till, [line("a", 2, "5", NEXT), line("b", 1, "1.5"), line("c", 2, "1.5")])


@pytest.mark.parametrize("step", STEPS)
def test_killed_then_a_newer_version_comes_first(till: Till, step: str) -> None:
    """The half-done version must not stay behind as a ghost on its own day."""
    till.send(Receipt("a", amounts=("1", "2")))
    second = till.load(Receipt("a", version=2, amounts=("5",), at=NEXT_NOON))
    kill_at(till, step, second)
    marked: list[StoreDay] = []
    third = till.load(Receipt("a", version=3, amounts=("8",), at=NOON + timedelta(days=2)))
    till.conform(third, marked=marked)
    assert {DAY, NEXT + timedelta(days=1)} <= {day.business_date for day in marked}
    till.conform(second)
    settled(till, [line("a", 3, "8", NEXT + timedelta(days=1))])


def settled(till: Till, lines: list[Line]) -> None:
    """Dwh holds these lines, and the index says so with nothing half done."""
    assert till.held() == lines
    places = {row[:4] for row in lines}
    assert {(k, v, s, d) for k, v, s, d, state in till.indexed() if state == "current"} == places
    assert all(state == "current" for *_, state in till.indexed())


def kill_at(till: Till, step: str, load: str, event: str = "sale_line") -> None:
    """A process conforms the load and is killed at the step."""
    settings = till.warehouse.settings
    done = subprocess.run(
        [sys.executable, "-m", "tests.kernel.warehouse.conform_once", till.tenant_id, load, event],
        env=os.environ
        | {
            "TENPO_FAILPOINT": step,
            "TENPO_BIGQUERY_ENDPOINT": settings.bigquery_endpoint or "",
            "TENPO_BIGQUERY_GRPC_ENDPOINT": settings.bigquery_grpc_endpoint or "",
            "TENPO_DATASET_PREFIX": settings.dataset_prefix,
        },
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
