"""What the API answers about figures beside others', typed."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from api.model_answers import Exact
from api.models import Words
from tenpo.benchmark.words import group_name
from tenpo.datamart.benchmark_read import Beside
from tenpo.datamart.kpi_answer import exact
from tenpo.kpi.definitions import Number
from tenpo.model_words import cluster_name


class BenchmarkItem(BaseModel):
    """One KPI of one store beside the stores that it is held against."""

    store_id: str
    kpi: str = Field(examples=["conversion_ratio"])
    currency: str
    scope: Literal["cluster", "industry"] = Field(
        description="`cluster`: stores of the own chain that are alike; `industry`: stores of"
        " several retailers, as released."
    )
    name: Words = Field(description="Of the cluster or the group.")
    value: Exact = Field(description="The store's own figure of the same dates.")
    low: Exact = Field(description="A quarter of the stores lie below.", examples=["0.19"])
    median: Exact = Field(examples=["0.22"])
    high: Exact = Field(description="A quarter of the stores lie above.", examples=["0.26"])
    store_count: int = Field(description="Stores behind it; with `industry` at least so many.")
    period: str | None = Field(description="With `industry`: the week or month released.")
    period_from: date
    period_to: date
    cluster_id: str | None = Field(description="With `cluster`: the cluster, as in /v1/clusters.")


class BenchmarkAnswer(BaseModel):
    """Figures beside others'; what is not known or may not be told is absent."""

    tenant_id: str
    shares_benchmarks: bool = Field(
        description="Whether the tenant takes part in benchmarks of industries; if not, there are"
        " none here."
    )
    benchmarks: list[BenchmarkItem]


def as_item(one: Beside) -> BenchmarkItem:
    """A figure beside others' as the API tells it."""
    en, ja = group_name(one.group) if one.group else cluster_name(one.traits.split())
    return BenchmarkItem(
        store_id=one.store_id,
        kpi=one.kpi,
        currency=one.currency,
        scope="industry" if one.group else "cluster",
        name=Words(en=en, ja=ja),
        value=_text(one.value),
        low=_text(one.others.low),
        median=_text(one.others.median),
        high=_text(one.others.high),
        store_count=one.store_count,
        period=one.period or None,
        period_from=one.first,
        period_to=one.last,
        cluster_id=one.cluster_id,
    )


def _text(value: Number | None) -> str | None:
    return None if value is None else str(exact(value))
