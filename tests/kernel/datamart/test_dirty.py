"""A mark survives until it is answered, and a renewed one survives that too."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, text

from tenpo.datamart import dirty, transaction
from tenpo.store_day import StoreDay

DAYS = [StoreDay("acme", f"s{n}", date(2026, 3, 29)) for n in range(3)]
OTHER = StoreDay("other", "s0", date(2026, 3, 29))


@pytest.fixture(autouse=True)
def _empty(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        connection.execute(text("TRUNCATE dirty_store_day"))


def test_marks_are_taken_by_tenant_and_cleared(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        assert dirty.mark(connection, [*DAYS, *DAYS, OTHER], "new sale_line") == 4
    with transaction(datamart) as connection:
        taken = dirty.take(connection, tenant_id="acme")
        assert sorted(item.store_day for item in taken) == DAYS
        assert {item.cause for item in taken} == {"new sale_line"}
        assert len(dirty.take(connection, limit=2)) == 2
        assert dirty.clear(connection, taken) == 3
        assert [item.store_day for item in dirty.take(connection)] == [OTHER]
        assert set(dirty.oldest(connection)) == {"other"}


def test_a_mark_renewed_meanwhile_is_not_cleared(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        dirty.mark(connection, DAYS, "first")
    with transaction(datamart) as computing:
        taken = dirty.take(computing)
        with transaction(datamart) as arriving:
            dirty.mark(arriving, DAYS[:1], "second")
        assert dirty.clear(computing, taken) == 2
    with transaction(datamart) as connection:
        (left,) = dirty.take(connection)
    assert (left.store_day, left.cause) == (DAYS[0], "second")


def test_a_computation_that_fails_clears_nothing(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        dirty.mark(connection, DAYS, "first")

    def fail_after_clearing() -> None:
        with transaction(datamart) as connection:
            dirty.clear(connection, dirty.take(connection))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_clearing()
    with transaction(datamart) as connection:
        assert len(dirty.take(connection)) == 3


def test_nothing_is_nothing(datamart: Engine) -> None:
    with transaction(datamart) as connection:
        assert dirty.mark(connection, [], "none") == 0
        assert dirty.clear(connection, []) == 0
        assert dirty.oldest(connection) == {}
