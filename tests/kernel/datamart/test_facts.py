"""Runs, stores and device health: the small tables the API reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text

from tenpo.datamart import health, run, store, transaction
from tenpo.masters import Store, TenantMasters

NOW = datetime(2026, 3, 29, 1, 2, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        connection.execute(text("TRUNCATE run, store, device_health"))


def test_a_run_is_published_then_announced(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        run.start(connection, "r1", tenant_id="acme", job="aggregate")
        assert run.unannounced(connection, "acme") == []
        run.finish(connection, "r1", state="published", rows=7)
        (published,) = run.unannounced(connection, "acme")
        assert published.run_id == "r1"
        assert run.unannounced(connection, "other") == []
        run.announced(connection, ["r1"])
        assert run.unannounced(connection, "acme") == []


def test_a_failed_run_is_not_published(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        run.start(connection, "r1", tenant_id="acme", job="aggregate")
        run.finish(connection, "r1", state="failed", note="boom")
        assert run.unannounced(connection, "acme") == []


@pytest.mark.parametrize("state", ["failed", "nothing_to_do"])
def test_what_readers_see_stays_published(datamart: Engine, state: run.State) -> None:
    with transaction(datamart) as connection:
        run.start(connection, "r1", tenant_id="acme", job="models")
        run.finish(connection, "r1", state="published", rows=7)
        run.finish(connection, "r1", state=state, note="boom")
        (kept,) = run.past(connection, "acme", "models")
        assert (kept.state, kept.rows, kept.note) == ("published", 7, "")
        assert kept.published_at is not None
        assert [one.run_id for one in run.unannounced(connection, "acme")] == ["r1"]


def test_without_a_lease_nobody_is_buried(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        run.start(connection, "one", tenant_id="acme", job="models", is_alone=False)
        run.start(connection, "two", tenant_id="acme", job="models", is_alone=False)
        assert {one.state for one in run.past(connection, "acme", "models")} == {"running"}


def test_the_next_run_buries_a_dead_one(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        run.start(connection, "dead", tenant_id="acme", job="aggregate")
        run.start(connection, "others", tenant_id="other", job="aggregate")
        run.start(connection, "next", tenant_id="acme", job="aggregate")
        states = connection.execute(text("SELECT run_id, state FROM run ORDER BY run_id"))
        assert [tuple(row) for row in states] == [
            ("dead", "abandoned"), ("next", "running"), ("others", "running"),
        ]  # fmt: skip


def masters(**changed: object) -> TenantMasters:
    facts: dict[str, object] = {
        "store_id": "s1", "name": "One", "timezone": "Asia/Tokyo", "currency": "JPY",
        "day_cutover": "05:00", **changed,
    }  # fmt: skip
    return TenantMasters(tenant_id="acme", store=[Store.model_validate(facts)])


def test_stores_are_written_when_they_change(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        assert store.sync(connection, masters()) == 1
        assert store.sync(connection, masters()) == 0
        assert store.sync(connection, masters(name="Uno")) == 1
        row = connection.execute(text("SELECT name, day_cutover_s FROM store")).one()
        assert tuple(row) == ("Uno", 18_000)
        assert store.sync(connection, TenantMasters(tenant_id="acme")) == 0


def seen(at: datetime, end: datetime | None) -> pa.Table:
    return pa.Table.from_pylist(
        [{"tenant_id": "acme", "store_id": "s1", "device_id": "d1", "last_seen_at": at,
          "last_interval_end_at": end}]
    )  # fmt: skip


def test_a_late_payload_does_not_turn_back_a_devices_clock(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        assert health.seen(connection, seen(NOW, NOW)) == 1
        health.seen(connection, seen(NOW + timedelta(hours=1), NOW - timedelta(days=1)))
        row = connection.execute(
            text("SELECT last_seen_at, last_interval_end_at FROM device_health")
        ).one()
    assert tuple(row) == (NOW + timedelta(hours=1), NOW)
