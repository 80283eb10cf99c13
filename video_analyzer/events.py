"""Visit events as the analyzer tells them: names that stay, times in UTC, JSON and Arrow.

The same pictures give the same events with the same names; live, some may have been dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa

from tenpo.contracts.events import FaceState, VisitKind, canonical_schema
from tenpo.identifiers import event_ids
from video_analyzer.camera import Camera

SOURCE = "video"
VERSION = "1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class VisitEvent:
    """One thing that one tracked person did. A document of its own: no other replaces it.

    Args:
        camera_id: the camera.
        track_id: the track: when it began, and which of those that began then.
        zone_id: line or zone.
        kind: what happened.
        occurred_us: when, microseconds since 1970.
        detector: model and version that saw the person, or `motion-1`.
        dropped_frame_count: pictures lost since the track began.
        is_staff: true if known.
        person_id: pseudonym of the tenant's; None where nobody was recognised.
        match_score: cosine with the nearest feature, 0..1; None for somebody new.
        quality: of the best face, 0..1.
        face_model: what made the features; None where faces are off.
        face_state: what became of recognising; None where faces are off.
    """

    camera_id: str
    track_id: str
    zone_id: str
    kind: VisitKind
    occurred_us: int
    detector: str
    dropped_frame_count: int
    is_staff: bool | None = None
    person_id: str | None = None
    match_score: float | None = None
    quality: float | None = None
    face_model: str | None = None
    face_state: FaceState | None = None

    @property
    def occurred_at(self) -> datetime:
        """When."""
        return moment(self.occurred_us)

    @property
    def document_key(self) -> str:
        """What names the event for ever."""
        parts = (self.camera_id, self.track_id, self.zone_id, self.kind, str(self.occurred_us))
        return "|".join(parts)


def moment(at_us: int) -> datetime:
    """Microseconds since 1970 as a time in UTC."""
    return _EPOCH + timedelta(microseconds=at_us)


def track_name(first_us: int, place: int) -> str:
    """The name of a track: when it began, and its place among those that began then."""
    return f"{moment(first_us):%Y%m%dT%H%M%S.%fZ}-{place}"


def as_json(events: Sequence[VisitEvent], camera: Camera) -> bytes:
    """A JSON list, one event a line: what gateways take."""
    lines = [orjson.dumps(_told(event, event_id)) for event, event_id in _named(events, camera)]
    return b"[\n" + b",\n".join(lines) + b"\n]\n" if lines else b"[]\n"


def as_table(events: Sequence[VisitEvent], camera: Camera, received_at: datetime) -> pa.Table:
    """Canonical rows of `visit_event`, not yet from any raw object."""
    rows = [
        {
            **_columns(event),
            "event_id": event_id,
            "tenant_id": camera.tenant_id,
            "store_id": camera.store_id,
            "source": SOURCE,
            "adapter_version": VERSION,
            "source_object": "",
            "source_position": str(place),
            "document_key": event.document_key,
            "document_version": 0,
            "occurred_at": event.occurred_at,
            "received_at": received_at,
        }
        for place, (event, event_id) in enumerate(_named(events, camera), start=1)
    ]
    return pa.Table.from_pylist(rows, schema=canonical_schema("visit_event"))


def _named(events: Sequence[VisitEvent], camera: Camera) -> list[tuple[VisitEvent, str]]:
    keys = pa.array([event.document_key for event in events], pa.string())
    lines = pa.array(["1"] * len(events), pa.string())
    ids = event_ids(camera.tenant_id, SOURCE, keys, lines).to_pylist()
    return list(zip(events, ids, strict=True))


def _columns(event: VisitEvent) -> dict[str, Any]:
    columns = asdict(event)
    del columns["occurred_us"]
    return columns


def _told(event: VisitEvent, event_id: str) -> dict[str, Any]:
    at = event.occurred_at.isoformat(timespec="microseconds")
    return {"event_id": event_id, "occurred_at": at, **_columns(event)}
