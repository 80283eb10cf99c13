"""Bytes of LoRaWAN counters: short ones worked out by hand, and the vendors' own where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.iot.lorawan.decoded import Count, Decoded
from gateways.iot.lorawan.models import MODELS, model_of
from tests.gateways.real_data import real_files


def decode(model: str, payload: str, port: int = 85) -> Decoded:
    return MODELS[model].decode(bytes.fromhex(payload), port)


@pytest.mark.parametrize(
    ("model", "payload", "port", "periods", "totals", "ignored"),
    [
        # 0x0102 in, 0x0003 out, lowest byte first
        ("vs133", "05cc 0201 0300", 85, [Count("1", 258, 3)], [], 0),
        ("vs132", "03d2 0a000000 04d2 00010000 05cc 0100 0000", 85, [Count("1", 1, 0)],
         [Count("1", 10, 256)], 0),
        # line 4 with two children, regions
        ("vs135", "0ecc 0500 0700 1ccc 0200 0100 0fe3 02100709", 85, [Count("4", 5, 7, 2)], [], 1),
        ("vs133", "13cc 0200 0100", 85, [], [], 1),  # children alone
        ("vs133", "20ce 00000165 05 0300 0400 20ce 00000165 08 0100 0000", 85,
         [Count("1", 3, 4, at=0x65010000), Count("2", 1, 0, at=0x65010000)], [], 0),
        ("vs133", "20ce 00000165 10 01 0910", 85, [], [], 1),  # dwell time from memory
        ("vs121", "05cc 0200 0100 0f85 00000165", 85, [Count("1", 2, 1, at=0x65010000)], [], 0),
        ("vs121", "0dcc 0900 0800 10f7 0200 0100", 85, [], [Count("1", 9, 8)], 1),
        ("vs121", "20ce 00000165 02 0500 0600", 85, [Count("1", 5, 6, at=0x65010000)], [], 0),
        ("vs350", "0aef 00000165 05cc 0100 0200 0175 64", 85,
         [Count("1", 1, 2, at=0x65010000)], [], 1),
        ("vs350", "20ce 00000165 01 0100 0200 0900 0a00", 85,
         [Count("1", 1, 2, at=0x65010000)], [Count("1", 9, 10, at=0x65010000)], 0),
        # answers to settings, and what follows them
        ("vs350", "fe10 ff 05cc 0100 0200", 85, [Count("1", 1, 2)], [], 1),
        ("vs350", "ff06 0a 0100 0200 00000000 f810 01 00 05cc 0100 0200", 85,
         [Count("1", 1, 2)], [], 2),
        ("vs133", "fe03 0a00 05cc 0500 0300", 85, [Count("1", 5, 3)], [], 1),
        ("vs132", "ff43 01 05cc 0500 0300", 85, [Count("1", 5, 3)], [], 1),
        ("vs135", "f984 01 0a00 05cc 0500 0300", 85, [Count("1", 5, 3)], [], 1),
        ("vs135", "f884 01 0a00 00 05cc 0500 0300", 85, [Count("1", 5, 3)], [], 1),  # and result
        ("vs121", "05cc 0500 0300 fe35 0102030405060708 f990 00 01 0102 3c00", 85,
         [Count("1", 5, 3)], [], 2),
        ("terabee-xl", "000000c8 000001c8 00", 1, [], [Count("1", 200, 456)], 0),
        ("terabee-xl", "000000c8 000001c8 02", 1, [], [Count("1", 200, 456)], 1),
        ("terabee-xl", "02 00000001 00000002", 2, [], [Count("1", 1, 2)], 0),
        ("terabee-xl", "01 0064", 100, [], [], 1),
        ("imbuildings", "0205 0004a30b00f0d40e 00 0100 0003 0002 20 6a", 1,
         [Count("1", 3, 2)], [], 0),
        ("imbuildings", "00 0100 0003 0002 20 0603 05e6 61", 26,
         [Count("1", 3, 2)], [Count("1", 1539, 1510)], 0),
        ("imbuildings", "00 0100 20 0603 05e6", 27, [], [Count("1", 1539, 1510)], 0),
        ("imbuildings", "0206 0004a30b00f0d40e 00 0100 0003 0002 20 0603 05e6 61", 26,
         [Count("1", 3, 2)], [Count("1", 1539, 1510)], 0),
        ("imbuildings", "0207 0004a30b00f0d40e 00 0100 20 0603 05e6", 27, [],
         [Count("1", 1539, 1510)], 0),
        # serial numbers of 6 and of 8 bytes, and a clock that was never set
        ("vs121", "ff08 660095720100 ff01 01 05cc 0200 0100", 85, [Count("1", 2, 1)], [], 2),
        ("vs121", "ff08 6600957201000042 ff01 01 05cc 0200 0100", 85, [Count("1", 2, 1)], [], 2),
        ("vs121", "ff08 6600957201000042 05cc 0200 0100", 85, [Count("1", 2, 1)], [], 1),
        ("vs121", "05cc 0200 0100 ff08 6600957201000042", 85, [Count("1", 2, 1)], [], 1),
        ("vs121", "05cc 0200 0100 ff08 660095720100", 85, [Count("1", 2, 1)], [], 1),
        ("vs121", "05cc 0200 0100 0f85 00000000", 85, [Count("1", 2, 1)], [], 0),
        ("vs121", "05cc 0200 0100 0f85 3c000000", 85, [Count("1", 2, 1)], [], 0),
        ("imbuildings", "0208 0004a30b00f0d40e 00 0100 20", 1, [], [], 1),
        ("imbuildings", "0103 00", 1, [], [], 1),  # a comfort sensor
    ],
)  # fmt: skip
def test_the_parts_of_a_payload(
    model: str, payload: str, port: int, periods: list[Count], totals: list[Count], ignored: int
) -> None:
    assert decode(model, payload, port) == Decoded(periods, totals, ignored)


@pytest.mark.parametrize(
    ("model", "payload", "port", "unread", "periods"),
    [
        ("vs133", "05cc 0201 03", 85, 0, []),  # cut off
        ("vs133", "05cc 0200 0100 7711", 85, 6, [Count("1", 2, 1)]),  # a part of newer firmware
        ("vs133", "05cc 0200 0100 05", 85, 6, [Count("1", 2, 1)]),
        ("vs133", "20ce 00000165 99 0100", 85, 0, []),
        ("vs133", "05cc 0200 0100 fe99 05cc 0500 0300", 85, 6, [Count("1", 2, 1)]),  # what answer?
        ("vs133", "f999 01", 85, 0, []),
        ("vs133", "fe03 0a", 85, 0, []),  # cut off
        ("terabee-xl", "000000c8", 1, 0, []),
        ("imbuildings", "0206 0004a30b00f0d40e 00", 1, 0, []),
        ("imbuildings", "02", 1, 0, []),
        ("imbuildings", "0206 0004a30b00f0d40e 00", 26, 0, []),
        ("vs121", "ff08 6600957201", 85, 0, []),  # cut off
    ],
)
def test_what_cannot_be_read_is_told(
    model: str, payload: str, port: int, unread: int, periods: list[Count]
) -> None:
    found = decode(model, payload, port)
    assert (found.unread, found.periods) == (unread, periods)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(MODELS)), st.binary(max_size=60), st.integers(0, 255))
def test_any_bytes_are_read_or_told(model: str, payload: bytes, port: int) -> None:
    found = MODELS[model].decode(payload, port)
    assert found.unread is None or 0 <= found.unread < max(1, len(payload))
    assert found.periods or found.totals or found.ignored or found.unread is not None or not payload
    for count in [*found.periods, *found.totals]:
        assert all(v is None or 0 <= v < 2**32 for v in (count.entered, count.left, count.children))


@pytest.mark.parametrize(
    ("registered", "profile", "model"),
    [
        ("VS133", "something else", "vs133"),
        (None, "milesight-iot vs135", "vs135"),
        (None, "people counter (milesight vs-121)", "vs121"),
        (None, "terabee people-flow-counting-l-xl", "terabee-xl"),
        (None, "imbuildings people-counter", "imbuildings"),
        (None, "terabee people-flow-counting-m", None),  # other bytes
        (None, "imbuildings comfort-sensor", None),
        ("vs999", "milesight-iot vs133", None),  # who registers it knows better
        (None, "", None),
    ],
)
def test_the_model_is_registered_or_told_by_the_network_server(
    registered: str | None, profile: str, model: str | None
) -> None:
    found = model_of(registered, profile)
    assert (found and found.name) == model


def expected(case: dict[str, Any]) -> list[tuple[str, int | None, int | None]]:
    """Periods and totals that a recorded case states, in order: topic or line, in, out."""
    names = {"periodicCounter": "period", "periodicCount": "period", "totalCounter": "total",
             "totalCount": "total"}  # fmt: skip
    found: dict[tuple[str, str], dict[str, int]] = {}
    topic = ""
    for key, value in case["expected"]:
        text = value.strip('"')
        topic = text if key == "topic" else topic
        field = key.removeprefix("data.")
        for prefix, kind in names.items():
            if field in (f"{prefix}In", f"{prefix}Out"):
                found.setdefault((kind, topic), {})[field.removeprefix(prefix)] = int(text)
        if topic == "people" and field in ("in", "out"):
            found.setdefault(("period", topic), {})[field.title()] = int(text)
        if field in ("absoluteFw", "absoluteBw"):
            side = {"absoluteFw": "In", "absoluteBw": "Out"}[field]
            found.setdefault(("total", topic), {})[side] = int(text)
    return [(kind, sides.get("In"), sides.get("Out")) for (kind, _), sides in found.items()]


FOLDERS = {"milesight_VS121": "vs121", "milesight_VS133": "vs133", "milesight_VS350": "vs350",
           "terabee_peopleCountingXL": "terabee-xl"}  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS)
def test_recorded_payloads_yield_the_quantities_they_state(folder: str) -> None:
    (path,) = real_files(f"counters/devices/{folder}", "inputs_expected.json")
    cases = [c for c in orjson.loads(path.read_bytes()) if "payloadHex" in c["input"]["data"]]
    assert cases
    for case in cases:
        data = case["input"]["data"]
        found = decode(FOLDERS[folder], data["payloadHex"], data["port"])
        assert found.unread is None, case["test"]
        stated = sorted(expected(case))
        counted = [("period", c.entered, c.left) for c in found.periods]
        counted += [("total", c.entered, c.left) for c in found.totals]
        assert sorted(counted) == stated, case["test"]
        assert stated or found.ignored, case["test"]


def test_the_network_of_things_own_examples() -> None:
    files = {path.name: path for path in real_files("counters/devices/ttn_lorawan", "*.yaml")}
    documents = {name: yaml.safe_load(path.read_text()) for name, path in files.items()}
    milesight = documents["milesight-codecs.yaml"]
    for model in ("vs121", "vs133", "vs350"):
        case = milesight[model]
        found = MODELS[model].decode(bytes(case["input"]["bytes"]), case["input"]["fPort"])
        lines = case["output"] if model == "vs350" else None
        if lines:
            assert found.periods == [Count("1", lines["period_in"], lines["period_out"])]
            assert found.totals == [Count("1", lines["total_in"], lines["total_out"])]
        for name, line in case["output"].items():
            if name.startswith("line_"):
                count = Count(name.removeprefix("line_"), line["period_in"], line["period_out"])
                assert count in found.periods
                total = Count(name.removeprefix("line_"), line["total_in"], line["total_out"])
                assert total in found.totals
        assert found.unread is None
    _check_examples("terabee-xl", documents["terabee-people-flow-counting-l-xl-codec.yaml"])
    _check_examples("imbuildings", documents["imbuildings-codec.yaml"])


def _check_examples(model: str, codec: dict[str, Any]) -> None:
    examples = codec["uplinkDecoder"]["examples"]
    assert examples
    for example in examples:
        data = example["output"]["data"]
        found = MODELS[model].decode(bytes(example["input"]["bytes"]), example["input"]["fPort"])
        if "counter_a" in data:
            assert found.periods == [Count("1", data["counter_a"], data["counter_b"])]
            assert found.totals == [Count("1", data["total_counter_a"], data["total_counter_b"])]
        else:
            assert found.totals == [Count("1", data["count_in"], data["count_out"])]


def test_every_file_of_devices_is_read_by_some_test() -> None:
    """A new file must not go unnoticed."""
    paths: list[Path] = real_files("counters/devices", "*/inputs_expected.json")
    assert {path.parent.name for path in paths} == {*FOLDERS, "xovis_PC2S"}
