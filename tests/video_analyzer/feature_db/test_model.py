"""Any sequence of calls, crashes and restarts against dictionaries that do the same."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

from tenpo.errors import InputError, UnknownReference
from tests.video_analyzer.feature_db.faces import MODEL, NOW, SECRET, QuickDisk
from video_analyzer.feature_db import FeatureDatabase, Former, People, Seen, Tuning
from video_analyzer.feature_db.erasure import erase
from video_analyzer.feature_db.records import Floats
from video_analyzer.feature_db.succession import Sighting, progress, search_both, take_over
from video_analyzer.feature_db.verify import verify

DIMENSION = 16
SAME = 0.95
TUNING = Tuning(flat_max=6)
DAYS = st.integers(1, 5)
#: Few directions, so that people are met again; each at least 0.3 apart in cosine.
LOOKS = np.linalg.qr(np.random.default_rng(3).normal(size=(DIMENSION, DIMENSION)))[0].astype("f4")
LOOK = st.integers(0, DIMENSION - 1)
#: A model that replaces the other, and how it sees the same looks.
NEXT = "sface-2"
NEXT_LOOKS = LOOKS[:, ::-1].copy()


class Features(RuleBasedStateMachine):
    """Features by number, of two models; links; who is apart; who was erased."""

    people: Bundle[str] = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.today = 0
        #: Raw id, look, day of expiry, model.
        self.alive: dict[int, tuple[str, int, int, str]] = {}
        self.order: dict[str, int] = {}
        self.links: dict[int, tuple[str, str]] = {}
        self.apart: set[frozenset[str]] = set()
        self.erased: set[str] = set()
        self.open()

    def open(self) -> None:
        database = FeatureDatabase(
            self.folder / "db", SECRET, tuning=TUNING, merge_rows=12, disk=QuickDisk()
        )
        self.store = database.open_store("acme")

    def teardown(self) -> None:
        self.store.close()
        report = verify(self.store.folder, self.store.key)
        shutil.rmtree(self.folder)
        assert report.problems == ()
        assert report.features == len(self.alive)

    # ---- changes --------------------------------------------------------------------

    def seen(self, days: int) -> Seen:
        return Seen("s1", NOW, NOW + timedelta(days=self.today + days))

    @rule(target=people, looks=st.lists(LOOK, min_size=1, max_size=4), days=DAYS)
    def add_new(self, looks: list[int], days: int) -> MultipleResults[str]:
        added = self.store.add(MODEL, LOOKS[looks], self.seen(days))
        for feature, look in zip(added, looks, strict=True):
            assert feature.feature not in self.alive
            self.order[feature.raw_id] = len(self.order)
            self.alive[feature.feature] = (feature.raw_id, look, self.today + days, MODEL)
        return multiple(*(feature.raw_id for feature in added))

    @rule(person=people, look=LOOK, days=DAYS)
    def add_to(self, person: str, look: int, days: int) -> None:
        if person in self.erased:
            with pytest.raises(UnknownReference):
                self.store.add(MODEL, LOOKS[[look]], self.seen(days), persons=[person])
            return
        [added] = self.store.add(MODEL, LOOKS[[look]], self.seen(days), persons=[person])
        self.alive[added.feature] = (person, look, self.today + days, MODEL)

    @rule(target=people, look=LOOK, days=DAYS)
    def identify(self, look: int, days: int) -> MultipleResults[str] | str:
        holders = self.holders(MODEL, look)
        found = self.store.identify_or_create(MODEL, LOOKS[look], self.seen(days), threshold=SAME)
        assert found.is_new == (not holders)
        if not found.is_new:
            assert found.raw_id in holders
            assert found.person == self.current(found.raw_id)
            return multiple()
        self.order[found.raw_id] = len(self.order)
        [feature] = self.store.features_of(found.raw_id)
        self.alive[feature.feature] = (found.raw_id, look, self.today + days, MODEL)
        return found.raw_id

    @rule(target=people, look=LOOK, days=DAYS)
    def identify_while_replacing(self, look: int, days: int) -> MultipleResults[str] | str:
        newer, older = self.holders(NEXT, look), self.holders(MODEL, look)
        found = self.store.identify_or_create(
            NEXT, NEXT_LOOKS[look], self.seen(days), threshold=SAME,
            former=Former(MODEL, LOOKS[look], SAME),
        )  # fmt: skip
        before, expected = len(self.alive), newer or older
        self.learn(found.raw_id, look, days)
        assert len(self.alive) - before == (0 if newer else 1 if older else 2)
        assert found.is_new == (not expected)
        if expected:
            assert found.raw_id in expected
            return multiple()
        self.order[found.raw_id] = len(self.order)
        return found.raw_id

    @precondition(lambda self: self.alive)
    @rule(look=LOOK)
    def take_over(self, look: int) -> None:
        holders = self.holders(MODEL, look)
        if MODEL not in {space.model for space in self.store.stats().spaces}:
            return
        known = {raw for raw, _, _, model in self.alive.values() if model == NEXT}
        done = {raw for raw in holders if self.group(raw) & known}
        at, former = Sighting("s1", NOW), Former(MODEL, LOOKS[look], SAME)
        before = len(self.alive)
        is_taken = take_over(self.store, former, NEXT, NEXT_LOOKS[look], at)
        assert is_taken or not holders or done
        assert not is_taken or holders - done
        for raw in holders:
            self.learn(raw, look, None)
        assert len(self.alive) == before + is_taken

    def learn(self, raw: str, look: int, days: int | None) -> None:
        """Take up what a call added for a raw id; without days it expires with the former's."""
        for held in self.store.features_of(raw):
            if held.feature in self.alive:
                continue
            until = (held.seen.expires_at - NOW).days
            same = {day for who, shown, day, _ in self.alive.values()
                    if (who, shown) == (held.raw_id, look)}  # fmt: skip
            assert until == self.today + days if days is not None else until in same
            self.alive[held.feature] = (held.raw_id, look, until, held.model)

    def holders(self, model: str, look: int) -> set[str]:
        return {raw for raw, shown, _, by in self.alive.values() if (shown, by) == (look, model)}

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        gone = data.draw(st.lists(st.sampled_from(sorted(self.alive)), max_size=6))
        assert self.store.delete(gone) == len(set(gone))
        for feature in set(gone):
            del self.alive[feature]

    @rule()
    def next_day(self) -> None:
        self.today += 1
        over = [f for f, (_, _, until, _) in self.alive.items() if until <= self.today]
        assert self.store.expire(NOW + timedelta(days=self.today)) == len(over)
        for feature in over:
            del self.alive[feature]

    @rule(a=people, b=people)
    def merge(self, a: str, b: str) -> None:
        try:
            link = People(self.store).merge(a, b, NOW)
        except (InputError, UnknownReference):
            assert {a, b} & self.erased or b in self.group(a) or self.barred(a, b)
        else:
            assert not {a, b} & self.erased
            assert b not in self.group(a)
            assert not self.barred(a, b)
            self.links[link] = (a, b)

    @precondition(lambda self: self.links)
    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        link = data.draw(st.sampled_from(sorted(self.links)))
        People(self.store).split(link, NOW)
        del self.links[link]

    @rule(a=people, b=people, back=st.booleans())
    def part(self, a: str, b: str, back: bool) -> None:
        if {a, b} & self.erased or b in self.group(a):
            with pytest.raises(InputError):
                People(self.store).part(a, b, NOW)
        elif back:
            People(self.store).rejoin(a, b, NOW)
            self.apart.discard(frozenset((a, b)))
        else:
            People(self.store).part(a, b, NOW)
            self.apart.add(frozenset((a, b)))

    @rule(person=consumes(people))
    def erase(self, person: str) -> None:
        if person in self.erased:
            with pytest.raises(UnknownReference):
                erase(self.store, person)
            return
        gone = self.group(person)
        proof = erase(self.store, person)
        assert proof.completed_at is not None
        assert len(proof.digests) == len(gone)
        self.erased |= gone
        self.alive = {f: held for f, held in self.alive.items() if held[0] not in gone}
        self.links = {n: pair for n, pair in self.links.items() if pair[0] not in gone}
        self.apart = {pair for pair in self.apart if not pair & gone}

    @rule(purge=st.booleans(), whole=st.booleans())
    def checkpoint(self, purge: bool, whole: bool) -> None:
        self.store.checkpoint(purge=purge, whole=whole)

    @rule(crash=st.booleans())
    def restart(self, crash: bool) -> None:
        """A crash leaves the files of this moment; whatever came in memory only is lost."""
        image = self.folder / "image"
        if crash:
            self.store.checkpoint()  # waits for one in the background, whose files would move
            shutil.copytree(self.folder / "db", image)
        self.store.close()
        if crash:
            shutil.rmtree(self.folder / "db")
            image.rename(self.folder / "db")
        self.open()

    # ---- what must hold -------------------------------------------------------------

    def group(self, person: str) -> set[str]:
        found = {person}
        while (
            more := {x for pair in self.links.values() if found & set(pair) for x in pair} - found
        ):
            found |= more
        return found

    def current(self, person: str) -> str:
        return min(self.group(person), key=self.order.__getitem__)

    def barred(self, a: str, b: str) -> bool:
        one, other = self.group(a), self.group(b)
        return any(len(pair & one) == 1 and len(pair & other) == 1 for pair in self.apart)

    @invariant()
    def every_feature_is_found_and_no_other(self) -> None:
        there = {space.model for space in self.store.stats().spaces}
        found: dict[int, tuple[str, int, str]] = {}
        for model, looks in ((MODEL, LOOKS), (NEXT, NEXT_LOOKS)):
            if model not in there:
                continue
            for look, matches in enumerate(self.store.search(model, looks, k=500, threshold=SAME)):
                for match in matches:
                    found[match.feature.feature] = (match.feature.raw_id, look, model)
        expected = {f: (raw, look, model) for f, (raw, look, _, model) in self.alive.items()}
        assert found == expected

    @invariant()
    def who_waits_is_told_and_found_by_both(self) -> None:
        if MODEL not in {space.model for space in self.store.stats().spaces}:
            return
        of = {model: {self.current(raw) for raw, _, _, by in self.alive.values() if by == model}
              for model in (MODEL, NEXT)}  # fmt: skip
        told = progress(self.store, MODEL, NEXT)
        assert (told.persons, told.waiting) == (len(of[MODEL]), len(of[MODEL] - of[NEXT]))
        former = Former(MODEL, LOOKS[0], SAME)
        found = search_both(self.store, NEXT, NEXT_LOOKS[0], former, k=500, threshold=SAME)
        persons = {self.current(raw) for raw in self.holders(NEXT, 0)} | (
            {self.current(raw) for raw in self.holders(MODEL, 0)} - of[NEXT]
        )
        assert {one.feature.person for one in found} == persons

    @invariant()
    def persons_are_who_they_are(self) -> None:
        people = People(self.store)
        for person in self.order:
            if person in self.erased:
                assert self.store.identity.is_erased(int(person[2:], 16))
            else:
                assert people.current(person) == self.current(person)
        assert self.store.identity.count() == len(self.order) - len(self.erased)

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def get(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.alive)))
        [found] = self.store.get([number])
        raw, look, until, model = self.alive[number]
        vector: Floats | None = found.vector
        assert vector is not None
        looks = LOOKS if model == MODEL else NEXT_LOOKS
        assert np.allclose(vector, looks[look], atol=1e-6)
        assert (found.raw_id, found.person) == (raw, self.current(raw))
        assert found.seen.expires_at == NOW + timedelta(days=until)


TestFeatures = Features.TestCase
TestFeatures.settings = settings(max_examples=12, stateful_step_count=30, deadline=None)
