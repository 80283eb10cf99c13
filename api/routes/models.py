"""What the models say: clusters of stores, attainable targets, the weeks to come."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from api.dependencies import TheBackend, TheReader, allowed_stores, known_parameters_only
from api.errors import RESPONSES
from api.model_answers import ClusterAnswer, ForecastAnswer, Measure, NowcastAnswer, TargetAnswer
from api.model_queries import (
    as_clusters,
    as_days,
    as_left_out,
    as_nowcasts,
    as_runs,
    as_targets,
)
from api.queries import read_stores
from api.responses import json_answer
from api.tokens import Reader
from tenpo.datamart import model_read
from tenpo.datamart.nowcast_read import read_nowcasts

router = APIRouter(prefix="/v1", responses=RESPONSES, dependencies=[Depends(known_parameters_only)])


def utc_now() -> datetime:
    """The moment of asking; tests override it."""
    return datetime.now(UTC)


Now = Annotated[datetime, Depends(utc_now)]
Stores = Annotated[list[str] | None, Query(description="Only these stores; repeatable.")]


@router.get("/clusters", response_model=ClusterAnswer, summary="Which stores are alike")
def get_clusters(
    request: Request, backend: TheBackend, reader: TheReader, store: Stores = None
) -> Response:
    """Clusters with name and members, and the stores left out with the reason."""
    with backend.datamart() as connection:
        rows = model_read.clusters(connection, reader.tenant_id, _stores(connection, reader, store))
        runs = model_read.runs(connection, reader.tenant_id)
    answer = ClusterAnswer(
        tenant_id=reader.tenant_id,
        runs=as_runs(runs),
        clusters=as_clusters(rows),
        left_out=as_left_out(rows),
    )
    return json_answer(request, answer)


@router.get("/targets", response_model=TargetAnswer, summary="What each store could reach")
def get_targets(
    request: Request, backend: TheBackend, reader: TheReader, store: Stores = None
) -> Response:
    """Each factor of a store's sales: level, attainable level, and what that is worth a month."""
    with backend.datamart() as connection:
        rows = model_read.targets(connection, reader.tenant_id, _stores(connection, reader, store))
        runs = model_read.runs(connection, reader.tenant_id)
    answer = TargetAnswer(tenant_id=reader.tenant_id, runs=as_runs(runs), targets=as_targets(rows))
    return json_answer(request, answer)


@router.get("/forecasts", response_model=ForecastAnswer, summary="The weeks to come")
def get_forecasts(
    request: Request,
    backend: TheBackend,
    reader: TheReader,
    store: Stores = None,
    measure: Measure | None = None,
    by: Annotated[
        Literal["all", "store"],
        Query(description="`all`: whole chains. With `store`, or a store's token, always stores."),
    ] = "all",
) -> Response:
    """Daily forecasts with prediction intervals, and the target of each day.

    The interval of a chain is its own: stores miss together, so theirs cannot be added.
    """
    with backend.datamart() as connection:
        stores = _stores(connection, reader, store)
        of_stores = by == "store" or bool(stores)
        rows = (
            model_read.store_forecasts(connection, reader.tenant_id, stores, measure)
            if of_stores
            else model_read.chain_forecasts(connection, reader.tenant_id, measure)
        )
        runs = model_read.runs(connection, reader.tenant_id)
    answer = ForecastAnswer(
        tenant_id=reader.tenant_id,
        runs=as_runs(runs),
        by="store" if of_stores else "all",
        days=as_days(rows),
    )
    return json_answer(request, answer)


@router.get("/nowcast", response_model=NowcastAnswer, summary="What today will end with")
def get_nowcast(
    request: Request, backend: TheBackend, reader: TheReader, now: Now, store: Stores = None
) -> Response:
    """Today's final sales and footfall of each store, from its hours so far and the forecast.

    Where no hour of today has come in, the forecast speaks alone; without one, the past weeks.
    """
    with backend.datamart() as connection:
        stores = _stores(connection, reader, store)
        found = read_nowcasts(connection, reader.tenant_id, now, stores)
    return json_answer(
        request, NowcastAnswer(tenant_id=reader.tenant_id, stores=as_nowcasts(found))
    )


def _stores(connection: Connection, reader: Reader, asked: list[str] | None) -> tuple[str, ...]:
    known = {one.store_id for one in read_stores(connection, reader.tenant_id)}
    return allowed_stores(reader, tuple(asked or ()), known)
