"""From an adapter's records to canonical events: ids, moments, tax, pseudonyms, checks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gateways.normalize.columns import (
    Column,
    flags,
    for_distinct,
    has_control,
    missing,
    negative,
    positive,
    spread,
)
from gateways.normalize.context import Batch
from gateways.normalize.faults import Mask, Reason
from gateways.normalize.instants import MOMENT, to_moments
from gateways.normalize.money import amounts, strange_rates
from gateways.normalize.records import Event, Records
from gateways.normalize.repeated_hours import passes_of
from gateways.normalize.stores import per_store, resolve_stores, zones_of
from tenpo.contracts.events import EVENTS, SaleKind, canonical_schema
from tenpo.device_clock import LONGEST
from tenpo.identifiers import event_ids

FUTURE_TOLERANCE = timedelta(days=1)
#: A day of 25 hours.
LONGEST_INTERVAL = timedelta(hours=25)
#: No door has more people between two reports; counters whose memory is damaged do.
MOST_PEOPLE = 1_000_000
#: Clocks that were never set begin before, mostly at 1970, 1980 or 2000. Nobody has counts of
#: that age which a device sends itself.
CLOCKS_SET = datetime(2001, 1, 1, tzinfo=UTC)
MAX_TEXT = 256
_COUNTED = ("_count", "_total")
_GOODS = pa.array([SaleKind.SALE.value, SaleKind.RETURN.value])

#: The moments that make what a counter sends a document, besides its device.
_MOMENTS: dict[Event, tuple[str, ...]] = {
    "count_interval": ("occurred_at", "interval_end_at"),
    "count_reading": ("occurred_at",),
}


def assemble(records: Records, source: str, version: str, batch: Batch) -> pa.Table:
    """Canonical events of the records that can be accepted; the others become faults.

    Returns:
        A table of the event's canonical schema whose `source_object` is still empty
        and whose `source_position` is the record alone: both are known at the commit.
    """
    store_ids = resolve_stores(records, source, batch)
    columns = {**records.columns, "store_id": store_ids}
    columns |= _moments(records, store_ids, batch)
    if records.event == "sale_line":
        columns |= _sale(records, store_ids, batch)
    else:
        _check_counts(records)
    columns |= _identity(records, columns, source, batch)
    columns |= _provenance(records, source, version, batch)
    _check_required(records, columns)
    _check_texts(records, columns)
    schema = canonical_schema(records.event)
    table = pa.table(
        [_typed(columns.get(field.name), field.type, len(records)) for field in schema],
        schema=pa.schema([field.with_nullable(True) for field in schema]),
    )
    bad = records.faults.bad
    return (table.filter(pa.array(~bad)) if bad.any() else table).cast(schema)


def _typed(column: Column | None, type_: Any, length: int) -> Column:
    return pa.nulls(length, type_) if column is None else column.cast(type_)


def _moments(records: Records, store_ids: Column, batch: Batch) -> dict[str, Column]:
    zones = zones_of(store_ids, batch)
    passes = passes_of(records, zones, batch.received_at)
    starts = _moment(records, "local", "at", zones, passes.start if passes else None)
    moments = {"occurred_at": starts}
    if records.event == "count_interval":
        ends = _moment(records, "local_end", "at_end", zones, passes.end if passes else None)
        # Added to the moment, not to the wall clock: a clock change lies between the two.
        ends = pc.coalesce(ends, pc.add(starts, records.column("length")))
        moments["interval_end_at"] = ends
        _check_length(records, pc.subtract(ends, starts))
    _check_clock(records, starts, batch.received_at)
    return moments


def _check_length(records: Records, length: Column) -> None:
    name, longest = records.named("interval_end_at"), pa.scalar(LONGEST_INTERVAL, length.type)
    backwards = flags(pc.less_equal(length, pa.scalar(0, length.type)))
    records.faults.mark(backwards, Reason.BAD_TIME, name)
    too_long = flags(pc.greater(length, longest))
    records.faults.mark(too_long, Reason.INTERVAL_TOO_LONG, name)


def _check_clock(records: Records, starts: Column, received: Column) -> None:
    """What no other record could mend; how far else a clock is off, the warehouse judges."""
    name = records.named("occurred_at")
    ahead = pc.add(received, pa.scalar(FUTURE_TOLERANCE, pa.duration("us")))
    records.faults.mark(flags(pc.greater(starts, ahead)), Reason.FUTURE_DATE, name)
    if not records.pushed:
        return
    oldest = pa.scalar(CLOCKS_SET, MOMENT)
    if records.event == "count_reading":
        oldest = pc.subtract(received, pa.scalar(LONGEST, pa.duration("us")))
    records.faults.mark(flags(pc.less(starts, oldest)), Reason.CLOCK_BEHIND, name)


def _moment(records: Records, local: str, at: str, zones: Column, second: Mask | None) -> Column:
    if local not in records.columns:
        return records.column(at)
    moments = to_moments(records.columns[local], zones, second)
    return pc.coalesce(records.column(at), moments)


def _sale(records: Records, store_ids: Column, batch: Batch) -> dict[str, Column]:
    stores = batch.masters.stores
    own = per_store(store_ids, lambda store: stores[store].currency)
    currency = pc.coalesce(records.column("currency"), own)
    records.columns["currency"] = currency
    other = flags(pc.not_equal(currency, own))
    records.faults.mark(other, Reason.CURRENCY_MISMATCH, records.named("currency"))
    rates = strange_rates(records.column("tax_rate"))
    records.faults.mark(rates, Reason.BAD_VALUE, records.named("tax_rate"))
    _check_prices(records)
    return {
        **amounts(records, store_ids, batch),
        "currency": currency,
        "customer_key": _pseudonyms(records.column("customer"), "customer", batch),
        "staff_key": _pseudonyms(records.column("staff"), "staff", batch),
    }


def _check_prices(records: Records) -> None:
    """A price below zero, stated or implied by the line's amount, is no sale."""
    discount = flags(pc.equal(records.column("kind"), SaleKind.DISCOUNT.value))
    cheap = negative(records.column("unit_price"))
    name = records.named("unit_price")
    records.faults.mark(cheap & ~discount, Reason.NEGATIVE_PRICE, name)
    if "amount" in records.columns:
        sold = flags(pc.greater(records.column("quantity"), Decimal(0)))
        below = negative(records.columns["amount"]) & sold
        records.faults.mark(below & ~discount, Reason.NEGATIVE_PRICE, records.named("amount"))
        above = positive(records.columns["amount"]) & negative(records.column("quantity"))
        if above.any():
            above &= flags(pc.is_in(records.column("kind"), value_set=_GOODS))
        records.faults.mark(above, Reason.WRONG_SIGN, records.named("amount"))


