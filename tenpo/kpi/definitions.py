"""The KPIs: name, formula, unit and meaning, in English and Japanese.

Sources: public glossaries of FootfallCam, RetailNext, ShopperTrak and StoreForce.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Literal

from tenpo.kpi.measures import MAXIMA, SKETCHES
from tenpo.kpi.sketch import median

#: Raised whenever a formula, a policy or a measure changes its meaning.
DEFINITION_VERSION = 2

Number = int | Decimal
#: A text in English and in Japanese.
Words = tuple[str, str]
#: What measures come to over a range: numbers, and sketches as text.
Sum = Number | str
Unit = Literal[
    "people", "receipts", "units", "currency", "ratio", "units/receipt", "visits", "s",
    "currency/m²",
]  # fmt: skip


def quotient(top: Sum | None, bottom: Sum | None) -> Decimal | None:
    """A quotient to nine places; None where either is unknown or the lower one is zero."""
    if top is None or not bottom:
        return None
    with localcontext() as context:
        context.prec = 38
        return (Decimal(top) / Decimal(bottom)).quantize(Decimal("0.000000001"))


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI.

    Args:
        name: as in the API and in SQL.
        numerator: the measure on top, or a plain sum, maximum or sketch.
        denominator: the measure below; none where nothing is divided.
        unit: what the value is counted in.
        label: short name, English and Japanese.
        meaning: one sentence, English and Japanese.
    """

    name: str
    numerator: str
    denominator: str | None
    unit: Unit
    label: Words
    meaning: Words

    @property
    def formula(self) -> str:
        """The formula in words of measures."""
        if self.denominator is not None:
            return f"{self.numerator} ÷ {self.denominator}"
        if self.numerator in SKETCHES:
            return f"median of {self.numerator}"
        return f"highest {self.numerator}" if self.numerator in MAXIMA else self.numerator

    @property
    def inputs(self) -> tuple[str, ...]:
        """The measures it is made of."""
        return (self.numerator,) if self.denominator is None else (self.numerator, self.denominator)

    def value(self, sums: Mapping[str, Sum | None]) -> Number | None:
        """The KPI of summed measures; None where it is unknown or divides by zero."""
        top = sums.get(self.numerator)
        if self.denominator is not None:
            return quotient(top, sums.get(self.denominator))
        return median(top) if isinstance(top, str) else top


