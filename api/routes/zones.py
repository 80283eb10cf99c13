"""GET /v1/zones: who comes to the zones of stores, and who stays."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import TheBackend, TheReader, allowed_stores
from api.errors import RESPONSES
from api.models import ZoneAnswer
from api.queries import read_stores
from api.responses import json_answer
from api.routes.kpis import RangeParameters, check_rows
from tenpo.datamart.kpi_answer import stamp
from tenpo.datamart.kpi_query import KpiQuery
from tenpo.datamart.zone_read import read_zones

router = APIRouter()


@router.get(
    "/v1/zones", response_model=ZoneAnswer, responses=RESPONSES, summary="The zones of stores"
)
def get_zones(
    request: Request,
    backend: TheBackend,
    reader: TheReader,
    asked: Annotated[RangeParameters, Query()],
) -> Response:
    """Visitors of each zone, their part of the store's visitors, and how many of them stayed.

    Nothing is added over zones or stores: who comes to two zones would count twice.
    """
    calendar = backend.book.get(reader.tenant_id).calendar
    with backend.datamart() as connection:
        known = {store.store_id for store in read_stores(connection, reader.tenant_id)}
        query = KpiQuery(
            tenant_id=reader.tenant_id,
            first=asked.first,
            last=asked.last,
            grain=asked.grain,
            by="store",
            stores=allowed_stores(reader, tuple(asked.store), known),
            as_of=asked.as_of,
            calendar=calendar,
        )
        check_rows(query, len(query.stores or known))
        rows = read_zones(connection, query)
    answer = {
        "tenant_id": query.tenant_id,
        "from": query.first.isoformat(),
        "to": query.last.isoformat(),
        "grain": query.grain,
        "calendar": query.calendar,
        "as_of": query.as_of and stamp(query.as_of),
        "rows": [row.as_json() for row in rows],
    }
    return json_answer(request, answer)
