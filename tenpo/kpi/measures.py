"""Measures of a store-hour and store-day, and the mart tables that hold them.

They add up over hours, days and stores, but for those of `MAXIMA`, `SKETCHES` and `OF_DATE`.
Null is not zero: a store without counters has no footfall rather than none, a
register that states no tax has no gross sales.
"""

from __future__ import annotations

from tenpo.contracts.contract import Contract
from tenpo.contracts.events import STORE, TENANT
from tenpo.contracts.field import Field, Type

Measure = Field

#: What is summed over hours, days and stores of one currency.
MEASURES: tuple[Measure, ...] = (
    Field("in_count", Type.INT64, "Entries counted, staff included, at any hour.", "people"),
    Field("out_count", Type.INT64, "Exits counted, staff included, at any hour.", "people"),
    Field("footfall", Type.INT64, "Entries less staff entries within opening hours.", "people"),
    Field("transactions", Type.INT64, "Sale receipts with a positive net amount.", "receipts"),
    Field("return_receipts", Type.INT64, "Receipts that hold a return.", "receipts"),
    Field("sale_lines", Type.INT64, "Receipt lines of any kind.", "lines"),
    Field("net_sales_amount", Type.NUMERIC, "Sales less returns and discounts, tax excluded.",
          "currency"),
    Field("gross_sales_amount", Type.NUMERIC, "Sales less returns and discounts, tax included.",
          "currency"),
    Field("sold_net_amount", Type.NUMERIC, "Sold goods before returns, tax excluded.", "currency"),
    Field("returned_net_amount", Type.NUMERIC, "Returned goods, tax excluded, as a positive.",
          "currency"),
    Field("merchandise_net_amount", Type.NUMERIC, "Net amount of merchandise lines.", "currency"),
    Field("units", Type.NUMERIC, "Merchandise sold less returned.", "units"),
    Field("covered_footfall", Type.INT64, "Footfall in hours that counters and registers cover.",
          "people"),
    Field("covered_transactions", Type.INT64, "Transactions in hours that counters cover.",
          "receipts"),
    Field("covered_net_sales_amount", Type.NUMERIC, "Net sales in hours that counters cover.",
          "currency"),
    Field("open_s", Type.INT64, "Time the store was open.", "s"),
    Field("expected_s", Type.INT64, "Open time in which counters should have reported.", "s"),
    Field("covered_s", Type.INT64, "Open time with data from every expected counter.", "s"),
    Field("imputed_s", Type.INT64, "Open time whose counts were imputed.", "s"),
    Field("visits", Type.INT64, "Visits of known persons, staff left out, in the hour they began.",
          "visits"),
    Field("repeat_visits", Type.INT64, "Visits by persons seen here within the days before "
          "that the store says, 30 unless it does.", "visits"),
    Field("dwell_visits", Type.INT64, "Visits whose every entry and exit was seen.", "visits"),
    Field("dwell_total_s", Type.INT64, "Time inside during those visits.", "s"),
    Field("occupancy_person_s", Type.INT64,
          "Time that people were inside during covered opening time, summed over them.", "s"),
    Field("occupancy_open_s", Type.INT64, "Covered opening time in which that is known.", "s"),
    Field("drift_count", Type.INT64, "Entries less exits of a date counted until closing: "
          "what counters missed. Null in hours.", "people"),
    Field("footfall_imputed", Type.INT64, "Visitors estimated for opening time in which a counter "
          "was silent, of dates that are over; not part of footfall.", "people"),
    Field("footfall_filled", Type.INT64, "Footfall and that estimate together.", "people"),
    Field("uncovered_s", Type.INT64, "Open time of dates that are over without data from every "
          "expected counter.", "s"),
    Field("passers_by", Type.INT64, "People who passed the shop front during opening hours.",
          "people"),
    Field("captured_footfall", Type.INT64,
          "Footfall in hours that counters cover and whose passers-by are known.", "people"),
    Field("captured_passers_by", Type.INT64, "Passers-by in those hours.", "people"),
    Field("dwell_sketch", Type.STRING, "Those dwell_visits counted by bucket of their time inside: "
          "`bucket:visits`, a bucket ends at (51/49)^bucket seconds. Sketches merge by adding."),
    Field("occupancy_peak", Type.INT64, "Most people inside at once during covered opening time; "
          "of several hours, days or stores the highest.", "people"),
    Field("sales_area_m2", Type.NUMERIC, "Sales floor of a store whose net sales are known; "
          "the same in each hour of a date. Summed over stores, averaged over dates.", "m²"),
)  # fmt: skip

