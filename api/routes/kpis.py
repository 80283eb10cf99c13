"""GET /v1/kpis: the figures."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.dependencies import TheBackend, TheReader, allowed_stores
from api.errors import RESPONSES
from api.models import KpiAnswer
from api.queries import read_stores
from api.responses import csv_answer, json_answer
from api.tokens import Reader
from tenpo.datamart.kpi_read import By, Grain, KpiQuery, as_csv, as_document, read_kpis
from tenpo.errors import InputError

MAX_ROWS = 100_000

router = APIRouter()


class KpiParameters(BaseModel):
    """What can be asked of /v1/kpis. An unknown parameter is an error, so that a typo is seen."""

    model_config = ConfigDict(extra="forbid")

    first: date = Field(alias="from", description="First business date.", examples=["2026-11-01"])
    last: date = Field(
        alias="to", description="Last business date, included.", examples=["2026-11-28"]
    )
    grain: Grain = Field(
        default="day", description="One row an hour, a day, or for the whole range."
    )
    by: By = Field(default="all", description="`all` sums the stores, `store` keeps them apart.")
    store: list[str] = Field(
        default=[], description="Only these stores; repeatable.", examples=[["ginza"]]
    )
    kpi: list[str] = Field(
        default=[], description="Only these KPIs; repeatable.", examples=[["net_sales_amount"]]
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
    with backend.datamart() as connection:
        known = {store.store_id for store in read_stores(connection, reader.tenant_id)}
        query = _query(reader, asked, known)
        rows = read_kpis(connection, query)
    if asked.format == "csv":
        name = f"kpis_{query.grain}_{query.first}_{query.last}.csv"
        return csv_answer(request, "".join(as_csv(query, rows)), name)
    return json_answer(request, as_document(query, rows))


def _query(reader: Reader, asked: KpiParameters, known: set[str]) -> KpiQuery:
    query = KpiQuery(
        tenant_id=reader.tenant_id,
        first=asked.first,
        last=asked.last,
        grain=asked.grain,
        by=asked.by,
        stores=allowed_stores(reader, tuple(asked.store), known),
        kpis=tuple(asked.kpi),
    )
    stores = len(query.stores or known) if query.by == "store" else 1
    hours = {"hour": 24 * query.days, "day": query.days, "total": 1}[query.grain]
    if stores * hours > MAX_ROWS:
        raise InputError(
            f"{stores} stores over {query.days} days by {query.grain} are up to"
            f" {stores * hours:,} rows",
            where="from, to, grain, by",
            remedy=f"Ask for fewer days or stores, or a coarser grain: at most {MAX_ROWS:,} rows.",
        )
    return query
