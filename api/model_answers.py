"""What the API answers about clusters, targets and forecasts, typed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.models import Words

Exact = Annotated[str | None, Field(description="An exact decimal in a string.")]
Measure = Literal["sales", "footfall", "customers"]


class ModelNote(BaseModel):
    """What a reader should know of the results."""

    code: str = Field(examples=["no_year"])
    count: int
    text: Words


class ModelRun(BaseModel):
    """The run behind the results of the stores of one currency."""

    currency: str = Field(examples=["JPY"])
    run_id: str
    as_of_date: date = Field(description="Last business date that the run knew.")
    first_date: date = Field(description="First one.")
    store_count: int
    cluster_count: int
    silhouette: float | None = Field(description="How well clusters part; null for one cluster.")
    stability: float
    seed: int
    data_fingerprint: str
    notes: list[ModelNote]
    started_at: datetime


class StorePlace(BaseModel):
    """A store on the map; those near each other are alike."""

    store_id: str
    x: float
    y: float


class Cluster(BaseModel):
    """Stores that are alike, and those of them that this token may see."""

    currency: str
    cluster_id: str = Field(examples=["c1"])
    name: Words
    traits: list[str]
    store_count: int = Field(description="Of the whole cluster.")
    stores: list[StorePlace]


class LeftOut(BaseModel):
    """A store without cluster and targets."""

    store_id: str
    currency: str
    reason: str


class ClusterAnswer(BaseModel):
    """Clusters of the tenant's stores; empty before the first run of the models."""

    tenant_id: str
    runs: list[ModelRun]
    clusters: list[Cluster]
    left_out: list[LeftOut]


class Target(BaseModel):
    """One factor of one store's sales: what is, and what is attainable."""

    store_id: str
    currency: str
    factor: Literal["footfall", "conversion", "customers", "atv", "sales"]
    level: Exact = Field(description="A day's people or amount, or a ratio.")
    attainable: Exact
    low: Exact = Field(description="Lower end of the interval of `attainable`.")
    high: Exact
    headroom_amount: Exact = Field(description="What reaching it is worth a month.")
    low_amount: Exact
    high_amount: Exact
    basis: Literal["cluster peers", "own best weeks"]
    is_first: bool = Field(description="The factor to work on first.")


class TargetAnswer(BaseModel):
    """Attainable targets, the largest head-room first."""

    tenant_id: str
    runs: list[ModelRun]
    targets: list[Target]


class ForecastDay(BaseModel):
    """One measure on one day to come, of one store or of a whole chain."""

    store_id: str | None = Field(description="Null: all stores of the currency.")
    currency: str
    business_date: date
    measure: Measure
    value: Exact = Field(description="The median.")
    low: Exact = Field(description="Lower end of the prediction interval.")
    high: Exact
    target: Exact = Field(description="What the day asks for; null where nothing is asked.")
    is_cold: bool = Field(description="Nothing was known of the store: its peers speak for it.")
    run_id: str = Field(description="Who foretold it; for some stores a run that is on trial.")


class ForecastAnswer(BaseModel):
    """The weeks to come."""

    tenant_id: str
    runs: list[ModelRun]
    by: Literal["all", "store"]
    days: list[ForecastDay]


class NowcastItem(BaseModel):
    """What one measure of a store's day will end with."""

    store_id: str
    currency: str
    business_date: date = Field(description="The store's day of now.")
    measure: Literal["sales", "footfall"]
    so_far: Exact = Field(description="Sum of its whole hours; null where live data is missing.")
    until_hour: int | None = Field(description="Those hours end here, on the store's clock.")
    value: Exact = Field(description="The final figure as it is expected.")
    low: Exact
    high: Exact
    basis: Literal["hours so far", "hours so far and forecast", "forecast", "past weeks"]


class NowcastAnswer(BaseModel):
    """Today's final figures; stores of which nothing is known are absent."""

    tenant_id: str
    stores: list[NowcastItem]
