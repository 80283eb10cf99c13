"""Generated input for every counter of JSON: no value anywhere may break its adapter."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.adapter import Adapter
from gateways.iot.axis import Axis
from gateways.iot.hikvision import Hikvision
from gateways.iot.lorawan.adapter import Lorawan
from gateways.iot.terabee import Terabee
from gateways.iot.xovis import Xovis
from tenpo.errors import PayloadError
from tests.gateways.counters import (
    axis_crossline,
    axis_retail,
    hikvision,
    terabee,
    xovis_counts,
    xovis_event,
    xovis_live,
    xovis_logics,
)
from tests.gateways.lorawan import chirpstack, things
from tests.gateways.payloads import context
from tests.gateways.test_axis import EXPORT
from tests.gateways.test_hikvision import JSON
from tests.gateways.test_mutations import ANYTHING, json_of, places

UPLINK = "05cc0c00090013cc0100000008cc0400050003d2d9150000"
DOCUMENTS: list[tuple[Adapter, Any]] = [
    (Lorawan(), things(UPLINK)), (Lorawan(), chirpstack(UPLINK)),
    (Xovis(), xovis_counts()), (Xovis(), xovis_logics()), (Xovis(), {"values": [xovis_event()]}),
    (Xovis(), xovis_live("LINE_CROSS_FORWARD")),
    (Axis(), axis_retail()), (Axis(), EXPORT), (Axis(), axis_crossline("Door in", 7)),
    (Hikvision(), JSON), (Terabee(), terabee()),
]  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_any_member_of_a_push_may_hold_anything(data: st.DataObject) -> None:
    adapter, document = data.draw(st.sampled_from(DOCUMENTS))
    document = orjson.loads(orjson.dumps(document))
    container, key = data.draw(st.sampled_from(places(document)))
    container[key] = data.draw(ANYTHING)
    result = adapter.normalize(json_of(document), context())
    assert result.received == result.accepted + len(result.rejected)
    assert result.received + result.ignored > 0


@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(hikvision()) - 1), st.binary(max_size=6), st.integers(0, 40))
def test_damaged_xml_is_refused_or_reconciled(place: int, put: bytes, gone: int) -> None:
    body = hikvision()[:place] + put + hikvision()[place + gone :]
    try:
        result = Hikvision().normalize(body, context())
    except PayloadError:
        return
    assert result.received == result.accepted + len(result.rejected)


@pytest.mark.parametrize("body", [b"--", b"--b", b"--b\r\n--b--", b"--b\n\n\n--b\n--b--\n"])
def test_empty_streams_break_nothing(body: bytes) -> None:
    try:
        result = Hikvision().normalize(body, context())
    except PayloadError:
        return
    assert result.received == len(result.rejected)
    assert result.received + result.ignored > 0
