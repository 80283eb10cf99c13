"""What explains the figures: stores, definitions, freshness, holidays."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.dependencies import TheBackend, TheReader, known_parameters_only
from api.errors import RESPONSES
from api.holidays import countries, holidays
from api.models import (
    DefinitionAnswer,
    Freshness,
    HolidayAnswer,
    KpiDefinition,
    MeasureDefinition,
    StoreAnswer,
    Words,
)
from api.queries import read_freshness, read_stores
from api.responses import json_answer
from tenpo.errors import InputError
from tenpo.kpi import DEFINITION_VERSION, KPIS, MEASURES, ZONE_KPIS, Kpi
from tenpo.kpi.busy import PATTERNS, Pattern

MAX_HOLIDAY_DAYS = 1_100

router = APIRouter(prefix="/v1", responses=RESPONSES, dependencies=[Depends(known_parameters_only)])


@router.get("/stores", response_model=StoreAnswer, summary="The stores this token may see")
def get_stores(request: Request, backend: TheBackend, reader: TheReader) -> Response:
    """Stores by name, with timezone and currency."""
    with backend.datamart() as connection:
        stores = read_stores(connection, reader.tenant_id, reader.store_id)
    return json_answer(request, StoreAnswer(tenant_id=reader.tenant_id, stores=stores))


@router.get("/definitions", response_model=DefinitionAnswer, summary="What each KPI means")
def get_definitions(request: Request, reader: TheReader) -> Response:
    """Names, formulas, units, labels and meanings, in English and Japanese."""
    del reader  # the same for all, but for readers only
    measures = [MeasureDefinition(name=m.name, unit=m.unit, meaning=m.meaning) for m in MEASURES]
    answer = DefinitionAnswer(
        version=DEFINITION_VERSION,
        kpis=[_definition(kpi) for kpi in KPIS.values()],
        zone_kpis=[_definition(kpi) for kpi in ZONE_KPIS.values()],
        patterns=[_definition(pattern) for pattern in PATTERNS.values()],
        measures=measures,
    )
    return json_answer(request, answer)


def _definition(kpi: Kpi | Pattern) -> KpiDefinition:
    return KpiDefinition(
        name=kpi.name,
        formula=kpi.formula,
        unit=kpi.unit,
        label=Words(en=kpi.label[0], ja=kpi.label[1]),
        meaning=Words(en=kpi.meaning[0], ja=kpi.meaning[1]),
    )


@router.get("/freshness", response_model=Freshness, summary="How new the figures are")
def get_freshness(request: Request, backend: TheBackend, reader: TheReader) -> Response:
    """The days there are, the last published run, and when each counter was last heard of."""
    with backend.datamart() as connection:
        return json_answer(request, read_freshness(connection, reader.tenant_id, reader.store_id))


@router.get("/holidays", response_model=HolidayAnswer, summary="Holidays where the stores are")
def get_holidays(
    request: Request,
    backend: TheBackend,
    reader: TheReader,
    first: Annotated[date, Query(alias="from", examples=["2026-11-01"])],
    last: Annotated[date, Query(alias="to", examples=["2026-11-30"])],
) -> Response:
    """National holidays; so far Japan's, for stores in Japan."""
    if not 0 <= (last - first).days < MAX_HOLIDAY_DAYS:
        raise InputError(
            f"{first} to {last} is no range of 1 to {MAX_HOLIDAY_DAYS} days",
            where="from, to",
            remedy="Give `from` on or before `to`, and fewer days.",
        )
    with backend.datamart() as connection:
        stores = read_stores(connection, reader.tenant_id, reader.store_id)
    found = holidays(countries(store.timezone for store in stores), first, last)
    return json_answer(request, HolidayAnswer(holidays=found))
