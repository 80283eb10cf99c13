"""Canonical events: what every gateway writes and every job reads.

A *document* is what a vendor may send again whole: a receipt, a counter's
reporting interval, the running totals of one moment, a visit. `event_id` names a
line of a document for ever (`tenpo.identifiers.event_ids`); `document_version` says
which sending of the document a line belongs to. `dwh` keeps the lines of the highest
version only.

In the lake (canonical Parquet) an event has every field but `ingested_at` and
`load_id`, which the ingest job adds as it appends to `raw`.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Literal, get_args

import pyarrow as pa

from tenpo.contracts.contract import Contract
from tenpo.contracts.field import Field, Type


class SaleKind(StrEnum):
    """What a receipt line is. Returns and discounts carry negative amounts.

    Net and gross sales sum `sale`, `return` and `discount`; units count
    `sale` and `return` alone. Every other kind is kept but is no turnover.
    """

    SALE = "sale"
    RETURN = "return"
    VOID = "void"
    DISCOUNT = "discount"
    FEE = "fee"
    SHIPPING = "shipping"
    GIFT_CARD = "gift_card"
    ADJUSTMENT = "adjustment"
    TENDER = "tender"


#: What a tracked person did.
VisitKind = Literal["enter", "exit", "pass", "zone_enter", "zone_exit"]
FaceState = Literal["matched", "new", "unseen", "unclear", "failed"]
#: Nobody sends it: it takes the place of a state when a person is erased.
ERASED_FACE = "erased"

TENANT = Field("tenant_id", Type.STRING, "The retailer the row belongs to.", required=True)
STORE = Field(
    "store_id", Type.STRING, "The store, by the tenant's own store master.", required=True
)

COMMON = (
    Field("event_id", Type.STRING, "Stable id of the line; the same however often it is sent.",
          required=True),
    TENANT,
    STORE,
    Field("source", Type.STRING, "Adapter or spec that made the row.", required=True),
    Field("adapter_version", Type.STRING, "Version of that adapter or spec.", required=True),
    Field("source_object", Type.STRING, "Raw-archive object the row came from.", required=True),
    Field("source_position", Type.STRING, "Delivery in that object and record in the delivery.",
          required=True),
    Field("document_key", Type.STRING, "The document: what the vendor resends whole.",
          required=True),
    Field("document_version", Type.INT64,
          "Vendor's revision of the document, else receiving time in microseconds.",
          required=True),
    Field("occurred_at", Type.TIMESTAMP, "When it happened; start of an interval.", required=True),
    Field("received_at", Type.TIMESTAMP, "When the gateway had received it.", required=True),
)  # fmt: skip

RETRACTION = Field(
    "is_retraction", Type.BOOL,
    "True on a row that only says that its document has no lines; null on every other.",
)  # fmt: skip

LOADED = (
    Field("ingested_at", Type.TIMESTAMP, "When it was appended to raw.", required=True),
    Field("load_id", Type.STRING, "The load that appended it.", required=True),
)

_SALE = (
    Field("receipt_id", Type.STRING, "Receipt number as the register knows it.", required=True),
    Field("register_id", Type.STRING, "Register or terminal."),
    Field("line_number", Type.INT64, "Order of the line within the receipt, from 1.",
          required=True),
    Field("kind", Type.STRING, "What the line is.", required=True,
          one_of=tuple(kind.value for kind in SaleKind)),
    Field("original_receipt_id", Type.STRING, "Receipt that a return refers to."),
    Field("sku", Type.STRING, "Article number."),
    Field("category", Type.STRING, "Department or category."),
    Field("quantity", Type.NUMERIC, "Sold quantity; negative on returns.", required=True),
    Field("unit_price", Type.NUMERIC, "Price of one unit as the register states it.", "currency"),
    Field("gross_amount", Type.NUMERIC, "Line amount, tax included; null where unknown.",
          "currency"),
    Field("net_amount", Type.NUMERIC, "Line amount, tax excluded; null where unknown.",
          "currency"),
    Field("tax_amount", Type.NUMERIC, "Tax of the line; null where unknown.", "currency"),
    Field("tax_rate", Type.NUMERIC, "Tax rate, 0.10 for ten percent; null where unknown."),
    Field("currency", Type.STRING, "ISO 4217 code.", required=True),
    Field("customer_key", Type.STRING, "Pseudonym of the customer."),
    Field("staff_key", Type.STRING, "Pseudonym of the member of staff."),
)  # fmt: skip

_COUNT = (
    Field("device_id", Type.STRING, "The counter, by the device master.", required=True),
    Field("line_id", Type.STRING, "Counting line or zone of the device.", required=True),
    Field("interval_end_at", Type.TIMESTAMP, "End of the interval; occurred_at is its start.",
          required=True),
    Field("in_count", Type.INT64, "People going in.", "people"),
    Field("out_count", Type.INT64, "People going out.", "people"),
    Field("pass_count", Type.INT64, "People passing by.", "people"),
    Field("staff_in_count", Type.INT64, "Staff among those going in, where told.", "people"),
    Field("staff_out_count", Type.INT64, "Staff among those going out, where told.", "people"),
    Field("child_in_count", Type.INT64, "Children among those going in, where told.", "people"),
    Field("group_in_count", Type.INT64, "Groups going in, where told.", "groups"),
)  # fmt: skip

_READING = (
    Field("device_id", Type.STRING, "The counter, by the device master.", required=True),
    Field("line_id", Type.STRING, "Counting line or zone of the device.", required=True),
    Field("in_total", Type.INT64, "Running total of people going in.", "people", required=True),
    Field("out_total", Type.INT64, "Running total of people going out, where told.", "people"),
    Field("staff_in_total", Type.INT64, "Staff among those going in, where told.", "people"),
    Field("staff_out_total", Type.INT64, "Staff among those going out, where told.", "people"),
    Field("child_in_total", Type.INT64, "Children among those going in, where told.", "people"),
    Field("group_in_total", Type.INT64, "Groups going in, where told.", "groups"),
)  # fmt: skip

_VISIT = (
    Field("camera_id", Type.STRING, "The camera.", required=True),
    Field("zone_id", Type.STRING, "Zone or line."),
    Field("track_id", Type.STRING, "Track within the camera.", required=True),
    Field("kind", Type.STRING, "What happened.", required=True,
          one_of=get_args(VisitKind)),
    Field("person_id", Type.STRING, "Pseudonymous person; absent where faces are off."),
    Field("match_score", Type.FLOAT64, "Similarity of the match, 0..1."),
    Field("quality", Type.FLOAT64, "Quality of the best crop, 0..1."),
    Field("is_staff", Type.BOOL, "Whether the person is staff."),
    Field("detector", Type.STRING,
          "Model and version that saw the person; `motion-1` sees whatever moves."),
    Field("dropped_frame_count", Type.INT64,
          "Pictures that were lost between the beginning of the track and the event.", "frames"),
    Field("face_model", Type.STRING,
          "Model and version of the features of faces; absent where faces are off."),
    Field("face_state", Type.STRING,
          "What became of recognising: `matched` or `new` have a person; `unseen`: no good face; "
          "`unclear`: faces of the track disagree; `failed`: a model or service failed; "
          "`erased`: the person was erased since.",
          one_of=(*get_args(FaceState), ERASED_FACE)),
)  # fmt: skip


def _raw(name: str, grain: str, fields: tuple[Field, ...]) -> Contract:
    return Contract(
        name=name,
        dataset="raw",
        grain=grain,
        fields=(*COMMON, *fields, RETRACTION, *LOADED),
        partition_by="DATE(ingested_at)",
        cluster_by=("tenant_id", "store_id", "load_id"),
    )


SALE_LINE = _raw("raw_pos", "One line of a receipt, as received.", _SALE)
COUNT_INTERVAL = _raw(
    "raw_iot", "One counting line of one device in one interval, as received.", _COUNT
)
COUNT_READING = _raw(
    "raw_iot_reading",
    "Running totals of one counting line of one device at one moment, as received.",
    _READING,
)
VISIT_EVENT = _raw("raw_visitor", "One event of one tracked person, as received.", _VISIT)

REJECTION = Contract(
    name="rejected",
    dataset="raw",
    grain="One record that could not be accepted, with its reason and remedy.",
    fields=(
        Field("rejection_id", Type.STRING, "Stable id of the rejection.", required=True),
        TENANT,
        Field("store_id", Type.STRING, "The store, where it could be told."),
        *COMMON[3:7],
        Field("reason_code", Type.STRING, "Short code, e.g. `unknown_store`.", required=True),
        Field("field", Type.STRING, "Field at fault, in the vendor's own name."),
        Field("message", Type.STRING, "What was wrong and how to mend it.", required=True),
        Field("received_at", Type.TIMESTAMP, "When the gateway had received it.", required=True),
        *LOADED,
    ),
    partition_by="DATE(ingested_at)",
    cluster_by=("tenant_id", "reason_code"),
)

#: The events by the name they have in the lake.
EVENTS: dict[str, Contract] = {
    "sale_line": SALE_LINE,
    "count_interval": COUNT_INTERVAL,
    "count_reading": COUNT_READING,
    "visit_event": VISIT_EVENT,
    "rejection": REJECTION,
}


def _conformed(name: str, raw: Contract) -> Contract:
    business_date = Field("business_date", Type.DATE, "The store's own trading day.", required=True)
    hour = Field("hour_start_at", Type.TIMESTAMP, "Start of the store's local hour.", required=True)
    lines = (field for field in raw.fields if field is not RETRACTION)
    local_hour = Field(
        "local_hour", Type.INT64, "That hour on the business date's clock; 25 is 01:00 next day.",
        required=True,
    )  # fmt: skip
    return Contract(
        name=name,
        dataset="dwh",
        grain=raw.grain.replace(", as received.", ", latest version of its document."),
        fields=(business_date, hour, local_hour, *lines),
        partition_by="business_date",
        cluster_by=("tenant_id", "store_id"),
    )


#: The tables of `dwh`, by event name: the lines of the highest version of each document.
CONFORMED: dict[str, Contract] = {
    "sale_line": _conformed("sale_line", SALE_LINE),
    "count_interval": _conformed("count_interval", COUNT_INTERVAL),
    "count_reading": _conformed("count_reading", COUNT_READING),
    "visit_event": _conformed("visit_event", VISIT_EVENT),
}

_ADDED_BY_INGEST = {field.name for field in LOADED}


@cache
def canonical_schema(event: str) -> pa.Schema:
    """Arrow schema of an event's canonical Parquet in the lake.

    Args:
        event: a key of `EVENTS`.
    """
    fields = [f for f in EVENTS[event].fields if f.name not in _ADDED_BY_INGEST]
    return pa.schema([field.arrow() for field in fields])
