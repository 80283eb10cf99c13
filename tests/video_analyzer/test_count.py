"""Counting, on tracks that the tests draw: what is crossed is known before."""

from __future__ import annotations

from collections import Counter as Tally
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.video_analyzer.clips import HEIGHT, VIEW, WIDTH, camera
from video_analyzer.camera import Line, Zone
from video_analyzer.count.counter import Counter
from video_analyzer.count.side import Side
from video_analyzer.events import VisitEvent
from video_analyzer.track import Seen, Tracked

STEP_US = 100_000
Path = list[tuple[float, float]]


def seen(number: int, place: tuple[float, float], first_us: int = 0, height: float = 60) -> Seen:
    x, y = place
    box = np.array([x - 10, y - height / 2, x + 10, y + height / 2])
    return Seen(number, first_us, box / (WIDTH, HEIGHT, WIDTH, HEIGHT))


def walked(path: Path, **changes: Any) -> list[VisitEvent]:
    """Events of one person who is at these places, a tenth of a second apart."""
    counter = Counter(camera(**changes), "test-1")
    events = []
    for step, place in enumerate(path):
        events += counter.update(step * STEP_US, 0, Tracked([seen(0, place)], []))
    return events + counter.update(len(path) * STEP_US, 0, Tracked([], [0]))


def told(events: list[VisitEvent]) -> list[tuple[str, str, float]]:
    return [(one.zone_id, one.kind, one.occurred_us / 1e6) for one in events]


def across(start: float, end: float, y: float = 120, steps: int = 21) -> Path:
    return [(start + (end - start) * n / (steps - 1), y) for n in range(steps)]


def test_who_walks_in_enters_once_at_the_line() -> None:
    # 60 → 260 in 20 steps of 10: x = 170 is the first picture beyond 160, at 1.1 s
    events = walked(across(60, 260), zones=[])
    assert told(events) == [("door", "enter", 1.1)]


def test_the_other_way_is_an_exit() -> None:
    assert told(walked(across(260, 60), zones=[])) == [("door", "exit", 1.1)]


def test_a_passage_tells_no_direction() -> None:
    line = {"line_id": "street", "from": (160, 0), "to": (160, 240), "inside": (300, 120),
            "role": "passage"}  # fmt: skip
    for path in (across(60, 260), across(260, 60)):
        assert told(walked(path, zones=[], lines=[line])) == [("street", "pass", 1.1)]


def test_standing_on_the_line_counts_once() -> None:
    """Supervision issue 2578: counts rise while somebody stands there."""
    rng = np.random.default_rng(1)
    trembling = [(160 + float(d), 120.0) for d in rng.uniform(-4, 4, 300)]
    events = walked([*across(60, 158), *trembling, *across(162, 260)], zones=[])
    assert [one.kind for one in events] == ["enter"]


def test_turning_back_on_the_line_is_nothing() -> None:
    assert walked([*across(60, 163), *across(163, 60)], zones=[]) == []


def test_walking_round_the_end_of_a_line_is_nothing() -> None:
    line = {"line_id": "door", "from": (160, 0), "to": (160, 100), "inside": (300, 50)}
    assert walked(across(60, 260, y=150), zones=[], lines=[line]) == []
    assert [one.kind for one in walked(across(60, 260, y=50), zones=[], lines=[line])] == ["enter"]


def test_who_begins_beyond_the_line_has_not_crossed_it() -> None:
    assert walked(across(200, 300), zones=[]) == []


def test_each_way_of_a_visit_is_told() -> None:
    events = walked([*across(60, 260), *across(260, 60)], zones=[])
    assert [one.kind for one in events] == ["enter", "exit"]
    assert len({one.document_key for one in events}) == 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(20, 300), st.floats(10, 230)), min_size=2, max_size=30))
def test_enters_and_exits_alternate_and_match_the_sides(path: Path) -> None:
    """Whatever the way: enters less exits is last side less first side, inside being 1."""
    clear = [x > 160 for x, _ in path if abs(x - 160) >= 0.08 * 60 + 1e-6]
    kinds = [one.kind for one in walked(path, zones=[], least_travel=0)]
    assert all(a != b for a, b in pairwise(kinds))
    if clear and all(abs(abs(x - 160) - 4.8) > 1e-6 for x, _ in path):
        tally = Tally(kinds)
        assert tally["enter"] - tally["exit"] == clear[-1] - clear[0]


