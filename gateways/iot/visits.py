"""Visit events of our own analyzer (`tenpo video analyze … --out visits.json`) as JSON.

An event, a list of them, or one a line: `camera_id` (registered as a device of role camera),
`track_id`, `zone_id`, `kind` (enter, exit, pass, zone_enter, zone_exit), `occurred_at` with its
offset; where they are known `person_id` (a pseudonym already), `match_score`, `quality`,
`face_model`, `face_state`, `is_staff`, `detector` and `dropped_frame_count`. An event is a
document of its own and named as the analyzer names it, so that one that comes by two ways is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateways.formats.json_text import read_objects, text_columns
from gateways.normalize import columns
from gateways.normalize.adapter import Kind
from gateways.normalize.columns import Column, flags, missing
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.instants import iso_times
from gateways.normalize.json_adapter import JsonAdapter, Rows
from gateways.normalize.records import Records
from tenpo.contracts.events import FaceState, VisitKind

_TEXTS = ("camera_id", "track_id", "zone_id", "person_id", "detector", "face_model")
_SCORES = ("match_score", "quality")
_NAMES = (*_TEXTS, *_SCORES, "kind", "face_state", "occurred_at", "is_staff", "dropped_frame_count")
_FIELDS = {name: name for name in _NAMES} | {"device_id": "camera_id"}
_FLAGS = pa.array(["true", "false"])


class Visits(JsonAdapter):
    """What persons did in front of cameras."""

    name = "video"
    version = "1"
    kind: Kind = "iot"

    def rows(self, body: bytes) -> Rows:
        """One row an event."""
        events = read_objects(body, "visit event")
        return Rows(list(events), [str(place) for place, _ in enumerate(events, start=1)])

    def records(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Columns in canonical names."""
        text = text_columns(rows, _NAMES)
        values: dict[str, Column] = {name: text[name] for name in _TEXTS}
        values["kind"] = _one_of(text["kind"], pa.array(get_args(VisitKind)), faults, "kind")
        states = pa.array(get_args(FaceState))
        values["face_state"] = _one_of(text["face_state"], states, faults, "face_state")
        told = _one_of(text["is_staff"], _FLAGS, faults, "is_staff")
        values["is_staff"] = pc.equal(told, "true")
        for name in _SCORES:
            score, bad = columns.decimals(text[name])
            values[name] = score.cast(pa.string()).cast(pa.float64())  # exact only by way of text
            outside = flags(pc.or_(pc.less(values[name], 0.0), pc.greater(values[name], 1.0)))
            faults.mark(bad, Reason.BAD_NUMBER, name)
            faults.mark(outside, Reason.BAD_VALUE, name)
        values["dropped_frame_count"], bad = columns.integers(text["dropped_frame_count"])
        faults.mark(bad, Reason.BAD_NUMBER, "dropped_frame_count")
        values["at"] = _moments(text["occurred_at"], faults)
        values["device_id"] = text["camera_id"]
        values["document"] = _document(values)
        values["line_key"] = pa.repeat("1", len(rows))
        return Records("visit_event", values, faults, _FIELDS)


def _one_of(column: Column, allowed: Column, faults: Faults, name: str) -> Column:
    strange = ~flags(pc.is_in(column, value_set=allowed)) & ~missing(column)
    faults.mark(strange, Reason.BAD_VALUE, name)
    return column


def _moments(column: Column, faults: Faults) -> Column:
    """A camera's clock is told with its offset: without one nobody knows the moment."""
    at, local, _, bad = iso_times(column)
    faults.mark(np.asarray(bad | ~missing(local)), Reason.BAD_TIME, "occurred_at")
    return at


def _document(values: Mapping[str, Column]) -> Column:
    moment = values["at"].cast(pa.int64()).cast(pa.string())
    zone = pc.fill_null(values["zone_id"], "")
    parts = (values["camera_id"], values["track_id"], zone, values["kind"], moment)
    return pc.binary_join_element_wise(*parts, "|")
