"""Whose a face is: the person's whose head it is on."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from video_analyzer.detect.detection import Boxes
from video_analyzer.faces.face import Faces, Floats
from video_analyzer.identity.heads import faces_of
from video_analyzer.identity.vote import vote

WIDTH, HEIGHT = 1000, 500


def faces(*centres: tuple[float, float]) -> Faces:
    boxes = [(x - 10, y - 12, x + 10, y + 12) for x, y in centres]
    count = len(boxes)
    return Faces(np.array(boxes, np.float32).reshape(count, 4),
                 np.zeros((count, 5, 2), np.float32), np.ones(count, np.float32))  # fmt: skip


def person(left: float, top: float, width: float = 100, height: float = 300) -> Boxes:
    """A box, given in pixels, as parts of the picture."""
    return np.array([left / WIDTH, top / HEIGHT,
                     (left + width) / WIDTH, (top + height) / HEIGHT])  # fmt: skip


def whose(seen: dict[str, Boxes], found: Faces) -> dict[str, int]:
    return faces_of(seen, found, WIDTH, HEIGHT)


def test_each_head_gets_its_face() -> None:
    seen = {"a": person(100, 100), "b": person(170, 110)}
    assert whose(seen, faces((225, 150), (148, 140))) == {"a": 1, "b": 0}


def test_a_face_on_a_shirt_or_beside_is_nobodys() -> None:
    seen = {"a": person(100, 100)}
    assert whose(seen, faces((150, 330))) == {}
    assert whose(seen, faces((260, 140))) == {}
    assert whose(seen, faces()) == whose({}, faces((1, 1))) == {}


def test_one_face_is_given_once() -> None:
    seen = {"a": person(100, 100), "b": person(104, 100)}
    assert whose(seen, faces((155, 136))) == {"b": 0}


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 200)), max_size=5),
       st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 500)), max_size=5))  # fmt: skip
def test_no_face_has_two_owners(people: list[tuple[int, int]], at: list[tuple[int, int]]) -> None:
    seen = {str(number): person(*place) for number, place in enumerate(people)}
    found = whose(seen, faces(*at))
    assert len(set(found.values())) == len(found)
    for name, row in found.items():
        left, top, right, bottom = seen[name] * (WIDTH, HEIGHT, WIDTH, HEIGHT)
        assert left - 100 < at[row][0] < right + 100
        assert top - 300 < at[row][1] <= (top + bottom) / 2 + 1


def unit(*numbers: float) -> Floats:
    vector = np.array(numbers, np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def test_most_faces_outvote_one_of_somebody_else() -> None:
    features = np.stack([unit(1, 0, 0), unit(1, 0.1, 0), unit(0, 0, 1)])
    voted = vote(features, np.array([0.5, 0.5, 0.9], np.float32), 0.9)
    assert voted is not None
    assert voted.members == (0, 1)
    assert np.allclose(voted.vector, unit(2, 0.1 / np.hypot(1, 0.1) * 1, 0), atol=0.01)


def test_faces_of_two_people_are_of_nobody() -> None:
    features = np.stack([unit(1, 0), unit(0, 1)])
    assert vote(features, np.array([0.5, 0.5], np.float32), 0.9) is None


def test_a_single_face_is_its_own_feature() -> None:
    voted = vote(unit(3, 4)[None], np.array([0.2], np.float32), 0.99)
    assert voted is not None
    assert np.allclose(voted.vector, unit(3, 4))
