"""The SQL's business date, hour and local hour are those of `StoreClock`, the reference."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, timedelta
from functools import cache

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tenpo.clock import StoreClock, parse_clock, zone
from tenpo.warehouse import Warehouse, query
from tests.kernel.warehouse.sales import Receipt, Till, job, store

ZONES = (
    "Asia/Tokyo",
    "Europe/London",
    "America/New_York",
    "Asia/Kolkata",  # +05:30
    "Asia/Kathmandu",  # +05:45
    "America/St_Johns",  # -03:30 with daylight saving
    "Australia/Lord_Howe",  # daylight saving of half an hour
    "Pacific/Chatham",  # +12:45 with daylight saving
    "Pacific/Apia",  # left out 30 December 2011
    "UTC",
)
CUTOVERS = ("00:00", "00:30", "05:00", "05:00:01", "24:00", "29:00", "47:59:59")
FIRST, LAST = datetime(2005, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


@cache
def changes(name: str) -> list[datetime]:
    """Hours (UTC) at whose begin the zone's offset changes; the first hour where none is."""
    found, moment = [], FIRST
    while moment < LAST:
        later = moment + timedelta(days=1)
        if moment.astimezone(zone(name)).utcoffset() != later.astimezone(zone(name)).utcoffset():
            hours = [moment + timedelta(hours=n) for n in range(25)]
            offsets = [hour.astimezone(zone(name)).utcoffset() for hour in hours]
            found += [b for b, x, y in zip(hours[1:], offsets, offsets[1:], strict=False) if x != y]
        moment = later
    return found or [FIRST]


_offsets = st.timedeltas(min_value=timedelta(hours=-3), max_value=timedelta(hours=3))
_anywhere = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None))


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, str, datetime]:
    """A zone, a cut-over, and a moment that is often near a change of the clock."""
    name = draw(st.sampled_from(ZONES))
    moment = draw(
        st.one_of(
            st.builds(lambda at, by: at + by, st.sampled_from(changes(name)), _offsets),
            st.builds(lambda at: at.replace(tzinfo=UTC), _anywhere),
        )
    )
    return name, draw(st.sampled_from(CUTOVERS)), moment


def test_there_are_changes_to_try() -> None:
    assert sum(len(changes(name)) for name in ZONES) > 100


@given(batch=st.lists(cases(), min_size=100, max_size=250))
@settings(
    max_examples=4,  # of hundreds of moments each: a trip to the warehouse takes a second
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # the failing moments are named; no shrinking
    suppress_health_check=list(HealthCheck),
)
def test_sql_agrees_with_the_store_clock(
    warehouse: Warehouse, batch: list[tuple[str, str, datetime]]
) -> None:
    till = Till(warehouse, f"clock{secrets.token_hex(4)}")
    places = sorted({(name, cutover) for name, cutover, _ in batch})
    ids = {place: f"s{number}" for number, place in enumerate(places)}
    till.has_stores(*(store(ids[name, cut], name, cut) for name, cut in places))
    till.send(
        *(
            Receipt(f"d{number}", at=moment, store_id=ids[name, cut])
            for number, (name, cut, moment) in enumerate(batch)
        )
    )
    expected = {
        f"d{number}": times(StoreClock(name, int(parse_clock(cut).total_seconds())), moment)
        for number, (name, cut, moment) in enumerate(batch)
    }
    found = computed(till)
    assert found.keys() == expected.keys()
    wrong = [
        (batch[int(key[1:])], found[key], right)
        for key, right in expected.items()
        if found[key] != right
    ]
    assert wrong == []


def times(clock: StoreClock, moment: datetime) -> tuple[date, datetime, int]:
    return clock.business_date(moment), clock.hour_start(moment), clock.local_hour(moment)


def computed(till: Till) -> dict[str, tuple[date, datetime, int]]:
    table = till.warehouse.table("dwh", "sale_line")
    rows = query(
        till.warehouse,
        f"SELECT document_key, business_date, hour_start_at, local_hour FROM `{table}` "  # noqa: S608
        "WHERE tenant_id = @tenant AND business_date > '0001-01-01'",
        {"tenant": till.tenant_id},
        job=job(till.tenant_id),
    )
    return {
        key: (day, start.astimezone(UTC), hour)
        for key, day, start, hour in (tuple(row.values()) for row in rows.to_pylist())
    }
