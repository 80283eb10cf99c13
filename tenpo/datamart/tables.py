"""The datamart's tables. What exists is made by the migrations; a test compares the two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Sequence,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.types import TypeEngine

from tenpo.contracts import Contract, Field, Type
from tenpo.contracts.benchmarks import BENCHMARK
from tenpo.contracts.models import (
    CHAIN_FORECAST,
    MODEL_RUN,
    STORE_CLUSTER,
    STORE_FORECAST,
    STORE_TARGET,
)
from tenpo.kpi import KPI_STORE_DAY, KPI_STORE_HOUR, KPI_ZONE_HOUR

metadata = MetaData()
_MOMENT = DateTime(timezone=True)
_NOW = func.clock_timestamp()

_TYPES: dict[Type, TypeEngine[Any]] = {
    Type.STRING: Text(),
    Type.INT64: BigInteger(),
    Type.NUMERIC: Numeric(38, 9),
    Type.FLOAT64: Double(),
    Type.BOOL: Boolean(),
    Type.TIMESTAMP: DateTime(timezone=True),
    Type.DATE: Date(),
}


def column_of(field: Field, *, primary_key: bool = False) -> Column[Any]:
    """A contract's field as a column."""
    nullable = not field.required
    return Column(field.name, _TYPES[field.type], primary_key=primary_key, nullable=nullable)


def _kpi_table(contract: Contract, name: str, *key: str) -> Table:
    columns = (column_of(field, primary_key=field.name in key) for field in contract.fields)
    by_date = Index(f"{name}_by_date", "tenant_id", "business_date")
    return Table(name, metadata, *columns, by_date)


_DAY_KEY = ("tenant_id", "store_id", "business_date")
_HOUR_KEY = (*_DAY_KEY, "hour_start_at")
_ZONE_KEY = (*_HOUR_KEY, "zone_id")

#: Current rows only.
kpi_store_hour = _kpi_table(KPI_STORE_HOUR, "kpi_store_hour", *_HOUR_KEY)
kpi_store_day = _kpi_table(KPI_STORE_DAY, "kpi_store_day", *_DAY_KEY)
kpi_zone_hour = _kpi_table(KPI_ZONE_HOUR, "kpi_zone_hour", *_ZONE_KEY)

#: The revisions that they replaced; mart has them, too.
kpi_store_hour_past = _kpi_table(KPI_STORE_HOUR, "kpi_store_hour_past", *_HOUR_KEY, "revision")
kpi_store_day_past = _kpi_table(KPI_STORE_DAY, "kpi_store_day_past", *_DAY_KEY, "revision")
kpi_zone_hour_past = _kpi_table(KPI_ZONE_HOUR, "kpi_zone_hour_past", *_ZONE_KEY, "revision")


def _model_table(contract: Contract, *key: str) -> Table:
    columns = (column_of(field, primary_key=field.name in key) for field in contract.fields)
    return Table(contract.name, metadata, *columns)


#: What the newest published run of the models says; runs before it are in mart.
model_run = _model_table(MODEL_RUN, "tenant_id", "currency")
store_cluster = _model_table(STORE_CLUSTER, "tenant_id", "store_id")
store_target = _model_table(STORE_TARGET, "tenant_id", "store_id", "factor")
store_forecast = _model_table(STORE_FORECAST, "tenant_id", "store_id", "business_date", "measure")
chain_forecast = _model_table(CHAIN_FORECAST, "tenant_id", "currency", "business_date", "measure")

#: What was released of many tenants together; a reader sees what groups of their own stores say.
benchmark = _model_table(
    BENCHMARK, "period_from", "grain", "industry", "currency", "size_band", "kpi"
)

store = Table(
    "store",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("store_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("day_cutover_s", Integer, nullable=False, server_default=text("0")),
    Column("industry", Text),
    Column("sales_area_m2", Double),
    Column("opened_on", Date),
    Column("updated_at", _MOMENT, nullable=False, server_default=_NOW),
)

#: One run of a job; readers trust what a run with `published_at` wrote.
run = Table(
    "run",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", _MOMENT, nullable=False, server_default=_NOW),
    Column("finished_at", _MOMENT),
    Column("published_at", _MOMENT),
    Column("announced_at", _MOMENT),
    Column("rows", BigInteger, nullable=False, server_default=text("0")),
    Column("note", Text, nullable=False, server_default=text("''")),
    Index("run_by_tenant", "tenant_id", "published_at"),
)

#: What became of each run of the models; append-only.
model_event = Table(
    "model_event",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=text("''")),
    Column("happened_at", _MOMENT, nullable=False, server_default=_NOW),
    Index("model_event_by_tenant", "tenant_id", "event_id"),
)

#: Which of those events were told elsewhere.
model_notice = Table(
    "model_notice",
    metadata,
    Column("event_id", BigInteger, ForeignKey("model_event.event_id"), primary_key=True),
    Column("told_at", _MOMENT, nullable=False, server_default=_NOW),
)

#: The load ledger: every canonical object that ingest knows of.
ingest_object = Table(
    "ingest_object",
    metadata,
    Column("name", Text, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("load_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("ingested_at", _MOMENT, nullable=False),
    Column("loaded_at", _MOMENT),
    Column("conformed_at", _MOMENT),
    Column("error", Text),
    Index("ingest_object_by_load", "load_id"),
    Index("ingest_object_by_tenant", "tenant_id", "event"),
    Index("ingest_object_open", "state", "event", postgresql_where=text("state <> 'conformed'")),
)

#: Which stream of the warehouse counts, of several attempts at one append.
append_claim = Table(
    "append_claim",
    metadata,
    Column("key", Text, primary_key=True),
    Column("stream", Text, nullable=False),
    Column("claimed_at", _MOMENT, nullable=False, server_default=_NOW),
    Index("append_claim_by_age", "claimed_at"),
)

dirty_generation = Sequence("dirty_generation", metadata=metadata)

#: Store-days to be computed again. A mark made during a computation has a new generation.
dirty_store_day = Table(
    "dirty_store_day",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("store_id", Text, primary_key=True),
    Column("business_date", Date, primary_key=True),
    Column("cause", Text, nullable=False),
    Column("marked_at", _MOMENT, nullable=False, server_default=_NOW),
    Column("generation", BigInteger, nullable=False,
           server_default=dirty_generation.next_value()),
)  # fmt: skip

#: Who may do a thing that one process at a time may do; `token` grows with every holder.
lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("expires_at", _MOMENT, nullable=False),
)

device_health = Table(
    "device_health",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("store_id", Text, primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("last_seen_at", _MOMENT, nullable=False),
    Column("last_interval_end_at", _MOMENT),
)

#: By name, for callers that have a contract in hand.
TABLES: dict[str, Table] = dict(metadata.tables)

TEXTS = ARRAY(Text())
DATES = ARRAY(Date())
NUMBERS = ARRAY(BigInteger())
