"""Health: whether the process lives, and whether it can answer. No token needed, nothing told."""

from __future__ import annotations

from fastapi import APIRouter, Response
from sqlalchemy import text

from api.dependencies import TheBackend
from api.errors import RESPONSES
from api.models import Health
from tenpo import __version__

router = APIRouter()


@router.get("/healthz", summary="The process lives")
def get_healthz(response: Response) -> Health:
    """Always 200 while the process answers at all."""
    response.headers["Cache-Control"] = "no-store"
    return Health(version=__version__)


@router.get("/readyz", responses={503: RESPONSES[503]}, summary="The datamart can be read")
def get_readyz(response: Response, backend: TheBackend) -> Health:
    """200 if the datamart answers and has its tables, else 503."""
    with backend.datamart() as connection:
        connection.execute(text("SELECT 1 FROM kpi_store_day LIMIT 1"))
    response.headers["Cache-Control"] = "no-store"
    return Health(version=__version__)
