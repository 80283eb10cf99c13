"""The unit of work of everything after ingest: one store on one of its business dates."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class StoreDay(NamedTuple):
    """One store on one business date; sorts by tenant, store and date."""

    tenant_id: str
    store_id: str
    business_date: date
