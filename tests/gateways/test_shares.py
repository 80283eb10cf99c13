"""Shares of a bounded stock, and the lines that payloads wait in: no flood shuts others out."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.intake.lines import (
    LATELY_S,
    MAX_BESIDE,
    MAX_DRAWN,
    MAX_DRAWN_BYTES,
    MAX_WAITING,
    Lines,
)
from gateways.intake.shares import Shares
from tenpo.errors import Overloaded

moves = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-40, 60)), max_size=40)


@settings(max_examples=60)
@given(moves)
def test_nobody_ever_holds_more_than_was_left_to_others(steps: list[tuple[str, int]]) -> None:
    shares, held = Shares(100, "full"), Counter[str]()
    for who, amount in steps:
        if amount < 0:
            given_back = min(-amount, held[who])
            shares.give_back(who, given_back)
            held[who] -= given_back
            continue
        fits = held[who] + amount <= 100 - held.total() - amount
        try:
            shares.take(who, amount)
        except Overloaded:
            assert not fits
        else:
            assert fits
            held[who] += amount
        assert shares.total == held.total() <= 100


def test_a_newcomer_finds_a_place_beside_one_who_took_all_it_could() -> None:
    shares = Shares(100, "too much")
    for _ in range(50):
        shares.take("flood", 1)
    with pytest.raises(Overloaded, match="too much") as told:
        shares.take("flood", 1)
    assert told.value.remedy
    assert shares.total == 50
    shares.take("quiet", 25)
    with shares.hold("brief") as hold:
        hold.add(12)
        with pytest.raises(Overloaded):
            hold.add(12)
        assert shares.total == 87
    assert shares.total == 75


def test_each_draw_has_of_every_line_its_share() -> None:
    now = [0.0]
    lines: Lines[str] = Lines(lambda: now[0])
    for _ in range(MAX_WAITING // 2):
        lines.put("flood", 10, "flood")
    for tenant in ("quiet", "calm"):
        lines.put(tenant, 10, tenant)
    assert Counter(lines.draw()) == {"flood": MAX_BESIDE, "quiet": 1, "calm": 1}
    now[0] += LATELY_S / 2
    assert Counter(lines.draw()) == {"flood": MAX_BESIDE}  # others may come at any time
    now[0] += LATELY_S
    assert Counter(lines.draw()) == {"flood": MAX_DRAWN}  # nobody has for a while
    left = MAX_WAITING // 2 - MAX_DRAWN - 2 * MAX_BESIDE
    for _ in range(MAX_WAITING // 2 - left):
        lines.put("flood", 10, "flood")
    with pytest.raises(Overloaded):
        lines.put("flood", 10, "flood")
    lines.put("quiet", 10, "quiet")


def test_a_draw_is_bounded_in_bytes_and_never_empty() -> None:
    lines: Lines[int] = Lines()
    for number in range(4):
        lines.put("large", MAX_DRAWN_BYTES // 2, number)
    lines.put("larger", 2 * MAX_DRAWN_BYTES, 9)
    assert lines.draw() == [0, 9]
    assert lines.draw() == [1, 2]
    assert lines.draw() == [3]


async def test_who_waits_for_somebody_is_woken_once_a_filling() -> None:
    lines: Lines[int] = Lines()
    waiting = asyncio.create_task(lines.filled())
    await asyncio.sleep(0)
    assert not waiting.done()
    lines.put("a", 1, 1)
    await waiting
    assert lines.draw() == [1]
    again = asyncio.create_task(lines.filled())
    await asyncio.sleep(0)
    assert not again.done()
    again.cancel()
