"""Objects move from unknown to conformed, and an interrupted load is found and settled."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from tenpo.datamart import ledger, transaction
from tenpo.datamart.ledger import EventCount, LedgerObject
from tenpo.errors import IntegrityError

NOW = datetime(2026, 3, 29, 1, 2, 3, tzinfo=UTC)
SALES = [LedgerObject(f"canonical/acme/sale_line/{n}", "acme", "sale_line", 10) for n in range(3)]
REJECTED = LedgerObject("canonical/acme/rejection/0", "acme", "rejection", 4)
NAMES = [item.name for item in SALES]


@pytest.fixture(autouse=True)
def _empty(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        connection.execute(text("TRUNCATE ingest_object"))


def begin(engine: Engine, load_id: str, *objects: LedgerObject) -> None:
    with transaction(engine) as connection:
        ledger.begin(connection, load_id, objects, ingested_at=NOW)


def test_the_whole_way(datamart: Engine) -> None:
    begin(datamart, "L1", *SALES[:2])
    with transaction(datamart) as connection:
        assert ledger.unknown(connection, [*reversed(NAMES), "x"]) == [NAMES[2], "x"]
        (load,) = ledger.interrupted(connection)
        assert (load.load_id, load.tenant_id, load.ingested_at, load.rows) == (
            "L1", "acme", NOW, 20,
        )  # fmt: skip
        assert ledger.waiting(connection) == []
        ledger.loaded(connection, ["L1"])
        assert ledger.interrupted(connection) == []
        assert ledger.waiting(connection, "sale_line") == [load]
        assert ledger.waiting(connection, "count_interval") == []
        ledger.conformed(connection, ["L1"])
        assert ledger.waiting(connection) == []


def test_a_released_load_is_unknown_again(datamart: Engine) -> None:
    begin(datamart, "L1", *SALES)
    with transaction(datamart) as connection:
        ledger.release(connection, ["L1"])
        assert ledger.unknown(connection, NAMES) == NAMES


def test_release_spares_what_is_loaded(datamart: Engine) -> None:
    begin(datamart, "L1", *SALES)
    with transaction(datamart) as connection:
        ledger.loaded(connection, ["L1"])
        ledger.release(connection, ["L1"])
        assert ledger.unknown(connection, NAMES) == []


def test_an_object_cannot_be_in_two_loads(datamart: Engine) -> None:
    begin(datamart, "L1", *SALES)
    with pytest.raises(IntegrityError):
        begin(datamart, "L2", SALES[0])


def test_no_step_can_be_skipped(datamart: Engine) -> None:
    begin(datamart, "L1", *SALES)
    with pytest.raises(IntegrityError, match="L1"), transaction(datamart) as connection:
        ledger.conformed(connection, ["L1"])


def test_counts_tell_accepted_from_rejected(datamart: Engine) -> None:
    begin(datamart, "L1", *SALES)
    begin(datamart, "L2", REJECTED)
    with transaction(datamart) as connection:
        ledger.loaded(connection, ["L1", "L2"])
        ledger.conformed(connection, ["L1"])
        assert ledger.counts(connection, "acme") == [
            EventCount("rejection", 1, accepted=0, rejected=4, waiting=1),
            EventCount("sale_line", 3, accepted=30, rejected=0, waiting=0),
        ]
        assert ledger.counts(connection, "other") == []


def test_damaged_objects_wait_until_they_are_forgotten(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        ledger.set_aside(connection, {NAMES[1]: "cut off", NAMES[0]: "holed"})
        assert ledger.damaged(connection) == {NAMES[0]: "holed", NAMES[1]: "cut off"}
        assert ledger.unknown(connection, NAMES) == [NAMES[2]]
        assert ledger.interrupted(connection) == ledger.waiting(connection) == []
    begin(datamart, "L1", SALES[2])
    with transaction(datamart) as connection:
        ledger.forget(connection, NAMES)
        assert ledger.unknown(connection, NAMES) == NAMES[:2]
