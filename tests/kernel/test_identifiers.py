"""Identifiers: the same for ever, different for different things."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenpo.errors import InputError
from tenpo.identifiers import checked_name, digest, event_ids, micros

texts = st.text(max_size=8)
pairs = st.lists(st.tuples(texts, texts), max_size=20)


def _ids(rows: list[tuple[str, str]], tenant: str = "t", source: str = "s") -> list[str]:
    documents, lines = (pa.array([row[n] for row in rows], pa.string()) for n in (0, 1))
    ids: list[str] = event_ids(tenant, source, documents, lines).to_pylist()
    return ids


def test_ids_never_change_between_releases() -> None:
    assert _ids([("doc", "1"), ("doc", "1")]) == [
        "ed9a154987772d2f367ff184fcb74033",
        "9dd9854793e86dc4581a96f931e1602c",
    ]


@given(pairs)
def test_ids_are_unique_and_repeat_exactly(rows: list[tuple[str, str]]) -> None:
    assert len(set(_ids(rows))) == len(rows)
    assert _ids(rows) == _ids(list(rows))


@given(pairs, pairs)
def test_a_documents_ids_do_not_depend_on_its_neighbours(
    rows: list[tuple[str, str]], others: list[tuple[str, str]]
) -> None:
    others = [pair for pair in others if pair not in rows]
    assert _ids(others + rows)[len(others) :] == _ids(rows)


@given(texts, texts, texts, texts)
def test_tenant_and_source_keep_ids_apart(t1: str, s1: str, t2: str, s2: str) -> None:
    same = (t1, s1) == (t2, s2)
    assert (_ids([("d", "l")], t1, s1) == _ids([("d", "l")], t2, s2)) is same


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4))
def test_parts_of_a_digest_do_not_run_into_each_other(a: list[str], b: list[str]) -> None:
    assert (digest(*a) == digest(*b)) is (a == b)


@pytest.mark.parametrize("name", ["uci", "a", "store-1", "0_x", "a" * 63])
def test_safe_names_pass(name: str) -> None:
    assert checked_name("tenant", name) == name


@pytest.mark.parametrize("name", ["", "-a", "A", "a/b", "a.b", "a" * 64, "a\n", "käse", "../x"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="is no tenant name"):
        checked_name("tenant", name)


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_are_exact(moment: datetime) -> None:
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros(moment)) == moment
    tokyo = timezone(timedelta(hours=9))
    if 2 < moment.year < 9998:
        assert micros(moment.astimezone(tokyo)) == micros(moment)


def test_equal_lines_are_numbered_within_one_delivery() -> None:
    documents, lines = pa.array(["d"] * 3), pa.array(["1"] * 3)
    together = event_ids("t", "s", documents, lines, np.array([0, 0, 1])).to_pylist()
    assert together[:2] == _ids([("d", "1")] * 2, "t", "s")
    assert together[2] == together[0]


@given(texts, texts, st.integers(0, 3))
def test_an_id_is_the_hash_that_the_contract_states(document: str, line: str, before: int) -> None:
    parts = f"1\x1ft1\x1fs{len(document)}\x1f{document}{len(line)}\x1f{line}{before}"
    expected = blake2b(parts.encode(), digest_size=16).hexdigest()
    assert _ids([(document, line)] * (before + 1))[before] == expected
