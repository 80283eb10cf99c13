"""What /v1/explain and /v1/sources answer, typed."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from api.models import Exact, KpiItem


class Input(BaseModel):
    """One of the sums a KPI is made of."""

    measure: str
    unit: str | None
    label: str
    value: Exact


class ExplainedFigure(KpiItem):
    """The figure, with its inputs and coverage."""

    value: Exact
    inputs: list[Input]
    open_s: int | None
    expected_s: int | None
    covered_s: int | None
    imputed_s: int | None


class WeakHourItem(BaseModel):
    """An open hour that counters did not see whole."""

    store_id: str
    business_date: date
    local_hour: int
    expected_s: int
    covered_s: int
    imputed_s: int = Field(description="Of it, filled in.")


class Revision(BaseModel):
    """A change of the figure of one store and day (or hour)."""

    store_id: str
    business_date: date
    hour_start_at: datetime | None
    revision: int
    old: Exact
    new: Exact
    cause: str
    computed_at: datetime
    published_at: datetime = Field(description="From then on it was read.")
    run_id: str


class Sentences(BaseModel):
    """The explanation in plain words, sentence by sentence."""

    en: list[str]
    ja: list[str]


class ExplainAnswer(BaseModel):
    """Why a figure is what it is, and why it changed."""

    model_config = ConfigDict(populate_by_name=True)

    tenant_id: str
    kpi: str
    formula: str
    unit: str
    from_: date = Field(alias="from")
    to: date
    stores: list[str]
    local_hour: int | None
    as_of: datetime | None
    figures: list[ExplainedFigure]
    weak_hours: list[WeakHourItem] = Field(description="At most 200, newest first.")
    revision_count: int
    revisions: list[Revision] = Field(description="At most 100, newest first.")
    words: Sentences


class SourceItem(BaseModel):
    """A payload object in the lake, and what came of it for the store-day."""

    event: str
    source: str
    source_object: str
    line_count: int
    document_count: int
    first_occurred_at: datetime
    last_occurred_at: datetime
    received_at: datetime


class SourceAnswer(BaseModel):
    """Payload objects behind a figure, newest first, at most a hundred."""

    object_count: int
    objects: list[SourceItem]
