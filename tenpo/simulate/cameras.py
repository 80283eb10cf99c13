"""The one shop whose camera knows people again: visits as its analyzer would tell them.

Three in ten visitors are recognised; some of them come again on other days, nobody twice on
one. A few leave unseen. Nothing is drawn as a picture: this is what comes out of the analyzer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from itertools import groupby

import numpy as np
import orjson

from tenpo.masters import Device
from tenpo.simulate.chain import Shop
from tenpo.simulate.payload import Payload, moment
from tenpo.simulate.visitors import QUARTER_S, Footfall, opening_s

_RECOGNISED, _REGULARS, _IS_REGULAR, _UNSEEN = 0.3, 300, 0.35, 0.03
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Sight:
    """One crossing of the door by somebody known, in seconds of the business date."""

    day: int
    second: int
    kind: str
    person: str
    is_staff: bool


@dataclass(frozen=True)
class Sights:
    """What the camera of a shop saw, and what it comes to.

    Args:
        camera: the camera.
        seen: in order of time.
        events: how many visits and events there are, and the time of those seen whole.
    """

    camera: Device
    seen: tuple[Sight, ...]
    events: dict[str, int]


def draw_sights(camera: Device, shop: Shop, footfall: Footfall, seed: int) -> Sights:
    """Draw who is recognised, for how long they stay, and whose exit is missed."""
    rng = np.random.default_rng([seed, shop.index, 3])
    opens, closes = opening_s(shop)
    seen: list[Sight] = []
    visits = whole = dwell_s = 0
    for day, quarters in enumerate(rng.binomial(footfall.visitors, _RECOGNISED)):
        starts = np.repeat(footfall.start_s, quarters)
        starts = starts + rng.integers(0, QUARTER_S, len(starts))
        stays = np.minimum(rng.lognormal(6.4, 0.7, len(starts)).astype(np.int64) + 20, 2 * _HOUR_S)
        ends = np.minimum(starts + stays, closes - 1)
        regulars = rng.permutation(_REGULARS)
        unseen, regular = rng.random((2, len(starts)))
        for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            is_regular = regular[place] < _IS_REGULAR and place < _REGULARS
            person = f"r{regulars[place]:03d}" if is_regular else f"n{day:04d}{place:05d}"
            seen.append(Sight(day, start, "enter", person, is_staff=False))
            visits += 1
            if unseen[place] >= _UNSEEN and end > start:
                seen.append(Sight(day, end, "exit", person, is_staff=False))
                whole, dwell_s = whole + 1, dwell_s + end - start
        seen.append(Sight(day, opens, "enter", "staff", is_staff=True))
        seen.append(Sight(day, closes - 1, "exit", "staff", is_staff=True))
    seen.sort(key=lambda one: (one.day, one.second, one.kind, one.person))
    events = {"visits": visits, "visits_whole": whole, "dwell_s": dwell_s,
              "visit_events": len(seen)}  # fmt: skip
    return Sights(camera, tuple(seen), events)


def sight_payloads(sights: Sights, days: list[date]) -> Iterator[Payload]:
    """The events of each hour, sent two minutes after it."""
    for (day, hour), found in groupby(sights.seen, key=lambda s: (s.day, s.second // _HOUR_S)):
        events = [_told(sights.camera, one, days[day]) for one in found]
        end = moment(days[day], (hour + 1) * _HOUR_S)
        yield Payload(
            name=f"iot/video/{sights.camera.device_id}/{days[day]:%Y%m%d}T{hour:02d}00.json",
            due_at=end + timedelta(minutes=2),
            route="/v1/iot/video",
            body=orjson.dumps(events),
            records=len(events),
        )


def _told(camera: Device, sight: Sight, day: date) -> dict[str, object]:
    at = moment(day, sight.second).astimezone(UTC)
    return {
        "camera_id": camera.device_id,
        "track_id": f"{at:%Y%m%dT%H%M%S}-{sight.person}",
        "zone_id": "door",
        "kind": sight.kind,
        "occurred_at": at.isoformat(),
        "person_id": sight.person,
        "match_score": 0.8,
        "is_staff": sight.is_staff,
        "detector": "simulated-1",
        "dropped_frame_count": 0,
    }
