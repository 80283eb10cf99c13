"""GET /v1/busy-hours: when most people come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.dependencies import TheBackend, TheReader
from api.errors import RESPONSES
from api.models import BusyAnswer
from api.ranges import RangeParameters, range_query
from api.responses import json_answer
from tenpo.datamart.busy_read import read_busy
from tenpo.datamart.kpi_answer import range_document
from tenpo.datamart.kpi_query import By

router = APIRouter()


class BusyParameters(RangeParameters):
    """What can be asked of /v1/busy-hours."""

    by: By = Field(default="all", description="`all` sums the stores, `store` keeps them apart.")


@router.get(
    "/v1/busy-hours", response_model=BusyAnswer, responses=RESPONSES, summary="When people come"
)
def get_busy_hours(
    request: Request,
    backend: TheBackend,
    reader: TheReader,
    asked: Annotated[BusyParameters, Query()],
) -> Response:
    """The busiest hour, and the fewest hours of the week that hold half of the footfall.

    Hours are those on the stores' own clocks.
    """
    with backend.datamart() as connection:
        query = range_query(connection, backend, reader, asked, asked.by)
        rows = read_busy(connection, query)
    body = range_document(query) | {"by": query.by, "rows": [row.as_json() for row in rows]}
    return json_answer(request, body)