#: Measures of which the highest counts.
MAXIMA = frozenset({"occupancy_peak"})
#: Measures that merge (`tenpo.kpi.sketch`).
SKETCHES = frozenset({"dwell_sketch"})
#: Measures that a date has, and each of its hours; they sum over stores and average over dates.
OF_DATE = frozenset({"sales_area_m2"})

#: Their names for people, English and Japanese.
MEASURE_LABELS: dict[str, tuple[str, str]] = {
    "in_count": ("entries", "入店数"),
    "out_count": ("exits", "退店数"),
    "footfall": ("visitors", "来店客数"),
    "transactions": ("receipts", "取引件数"),
    "return_receipts": ("receipts with a return", "返品のあるレシート"),
    "sale_lines": ("receipt lines", "レシート明細"),
    "net_sales_amount": ("net sales", "売上高(税抜)"),
    "gross_sales_amount": ("gross sales", "売上高(税込)"),
    "sold_net_amount": ("sold", "返品前の売上"),
    "returned_net_amount": ("returned", "返品額"),
    "merchandise_net_amount": ("net merchandise sales", "商品の売上高"),
    "units": ("units", "販売点数"),
    "covered_footfall": ("visitors in counted hours", "計測時間帯の来店客数"),
    "covered_transactions": ("receipts in counted hours", "計測時間帯の取引件数"),
    "covered_net_sales_amount": ("net sales in counted hours", "計測時間帯の売上高"),
    "open_s": ("opening time", "営業時間"),
    "expected_s": ("opening time to be counted", "計測すべき営業時間"),
    "covered_s": ("counted opening time", "計測できた営業時間"),
    "imputed_s": ("filled-in opening time", "補完した営業時間"),
    "visits": ("visits of known persons", "識別できた来店"),
    "repeat_visits": ("visits of persons seen before", "再来店"),
    "dwell_visits": ("visits seen from entry to exit", "入退店を確認した来店"),
    "dwell_total_s": ("inside", "滞在時間の合計"),
    "occupancy_person_s": ("of people's time inside", "延べ滞在時間"),
    "occupancy_open_s": ("of counted opening time", "計測した営業時間"),
    "drift_count": ("entries less exits", "入店数と退店数の差"),
    "footfall_imputed": ("estimated visitors of silent counters", "停止中のカウンターの推計客数"),
    "footfall_filled": ("counted and estimated visitors", "計測と推計を合わせた来店客数"),
    "uncovered_s": ("opening time not counted", "計測できなかった営業時間"),
    "passers_by": ("passers-by", "店前通行者数"),
    "captured_footfall": ("visitors while passers-by were counted", "通行者計測時間帯の来店客数"),
    "captured_passers_by": ("passers-by in counted hours", "計測時間帯の店前通行者数"),
    "dwell_sketch": ("times inside by length", "滞在時間の分布"),
    "occupancy_peak": ("most people inside", "最大滞在人数"),
    "sales_area_m2": ("square metres of sales floor", "売場面積(m²)"),
}

