"""What a store manager is told of revisions and missed hours: little, true, in the store's time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, update

from tenpo.datamart import connect
from tenpo.datamart.explain import Change, ExplainQuery, Explanation, read_explanation
from tenpo.datamart.explain_words import in_words
from tenpo.datamart.tables import TABLES, kpi_store_hour
from tenpo.kpi.causes import arrived
from tenpo.settings import Settings
from tests.api.seed import COMPUTED_AT, CORRECTED, STORES, TEN_DAYS, all_rows

HOUR = timedelta(hours=1)
#: Midnight in Tokyo, at which the business date ends.
OVER = datetime(2026, 10, 31, 15, tzinfo=UTC)


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    """A transaction of which nothing stays."""
    engine = connect(settings)
    with engine.connect() as made:
        yield made
    engine.dispose()


@pytest.fixture
def found(connection: Connection) -> Explanation:
    return read_explanation(connection, asked("footfall", CORRECTED, "ginza"))


def asked(
    kpi: str, day: date, store_id: str, as_of: datetime | None = None, last: date | None = None
) -> ExplainQuery:
    return ExplainQuery("hinode", kpi, day, last or day, (store_id,), as_of=as_of)


def told(found: Explanation, changes: list[Change], count: int | None = None) -> str:
    made = replace(found, changes=changes, change_count=count or len(changes))
    assert len(in_words(made, "ja")) == len(in_words(made, "en"))
    return " ".join(in_words(made, "en"))


def revisions(found: Explanation, *moments: datetime) -> list[Change]:
    """Newest first; each counted one visitor more."""
    base = replace(found.changes[0], cause=arrived("count_interval"))
    made = [
        replace(base, revision=n, old=n - 1, new=n, published_at=at, has_before=n > 1)
        for n, at in enumerate(moments, 1)
    ]
    return made[::-1]


def test_what_came_in_while_the_day_was_running_is_one_sentence(found: Explanation) -> None:
    live = [OVER - n * HOUR for n in range(9, 0, -1)]
    words = told(found, revisions(found, *live, OVER + HOUR))
    assert "It was computed 9 times while the day was still running." in words
    assert words.count("it changed from") == 1
    assert "On 2026-11-01 01:00 JST it changed from 9 to 10: counts came late" in words
    words = told(found, revisions(found, *live, OVER + HOUR), count=250)
    assert "It was computed 249 times while the day was still running." in words
    assert "older" not in words
    assert "it changed" not in told(found, revisions(found, *live))


def test_unchanged_is_said_only_of_what_was_seen_whole(found: Explanation) -> None:
    still = [replace(change, new=5, old=5) for change in revisions(found, OVER, OVER + HOUR)]
    assert "has not changed since" in told(found, still)
    assert "has not changed since" not in told(found, still, count=101)
    assert "99 older revisions are not shown." in told(found, still, count=101)


def test_a_revision_whose_predecessor_was_not_kept_changed_nothing_that_is_known(
    connection: Connection,
) -> None:
    day = TABLES["kpi_store_day"]
    connection.execute(
        update(day)
        .values(revision=7)
        .where(day.c.store_id == "tenjin", day.c.tenant_id == "hinode")
    )
    words = " ".join(
        in_words(read_explanation(connection, asked("units", CORRECTED, "tenjin")), "en")
    )
    assert "Earlier values were not kept." in words
    assert "it changed" not in words
    assert "has not changed" not in words


def test_hours_to_come_are_not_missed_and_past_ones_are_as_they_were_read(
    connection: Connection,
) -> None:
    """The figures were published on 21 November at 10:30 in Tokyo."""
    (example,) = [
        row for row in all_rows().hours
        if (row["store_id"], row["business_date"], row["local_hour"]) == ("ginza", CORRECTED, 12)
    ]  # fmt: skip
    today, clock = date(2026, 11, 21), STORES["hinode"][0].clock
    hours = [
        {**example, "business_date": today, "local_hour": hour, "covered_s": 0,
         "hour_start_at": clock.at(today, hour * HOUR)}
        for hour in (8, 9, 10, 11)
    ]  # fmt: skip
    connection.execute(insert(kpi_store_hour), hours)
    found = read_explanation(connection, asked("footfall", today, "ginza"))
    assert [hour.local_hour for hour in found.hours] == [8, 9]
    then = asked("footfall", date(2026, 11, 19), "umeda", COMPUTED_AT - TEN_DAYS)
    assert read_explanation(connection, then).hours == []
    now = replace(then, as_of=COMPUTED_AT)
    assert len(read_explanation(connection, now).hours) == 6


def test_more_missed_hours_than_are_read_are_counted(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenpo.datamart.explain.MAX_HOURS", 3)
    query = asked("footfall", date(2026, 11, 19), "umeda", last=date(2026, 11, 20))
    found = read_explanation(connection, query)
    assert (len(found.hours), found.hour_count) == (3, 6 + 11)
    assert "and more, 17 hours in all." in " ".join(in_words(found, "en"))


def test_an_estimate_is_named_beside_what_was_counted_and_inside_what_is_filled(
    connection: Connection, found: Explanation
) -> None:
    assert "estimated" not in told(found, [])
    days = TABLES["kpi_store_day"]
    this = (days.c.tenant_id == "hinode") & (days.c.store_id == "ginza")
    this &= days.c.business_date == CORRECTED
    values = {"footfall": 40, "footfall_imputed": 7, "footfall_filled": 47}
    connection.execute(update(days).where(this).values(values))
    beside = read_explanation(connection, asked("footfall", CORRECTED, "ginza"))
    assert "is estimated at 7; that is not in this figure" in told(beside, [])
    inside = read_explanation(connection, asked("footfall_filled", CORRECTED, "ginza"))
    words = told(inside, [])
    assert "Footfall, filled is 47." in words
    assert "7 of them are an estimate" in words
    assert "Nothing was filled in" not in words
    connection.execute(update(days).where(this).values(footfall_imputed=None, footfall_filled=None))
    unknown = read_explanation(connection, asked("footfall_filled", CORRECTED, "ginza"))
    assert "cannot be estimated, or the day is not over" in told(unknown, [])
