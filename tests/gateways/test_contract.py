"""What holds for every adapter, specs included."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import orjson
import pyarrow as pa
import pytest

from gateways.normalized import Normalized
from gateways.registry import ADAPTERS, vendors
from tenpo.contracts.events import EVENTS, canonical_schema
from tenpo.errors import PayloadError
from tests.gateways.payloads import PERSONAL, RECEIVED_AT, Recorded, context, recorded

ALL = recorded()


def test_there_are_adapters_and_each_has_a_recorded_payload() -> None:
    assert len(ADAPTERS) >= 3
    assert set(vendors()) < set(ALL)
    assert {one.adapter.kind for one in ALL.values()} == {"pos", "iot"}


@pytest.fixture(params=ALL)
def one(request: pytest.FixtureRequest) -> Recorded:
    return ALL[request.param]


def events(result: Normalized) -> pa.Table:
    (name,) = [name for name in result.events if name != "rejection"]
    return result.events[name]


def current(*tables: pa.Table) -> dict[str, dict[str, Any]]:
    """What `dwh` makes of tables: the lines of each document's highest version, once each."""
    rows = [row for table in tables for row in table.to_pylist()]
    newest: dict[str, int] = {}
    for row in rows:
        key = row["document_key"]
        newest[key] = max(row["document_version"], newest.get(key, 0))
    mine = ("source_position", "received_at", "document_version")
    return {
        row["event_id"]: {k: v for k, v in row.items() if k not in mine}
        for row in rows
        if row["document_version"] == newest[row["document_key"]]
    }


def test_a_good_payload_is_accepted_whole(one: Recorded) -> None:
    result = one.adapter.normalize(one.body, context())
    assert result.rejected == []
    assert result.received == result.accepted == one.records
    assert len(set(events(result)["event_id"].to_pylist())) == one.records


def test_the_tables_have_the_canonical_schemas_and_hold_no_missing_field(one: Recorded) -> None:
    for name, table in one.adapter.normalize(one.body, context()).events.items():
        assert table.schema == canonical_schema(name)
        for field in EVENTS[name].fields:
            if field.required and field.name in table.column_names:
                assert table[field.name].null_count == 0, field.name


def test_sending_again_adds_nothing(one: Recorded) -> None:
    first = events(one.adapter.normalize(one.body, context()))
    again = events(one.adapter.normalize(one.body, context(RECEIVED_AT + timedelta(hours=1))))
    assert current(first, again) == current(first)


def test_the_order_of_arrival_does_not_matter(one: Recorded) -> None:
    early = events(one.adapter.normalize(one.body, context()))
    late = events(one.adapter.normalize(one.body, context(RECEIVED_AT + timedelta(hours=1))))
    assert current(early, late) == current(late, early)


def test_only_pseudonyms_get_out(one: Recorded) -> None:
    result = one.adapter.normalize(one.body, context())
    shown = orjson.dumps(
        [table.to_pylist() for table in result.events.values()], default=str
    ).decode()
    assert not [value for value in PERSONAL if value in shown]


def test_received_is_accepted_plus_rejected_whatever_arrives(one: Recorded) -> None:
    """Bytes damaged at random are either refused whole or reconciled record by record."""
    chance = random.Random(7)
    outcomes = set()
    for _ in range(150):
        body = bytearray(one.body)
        for _ in range(chance.randint(1, 4)):
            body[chance.randrange(len(body))] = chance.choice(b'0123456789,;"-/:{}[] \nxZ\x82')
        try:
            result = one.adapter.normalize(bytes(body), context())
        except PayloadError:
            outcomes.add("refused")
            continue
        outcomes.add("rejected" if result.rejected else "accepted")
        assert result.received == result.accepted + len(result.rejected)
        assert result.events["rejection"].num_rows == len(result.rejected)
        for rejection in result.rejected:
            assert not [value for value in PERSONAL if value in rejection.message]
    assert len(outcomes) >= 2
