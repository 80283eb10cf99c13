"""An explanation in plain words, English and Japanese: what a store manager is told."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tenpo.datamart.explain import Change, Explanation, WeakHour
from tenpo.datamart.kpi_answer import KpiRow
from tenpo.kpi import MEASURES, Kpi
from tenpo.kpi.definitions import Number
from tenpo.kpi.measures import COUNTED, MEASURE_LABELS
from tenpo.kpi.words import duration, figure

Language = Literal["en", "ja"]
_UNKNOWN = {"en": "unknown", "ja": "不明"}
_UNITS = {measure.name: measure.unit for measure in MEASURES}
_MAX_STRETCHES = 12

#: Causes as the runs note them, and what they mean to a store manager.
_CAUSES = {
    "first computed": ("it was computed for the first time", "初めて計算された"),
    "recomputed on demand": ("it was computed again on demand", "依頼により再計算された"),
    "changed timezone or cut-over": (
        "the store's timezone or day cut-over was changed",
        "店舗の時間帯または日付境界が変更された"),
    "new or corrected sale_line": (
        "receipts came late or were corrected", "レシートが遅れて届いたか訂正された"),
    "new or corrected count_interval": (
        "counts came late or were corrected", "カウンターのデータが遅れて届いたか訂正された"),
    "new or corrected count_reading": (
        "counters' readings came late or were corrected",
        "カウンターの積算値が遅れて届いたか訂正された"),
    "visitors of days before changed": (
        "who was here on the days before is known better now",
        "以前の日の来店者の記録が更新された"),
    "new or corrected visit_event": (
        "visit events came late or were corrected", "来店イベントが遅れて届いたか訂正された"),
}  # fmt: skip

_TEXTS: dict[str, tuple[str, str]] = {
    "sum": ("{label} is {value}.", "{label}は{value}です。"),
    "quotient": ("{label} is {value}: {top} {top_label}, divided by {bottom} {bottom_label}.",
                 "{label}は{value}です({top_label}{top} ÷ {bottom_label}{bottom})。"),
    "unknown": ("{label} is not known: nothing was received that tells {missing}.",
                "{label}は不明です。{missing}のデータが届いていません。"),
    "zero": ("{label} is not known: there is nothing to divide by ({missing} is zero).",
             "{label}は計算できません({missing}が0です)。"),
    "partial": ("Some of the days or stores lack it.",
                "一部の日または店舗ではデータがありません。"),
    "no_counter": ("No counter is expected here.", "カウンターは設置されていません。"),
    "covered": ("Counters reported for {ratio} of the opening hours ({covered} of {expected}).",
                "営業時間の{ratio}でカウンターが稼働しました({expected}のうち{covered})。"),
    "hours": ("Not counted in full: {hours}.", "全ては計測できなかった時間帯:{hours}。"),
    "more": ("and {count} more stretches", "ほか{count}件"),
    "imputed": ("For {time} the hours are not known and were filled in, marked as such.",
                "{time}分は時間帯が不明のため補完し、その旨を記録しています。"),
    "not_imputed": ("Nothing was filled in.", "補完した時間はありません。"),
    "unchanged": ("It has not changed since it was first computed.",
                  "初めて計算されてから変わっていません。"),
    "changed": ("On {when} it changed from {old} to {new}: {cause}.",
                "{when}に{old}から{new}に変わりました:{cause}。"),
    "other": ("{count} further revisions changed other figures alone.",
              "ほかに{count}回の改訂がありましたが、この値は変わっていません。"),
    "older": ("{count} older revisions are not shown.", "ほかに古い改訂が{count}件あります。"),
}  # fmt: skip


@dataclass(frozen=True)
class _Speaker:
    language: Language

    def say(self, key: str, **values: object) -> str:
        return _TEXTS[key][self._place].format(**values)

    def pick(self, words: tuple[str, str]) -> str:
        return words[self._place]

    @property
    def _place(self) -> int:
        return 0 if self.language == "en" else 1

    def long(self, seconds: int) -> str:
        """A length of time."""
        if self.language == "en":
            return duration(seconds)
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours}時間{minutes}分" if hours else f"{minutes}分"

    def told(self, unit: str | None, value: Number | None, currency: str) -> str:
        """A figure with its currency."""
        shown = figure(unit, value, currency, _UNKNOWN[self.language])
        return f"{shown} {currency}" if unit == "currency" and value is not None else shown


def in_words(explanation: Explanation, language: Language) -> list[str]:
    """Sentences that answer "why is this number what it is, and why did it change"."""
    speaker = _Speaker(language)
    kpi = explanation.query.definition
    said: list[str] = []
    for row in explanation.figures:
        said += _value(speaker, kpi, row)
        if set(kpi.inputs) & COUNTED:
            said += _coverage(speaker, row, explanation)
    return said + _history(speaker, kpi, explanation)


def _value(speaker: _Speaker, kpi: Kpi, row: KpiRow) -> list[str]:
    label, value = speaker.pick(kpi.label), row.values[kpi.name]
    labels = [speaker.pick(MEASURE_LABELS[name]) for name in kpi.inputs]
    if value is None:
        missing = [x for x, name in zip(labels, kpi.inputs, strict=True) if row.sums[name] is None]
        key = "unknown" if missing else "zero"
        return [speaker.say(key, label=label, missing=missing[0] if missing else labels[-1])]
    shown = speaker.told(kpi.unit, value, row.currency)
    if kpi.denominator is None:
        said = [speaker.say("sum", label=label, value=shown)]
    else:
        top, bottom = (
            speaker.told(_UNITS[name], row.sums[name], row.currency) for name in kpi.inputs
        )
        said = [speaker.say("quotient", label=label, value=shown, top=top, bottom=bottom,
                            top_label=labels[0], bottom_label=labels[1])]  # fmt: skip
    return [*said, speaker.say("partial")] if kpi.name in row.partial else said


def _coverage(speaker: _Speaker, row: KpiRow, explanation: Explanation) -> list[str]:
    expected, covered = row.sums["expected_s"], row.sums["covered_s"] or 0
    if not expected:
        return [speaker.say("no_counter")]
    # Never rounds a gap away: 99.96 % stays below 100 %.
    percent = Decimal(covered) * 100 / Decimal(expected)
    ratio = f"{int(percent)}%" if percent == int(percent) else f"{int(percent * 10) / 10}%"
    said = [speaker.say("covered", ratio=ratio, covered=speaker.long(int(covered)),
                        expected=speaker.long(int(expected)))]  # fmt: skip
    if explanation.hours:
        said.append(speaker.say("hours", hours=_named(speaker, explanation)))
    imputed = int(row.sums["imputed_s"] or 0)
    key = "imputed" if imputed else "not_imputed"
    return [*said, speaker.say(key, time=speaker.long(imputed))]


def _named(speaker: _Speaker, explanation: Explanation) -> str:
    """Hours as stretches: `11-20 10:00-21:00`, with the store where there are several."""
    stretches: list[tuple[WeakHour, int]] = []
    for hour in explanation.hours:
        day = (hour.store_id, hour.business_date)
        first, end = stretches[-1] if stretches else (hour, -1)
        if (first.store_id, first.business_date, end) == (*day, hour.local_hour):
            stretches[-1] = (first, hour.local_hour + 1)
        else:
            stretches.append((hour, hour.local_hour + 1))
    several = len(explanation.query.stores) != 1
    shown = [
        f"{first.store_id + ' ' if several else ''}{first.business_date:%m-%d}"
        f" {first.local_hour:02d}:00-{end:02d}:00"
        for first, end in stretches[:_MAX_STRETCHES]
    ]
    if len(stretches) > _MAX_STRETCHES:
        shown.append(speaker.say("more", count=len(stretches) - _MAX_STRETCHES))
    return ", ".join(shown)


def _history(speaker: _Speaker, kpi: Kpi, explanation: Explanation) -> list[str]:
    if not explanation.figures:
        return []
    later = [change for change in explanation.changes if change.revision > 1]
    moved = [change for change in later if change.old != change.new]
    said = [_moved(speaker, kpi, explanation, change) for change in moved]
    if not moved:
        said.append(speaker.say("unchanged"))
    if len(later) > len(moved):
        said.append(speaker.say("other", count=len(later) - len(moved)))
    if explanation.change_count > len(explanation.changes):
        hidden = explanation.change_count - len(explanation.changes)
        said.append(speaker.say("older", count=hidden))
    return said


def _moved(speaker: _Speaker, kpi: Kpi, explanation: Explanation, change: Change) -> str:
    query = explanation.query
    when = f"{change.published_at:%Y-%m-%d %H:%M} UTC"
    if len(query.stores) != 1 or query.first != query.last:
        when += f" ({change.store_id}, {change.business_date})"
    old, new = (
        speaker.told(kpi.unit, value, change.currency) for value in (change.old, change.new)
    )
    words = _CAUSES.get(change.cause)
    cause = change.cause if words is None else speaker.pick(words)
    return speaker.say("changed", when=when, old=old, new=new, cause=cause)
