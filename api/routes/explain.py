"""GET /v1/explain and /v1/sources: what is behind a figure."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.dependencies import TheBackend, TheReader, allowed_stores, known_parameters_only
from api.errors import RESPONSES
from api.explain_models import ExplainAnswer, SourceAnswer
from api.queries import read_stores
from api.responses import json_answer
from api.tokens import Reader
from tenpo.datamart.explain import ExplainQuery, read_explanation
from tenpo.datamart.explain_words import in_words
from tenpo.errors import InputError, WarehouseError
from tenpo.kpi import KPIS
from tenpo.telemetry import get_logger

router = APIRouter(prefix="/v1", responses=RESPONSES, dependencies=[Depends(known_parameters_only)])
log = get_logger(__name__)


class ExplainParameters(BaseModel):
    """Which figure: of one day (`date`) or a range (`from`, `to`), of some stores or all."""

    model_config = ConfigDict(extra="forbid")

    kpi: str = Field(examples=["conversion_ratio"])
    day: date | None = Field(default=None, alias="date", description="One business date.")
    first: date | None = Field(default=None, alias="from", description="Or: the first one,")
    last: date | None = Field(default=None, alias="to", description="and the last, included.")
    store: list[str] = Field(default=[], description="Only these stores; repeatable.")
    hour: int | None = Field(default=None, ge=0, le=47, description="Only this hour, of one date.")
    as_of: AwareDatetime | None = Field(default=None, description="As everybody read it then.")


class SourceParameters(BaseModel):
    """Which figure, of one store on one business date."""

    model_config = ConfigDict(extra="forbid")

    kpi: str = Field(examples=["conversion_ratio"])
    store: str
    day: date = Field(alias="date")
    hour: int | None = Field(default=None, ge=0, le=47)


@router.get("/explain", response_model=ExplainAnswer, summary="Why a figure is what it is")
def get_explanation(
    request: Request,
    backend: TheBackend,
    reader: TheReader,
    asked: Annotated[ExplainParameters, Query()],
) -> Response:
    """Inputs, coverage and revisions of a figure, and the same in plain words."""
    with backend.datamart() as connection:
        known = {store.store_id for store in read_stores(connection, reader.tenant_id)}
        found = read_explanation(connection, _query(reader, asked, known))
    words = {"en": in_words(found, "en"), "ja": in_words(found, "ja")}
    return json_answer(request, found.as_document() | {"words": words})


@router.get("/sources", response_model=SourceAnswer, summary="The payloads behind a figure")
def get_sources(
    request: Request,
    backend: TheBackend,
    reader: TheReader,
    asked: Annotated[SourceParameters, Query()],
) -> Response:
    """Names of the payload objects that the store-day's current lines came from.

    Asked of the warehouse, so it takes a second or two.
    """
    with backend.datamart() as connection:
        known = {store.store_id for store in read_stores(connection, reader.tenant_id)}
    (store_id,) = allowed_stores(reader, (asked.store,), known)
    if asked.kpi not in KPIS:
        raise InputError(
            f"there is no KPI {asked.kpi!r}",
            where="kpi",
            remedy=f"Choose from: {', '.join(KPIS)}.",
        )
    from tenpo.warehouse import connect  # heavy, and most processes never need it
    from tenpo.warehouse.sources import store_day_sources

    try:
        with connect(backend.settings) as warehouse:
            sources = store_day_sources(
                warehouse, reader.tenant_id, store_id, asked.day, KPIS[asked.kpi], asked.hour
            )
    except WarehouseError as error:
        log.error("warehouse_failed", error=str(error))
        raise WarehouseError(
            "the warehouse does not answer",
            remedy="Try again in a moment; `tenpo status` shows whether it runs.",
        ) from error
    return json_answer(request, sources.as_document())


def _query(reader: Reader, asked: ExplainParameters, known: set[str]) -> ExplainQuery:
    one = (asked.day, asked.day) if asked.day else (asked.first, asked.last)
    if one[0] is None or one[1] is None or (asked.day and (asked.first or asked.last)):
        raise InputError(
            "the days are not clear",
            where="date, from, to",
            remedy="Give `date`, or `from` and `to`.",
        )
    return ExplainQuery(
        tenant_id=reader.tenant_id,
        kpi=asked.kpi,
        first=one[0],
        last=one[1],
        stores=allowed_stores(reader, tuple(asked.store), known),
        local_hour=asked.hour,
        as_of=asked.as_of,
    )
