"""The identity log against a model that keeps sets and forgets nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenpo.errors import InputError
from video_analyzer.feature_db.identity import (
    Identity,
    Kind,
    creations,
    event,
    person_number,
    person_text,
)

KEY = bytes(32)
IDS = list(range(50, 40, -1))  # younger ids are smaller: the oldest is not the smallest
PERSON = st.sampled_from(IDS)
STEPS = st.lists(st.tuples(st.sampled_from(["merge", "split"]), PERSON, PERSON), max_size=25)


def groups(links: dict[int, tuple[int, int]]) -> dict[int, int]:
    """The oldest of each raw id's group, by repeated sweeps."""
    oldest = {person: IDS.index(person) for person in IDS}
    for _ in IDS:
        for a, b in links.values():
            oldest[a] = oldest[b] = min(oldest[a], oldest[b])
    return {person: IDS[place] for person, place in oldest.items()}


@settings(max_examples=80, deadline=None)
@given(STEPS, st.integers(0, 25))
def test_persons_follow_merges_and_splits_and_a_restart(
    steps: list[tuple[str, int, int]], saved: int
) -> None:
    identity = Identity(KEY)
    identity.apply(creations(1, 0, IDS))
    links: dict[int, tuple[int, int]] = {}
    for step, (what, a, b) in enumerate(steps):
        seq = identity.next_seq
        if what == "merge" and a != b:
            links[seq] = (a, b)
            identity.apply(event(seq, 0, Kind.MERGE, a, b))
        elif what == "split" and links:
            link = sorted(links)[a % len(links)]
            del links[link]
            identity.apply(event(seq, 0, Kind.SPLIT, link))
        if step == saved:
            identity.gather()
    expected = groups(links)
    again = Identity(KEY)
    for chunk in identity.chunks:
        again.load(chunk)
    for found in (identity, again):
        assert {person: found.current(person) for person in IDS} == expected
        for person in IDS:
            same = {other for other in IDS if expected[other] == expected[person]}
            assert found.members(person) == same
            assert found.links_of(person) == {s: p for s, p in links.items() if p[0] in same}
    assert again.next_seq == identity.next_seq


def test_erased_ids_are_in_no_event_and_known_when_asked_for() -> None:
    identity = Identity(KEY)
    identity.apply(creations(1, 0, [11, 12, 13]))
    identity.apply(event(4, 0, Kind.MERGE, 11, 12))
    identity.apply(event(5, 0, Kind.SPLIT, 4))
    identity.apply(event(6, 0, Kind.PART, 12, 13))
    identity.forget(np.array([12], np.int64))
    identity.apply(event(7, 0, Kind.ERASE, identity.digest(12)))
    events = np.concatenate(identity.chunks)
    assert len(events) == 7
    assert events["seq"].tolist() == list(range(1, 8))
    persons = events[events["kind"] != Kind.SPLIT]
    assert 12 not in persons["a"].tolist() + persons["b"].tolist()
    assert identity.digest(12) < 0
    assert identity.digest(12) != Identity(b"k" * 32).digest(12)
    again = Identity(KEY)
    again.load(events)
    for found in (identity, again):
        assert (found.knows(11), found.knows(12), found.is_erased(12)) == (True, False, True)
        assert not found.is_erased(13)
        assert found.members(11) == {11}
        assert found.count() == 2
        assert not found.are_apart(11, 13)


def test_a_split_of_a_link_with_an_erased_ids_number_stays() -> None:
    """Links are numbered from 1, and so might ids be: a split's number is no person."""
    identity = Identity(KEY)
    identity.apply(creations(1, 0, [4, 5, 6]))
    identity.apply(event(4, 0, Kind.MERGE, 5, 6))
    identity.apply(event(5, 0, Kind.SPLIT, 4))
    identity.forget(np.array([4], np.int64))
    again = Identity(KEY)
    again.load(np.concatenate(identity.chunks))
    assert again.members(5) == {5}


def test_few_chunks_remain_of_many() -> None:
    identity = Identity(KEY)
    for person in range(1, 3_000):
        identity.apply(creations(person, 0, [person]))
        if person % 100 == 0:
            identity.gather()
    kept = identity.gather()
    assert len(kept) < 5
    assert np.concatenate(kept)["a"].tolist() == list(range(1, 3_000))
    assert identity.gather()[0] is kept[0]


@given(st.integers(1, 2**63 - 1))
def test_ids_have_one_text(number: int) -> None:
    assert person_number(person_text(number)) == number
    assert len(person_text(number)) == 18


@pytest.mark.parametrize(
    "text",
    ["", "p_", "p_0000000000000000", "q_0000000000000001", "p_f" + "f" * 15, "p_ 00000000000000a"],
)
def test_other_texts_are_no_ids_and_not_repeated(text: str) -> None:
    with pytest.raises(InputError) as caught:
        person_number(text)
    assert len(text) < 3 or text not in str(caught.value)