def test_a_view_lasts_from_the_first_to_the_last_picture() -> None:
    events = walked(across(60, 150), lines=[])
    assert told(events) == [("view", "zone_enter", 0.0), ("view", "zone_exit", 2.0)]


def test_a_zone_is_entered_and_left_at_its_border() -> None:
    zone = Zone(zone_id="shelf", polygon=((100, 60), (200, 60), (200, 180), (100, 180)))
    events = walked(across(50, 250, steps=21), lines=[], zones=[zone])
    # steps of 10: 110 is the first inside (0.6 s), 210 the first outside (1.6 s)
    assert told(events) == [("shelf", "zone_enter", 0.6), ("shelf", "zone_exit", 1.6)]


def test_what_never_moves_is_counted_as_still_and_tells_nothing() -> None:
    counter = Counter(camera(), "test-1")
    for step in range(100):
        place = (160 + 3 * np.sin(step), 120.0)
        assert counter.update(step * STEP_US, 0, Tracked([seen(0, place)], [])) == []
    assert counter.finish() == []
    assert (counter.moved_count, counter.still_count) == (0, 1)


def test_what_was_held_back_comes_with_its_own_time() -> None:
    still = [(100.0, 120.0)] * 10
    events = walked([*still, *across(100, 150)], lines=[])
    assert told(events)[0] == ("view", "zone_enter", 0.0)


def test_staff_is_who_was_in_a_staff_zone() -> None:
    zone = Zone(zone_id="till", polygon=((0, 0), (100, 0), (100, 240), (0, 240)), is_staff=True)
    behind, customer = walked(across(50, 260), zones=[zone]), walked(across(140, 260), zones=[zone])
    assert [(one.kind, one.is_staff) for one in behind] == [
        ("zone_enter", True), ("zone_exit", True), ("enter", True)]  # fmt: skip
    assert [(one.kind, one.is_staff) for one in customer] == [("enter", None)]


def test_lost_pictures_are_told_with_the_events_that_they_touch() -> None:
    counter = Counter(camera(zones=[VIEW]), "test-1")
    events = []
    for step, place in enumerate(across(60, 260)):
        events += counter.update(
            step * STEP_US, 3 if step == 8 else 0, Tracked([seen(0, place)], [])
        )
    dropped = {one.kind: one.dropped_frame_count for one in events + counter.finish()}
    assert dropped == {"zone_enter": 0, "enter": 3, "zone_exit": 3}


def test_tracks_that_begin_together_have_names_of_their_own() -> None:
    counter = Counter(camera(lines=[]), "test-1")
    events = []
    for step in range(10):
        both = [seen(n, (50 + 10.0 * step, 60 + 100 * n)) for n in range(2)]
        events += counter.update(step * STEP_US, 0, Tracked(both, []))
    assert [one.track_id for one in events] == [
        "19700101T000000.000000Z-0", "19700101T000000.000000Z-1"]  # fmt: skip


@pytest.mark.parametrize("margin", [0.0, 5.0])
def test_a_side_is_settled_beyond_the_margin_alone(margin: float) -> None:
    side, changes = Side(), []
    for step, distance in enumerate([-10.0, -3.0, 3.0, -3.0, 3.0, 10.0, 0.0, 3.0]):
        changes.append(side.update(distance, margin, step))
    settled = [(one.before, one.after, one.at_us) for one in changes if one]
    if margin:
        assert settled == [(0, -1, 0), (-1, 1, 4)]
    else:
        assert settled == [(0, -1, 0), (-1, 1, 2), (1, -1, 3), (-1, 1, 4)]


def test_the_inside_of_a_line_is_where_the_point_is() -> None:
    for inside, kind in (((0, 0), "exit"), ((319, 239), "enter")):
        line = Line.model_validate(
            {"line_id": "door", "from": (160, 240), "to": (160, 0), "inside": inside}
        )
        assert [one.kind for one in walked(across(60, 260), zones=[], lines=[line])] == [kind]
