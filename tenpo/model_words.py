"""What results of the models are called, in English and Japanese: traits, factors, notes.

Results carry codes; the API, the dashboard and the command line say them with these words.
Not for figures and their formats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Words = tuple[str, str]

#: What a cluster may be like, by code.
TRAITS: dict[str, Words] = {
    "all_stores": ("all stores", "全店舗"),
    "like_chain": ("like the whole chain", "チェーン平均型"),
    "weekend_low": ("strong weekdays", "平日型"),
    "weekend_high": ("strong weekends", "週末型"),
    "conversion_low": ("low conversion", "低買上率"),
    "conversion_high": ("high conversion", "高買上率"),
    "atv_low": ("small baskets", "低客単価"),
    "atv_high": ("large baskets", "高客単価"),
    "upt_low": ("few pieces a receipt", "少点数"),
    "upt_high": ("many pieces a receipt", "多点数"),
    "volatility_low": ("steady", "安定型"),
    "volatility_high": ("changeable", "変動型"),
    "trend_low": ("falling behind", "伸び悩み"),
    "trend_high": ("growing", "成長中"),
    "summer_low": ("quiet in summer", "夏閑散"),
    "summer_high": ("busy in summer", "夏繁忙"),
    "december_low": ("little Christmas trade", "年末静か"),
    "december_high": ("strong Christmas trade", "年末繁忙"),
}

#: What a reader should know of results, by code; `{}` takes the note's count.
NOTES: dict[str, Words] = {
    "few_stores": (
        "too few stores with enough history for groups: {}",
        "履歴が十分な店舗が{}店のみのため、グループ分けはしていません",
    ),
    "one_group": (
        "no groups came out that would come out again: all {} stores are compared",
        "再現性のあるグループが見つからないため、{}店すべてで比較しています",
    ),
    "no_year": (
        "{} days of history: too short to know a yearly season",
        "履歴が{}日分のため、年間の季節性は考慮されていません",
    ),
    "uncovered_days": (
        "{} store-days of counts are left out: counters covered too little of them",
        "計測率が低い延べ{}店舗日の来店数は学習から除外しました",
    ),
    "negative": (
        "{} figures below zero count as unknown",
        "マイナスの値{}件は不明として扱いました",
    ),
    "other_currency": (
        "{} store-days are in another currency than their store's and are left out",
        "店舗の通貨と異なる延べ{}店舗日は除外しました",
    ),
    "no_master": (
        "{} stores with figures are no longer in the master and are left out",
        "マスタにない{}店舗は除外しました",
    ),
    "cold_stores": (
        "{} stores without figures of their own are forecast like their peers",
        "実績のない{}店舗は似た店舗の水準で予測しています",
    ),
    "never_opened": (
        "{} stores that have never traded are left out of forecasts",
        "営業実績のない{}店舗は予測から除外しました",
    ),
    "no_sales": ("nothing is known of sales", "売上データがありません"),
    "no_footfall": ("nothing is known of visitors", "来店データがありません"),
}  # fmt: skip


def cluster_name(traits: Sequence[str]) -> Words:
    """The name of a cluster with these traits, in both languages."""
    known = [TRAITS[code] for code in traits if code in TRAITS] or [TRAITS["like_chain"]]
    return ", ".join(en for en, _ in known), "・".join(ja for _, ja in known)


def note_words(note: Mapping[str, Any]) -> Words:
    """A note `{"code", "count"}` in both languages; a code of a later version as it is."""
    en, ja = NOTES.get(str(note["code"]), (str(note["code"]),) * 2)
    count = f"{int(note['count']):,}"
    return en.format(count), ja.format(count)
