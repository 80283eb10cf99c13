"""Payloads normalised together come out as each would alone: one rule set, any number of rows."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import orjson
import pyarrow as pa
import pytest

from gateways.intake.group import INLINE_BYTES, Entry, goes_with_others, normalize_group
from gateways.iot.milesight import Milesight
from gateways.normalize.context import Context
from gateways.normalize.json_adapter import JsonAdapter, Rows
from gateways.normalize.normalized import Normalized, Result
from gateways.pos.posb import PosB
from gateways.pos.square import Square
from tenpo.errors import PayloadError
from tests.gateways.payloads import MILESIGHT, POSB, RECEIVED_AT, SERIAL, context
from tests.gateways.register_payloads import SQUARE

BODIES: dict[str, tuple[JsonAdapter, bytes]] = {
    "posb": (PosB(), POSB),
    "square": (Square(), SQUARE),
    "milesight": (Milesight(), MILESIGHT),
}
OPTIONS: tuple[dict[str, str], ...] = (
    {}, {"store_hint": "shibuya"}, {"store_hint": "ginza", "allowed_store": "ginza"},
)  # fmt: skip


def deliveries(body: bytes, count: int) -> list[tuple[bytes, Context]]:
    """Payloads of one vendor, most of them damaged, of senders with several rights."""
    chance = random.Random(5)
    made = []
    for number in range(count):
        damaged = bytearray(body)
        for _ in range(chance.choice((0, 1, 2, 5))):
            damaged[chance.randrange(len(body))] = chance.choice(b'0123456789,"-:{}[] xZ\x82')
        moment = RECEIVED_AT + timedelta(seconds=number)
        made.append((bytes(damaged), context(moment, **OPTIONS[number % 3])))
    return [*made, (b" ", context()), (body, context()), (body, context())]


def alone(adapter: JsonAdapter, body: bytes, sender: Context) -> Normalized:
    try:
        return adapter.normalize(body, sender)
    except PayloadError as error:
        return adapter.refusal(body, error, sender)


def told(result: Result) -> dict[str, Any]:
    """What the sender sees."""
    rejected = [(r.position, r.reason, r.field, r.message) for r in result.rejected]
    counts = (result.received, result.accepted, result.ignored)
    return {"counts": counts, "rejected": rejected, "refusal": str(result.refusal)}


def rows_of(result: Normalized, event: str, delivery: int) -> list[dict[str, Any]]:
    found = result.located.get(event)
    if found is None:
        return []
    rows: list[dict[str, Any]] = found.table.filter(
        pa.array(found.deliveries == delivery)
    ).to_pylist()
    return rows


@pytest.mark.parametrize("vendor", BODIES)
def test_every_delivery_gets_the_same_answer_and_the_same_rows(vendor: str) -> None:
    adapter, body = BODIES[vendor]
    sent = deliveries(body, 120)
    together = adapter.normalize_many(sent)
    outcomes = set()
    for place, (one, sender) in enumerate(sent):
        single = alone(adapter, one, sender)
        assert told(together.results[place]) == told(single.results[0])
        for event in ("sale_line", "count_interval", "rejection"):
            assert rows_of(together, event, place) == rows_of(single, event, 0)
        refused = single.results[0].refusal is not None
        outcomes.add("refused" if refused else "rejected" if single.rejected else "accepted")
    assert outcomes == {"refused", "rejected", "accepted"}


def test_equal_payloads_together_make_equal_ids() -> None:
    result = PosB().normalize_many([(POSB, context()), (POSB, context())])
    ids = result.events["sale_line"]["event_id"].to_pylist()
    assert ids[:4] == ids[4:]
    assert len(set(ids)) == 4


def test_the_hour_that_comes_twice_is_told_apart_within_one_payload_only() -> None:
    info = {"start_time": "2026-10-25 01:00:00", "end_time": "2026-10-25 01:15:00"}
    report = orjson.loads(MILESIGHT) | {"time_info": info}
    masters = context().masters.model_copy(
        update={"device": [context().masters.device[0].model_copy(update={"store_id": "soho"})]}
    )
    sender = Context(masters, context().keys, RECEIVED_AT)
    assert report["device_info"]["device_sn"] == SERIAL
    single, double = orjson.dumps(report), orjson.dumps([report, report])
    result = Milesight().normalize_many([(single, sender), (single, sender), (double, sender)])
    hours = [row["occurred_at"].hour for row in result.events["count_interval"].to_pylist()]
    assert hours == [0, 0, 1, 1]
    assert {one.reason.value for one in result.rejected} == {"ambiguous_time"}
    assert [len(one.rejected) for one in result.results] == [2, 2, 0]


class Defective(PosB):
    """An adapter with a defect that one payload meets."""

    def rows(self, body: bytes) -> Rows:
        """Fail at the word."""
        if b"defect" in body:
            raise ZeroDivisionError
        return super().rows(body)


def test_a_defect_costs_the_payload_that_meets_it_alone() -> None:
    adapter = Defective()
    bodies = [POSB, POSB.replace(b"tea", b"defect"), POSB]
    entries = [Entry(adapter, context(), body) for body in bodies]
    group = normalize_group(entries)
    assert sorted(member for part in group.parts for member in part.members) == [0, 2]
    assert all(part.normalized.accepted == 4 for part in group.parts)
    assert {place: type(error) for place, error in group.defects.items()} == {1: ZeroDivisionError}


def test_a_defect_that_a_spec_meets_is_a_refusal_of_that_payload() -> None:
    adapter = Defective()
    adapter.described = True
    entries = [Entry(adapter, context(), body) for body in (POSB, b"defect")]
    group = normalize_group(entries)
    assert not group.defects
    refusal = group.parts[-1].normalized.results[0].refusal
    assert refusal is not None
    assert refusal.http_status == 400


def test_files_read_elsewhere_and_small_payloads_share_a_group() -> None:
    adapter = PosB()
    ready = adapter.normalize(POSB, context())
    entries = [
        Entry(adapter, context(), POSB),
        Entry(adapter, context(), POSB, normalized=ready),
        Entry(adapter, context(), POSB),
    ]
    group = normalize_group(entries)
    assert not group.defects
    assert [list(part.members) for part in group.parts] == [[1], [0, 2]]


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b",".join([b"{}"] * 20_000) + b"]",
        b"{}\n" * 20_000,
        b'{"receipts":[' + b",".join([b"0"] * 30_000) + b"]}",
        b'{"lines":[' + b",".join([b"0"] * 30_000) + b"]}",
    ],
)
def test_what_is_read_inline_cannot_make_many_records_of_few_bytes(body: bytes) -> None:
    assert len(body) <= INLINE_BYTES
    assert PosB().normalize(body, context()).received >= 20_000
    assert not goes_with_others(PosB(), body)
    assert goes_with_others(PosB(), POSB)
    assert goes_with_others(Milesight(), MILESIGHT)


def test_a_line_ends_at_a_line_feed_alone() -> None:
    lines = [
        {**orjson.loads(POSB)["receipts"][0], "customer_id": f"a{mark}b"} for mark in "\u2028\x85"
    ]
    body = b"\r\n".join(orjson.dumps(line) for line in lines)
    alone = PosB().normalize(orjson.dumps(lines), context())
    assert PosB().normalize(body, context()).accepted == alone.accepted > 0
