"""Visits and occupancy read slowly and plainly from their definitions, event by event."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

AWAY = timedelta(hours=3)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
_ORDER = ["enter", "zone_enter", "zone_exit", "exit"]


@dataclass(frozen=True)
class Seen:
    """Something a known person did on a business date."""

    person: str
    day: date
    at: datetime
    kind: str
    is_staff: bool | None


@dataclass
class Visit:
    """One visit: its events in order."""

    person: str
    day: date
    events: list[Seen] = field(default_factory=list)

    @property
    def dwell(self) -> timedelta | None:
        """Time inside; None where an entry or exit was not seen."""
        total, entered = timedelta(), None
        for event in self.events:
            if event.kind == "enter":
                if entered is not None:
                    return None  # an exit was missed
                entered = event.at
            elif entered is None:
                return None  # an entry was missed
            elif event.kind == "exit":
                total += event.at - entered
                entered = None
        return None if entered is not None else total


def within(seen: list[Seen]) -> list[Seen]:
    """What one person did on a day, in order, without zones that reach over the door."""

    def through(place: int) -> bool:
        event, doors = seen[place], ("enter", "exit")
        last = next((x for x in reversed(seen[:place]) if x.kind in doors), None)
        then = next((x for x in seen[place + 1 :] if x.kind in doors), None)
        if event.kind in doors or (last is not None and last.kind == "enter"):
            return False
        leaving = last is not None and event.at - last.at <= 60 * SECOND
        entering = then is not None and then.kind == "enter" and then.at - event.at <= 60 * SECOND
        return leaving or entering

    return [event for place, event in enumerate(seen) if not through(place)]


def visits_of(seen: list[Seen]) -> list[Visit]:
    """Every visit of everybody who is no staff."""
    staff = {(x.person, x.day) for x in seen if x.is_staff}
    people: dict[tuple[str, date], list[Seen]] = defaultdict(list)
    for event in sorted(seen, key=lambda x: (x.at, _ORDER.index(x.kind))):
        if (event.person, event.day) not in staff:
            people[event.person, event.day].append(event)
    found = []
    for (person, day), events in people.items():
        visit: Visit | None = None
        for event in within(events):
            if visit is None or _was_away(visit.events[-1], event):
                visit = Visit(person, day)
                found.append(visit)
            visit.events.append(event)
    return found


def _was_away(last: Seen, event: Seen) -> bool:
    long = event.at - last.at > AWAY
    return long and (last.kind == "exit" or event.kind == "enter")


def came_back(visit: Visit, visits: list[Visit], days: int) -> bool:
    """Whether the person was here earlier that day or in so many days before."""
    return any(
        other is not visit
        and other.person == visit.person
        and (
            (other.day == visit.day and other.events[0].at < visit.events[0].at)
            or 1 <= (visit.day - other.day).days <= days
        )
        for other in visits
    )


@dataclass(frozen=True)
class Passed:
    """How many went in and out in an interval."""

    start: datetime
    end: datetime
    entered: int
    left: int


def person_seconds(
    passed: list[Passed], hours: list[datetime], opened: datetime, closed: datetime
) -> tuple[dict[datetime, int], dict[datetime, int | None]]:
    """Time spent inside in each hour of a store-day, minute by minute of opening time.

    And how many were there at most, None where the store was closed.

    Intervals end with full minutes: a step just before one takes effect with it.
    """
    moves: dict[datetime, int] = defaultdict(int)
    traffic = dict.fromkeys(hours, 0)
    for one in passed:
        ends = one.end - timedelta(microseconds=1)
        moves[ends] += one.entered - one.left
        traffic[max(hour for hour in hours if hour <= ends)] += one.entered + one.left
    told = {max(hour for hour in hours if hour < one.end) for one in passed}
    until = max(one.end for one in passed)

    def doubt(hour: datetime) -> int:
        """An open hour is known once it was told to its end, a closed one once it has begun."""
        if hour + HOUR <= opened or hour >= closed:
            return 0 if hour <= until else 1 if hour in told else 2
        return 2 if hour not in told else 0 if hour + HOUR <= until else 1

    quiet = min(hours, key=lambda hour: (doubt(hour), traffic[hour], hour))

    def balance(until: datetime) -> int:
        return sum(net for at, net in moves.items() if at < until)

    found = dict.fromkeys(hours, 0)
    most: dict[datetime, int | None] = dict.fromkeys(hours)
    minute = opened
    while minute < closed:
        inside = max(0, balance(minute) - balance(quiet))
        hour = max(hour for hour in hours if hour <= minute)
        found[hour] += 60 * inside
        most[hour] = max(inside, most[hour] or 0)
        minute += MINUTE
    return found, most
