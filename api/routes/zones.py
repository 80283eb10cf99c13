"""GET /v1/zones: who comes to the zones of stores, and who stays."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import TheBackend, TheReader
from api.errors import RESPONSES
from api.models import ZoneAnswer
from api.ranges import RangeParameters, range_query
from api.responses import json_answer
from tenpo.datamart.kpi_answer import range_document
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
    with backend.datamart() as connection:
        query = range_query(connection, backend, reader, asked, "store")
        rows = read_zones(connection, query)
    return json_answer(request, range_document(query) | {"rows": [row.as_json() for row in rows]})
