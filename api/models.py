"""What the API answers, typed. Amounts and ratios are strings: exact decimals, never floats."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tenpo.receipts import Receipt

Exact = Annotated[
    int | str | None,
    Field(description="Counts are integers; amounts and ratios exact decimals in a string."),
]


class SameStores(BaseModel):
    """Both sides of a comparison, of the stores that were open for all of both periods."""

    store_count: int = Field(description="How many of them the row has.")
    values: dict[str, Exact]
    base_values: dict[str, Exact]


class ComparedItem(BaseModel):
    """The figures a row is compared with."""

    period: str | None
    period_from: date | None
    period_to: date | None
    business_date: date | None
    store_count: int
    day_count: int
    values: dict[str, Exact]
    partial: list[str]
    coverage_ratio: Exact
    imputed_ratio: Exact
    ratios: dict[str, Exact] = Field(
        description="Value now over value then, by KPI; with `year` of same stores: `yoy_ratio`."
    )
    same_stores: SameStores | None = Field(description="With `year`: what the ratios are made of.")


class CompareRange(BaseModel):
    """What a range is compared with."""

    model_config = ConfigDict(populate_by_name=True)

    against: Literal["previous", "year"]
    from_: date = Field(alias="from")
    to: date


class KpiItem(BaseModel):
    """One row of KPIs: of one currency, and of one store, day and hour as far as asked for."""

    store_id: str | None = Field(description="With by=store.", examples=["ginza"])
    currency: str = Field(examples=["JPY"])
    period: str | None = Field(
        default=None, description="With grain week and month.", examples=["2026-W47", "2026-P10"]
    )
    period_from: date | None = Field(default=None, description="Its first day.")
    period_to: date | None = Field(
        default=None, description="Its last day, within the range or not: `day_count` tells."
    )
    business_date: date | None = Field(description="With grain day and hour.")
    hour_start_at: datetime | None = Field(
        description="With grain hour: when it began; null where stores of several timezones are"
        " summed."
    )
    local_hour: int | None = Field(
        description="With grain hour: hour on the business date's clock; 25 is 01:00 next day.",
        examples=[14],
    )
    store_count: int = Field(description="Stores that had a row to sum.")
    day_count: int = Field(description="Business dates that had a row to sum.")
    values: dict[str, Exact] = Field(
        description="KPI by name; null is unknown, which is not zero.",
        examples=[{"footfall": 412, "net_sales_amount": "183250", "conversion_ratio": "0.271845"}],
    )
    partial: list[str] = Field(description="KPIs that only some of the summed rows know.")
    coverage_ratio: Exact = Field(examples=["0.86"])
    imputed_ratio: Exact = Field(examples=["0"])
    definition_version: int = Field(description="Newest KPI definitions among the rows.")
    mixed_definitions: bool = Field(description="The range crosses a change of definitions.")
    revision: int = Field(description="Highest revision among the rows.")
    computed_at: datetime = Field(description="Newest computation among the rows.")
    compared: ComparedItem | None = Field(
        default=None, description="With `compare`: the days compared with; null without figures."
    )


class KpiAnswer(BaseModel):
    """KPIs of a range, ordered by currency, then date, hour and store."""

    model_config = ConfigDict(populate_by_name=True)

    tenant_id: str
    from_: date = Field(alias="from")
    to: date
    grain: Literal["hour", "day", "week", "month", "total"]
    by: Literal["all", "store"]
    calendar: Literal["iso", "retail_454"]
    as_of: datetime | None = Field(description="The moment asked for; null is now.")
    compare: CompareRange | None = None
    rows: list[KpiItem]


class WeekHourItem(BaseModel):
    """Footfall of one hour of the week."""

    weekday: int = Field(description="0 is Monday.", examples=[5])
    local_hour: int = Field(
        description="Hour on the business date's clock; 25 is 01:00 next day.", examples=[15]
    )
    footfall: int


class BusyItem(BaseModel):
    """When people came: of one store, period or date as far as asked for."""

    store_id: str | None
    period: str | None
    period_from: date | None
    period_to: date | None
    business_date: date | None
    footfall: int
    peak_hour: WeekHourItem | None = Field(description="The busiest; null where nobody came.")
    power_hour_count: int
    power_hours: list[WeekHourItem] = Field(
        description="The fewest hours that hold half of the footfall, the busiest first."
    )
    coverage_ratio: Exact


class BusyAnswer(BaseModel):
    """The busiest hours, ordered by period or date, then store."""

    model_config = ConfigDict(populate_by_name=True)

    tenant_id: str
    from_: date = Field(alias="from")
    to: date
    grain: Literal["day", "week", "month", "total"]
    by: Literal["all", "store"]
    calendar: Literal["iso", "retail_454"]
    as_of: datetime | None
    rows: list[BusyItem]


class ZoneItem(BaseModel):
    """The figures of one zone of a store, of one period, day or hour as far as asked for."""

    store_id: str
    zone_id: str = Field(description="As its cameras name it.", examples=["shelf-a"])
    period: str | None = Field(description="With grain week and month.")
    period_from: date | None
    period_to: date | None
    business_date: date | None = Field(description="With grain day and hour.")
    hour_start_at: datetime | None
    local_hour: int | None
    day_count: int = Field(description="Business dates on which somebody came to the zone.")
    values: dict[str, Exact] = Field(examples=[{"zone_visitors": 40, "zone_exposure_ratio": "0.2"}])
    definition_version: int
    revision: int
    computed_at: datetime


class ZoneAnswer(BaseModel):
    """Zones, ordered by date, hour, store and name."""

    model_config = ConfigDict(populate_by_name=True)

    tenant_id: str
    from_: date = Field(alias="from")
    to: date
    grain: Literal["hour", "day", "week", "month", "total"]
    calendar: Literal["iso", "retail_454"]
    as_of: datetime | None
    rows: list[ZoneItem]


class StoreItem(BaseModel):
    """A store."""

    store_id: str = Field(examples=["ginza"])
    name: str = Field(examples=["銀座店"])
    timezone: str = Field(examples=["Asia/Tokyo"])
    currency: str = Field(examples=["JPY"])


class StoreAnswer(BaseModel):
    """The stores this token may see."""

    tenant_id: str
    stores: list[StoreItem]


class Words(BaseModel):
    """A text in both languages."""

    en: str
    ja: str


class KpiDefinition(BaseModel):
    """What a KPI means and how it is computed."""

    name: str
    formula: str = Field(description="In measures; sums come before the division.")
    unit: str
    label: Words
    meaning: Words


class MeasureDefinition(BaseModel):
    """A measure: what adds up over hours, days and stores."""

    name: str
    unit: str
    meaning: str


class DefinitionAnswer(BaseModel):
    """The KPI definitions in force."""

    version: int
    kpis: list[KpiDefinition]
    zone_kpis: list[KpiDefinition]
    patterns: list[KpiDefinition] = Field(description="What `/v1/busy-hours` tells.")
    measures: list[MeasureDefinition]


class PublishedRun(BaseModel):
    """A run whose rows are visible."""

    run_id: str
    job: str
    published_at: datetime


class DeviceFreshness(BaseModel):
    """When a counter was last heard of."""

    device_id: str
    store_id: str
    last_seen_at: datetime | None = Field(description="When its last message arrived.")
    last_interval_end_at: datetime | None = Field(description="Up to when it has counted.")
    is_silent: bool = Field(
        description="Its counts end more than six hours before the tenant's newest."
    )


class Freshness(BaseModel):
    """How new the figures are."""

    first_date: date | None = Field(description="First business date with figures.")
    last_date: date | None = Field(description="Last business date with figures.")
    computed_at: datetime | None
    last_run: PublishedRun | None
    devices: list[DeviceFreshness]


class ReceiptAnswer(BaseModel):
    """Large deliveries, open ones first, then the newest."""

    receipts: list[Receipt]


class Holiday(BaseModel):
    """A national holiday."""

    date: date
    country: str = Field(examples=["JP"])
    name: Words


class HolidayAnswer(BaseModel):
    """National holidays of the countries the tenant's stores trade in."""

    holidays: list[Holiday]


class Health(BaseModel):
    """Whether the process lives, or can answer."""

    status: Literal["ok"] = "ok"
    version: str
