"""The type that a mapped column or a constant of a spec has to be of."""

from __future__ import annotations

import pyarrow as pa

from gateways.normalize import columns
from gateways.normalize.columns import Column, Plain
from gateways.normalize.faults import Mask
from gateways.normalize.records import VENDOR_COLUMNS, Event, type_of


def typed(event: Event, name: str, text: Column, plain: Plain | None) -> tuple[Column, Mask | None]:
    """Text in the type of a canonical column.

    Args:
        event: whose column it is.
        name: of the column.
        text: what the file, or the spec, holds.
        plain: makes numbers plain that are written otherwise.

    Returns:
        The values, and which of them are no numbers; None where text stays text.
    """
    wanted = VENDOR_COLUMNS.get(name)
    wanted = wanted if wanted is not None else type_of(event, name)
    if pa.types.is_integer(wanted):
        return columns.integers(text)
    if pa.types.is_decimal(wanted):
        return columns.decimals(text, plain)
    return text, None
