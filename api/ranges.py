"""Ranges of figures: what addresses that give them have in common."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from api.backend import Backend
from api.dependencies import allowed_stores
from api.queries import read_stores
from api.tokens import Reader
from tenpo.datamart.kpi_query import By, Grain, KpiQuery
from tenpo.errors import InputError

MAX_ROWS = 100_000


class RangeParameters(BaseModel):
    """A range of figures. An unknown parameter is an error, so that a typo is seen."""

    model_config = ConfigDict(extra="forbid")

    first: date = Field(alias="from", description="First business date.", examples=["2026-11-01"])
    last: date = Field(
        alias="to", description="Last business date, included.", examples=["2026-11-28"]
    )
    grain: Grain = Field(
        default="day", description="One row an hour, day, week, month, or for the whole range."
    )
    store: list[str] = Field(
        default=[], description="Only these stores; repeatable.", examples=[["ginza"]]
    )
    as_of: AwareDatetime | None = Field(
        default=None,
        description="As everybody read it at this moment; none means now.",
        examples=["2026-11-20T09:00:00+09:00"],
    )


def range_query(
    connection: Connection,
    backend: Backend,
    reader: Reader,
    asked: RangeParameters,
    by: By,
    kpis: tuple[str, ...] = (),
) -> KpiQuery:
    """What is asked for, of stores that the reader may see, in the tenant's calendar.

    Raises:
        InputError: the range cannot be answered, or would be too many rows.
        UnknownReference: the tenant has no such store, or the reader may not see it.
    """
    known = {store.store_id for store in read_stores(connection, reader.tenant_id)}
    query = KpiQuery(
        tenant_id=reader.tenant_id,
        first=asked.first,
        last=asked.last,
        grain=asked.grain,
        by=by,
        stores=allowed_stores(reader, tuple(asked.store), known),
        kpis=kpis,
        as_of=asked.as_of,
        calendar=backend.book.get(reader.tenant_id).calendar,
    )
    _check_rows(query, len(query.stores or known) if by == "store" else 1)
    return query


def _check_rows(query: KpiQuery, stores: int) -> None:
    rows = {"hour": 24 * query.days, "day": query.days, "total": 1}
    hours = rows.get(query.grain, len(query.periods))
    if stores * hours > MAX_ROWS:
        raise InputError(
            f"{stores} stores over {query.days} days by {query.grain} are up to"
            f" {stores * hours:,} rows",
            where="from, to, grain, by",
            remedy=f"Ask for fewer days or stores, or a coarser grain: at most {MAX_ROWS:,} rows.",
        )