#: Those that rest on people counters, on known visitors, on registers.
COUNTED = frozenset(
    {"in_count", "out_count", "footfall", "covered_footfall", "covered_transactions",
     "covered_net_sales_amount", "expected_s", "covered_s", "imputed_s", "occupancy_person_s",
     "occupancy_open_s", "drift_count", "footfall_imputed", "footfall_filled", "uncovered_s",
     "captured_footfall", "captured_passers_by", "occupancy_peak"}
)  # fmt: skip
#: Of them, those that are known once a date is over.
ESTIMATED = frozenset({"footfall_imputed", "footfall_filled", "uncovered_s"})
VISITED = frozenset({"visits", "repeat_visits", "dwell_visits", "dwell_total_s", "dwell_sketch"})
#: What counters or cameras tell of the street before the shop.
PASSED = frozenset({"passers_by", "captured_footfall", "captured_passers_by"})
SOLD = frozenset(
    {"covered_transactions", "covered_net_sales_amount", "transactions", "return_receipts",
     "sale_lines", "net_sales_amount", "gross_sales_amount", "sold_net_amount",
     "returned_net_amount", "merchandise_net_amount", "units", "sales_area_m2"}
)  # fmt: skip

_BUSINESS_DATE = Field("business_date", Type.DATE, "The store's own trading day.", required=True)

_HOUR = (
    Field("hour_start_at", Type.TIMESTAMP, "Start of the store's local hour.", required=True),
    Field("local_hour", Type.INT64, "That hour on the business date's clock; 25 is 01:00 next day.",
          required=True),
)  # fmt: skip

_CURRENCY = Field("currency", Type.STRING, "ISO 4217 code of the amounts.", required=True)

#: What is summed over hours and days of one zone; zones of one name in a store are one.
ZONE_MEASURES: tuple[Measure, ...] = (
    Field("zone_visitors", Type.INT64, "Visitors of the zone, each once a business date in the "
          "hour they first came; staff left out. Who is not known counts by track.", "people"),
    Field("zone_engaged", Type.INT64, "Those who stayed in the zone for more than 30 s that date.",
          "people"),
    Field("exposed_visitors", Type.INT64, "Visitors of the zone in hours that counters cover.",
          "people"),
    Field("exposed_footfall", Type.INT64, "Footfall of the store in those hours.", "people"),
)  # fmt: skip

_REVISED = (
    Field("definition_version", Type.INT64, "Version of the KPI definitions.", required=True),
    Field("revision", Type.INT64, "Counts the changes of this row's values, from 1.",
          required=True),
    Field("cause", Type.STRING, "Why this revision was made.", required=True),
    Field("computed_at", Type.TIMESTAMP, "When it was computed.", required=True),
    Field("run_id", Type.STRING, "The run that wrote it; visible once published.", required=True),
)  # fmt: skip

_STORE_DAY = (TENANT, STORE, _BUSINESS_DATE)

KPI_STORE_HOUR = Contract(
    name="kpi_store_hour",
    dataset="mart",
    grain="One revision of the measures of one store in one hour of its business date.",
    fields=(*_STORE_DAY, *_HOUR, _CURRENCY, *MEASURES, *_REVISED),
    partition_by="business_date",
    cluster_by=("tenant_id", "store_id"),
)

KPI_STORE_DAY = Contract(
    name="kpi_store_day",
    dataset="mart",
    grain="One revision of the measures of one store on one business date.",
    fields=(*_STORE_DAY, _CURRENCY, *MEASURES, *_REVISED),
    partition_by="business_date",
    cluster_by=("tenant_id", "store_id"),
)

KPI_ZONE_HOUR = Contract(
    name="kpi_zone_hour",
    dataset="mart",
    grain="One revision of the measures of one zone of a store in one hour of its business date.",
    fields=(
        *_STORE_DAY,
        *_HOUR,
        Field("zone_id", Type.STRING, "The zone, as its cameras name it.", required=True),
        *ZONE_MEASURES,
        *_REVISED,
    ),
    partition_by="business_date",
    cluster_by=("tenant_id", "store_id"),
)

PUBLICATION = Contract(
    name="publication",
    dataset="mart",
    grain="One aggregation run whose rows are valid; rows of other runs are to be ignored.",
    fields=(
        Field("run_id", Type.STRING, "The run.", required=True),
        TENANT,
        Field("published_at", Type.TIMESTAMP, "When it was published.", required=True),
    ),
    partition_by="DATE(published_at)",
    cluster_by=("tenant_id",),
)
