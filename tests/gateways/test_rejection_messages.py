"""What a rejection shows of a payload: codes that have to be registered, and nobody's name."""

from __future__ import annotations

import pytest

from gateways.normalize.faults import Reason, message
from tests.gateways.payloads import context
from tests.gateways.planted import CODECS, misplaced, planted


def test_a_person_in_a_column_of_codes_is_not_repeated() -> None:
    seen = set()
    for name, sent in planted().items():
        for value in sent.values:
            body = misplaced(sent.recorded, value, CODECS.get(name, "utf-8"))
            if body == sent.recorded.body:
                continue  # its device is a constant of the spec
            found = sent.recorded.adapter.normalize(body, context()).rejected
            unknown = [one for one in found if one.reason.value.startswith("unknown_")]
            assert unknown, (name, [one.reason for one in found])
            assert all(f"A value of {len(value)} characters" in one.message for one in unknown)
            assert value not in repr(found)
            seen.add(name)
    assert set(planted()) - seen <= {"door"}


@pytest.mark.parametrize(
    "code",
    ["0002", "osaka", "JP-13.Ginza_2", "6384E16179950009", "24e1241234567890",
     "44:47:cc:50:00:c1", "123456789012", "x" * 40],
)  # fmt: skip
def test_what_looks_like_a_code_is_named(code: str) -> None:
    assert message(Reason.UNKNOWN_STORE, code).startswith(f"{code!r}: No store has this code")


@pytest.mark.parametrize(
    "value",
    ["Erika Mustermann", "\u5c71\u7530\u82b1\u5b50", "a@b.example", "4111111111111111",
     "4111-1111-1111-1111", "4111.1111__1111-1111", "x4111111111111111", "4111111111111",
     "+81-90-1234-5678", "0002\n", "x" * 41],
)  # fmt: skip
def test_what_could_be_a_person_is_told_by_its_length_unless_the_masters_know_it(
    value: str,
) -> None:
    told = message(Reason.UNKNOWN_STORE, value)
    assert told.startswith(f"A value of {len(value)} characters: No store")
    assert message(Reason.UNKNOWN_STORE, value, {value}).startswith(f"{value[:40]!r}: No store")
