"""GET /v1/kpis: the figures."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.dependencies import TheBackend, TheReader
from api.errors import RESPONSES
from api.models import KpiAnswer
from api.ranges import RangeParameters, range_query
from api.responses import csv_answer, json_answer
from tenpo.datamart.kpi_answer import as_csv, as_document
from tenpo.datamart.kpi_compare import compare_kpis
from tenpo.datamart.kpi_query import By
from tenpo.datamart.kpi_read import read_kpis
from tenpo.errors import InputError
from tenpo.kpi.calendar import Against

router = APIRouter()


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
    if asked.compare is not None and asked.format == "csv":
        raise InputError("CSV has no comparison", where="compare", remedy="Ask for format=json.")
    with backend.datamart() as connection:
        query = range_query(connection, backend, reader, asked, asked.by, tuple(asked.kpi))
        if asked.compare is not None:
            found = compare_kpis(connection, query, asked.compare)
            return json_answer(request, found.as_document())
        rows = read_kpis(connection, query)
    if asked.format == "csv":
        name = f"kpis_{query.grain}_{query.first}_{query.last}.csv"
        return csv_answer(request, "".join(as_csv(query, rows)), name)
    return json_answer(request, as_document(query, rows))
