"""GET /v1/benchmarks: figures of stores beside those of stores like them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.benchmark_answers import BenchmarkAnswer, as_item
from api.dependencies import TheBackend, TheReader, allowed_stores
from api.errors import RESPONSES
from api.queries import read_stores
from api.responses import json_answer
from tenpo.benchmark import COMPARED, Group, group_of
from tenpo.datamart.benchmark_read import beside_cluster, beside_industry
from tenpo.datamart.kpi_query import KpiQuery
from tenpo.errors import InputError
from tenpo.masters import TenantMasters

router = APIRouter()


class BenchmarkParameters(BaseModel):
    """What can be asked of /v1/benchmarks. An unknown parameter is an error."""

    model_config = ConfigDict(extra="forbid")

    first: date = Field(alias="from", description="First business date.", examples=["2026-11-14"])
    last: date = Field(
        alias="to", description="Last business date, included.", examples=["2026-11-20"]
    )
    store: list[str] = Field(default=[], description="Only these stores; repeatable.")
    kpi: list[str] = Field(
        default=[], description=f"Only these KPIs; repeatable. Of {', '.join(COMPARED)}."
    )


@router.get(
    "/v1/benchmarks",
    response_model=BenchmarkAnswer,
    responses=RESPONSES,
    summary="Figures beside those of stores like them",
)
def get_benchmarks(
    request: Request,
    backend: TheBackend,
    reader: TheReader,
    asked: Annotated[BenchmarkParameters, Query()],
) -> Response:
    """Quartiles of each store's cluster over the range, and of its industry as last released.

    A cluster needs three stores with enough figures. Industries are released for whole ISO weeks
    and calendar months (ranges from 28 days on), rounded, and only for tenants that take part.
    """
    masters = backend.book.get(reader.tenant_id)
    with backend.datamart() as connection:
        known = {store.store_id for store in read_stores(connection, reader.tenant_id)}
        stores = allowed_stores(reader, tuple(asked.store), known)
        query = KpiQuery(
            tenant_id=reader.tenant_id, first=asked.first, last=asked.last, grain="total",
            by="store", stores=stores, kpis=_kpis(asked),
        )  # fmt: skip
        found = beside_cluster(connection, query)
        if masters.shares_benchmarks:
            groups = _groups(masters, stores or tuple(sorted(known)))
            found += beside_industry(connection, query, groups)
    answer = BenchmarkAnswer(
        tenant_id=reader.tenant_id,
        shares_benchmarks=masters.shares_benchmarks,
        benchmarks=[as_item(one) for one in found],
    )
    return json_answer(request, answer)


def _kpis(asked: BenchmarkParameters) -> tuple[str, ...]:
    strange = [name for name in asked.kpi if name not in COMPARED]
    if strange:
        raise InputError(
            f"{', '.join(map(repr, strange))} is not compared between stores",
            where="kpi",
            remedy=f"Choose from: {', '.join(COMPARED)}.",
        )
    return tuple(asked.kpi) or COMPARED


def _groups(masters: TenantMasters, stores: tuple[str, ...]) -> dict[str, Group]:
    """The finest groups of stores that have one."""
    own = [masters.stores[name] for name in stores if name in masters.stores]
    groups = {
        store.store_id: group_of(store.industry, store.currency, store.sales_area_m2)
        for store in own
    }
    return {name: group for name, group in groups.items() if group is not None}