KPIS: dict[str, Kpi] = {
    kpi.name: kpi
    for kpi in (
        Kpi("footfall", "footfall", None, "people", ("Footfall", "来店客数"),
            ("People who entered during opening hours, staff excluded.",
             "営業時間内に入店した人数(従業員を除く)。")),
        Kpi("passers_by", "passers_by", None, "people", ("Passers-by", "店前通行者数"),
            ("People who passed the shop front during opening hours.",
             "営業時間内に店の前を通った人数。")),
        Kpi("capture_ratio", "captured_footfall", "captured_passers_by", "ratio",
            ("Capture", "入店率"),
            ("Visitors per passer-by, over the hours in which both were counted.",
             "両方を計測した時間帯の、店前通行者あたりの来店客数。")),
        Kpi("transactions", "transactions", None, "receipts", ("Transactions", "取引件数"),
            ("Sale receipts with a positive net amount.",
             "税抜合計がプラスの売上レシートの件数。")),
        Kpi("conversion_ratio", "covered_transactions", "covered_footfall", "ratio",
            ("Conversion", "買上率"),
            ("Transactions per visitor, over the hours that counters covered.",
             "カウンターが稼働した時間帯の、来店客あたりの取引件数。")),
        Kpi("net_sales_amount", "net_sales_amount", None, "currency",
            ("Net sales", "売上高(税抜)"),
            ("Sales less returns and discounts, tax excluded.", "返品・値引を引いた税抜売上。")),
        Kpi("gross_sales_amount", "gross_sales_amount", None, "currency",
            ("Gross sales", "売上高(税込)"),
            ("Sales less returns and discounts, tax included.", "返品・値引を引いた税込売上。")),
        Kpi("units", "units", None, "units", ("Units", "販売点数"),
            ("Merchandise sold less returned; no fees, shipping or gift cards.",
             "販売点数から返品を引いた数(手数料・送料・ギフト券を除く)。")),
        Kpi("atv_amount", "net_sales_amount", "transactions", "currency", ("ATV", "客単価"),
            ("Average transaction value: net sales per transaction.",
             "取引1件あたりの税抜売上。")),
        Kpi("upt", "units", "transactions", "units/receipt", ("UPT", "買上点数"),
            ("Units per transaction.", "取引1件あたりの販売点数。")),
        Kpi("aur_amount", "merchandise_net_amount", "units", "currency", ("AUR", "平均単価"),
            ("Average unit retail: net merchandise sales per unit.", "1点あたりの税抜売上。")),
        Kpi("spv_amount", "covered_net_sales_amount", "covered_footfall", "currency",
            ("SPV", "来店客単価"),
            ("Sales per visitor, over the hours that counters covered.",
             "カウンターが稼働した時間帯の、来店客1人あたりの税抜売上。")),
        Kpi("sales_per_area_amount", "net_sales_amount", "sales_area_m2", "currency/m²",
            ("Sales per area", "売場面積あたり売上"),
            ("Net sales per square metre of sales floor, over the whole range.",
             "期間全体の、売場面積1m²あたりの税抜売上。")),
        Kpi("return_ratio", "returned_net_amount", "sold_net_amount", "ratio",
            ("Returns", "返品率"),
            ("Returned amount over sold amount.", "売上に対する返品額の割合。")),
        Kpi("visits", "visits", None, "visits", ("Visits", "来店回数"),
            ("Visits of known persons; one ends after three hours away. Staff left out.",
             "識別できた人の来店回数(3時間以上の離店で終了、従業員を除く)。")),
        Kpi("dwell_s", "dwell_total_s", "dwell_visits", "s", ("Dwell time", "滞在時間"),
            ("Mean time inside of visits whose every entry and exit was seen.",
             "入退店を全て確認できた来店の平均滞在時間。")),
        Kpi("dwell_median_s", "dwell_sketch", None, "s", ("Median dwell time", "滞在時間の中央値"),
            ("Half of those visits were no longer; at most 2% off.",
             "その来店の半数がこの時間以内(誤差2%以内)。")),
        Kpi("repeat_visitor_ratio", "repeat_visits", "visits", "ratio",
            ("Returning", "再来店率"),
            ("Visits by persons seen here within 30 days before (or as many as the store says), "
             "over visits.",
             "30日以内(または店舗の設定日数以内)にも来店した人による来店の割合。")),
        Kpi("occupancy", "occupancy_person_s", "occupancy_open_s", "people",
            ("Occupancy", "平均滞在人数"),
            ("Mean number of people inside over covered opening time; of several stores, the mean "
             "per store and not their sum.",
             "計測した営業時間中に店内にいた平均人数(複数店舗では合計でなく1店舗あたり)。")),
        Kpi("occupancy_peak", "occupancy_peak", None, "people", ("Peak occupancy", "最大滞在人数"),
            ("Most people inside at once during covered opening time; of several stores, that of "
             "the fullest.",
             "計測した営業時間中に同時に店内にいた最大人数(複数店舗では最も多い店舗)。")),
        Kpi("occupancy_drift", "drift_count", None, "people", ("Drift", "入退店の差"),
            ("Entries less exits of dates counted until closing: what counters missed; "
             "occupancy starts anew each day.",
             "閉店まで計測した日の入店数と退店数の差(滞在人数は毎日リセット)。")),
        Kpi("footfall_filled", "footfall_filled", None, "people",
            ("Footfall, filled", "補完後の来店客数"),
            ("Footfall and an estimate for opening time in which a counter was silent, of dates "
             "that are over.",
             "来店客数に、カウンターが停止していた営業時間の推計を加えた人数(終了した営業日のみ)。")),
        Kpi("footfall_imputed_ratio", "footfall_imputed", "footfall_filled", "ratio",
            ("Estimated part", "推計の割合"),
            ("Part of filled footfall that is estimated.",
             "補完後の来店客数のうち推計による割合。")),
        Kpi("coverage_ratio", "covered_s", "expected_s", "ratio", ("Coverage", "計測率"),
            ("Part of opening hours with data from every expected counter.",
             "営業時間のうち、全カウンターのデータが揃っている割合。")),
        Kpi("imputed_ratio", "imputed_s", "expected_s", "ratio", ("Imputed", "補完率"),
            ("Part of opening hours whose counts were imputed.", "補完した時間の割合。")),
    )
}  # fmt: skip

#: Of one zone of a store each.
ZONE_KPIS: dict[str, Kpi] = {
    kpi.name: kpi
    for kpi in (
        Kpi("zone_visitors", "zone_visitors", None, "people", ("Zone visitors", "ゾーン来訪者数"),
            ("People who came to the zone, each once a day, staff excluded.",
             "ゾーンに来た人数(1日1回、従業員を除く)。")),
        Kpi("zone_exposure_ratio", "exposed_visitors", "exposed_footfall", "ratio",
            ("Exposure", "到達率"),
            ("Visitors of the zone per visitor of the store, over the hours that counters covered.",
             "カウンターが稼働した時間帯の、来店客あたりのゾーン来訪者数。")),
        Kpi("zone_engagement_ratio", "zone_engaged", "zone_visitors", "ratio",
            ("Engagement", "滞留率"),
            ("Visitors of the zone who stayed there for more than 30 seconds, over all of them.",
             "ゾーンに30秒を超えて滞在した来訪者の割合。")),
    )
}  # fmt: skip


def evaluate(sums: Mapping[str, Sum | None]) -> dict[str, Number | None]:
    """Every KPI of summed measures.

    Args:
        sums: measure name to what it comes to over the hours, days and stores asked for.
    """
    return {name: kpi.value(sums) for name, kpi in KPIS.items()}
