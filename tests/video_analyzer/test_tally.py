"""Counts of a camera's doors as intervals, and as a gateway reads them by the shipped spec."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.declarative.choose import load_adapter
from gateways.normalize.context import Context
from tenpo.identifiers import micros
from tenpo.keys import TenantKeys
from tenpo.masters import Device, Store, TenantMasters
from tests.gateways.real_data import REPOSITORY
from tests.video_analyzer.clips import camera
from video_analyzer.camera import Line
from video_analyzer.events import VisitEvent
from video_analyzer.tally import Interval, Tally, as_json

START = micros(datetime(2026, 11, 2, 1, 10, tzinfo=UTC))
QUARTER = 900 * 1_000_000
PASSAGE = Line.model_validate({"line_id": "aisle", "from": (0, 0), "to": (9, 9), "inside": (5, 0),
                               "role": "passage"})  # fmt: skip
TWO = camera(lines=[camera().lines[0], PASSAGE])


def crossing(kind: str, line: str = "door", is_staff: bool | None = None) -> VisitEvent:
    return VisitEvent("door-1", "t", line, kind, START, "d", 0, is_staff)  # type: ignore[arg-type]


def sums(intervals: Sequence[Interval]) -> tuple[int, int]:
    return sum(one.in_count for one in intervals), sum(one.out_count for one in intervals)


def test_intervals_begin_with_the_quarters_and_an_empty_one_is_told() -> None:
    tally = Tally(TWO)
    told = []
    for second in range(0, 2400, 5):
        events = {60: [crossing("enter"), crossing("pass", "aisle")], 1500: [crossing("exit")],
                  1505: [crossing("exit", is_staff=True)]}.get(second, [])  # fmt: skip
        told += tally.take(START + second * 1_000_000, events)
    told += tally.finish([crossing("exit")])
    minute = 60_000_000
    assert [(one.start_us - START, one.end_us - START) for one in told] == [
        (0, 5 * minute), (5 * minute, 20 * minute), (20 * minute, 35 * minute),
        (35 * minute, 2395 * 1_000_000)]  # fmt: skip
    assert [(one.in_count, one.out_count, one.staff_out_count) for one in told] == [
        (1, 0, 0), (0, 0, 0), (0, 2, 1), (0, 1, 0)]  # fmt: skip
    assert {one.line_id for one in told} == {"door"}


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(-10, 2_000), st.sampled_from(["enter", "exit", ""])),
                max_size=40))  # fmt: skip
def test_no_crossing_is_lost_or_twice_whatever_the_clock_does(
    steps: list[tuple[int, str]],
) -> None:
    tally, at_us, told = Tally(TWO), START, list[Interval]()
    for seconds, kind in steps:
        at_us += seconds * 1_000_000
        told += tally.take(at_us, [crossing(kind)] if kind else [])
    told += tally.finish([])
    kinds = [kind for _, kind in steps]
    assert sums(told) == (kinds.count("enter"), kinds.count("exit"))
    assert all(0 < one.end_us - one.start_us <= QUARTER for one in told)
    assert len({(one.line_id, one.start_us) for one in told}) <= len(told)


def test_a_gateway_takes_them_by_the_shipped_spec() -> None:
    told = [Interval("door", START, START + QUARTER, 7, 5, 1, 0),
            Interval("door", START + QUARTER, START + QUARTER + 1, 0, 0, 0, 0)]  # fmt: skip
    store = Store(store_id="tokyo-1", name="T", timezone="Asia/Tokyo", currency="JPY")
    counts = Device(device_id="door-1-counts", store_id="tokyo-1", source="video_counts")
    masters = TenantMasters(tenant_id="acme", store=[store], device=[counts])
    context = Context(masters, TenantKeys(bytes(32), "acme"), datetime.now(UTC))
    adapter = load_adapter(REPOSITORY / "specs" / "cameras" / "video_counts.yaml")
    result = adapter.normalize(as_json(told, TWO), context)
    assert result.rejected == []
    first, second = result.events["count_interval"].to_pylist()
    assert (first["store_id"], first["line_id"]) == ("tokyo-1", "door")
    assert (micros(first["occurred_at"]), micros(first["interval_end_at"])) == (
        START, START + QUARTER)  # fmt: skip
    assert (first["in_count"], first["out_count"]) == (7, 5)
    assert (first["staff_in_count"], first["staff_out_count"]) == (1, 0)
    assert (second["in_count"], second["out_count"]) == (0, 0)
