"""Jobs side by side: how many at once, of whom, and that each is worked on once."""

from __future__ import annotations

import threading
import time
from collections import Counter

from gateways.intake.side_by_side import Lane, SideBySide


class Crew:
    """Jobs that last until they are let go, and who was under way when."""

    def __init__(self, at_once: int = 4, of_tenant: int = 2) -> None:
        self.beside = SideBySide(self.work, at_once, of_tenant)
        self.changed = threading.Condition()
        self.under_way: list[str] = []
        self.done: list[str] = []
        self.let: set[str] = set()
        self.most: Counter[str] = Counter()

    def offer(self, name: str) -> None:
        """A job named TENANT/VENDOR/NUMBER."""
        tenant, vendor, _ = name.split("/")
        self.beside.offer(Lane(tenant, vendor), name)

    def work(self, name: str) -> None:
        with self.changed:
            self.under_way.append(name)
            lanes = Counter(one.rpartition("/")[0] for one in self.under_way)
            vendors = Counter(one.split("/")[1] for one in self.under_way)
            self.most |= lanes | vendors | Counter({"all": len(self.under_way)})
            self.changed.notify_all()
            self.changed.wait_for(lambda: name in self.let, 20)
            self.under_way.remove(name)
            self.done.append(name)
            self.changed.notify_all()

    def let_go(self, *names: str) -> None:
        with self.changed:
            self.let.update(names)
            self.changed.notify_all()

    def until(self, *under_way: str) -> None:
        """Wait until these, and no others, are under way."""
        with self.changed:
            assert self.changed.wait_for(lambda: sorted(self.under_way) == sorted(under_way), 20)


def test_others_find_a_place_beside_a_tenant_and_a_vendor_that_fill_theirs() -> None:
    crew = Crew()
    for number in range(3):
        crew.offer(f"a/slow/{number}")
    crew.offer("b/slow/0")  # the half of the places that a vendor may have is taken
    crew.offer("a/other/0")
    crew.offer("b/other/0")
    crew.offer("c/other/0")
    crew.until("a/slow/0", "a/slow/1", "a/other/0", "b/other/0")
    crew.let_go("a/slow/0")
    crew.until("a/slow/1", "b/slow/0", "a/other/0", "b/other/0")  # in turns, not the next of a
    crew.let_go("a/slow/1", "a/other/0")
    crew.until("a/slow/2", "b/slow/0", "b/other/0", "c/other/0")
    crew.let_go("a/slow/2", "b/slow/0", "b/other/0", "c/other/0")
    crew.until()
    assert len(crew.done) == 7


def test_each_is_worked_on_once_however_often_it_is_offered() -> None:
    names = [f"{tenant}/v/{number}" for tenant in "abc" for number in range(20)]
    crew = Crew(at_once=6)
    for name in names * 3:
        crew.offer(name)
    crew.let_go(*names)
    until = time.monotonic() + 20
    while len(crew.done) < len(names):
        assert time.monotonic() < until
        time.sleep(0.005)
    assert sorted(crew.done) == sorted(names)
    assert crew.most["all"] <= 3  # half of six, for all are of one vendor
    assert max(crew.most[f"{tenant}/v"] for tenant in "abc") <= 2


def test_after_the_end_nothing_begins() -> None:
    crew = Crew(at_once=2)
    for number in range(3):
        crew.offer(f"a/v/{number}")
    crew.until("a/v/0")
    crew.beside.stop()
    crew.offer("b/w/0")
    crew.let_go("a/v/0")
    crew.beside.join(20)
    assert crew.done == ["a/v/0"]
