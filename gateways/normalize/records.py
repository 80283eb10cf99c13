"""What an adapter makes of a payload: typed columns in the vendor's own terms.

The base class turns them into canonical events: stores, moments, tax, ids and
pseudonyms are not the adapter's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

import pyarrow as pa

from gateways.normalize.columns import NUMERIC, Column
from gateways.normalize.faults import Faults
from gateways.normalize.instants import LOCAL, MOMENT
from tenpo.contracts.events import canonical_schema

Event = Literal["sale_line", "count_interval", "count_reading", "visit_event"]
TaxRounding = Literal["floor", "half_up", "half_even"]
TaxMode = Literal["included", "excluded", "none", "unknown"]

#: How much later than its receiving a cancellation counts: it outranks every sending of what it
#: voids, those that come after it too.
FINAL = timedelta(days=30 * 365)

#: Columns that the base turns into canonical ones, with their types.
VENDOR_COLUMNS: dict[str, Any] = {
    "store_code": pa.string(),  # null: the store named with the delivery
    "day": pa.date32(),  # the day on which the store's code is looked up
    "local": LOCAL,  # wall clock of the store, or
    "at": MOMENT,  # the moment itself
    "local_end": LOCAL,
    "at_end": MOMENT,
    "is_dst": pa.bool_(),  # whether the device says that its clock is put forward
    "length": pa.duration("us"),  # of an interval whose end is not stated
    "document": pa.string(),
    "line_key": pa.string(),
    "version": pa.int64(),  # the vendor's own revision, in microseconds where it is a time
    "amount": NUMERIC,  # line amount as the vendor states it, tax in or out by `tax_mode`
    "customer": pa.string(),  # personal: leaves this process as a pseudonym only
    "staff": pa.string(),
}


@dataclass
class Records:
    """The records of deliveries read together, one row each, faults included.

    Args:
        event: which event they become.
        columns: `VENDOR_COLUMNS` and columns of the event's contract.
        faults: the rows that cannot be accepted.
        fields: the vendor's own name of a column, for messages.
        tax_mode: what `amount` holds.
        tax_rounding: how tax is rounded; None means as the store does.
        tax_per: what tax is rounded for; the taxes of a receipt's lines then sum to it.
        ignored: records of each delivery that are none of our business, e.g. running totals.
        others: records of other events that the same deliveries hold.
        dated: whether the times of counts belong to the name of their document.
        pushed: whether a device sent them: it stores weeks, a file may hold years.
    """

    event: Event
    columns: dict[str, Column]
    faults: Faults
    fields: Mapping[str, str] = field(default_factory=dict)
    tax_mode: TaxMode = "unknown"
    ignored: Sequence[int] = (0,)
    others: Sequence[Records] = ()
    dated: bool = True
    pushed: bool = False
    tax_rounding: TaxRounding | None = None
    tax_per: Literal["line", "receipt"] = "line"

    def __len__(self) -> int:
        return len(self.faults.bad)

    def column(self, name: str) -> Column:
        """A column, or nulls of its type where the vendor has none."""
        found = self.columns.get(name)
        return found if found is not None else pa.nulls(len(self), type_of(self.event, name))

    @property
    def parts(self) -> list[Records]:
        """These records and those of the other events; those without any row only if all are."""
        every = [self, *self.others]
        return [part for part in every if len(part)] or [self]

    def named(self, name: str) -> str:
        """What the vendor calls a column."""
        return self.fields.get(name, name)


def type_of(event: Event, name: str) -> Any:
    """Arrow type of a column of `Records`."""
    known = VENDOR_COLUMNS.get(name)
    return known if known is not None else canonical_schema(event).field(name).type