def _pseudonyms(column: Column, kind: str, batch: Batch) -> Column:
    values, inverse = for_distinct(
        [column], lambda value: None if value is None else batch.keys.pseudonym(kind, value)
    )
    return spread(values, inverse, pa.string())


def _check_counts(records: Records) -> None:
    for name, column in records.columns.items():
        if name.endswith(_COUNTED):
            records.faults.mark(negative(column), Reason.NEGATIVE_COUNT, records.named(name))
        if records.event == "count_interval" and name.endswith("_count"):
            many = flags(pc.greater(column, MOST_PEOPLE))
            records.faults.mark(many, Reason.IMPLAUSIBLE_COUNT, records.named(name))


def _identity(
    records: Records, columns: dict[str, Column], source: str, batch: Batch
) -> dict[str, Column]:
    """Document, version and id of every line, those of rejected lines too.

    A rejected line keeps its place, so that its neighbours keep their ids when the
    document comes again mended.
    """
    document = records.column("document")
    moments = [columns[name].cast(pa.int64()) for name in _MOMENTS.get(records.event, ())]
    if moments and records.dated:
        texts = (moment.cast(pa.string()) for moment in moments)
        document = pc.binary_join_element_wise(document, *texts, "|")
    line_key = records.column("line_key")
    keys = line_key if "line_key" in records.columns else columns["line_number"].cast(pa.string())
    received = batch.received_at.cast(pa.int64())
    return {
        "event_id": _ids(batch, source, document, keys),
        "document_key": document,
        "document_version": pc.coalesce(records.column("version"), received),
    }


def _ids(batch: Batch, source: str, document: Column, keys: Column) -> Column:
    """Ids of the lines; equal lines are told apart within one delivery only."""
    several = batch.deliveries if len(batch.contexts) > 1 else None
    documents, lines = pc.fill_null(document, ""), pc.fill_null(keys, "")
    return event_ids(batch.tenant_id, source, documents, lines, several)


def _provenance(records: Records, source: str, version: str, batch: Batch) -> dict[str, Column]:
    length = len(records)
    return {
        "tenant_id": pa.repeat(batch.tenant_id, length),
        "source": pa.repeat(source, length),
        "adapter_version": pa.repeat(version, length),
        "source_object": pa.repeat("", length),
        "source_position": records.faults.positions,
        "received_at": batch.received_at,
    }


def _check_required(records: Records, columns: dict[str, Column]) -> None:
    required = [f for f in EVENTS[records.event].fields if f.required and f.name in columns]
    # What the vendor names comes first: a document key is missing because its parts are.
    for field in sorted(required, key=lambda f: f.name not in records.fields):
        gone = missing(columns[field.name])
        records.faults.mark(gone, Reason.MISSING_FIELD, records.named(field.name))


def _check_texts(records: Records, columns: dict[str, Column]) -> None:
    for name, column in columns.items():
        if name in records.columns and pa.types.is_string(column.type):
            # Bytes are counted faster than characters, and are never fewer.
            if (pc.max(pc.binary_length(column)).as_py() or 0) > MAX_TEXT:
                long = flags(pc.greater(pc.utf8_length(column), MAX_TEXT))
                records.faults.mark(long, Reason.TOO_LONG, records.named(name))
            # PostgreSQL stores no NUL, and no code has a line break.
            records.faults.mark(has_control(column), Reason.BAD_VALUE, records.named(name))
