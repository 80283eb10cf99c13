"""From faces to figures: visits, how long they took, and who came back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pyarrow as pa
import pytest

from beam_jobs.aggregate.visits import VISITORS_SCHEMA, VISITS_SCHEMA, visit_hours
from gateways.iot.visits import Visits
from gateways.normalize.context import Context
from tenpo.identifiers import micros
from tenpo.keys import TenantKeys
from tenpo.masters import Device, Store, TenantMasters
from tests.video_analyzer.identity.scene import Colours, FaceSpotter, Scene, Walker, hall, told
from video_analyzer.events import VisitEvent, as_json
from video_analyzer.feature_service.client import FeatureClient
from video_analyzer.identity.recogniser import FaceRecogniser, Stages

NOON = datetime.combine((datetime.now(UTC) - timedelta(days=2)).date(), time(12), UTC)
STORE = Store(store_id="s1", name="S", timezone="UTC", currency="JPY")
CAMERA = Device(device_id="door-1", store_id="s1", source="video", role="camera")
PINK, CYAN = (160, 90, 220), (220, 200, 30)


def seen(features: FeatureClient, walkers: list[Walker], start: datetime) -> list[VisitEvent]:
    scene = Scene(walkers, micros(start))
    stages = Stages(FaceSpotter(scene), Colours(), features.identify)
    # A zone that reaches out of the shop makes stays without an entry: only the door is told.
    return told(scene, FaceRecogniser("s1", stages, lambda: True), 130, zones=[])


def rows(events: list[VisitEvent]) -> pa.Table:
    """As `visit_events.sql` gives them, by way of the gateway's adapter."""
    masters = TenantMasters(tenant_id="a", store=[STORE], device=[CAMERA])
    context = Context(masters, TenantKeys(bytes(32), "a"), datetime.now(UTC))
    result = Visits().normalize(as_json(events, hall()), context)
    assert result.rejected == []
    made = [
        {**row, "business_date": row["occurred_at"].date(),
         "hour_start_at": row["occurred_at"].replace(minute=0, second=0, microsecond=0),
         "local_hour": row["occurred_at"].hour}
        for row in result.events["visit_event"].to_pylist() if row["person_id"] is not None
    ]  # fmt: skip
    names = VISITS_SCHEMA.names
    return pa.Table.from_pylist([{n: one[n] for n in names} for one in made], VISITS_SCHEMA)


def test_who_comes_back_on_another_day_is_a_returning_visitor(features: FeatureClient) -> None:
    first = [Walker(0, PINK), Walker(40, CYAN), Walker(80, PINK, is_out=True)]
    events = rows(seen(features, first, NOON) + seen(features, [Walker(0, PINK)],
                                                     NOON + timedelta(days=1)))  # fmt: skip
    days = events.group_by(VISITORS_SCHEMA.names).aggregate([])
    hours = visit_hours(events, days.select(VISITORS_SCHEMA.names), {"s1": STORE}).to_pylist()
    found = {one["business_date"]: one for one in hours}
    one, other = (found[(NOON + timedelta(days=day)).date()] for day in (0, 1))
    assert (one["visits"], one["repeat_visits"], one["dwell_visits"]) == (2, 0, 1)
    assert (other["visits"], other["repeat_visits"], other["dwell_visits"]) == (1, 1, 0)
    # in at the middle of steps 0 to 25, out at that of 80 to 105: 8 s later
    assert one["dwell_total_s"] == pytest.approx(8, abs=1)
