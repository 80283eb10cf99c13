"""Visit events of the analyzer: the same names by either way, and what is wrong is told."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from gateways.conformance.corpus import TENANT, load_corpus
from gateways.conformance.shipped import corpus_of
from gateways.iot.visits import Visits
from gateways.normalize.normalized import Normalized
from tenpo.identifiers import micros
from video_analyzer.camera import Camera
from video_analyzer.events import VisitEvent, as_json, as_table

SUBJECT = load_corpus(Visits(), corpus_of("video"))
EVENTS: list[dict[str, Any]] = orjson.loads(
    next(one.body for one in SUBJECT.payloads if one.name == "visits.json")
)


def sent(*events: dict[str, Any]) -> Normalized:
    return Visits().normalize(orjson.dumps(events), SUBJECT.context())


def test_events_keep_what_the_analyzer_says_of_them() -> None:
    rows = sent(*EVENTS).events["visit_event"].to_pylist()
    first = rows[0]
    at = datetime(2026, 11, 1, 10, 0, 5, 250_000, tzinfo=UTC)
    assert (first["store_id"], first["occurred_at"], first["kind"]) == ("soho", at, "enter")
    assert (first["person_id"], first["match_score"], first["is_staff"]) == ("p-31", 0.71, None)
    assert [row["is_staff"] for row in rows] == [None, None, None, True]
    assert rows[3]["occurred_at"] == datetime(2026, 11, 1, 2, tzinfo=UTC)
    micros = int(at.timestamp()) * 1_000_000 + 250_000
    assert first["document_key"] == f"soho-door|2026-11-01T10:00:05-0|door|enter|{micros}"


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"camera_id": "other"}, "unknown_device", "camera_id"),
        ({"kind": "jump"}, "bad_value", "kind"),
        ({"kind": None}, "missing_field", "kind"),
        ({"occurred_at": "2026-11-01T10:00:00"}, "bad_time", "occurred_at"),
        ({"occurred_at": None}, "missing_field", "occurred_at"),
        ({"match_score": 1.5}, "bad_value", "match_score"),
        ({"is_staff": "perhaps"}, "bad_value", "is_staff"),
        ({"face_state": "perhaps"}, "bad_value", "face_state"),
        ({"quality": -0.1}, "bad_value", "quality"),
        ({"dropped_frame_count": -1}, "negative_count", "dropped_frame_count"),
        ({"track_id": [1]}, "bad_value", "track_id"),
    ],
)
def test_what_is_wrong_is_told(change: dict[str, Any], reason: str, field: str) -> None:
    result = sent(EVENTS[0] | change, EVENTS[1])
    assert result.accepted == 1
    (one,) = result.rejected
    assert (one.reason, one.field) == (reason, field)


def test_the_analyzers_own_names_stay() -> None:
    at = datetime(2026, 11, 1, 10, 0, 5, 250_000, tzinfo=UTC)
    event = VisitEvent(
        "soho-door", "t-0", "door", "enter", micros(at), "motion-1", 3, is_staff=True,
        person_id="p_0000000000000001", match_score=0.97, quality=0.61, face_model="dlib_resnet-1",
        face_state="matched",
    )  # fmt: skip
    camera = cast(Camera, SimpleNamespace(tenant_id=TENANT, store_id="soho"))
    listed = as_json([event], camera)
    (row,) = Visits().normalize(listed, SUBJECT.context()).events["visit_event"].to_pylist()
    (own,) = as_table([event], camera, at).to_pylist()
    given = ("event_id", "document_key", "occurred_at", "camera_id", "track_id", "zone_id", "kind",
             "person_id", "match_score", "quality", "face_model", "face_state",
             "is_staff", "detector", "dropped_frame_count", "source", "store_id")  # fmt: skip
    assert {name: row[name] for name in given} == {name: own[name] for name in given}
    assert row["event_id"] == orjson.loads(listed)[0]["event_id"]
