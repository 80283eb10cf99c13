"""GET /v1/kpis: the figures."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.dependencies import TheBackend, TheReader, allowed_stores
from api.errors import RESPONSES
from api.models import KpiAnswer
from api.queries import read_stores
from api.responses import csv_answer, json_answer
from api.tokens import Reader
from tenpo.datamart.kpi_answer import as_csv, as_document
from tenpo.datamart.kpi_compare import compare_kpis
from tenpo.datamart.kpi_query import By, Grain, KpiQuery
from tenpo.datamart.kpi_read import read_kpis
from tenpo.errors import InputError
from tenpo.kpi.calendar import Against, Calendar

MAX_ROWS = 100_000

router = APIRouter()


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


class KpiParameters(RangeParameters):
    """What can be asked of /v1/kpis."""

    by: By = Field(default="all", description="`all` sums the stores, `store` keeps them apart.")
    kpi: list[str] = Field(
        default=[], description="Only these KPIs; repeatable.", examples=[["net_sales_amount"]]
    )
    compare: Against | None = Field(
        default=None,
        description="`previous`: the period before, or the same weekdays before the range;"
        " `year`: the same weekdays, or the same calendar month, a year before. JSON only.",
    )
    format: Literal["json", "csv"] = "json"


@router.get(
    "/v1/kpis",
    response_model=KpiAnswer,
    responses={**RESPONSES, 200: {"content": {"text/csv": {}}}},
    summary="KPIs of a range",
)
def get_kpis(
    request: Request,
    backend: TheBackend,
    reader: TheReader,
    asked: Annotated[KpiParameters, Query()],
) -> Response:
    """Sums of the range per currency, and the KPIs formed from those sums.

    Currencies are never added: a range over two of them has two rows. Amounts and ratios are
    strings holding exact decimals. `null` means unknown, not zero.
    """
    calendar = backend.book.get(reader.tenant_id).calendar
    with backend.datamart() as connection:
        known = {store.store_id for store in read_stores(connection, reader.tenant_id)}
        query = _query(reader, asked, known, calendar)
        if asked.compare is not None:
            found = compare_kpis(connection, query, asked.compare)
            return json_answer(request, found.as_document())
        rows = read_kpis(connection, query)
    if asked.format == "csv":
        name = f"kpis_{query.grain}_{query.first}_{query.last}.csv"
        return csv_answer(request, "".join(as_csv(query, rows)), name)
    return json_answer(request, as_document(query, rows))


def _query(reader: Reader, asked: KpiParameters, known: set[str], calendar: Calendar) -> KpiQuery:
    if asked.compare is not None and asked.format == "csv":
        raise InputError("CSV has no comparison", where="compare", remedy="Ask for format=json.")
    query = KpiQuery(
        tenant_id=reader.tenant_id,
        first=asked.first,
        last=asked.last,
        grain=asked.grain,
        by=asked.by,
        stores=allowed_stores(reader, tuple(asked.store), known),
        kpis=tuple(asked.kpi),
        as_of=asked.as_of,
        calendar=calendar,
    )
    check_rows(query, len(query.stores or known) if query.by == "store" else 1)
    return query


def check_rows(query: KpiQuery, stores: int) -> None:
    """Refuse what would be too many rows.

    Raises:
        InputError: says how many there may be.
    """
    rows = {"hour": 24 * query.days, "day": query.days, "total": 1}
    hours = rows.get(query.grain, len(query.periods))
    if stores * hours > MAX_ROWS:
        raise InputError(
            f"{stores} stores over {query.days} days by {query.grain} are up to"
            f" {stores * hours:,} rows",
            where="from, to, grain, by",
            remedy=f"Ask for fewer days or stores, or a coarser grain: at most {MAX_ROWS:,} rows.",
        )
