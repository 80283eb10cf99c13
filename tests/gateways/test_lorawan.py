"""LoRaWAN uplinks: both network servers, a frozen clock, the expected intervals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from gateways.iot.lorawan.adapter import Lorawan
from gateways.mqtt import address_of
from gateways.normalize.context import Context
from tenpo.errors import InputError
from tenpo.masters import Device
from tests.gateways.lorawan import AT, EUI, chirpstack, things
from tests.gateways.payloads import MASTERS, RECEIVED_AT, context

END = datetime(2026, 11, 1, 3, 15, 4, 417000, tzinfo=UTC)


def with_model(model: str) -> Context:
    device = Device(device_id=EUI, store_id="soho", source="lorawan", interval_s=900, model=model)
    masters = MASTERS.model_copy(update={"device": [device]})
    return Context(masters, context().keys, RECEIVED_AT)


def normalize(document: object, sender: Context | None = None) -> Any:
    return Lorawan().normalize(orjson.dumps(document), sender or context())


def intervals(result: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = result.events["count_interval"].to_pylist()
    return rows


@pytest.mark.parametrize("envelope", [things, chirpstack])
def test_an_uplink_holds_the_interval_that_it_ends(envelope: Any) -> None:
    payload = "05cc0c00090013cc0100000008cc0400050003d2d9150000"
    result = normalize(envelope(payload))
    first, second = intervals(result)
    assert (first["device_id"], first["store_id"], first["line_id"]) == (EUI, "shibuya", "1")
    assert first["interval_end_at"] == END
    assert first["occurred_at"] == END - timedelta(seconds=600)  # the device's own interval
    assert [first[c] for c in ("in_count", "out_count", "child_in_count")] == [12, 9, 1]
    assert [second[c] for c in ("line_id", "in_count", "out_count")] == ["2", 4, 5]
    assert (result.received, result.accepted, result.ignored) == (2, 2, 1)  # the total


def test_a_frame_that_comes_by_two_ways_is_one_document() -> None:
    first = things("05cc01000200")
    later = things("05cc01000200", received_at="2026-11-01T03:15:06.002Z")
    (one,), (two,) = intervals(normalize(first)), intervals(normalize(later))
    assert one["event_id"] == two["event_id"]
    assert one["document_key"] == two["document_key"]
    together = normalize([first, later])
    assert (together.accepted, together.ignored) == (1, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"f_cnt": 4712},
        {"session_key_id": "another"},
        # counted from 0 again, with the same session: later, or with other counts
        {"received_at": "2026-11-01T05:15:04Z"},
        {"received_at": "2026-11-02T03:15:04Z"},
        {"frm_payload": "BcwCAAEA"},
    ],
)
def test_another_frame_is_another_document(changes: dict[str, Any]) -> None:
    (one,), (two,) = (intervals(normalize(things("05cc01000200", **c))) for c in ({}, changes))
    assert one["event_id"] != two["event_id"]
    assert one["document_key"] != two["document_key"]


def test_a_restart_within_a_body_loses_nobody() -> None:
    morning = things("05cc01000200", f_cnt=0)
    noon = things("05cc03000000", f_cnt=0, received_at="2026-11-01T03:35:04Z")
    found = normalize([morning, noon])
    assert (found.accepted, found.ignored) == (2, 0)
    assert sum(row["in_count"] for row in intervals(found)) == 4


def test_reports_at_midnight_that_come_by_two_ways_are_one_each() -> None:
    ways = ("2026-10-31T23:59:59.900Z", "2026-11-01T00:00:00.700+00:00")
    found = normalize([
        chirpstack("05cc01000200", fCnt=frame, time=at) for frame in range(30) for at in ways
    ])  # fmt: skip
    assert (found.accepted, found.ignored) == (30, 30)


def test_what_the_device_dates_itself_is_one_document_live_and_from_its_memory() -> None:
    sender = with_model("vs350")
    moment = int(datetime(2026, 11, 1, 3, 0, tzinfo=UTC).timestamp())
    stamp = moment.to_bytes(4, "little").hex()
    (live,) = intervals(normalize(things(f"0aef{stamp}05cc01000200"), sender))
    (past,) = intervals(normalize(things(f"20ce{stamp}0001000200", f_cnt=4800), sender))
    assert live["interval_end_at"] == datetime(2026, 11, 1, 3, 0, tzinfo=UTC)
    assert live["event_id"] == past["event_id"]
    assert live["document_key"] == past["document_key"]


def test_lines_that_the_memory_sends_apart_do_not_replace_each_other() -> None:
    stamp = int(datetime(2026, 11, 1, 3, 0, tzinfo=UTC).timestamp()).to_bytes(4, "little").hex()
    (one,) = intervals(normalize(things(f"20ce{stamp}0501000200", f_cnt=1)))
    (two,) = intervals(normalize(things(f"20ce{stamp}0801000200", f_cnt=2)))
    assert (one["line_id"], two["line_id"]) == ("1", "2")
    assert one["document_key"] != two["document_key"]


@pytest.mark.parametrize(
    ("document", "sender", "reason", "field"),
    [
        (things("05cc01000200", eui="0004A30B001C0530"), context(), "unknown_device", "dev_eui"),
        (things("05cc01000200", eui=""), context(), "missing_field", "dev_eui"),
        (things("05cc01000200", version_ids={}), context(), "unknown_model", "dev_eui"),
        (things("05cc01000200"), with_model("vs999"), "unknown_model", "dev_eui"),
        (things("05cc0100"), context(), "bad_value", "uplink_message.frm_payload"),
        (chirpstack("", data="!"), context(), "bad_value", "data"),
        (chirpstack("", data=7), context(), "bad_value", "data"),
        (chirpstack("", data="٣"), context(), "bad_value", "data"),
        (things("05cc01000200", received_at="yesterday"), context(), "bad_time", "received_at"),
        (things("05cc01000200", received_at="2027-01-01T00:00:00Z"), context(), "future_date",
         "received_at"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_rejected(
    document: dict[str, Any], sender: Context, reason: str, field: str
) -> None:
    result = normalize(document, sender)
    assert [(r.reason.value, r.field) for r in result.rejected] == [(reason, field)]
    assert (result.received, result.accepted) == (1, 0)


def test_counts_before_a_part_of_newer_firmware_are_kept_and_the_rest_is_told() -> None:
    result = normalize(things("05cc010002007711"))
    assert (result.received, result.accepted) == (2, 1)
    assert [r.reason.value for r in result.rejected] == ["bad_value"]


@pytest.mark.parametrize(
    "document",
    [
        {"end_device_ids": {"dev_eui": EUI}, "join_accept": {"received_at": AT}},
        things("05cc01000200") | {"simulated": True},
        things("", frm_payload=None),  # no bytes of the application
        chirpstack(""),
        things("0fe302100709"),  # people in regions
        {"deviceInfo": {"devEui": EUI}, "level": "INFO"},
    ],
)
def test_other_messages_are_ignored_and_counted(document: dict[str, Any]) -> None:
    result = normalize(document)
    assert (result.received, result.rejected) == (0, [])
    assert result.ignored >= 1


def test_a_device_is_found_however_its_id_is_written() -> None:
    (row,) = intervals(normalize(chirpstack("05cc01000200", eui=EUI.lower())))
    assert row["device_id"] == EUI


def test_totals_become_readings_where_an_uplink_has_nothing_else() -> None:
    result = normalize(things("000000c8000001c800", port=1), with_model("terabee-xl"))
    (row,) = result.events["count_reading"].to_pylist()
    assert "count_interval" not in result.events
    assert (row["occurred_at"], row["in_total"], row["out_total"]) == (END, 200, 456)
    assert (row["device_id"], row["line_id"], row["store_id"]) == (EUI, "1", "soho")
    (line,) = normalize(things("03d2d915000004d255140000")).events["count_reading"].to_pylist()
    assert (line["in_total"], line["out_total"]) == (0x15D9, 0x1455)
    both = "0206" + "0004a30b00f0d40e" + "00" + "0100" + "00030002" + "20" + "060305e6" + "61"
    counted = normalize(things(both, port=1), with_model("imbuildings"))
    assert [(r["in_count"], r["out_count"]) for r in intervals(counted)] == [(3, 2)]
    assert counted.ignored == 1


@pytest.mark.parametrize("after", ["", "/up", "/event/up"])
def test_a_bridge_may_leave_levels_after_the_device(after: str) -> None:
    assert address_of(f"tenpo/acme/iot/lorawan/{EUI}{after}") == ("acme", "lorawan")


@pytest.mark.parametrize("topic", ["tenpo/acme/iot/lorawan", "tenpo/acme/iot"])
def test_a_topic_needs_a_device(topic: str) -> None:
    with pytest.raises(InputError, match="topic"):
        address_of(topic)
