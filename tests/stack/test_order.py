"""Steps run after what they need, at once where they may, and stop at the first failure."""

from __future__ import annotations

import threading

import pytest

from tenpo.stack.order import Node, run_in_order


def test_every_step_comes_after_what_it_needs() -> None:
    done: list[str] = []

    def node(name: str, *needs: str) -> Node:
        return Node(name, needs, lambda: done.append(name))

    run_in_order([node("c", "b"), node("b", "a"), node("a"), node("d", "a", "not-started-here")])
    assert sorted(done) == ["a", "b", "c", "d"]
    assert done.index("a") < done.index("b") < done.index("c")
    assert done.index("a") < done.index("d")


def test_independent_steps_run_at_once() -> None:
    meeting = threading.Barrier(2, timeout=20)

    def meet() -> None:
        meeting.wait()

    run_in_order([Node("a", (), meet), Node("b", (), meet)])


def test_a_failure_keeps_later_steps_from_running() -> None:
    done: list[str] = []

    def fail() -> None:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        run_in_order([Node("a", (), fail), Node("b", ("a",), lambda: done.append("b"))])
    assert done == []


def test_a_circle_is_named() -> None:
    nodes = [Node("a", ("b",), lambda: None), Node("b", ("a",), lambda: None)]
    with pytest.raises(ValueError, match=r"\['a', 'b'\]"):
        run_in_order(nodes)
