"""Every table of the warehouse, and those that only the warehouse itself needs."""

from __future__ import annotations

from tenpo.contracts import (
    BENCHMARK_TABLES,
    CONFORMED,
    EVENTS,
    MODEL_TABLES,
    Contract,
    Field,
    Type,
)
from tenpo.contracts.derived import READING_INTERVAL
from tenpo.contracts.events import STORE, TENANT
from tenpo.contracts.persons import PERSON, VISIT_EVENT_CURRENT
from tenpo.kpi import KPI_STORE_DAY, KPI_STORE_HOUR, KPI_ZONE_HOUR, PUBLICATION

#: The store master as the conforming SQL needs it.
STORE_MASTER = Contract(
    name="store",
    dataset="dwh",
    grain="One store as its newest master says.",
    fields=(
        TENANT,
        STORE,
        Field("name", Type.STRING, "Name for people.", required=True),
        Field("timezone", Type.STRING, "IANA timezone.", required=True),
        Field("currency", Type.STRING, "ISO 4217 code.", required=True),
        Field("day_cutover_s", Type.INT64, "Local time at which a business date begins.", "s",
              required=True),
        Field("updated_at", Type.TIMESTAMP, "When this row was written.", required=True),
        Field("dated_timezone", Type.STRING,
              "Timezone by which the lines in dwh got their business dates; null: this one."),
        Field("dated_cutover_s", Type.INT64, "The same of day_cutover_s.", "s"),
    ),
    partition_by="",
    cluster_by=("tenant_id", "store_id"),
)  # fmt: skip

#: Why not BigQuery's own timezones: its release of the IANA database is not ours, and local
#: times that daylight saving repeats or skips would be read its way. One source, one answer.
TIMEZONE_OFFSET = Contract(
    name="timezone_offset",
    dataset="dwh",
    grain="One stretch of time in which a timezone keeps one offset from UTC.",
    fields=(
        Field("timezone", Type.STRING, "IANA timezone.", required=True),
        Field("from_at", Type.TIMESTAMP, "When the stretch begins.", required=True),
        Field("until_at", Type.TIMESTAMP, "When the next one begins.", required=True),
        Field("offset_s", Type.INT64, "Local time less UTC.", "s", required=True),
        Field("previous_offset_s", Type.INT64, "The same in the stretch before.", "s",
              required=True),
    ),
    partition_by="",
    cluster_by=("timezone",),
)  # fmt: skip

#: Where the lines of a document lie, so that replacing it needs no search through all days.
DOCUMENT = Contract(
    name="document",
    dataset="dwh",
    grain="One store-day on which a document has lines, or (pending) is about to have them.",
    fields=(
        TENANT,
        Field("source", Type.STRING, "Adapter or spec that made the document.", required=True),
        Field("event", Type.STRING, "Which event its lines are.", required=True,
              one_of=tuple(CONFORMED)),
        Field("document_key", Type.STRING, "The document.", required=True),
        Field("bucket", Type.INT64, "Part of the index, 0..999, from a hash of the document.",
              required=True),
        Field("document_version", Type.INT64, "Version of these lines.", required=True),
        Field("source_object", Type.STRING, "Raw-archive object they came from.", required=True),
        STORE,
        Field("business_date", Type.DATE, "The store's own trading day.", required=True),
        Field("line_count", Type.INT64, "Lines on that store-day.", "lines", required=True),
        Field("state", Type.STRING, "`current` counts; `pending` is a half-done replacement.",
              required=True, one_of=("current", "pending")),
    ),
    partition_by="RANGE_BUCKET(bucket, GENERATE_ARRAY(0, 1000, 1))",
    cluster_by=("event", "tenant_id", "source", "document_key"),
)  # fmt: skip

#: Columns of earlier releases, by table: dropped where they are still held.
RETIRED: dict[str, tuple[str, ...]] = {"document": ("content_hash",)}

#: Every table, in the order of the data's way.
TABLES: tuple[Contract, ...] = (
    *EVENTS.values(),
    STORE_MASTER,
    TIMEZONE_OFFSET,
    DOCUMENT,
    PERSON,
    *CONFORMED.values(),
    READING_INTERVAL,
    KPI_STORE_HOUR,
    KPI_STORE_DAY,
    KPI_ZONE_HOUR,
    PUBLICATION,
    *MODEL_TABLES,
    *BENCHMARK_TABLES,
)

#: Every view; its query is `tenpo/warehouse/views/<name>.sql`.
VIEWS: tuple[Contract, ...] = (VISIT_EVENT_CURRENT,)
