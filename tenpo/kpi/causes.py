"""Why figures are computed again: what runs note, and what it means to a store manager.

Not for reading revisions: that is `tenpo.datamart.explain`.
"""

from __future__ import annotations

from tenpo.kpi.definitions import Kpi
from tenpo.kpi.measures import COUNTED, ESTIMATED, PASSED, SOLD, VISITED

#: The cause of a row's first revision.
FIRST = "first computed"
ON_DEMAND = "recomputed on demand"
CLOCK_CHANGED = "changed timezone or cut-over"
#: Raw ids were merged into one person, or split again.
PERSONS = "persons merged or split"
#: A person asked to be forgotten, and their visits are nobody's now.
ERASED = "a person was erased"
#: Only what was known of the days before changed.
FOLLOWED = "visitors of days before changed"
#: What counters missed is judged when their date is over, and again when what is usual changes.
ENDED = "the date ended"
USUAL = "counts of weeks before changed"

_EVENTS = {
    "sale_line": ("receipts came late or were corrected", "レシートが遅れて届いたか訂正された"),
    "count_interval": (
        "counts came late or were corrected", "カウンターのデータが遅れて届いたか訂正された"),
    "count_reading": (
        "counters' readings came late or were corrected",
        "カウンターの積算値が遅れて届いたか訂正された"),
    "visit_event": (
        "visit events came late or were corrected", "来店イベントが遅れて届いたか訂正された"),
}  # fmt: skip
_COUNTS = ("count_interval", "count_reading")
#: Several things arrived before one run, which notes the last of them.
_SOMETHING = ("what it is made of came late or was corrected",
              "元になるデータが遅れて届いたか訂正された")  # fmt: skip


def arrived(event: str) -> str:
    """The cause of what new or corrected events change."""
    return f"new or corrected {event}"


_WORDS = {
    FIRST: ("it was computed for the first time", "初めて計算された"),
    ON_DEMAND: ("it was computed again on demand", "依頼により再計算された"),
    CLOCK_CHANGED: (
        "the store's timezone or day cut-over was changed",
        "店舗の時間帯または日付境界が変更された"),
    PERSONS: ("persons were found to be one, or not to be", "同一人物かどうかの判断が変わった"),
    ERASED: ("a person was erased, and their visits with them", "ある人の記録が消去された"),
    FOLLOWED: (
        "who was here on the days before is known better now",
        "以前の日の来店者の記録が更新された"),
    ENDED: ("the date ended, and what counters missed was estimated",
            "営業日が終了し、計測できなかった分が推計された"),
    USUAL: ("what is usual at this hour of the week is known better now",
            "同じ曜日・時間帯の通常値が更新された"),
    **{arrived(event): words for event, words in _EVENTS.items()},
}  # fmt: skip


def events_of(kpi: Kpi) -> list[str]:
    """The events that a KPI is made of."""
    inputs = set(kpi.inputs)
    rests = (
        (SOLD, ("sale_line",)), (COUNTED, _COUNTS), (VISITED, ("visit_event",)),
        (PASSED, ("count_interval", "visit_event")),
    )  # fmt: skip
    found = [event for measures, events in rests if inputs & measures for event in events]
    return list(dict.fromkeys(found))


def cause_words(cause: str, kpi: Kpi) -> tuple[str, str]:
    """A cause in English and Japanese.

    A cause that cannot have changed this KPI hid the one that did, so it is not named.
    """
    possible = {FIRST, ON_DEMAND, CLOCK_CHANGED} | {arrived(event) for event in events_of(kpi)}
    if set(kpi.inputs) & VISITED:
        possible |= {FOLLOWED, PERSONS, ERASED}
    if set(kpi.inputs) & ESTIMATED:
        possible |= {ENDED, USUAL}
    if cause in _WORDS and cause not in possible:
        return _SOMETHING
    return _WORDS.get(cause, (cause, cause))
