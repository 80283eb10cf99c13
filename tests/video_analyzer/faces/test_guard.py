"""A model that fails or hangs: told, tried again, then left alone, and taken up again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from tenpo.errors import InputError, ServiceError
from video_analyzer.faces.guard import Guard


class Model:
    """Answers as it is told to: a value, an error, or nothing for a while."""

    def __init__(self, *plan: object) -> None:
        self.plan, self.calls = list(plan), 0

    def __call__(self) -> object:
        self.calls += 1
        step = self.plan.pop(0) if self.plan else "well"
        if isinstance(step, Exception):
            raise step
        if isinstance(step, threading.Event):
            step.wait(10)
        return step


@pytest.fixture
def guard() -> Iterator[Callable[..., Guard]]:
    made: list[Guard] = []

    def of(**options: float) -> Guard:
        made.append(Guard("small-1", **options))  # type: ignore[arg-type]
        return made[-1]

    yield of
    for one in made:
        one.close()


def test_a_failure_that_passes_is_not_noticed(guard: Callable[..., Guard]) -> None:
    model = Model(RuntimeError("once"))
    assert guard().call(model) == "well"
    assert model.calls == 2


def test_what_fails_in_a_row_is_left_alone_and_taken_up_again(
    guard: Callable[..., Guard],
) -> None:
    model, one = Model(*[RuntimeError("broken")] * 4), guard(failures=2, rest_s=0.05)
    for _ in range(2):
        with pytest.raises(ServiceError):
            one.call(model)
    asked = model.calls
    with pytest.raises(ServiceError, match="left alone"):
        one.call(model)
    assert model.calls == asked == 4
    threading.Event().wait(0.1)
    assert one.call(model) == "well"


def test_a_message_of_a_foreign_error_is_not_repeated(guard: Callable[..., Guard]) -> None:
    with pytest.raises(ServiceError) as told:
        guard(tries=1).call(Model(ValueError("a secret")))
    assert "secret" not in str(told.value)
    assert "ValueError" in str(told.value)


def test_a_refusal_is_passed_on_at_once_and_counts_for_nothing(
    guard: Callable[..., Guard],
) -> None:
    model, one = Model(*[InputError("no")] * 3), guard(failures=1)
    for _ in range(3):
        with pytest.raises(InputError):
            one.call(model)
    assert model.calls == 3
    assert one.call(model) == "well"


def test_who_hangs_is_not_asked_again_before_the_answer(guard: Callable[..., Guard]) -> None:
    hangs = threading.Event()
    model, one = Model(hangs), guard(timeout_s=0.05, failures=9)
    for _ in range(2):
        with pytest.raises(ServiceError):
            one.call(model)
    assert model.calls == 1
    hangs.set()
    threading.Event().wait(0.05)
    assert one.call(model) == "well"
