"""An explanation in plain words, English and Japanese: what a store manager is told."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tenpo.datamart.explain import Change, Explanation, WeakHour
from tenpo.datamart.kpi_answer import KpiRow
from tenpo.kpi import MEASURES, Kpi
from tenpo.kpi.causes import cause_words
from tenpo.kpi.definitions import Number
from tenpo.kpi.measures import COUNTED, ESTIMATED, MEASURE_LABELS
from tenpo.kpi.words import duration, figure

Language = Literal["en", "ja"]
_UNKNOWN = {"en": "unknown", "ja": "不明"}
_UNITS = {measure.name: measure.unit for measure in MEASURES}
_MAX_STRETCHES = 12

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
    "more_hours": ("and more, {count} hours in all", "ほか、合計{count}時間"),
    "imputed": ("For {time} the hours are not known and were filled in, marked as such.",
                "{time}分は時間帯が不明のため補完し、その旨を記録しています。"),
    "not_imputed": ("Nothing was filled in.", "補完した時間はありません。"),
    "estimate_in": ("{count} of them are an estimate of what silent counters missed, by the "
                    "intervals beside or the same hours of the weeks before.",
                    "うち{count}は、停止していたカウンターの分を前後の計測または過去の同じ曜日・"
                    "時間帯から推計した値です。"),
    "estimate_beside": ("What silent counters missed is estimated at {count}; that is not in this "
                        "figure.",
                        "停止していたカウンターの分は{count}と推計されますが、この値には含みません。"),
    "no_estimate": ("Some of what counters missed cannot be estimated, or the day is not over.",
                    "計測できなかった分の一部は推計できないか、営業日がまだ終了していません。"),
    "unchanged": ("It has not changed since it was first computed.",
                  "初めて計算されてから変わっていません。"),
    "changed": ("On {when} it changed from {old} to {new}: {cause}.",
                "{when}に{old}から{new}に変わりました:{cause}。"),
    "other": ("{count} further revisions changed other figures alone.",
              "ほかに{count}回の改訂がありましたが、この値は変わっていません。"),
    "early": ("It was computed {count} times while the day was still running.",
              "当日の途中で{count}回計算されました。"),
    "early_days": ("{count} revisions were made while their days were still running.",
                   "ほかに当日の途中での更新が{count}回ありました。"),
    "not_kept": ("Earlier values were not kept.", "それ以前の値は保存されていません。"),
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
        is_amount = unit is not None and unit.startswith("currency") and value is not None
        return f"{shown} {currency}" if is_amount else shown


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
            speaker.told(_UNITS[name], row.number(name), row.currency) for name in kpi.inputs
        )
        said = [speaker.say("quotient", label=label, value=shown, top=top, bottom=bottom,
                            top_label=labels[0], bottom_label=labels[1])]  # fmt: skip
    return [*said, speaker.say("partial")] if kpi.name in row.partial else said


def _coverage(speaker: _Speaker, row: KpiRow, explanation: Explanation) -> list[str]:
    expected, covered = row.number("expected_s"), row.number("covered_s") or 0
    if not expected:
        return [speaker.say("no_counter")]
    # Never rounds a gap away: 99.96 % stays below 100 %.
    percent = Decimal(covered) * 100 / Decimal(expected)
    ratio = f"{int(percent)}%" if percent == int(percent) else f"{int(percent * 10) / 10}%"
    said = [speaker.say("covered", ratio=ratio, covered=speaker.long(int(covered)),
                        expected=speaker.long(int(expected)))]  # fmt: skip
    if explanation.hours:
        said.append(speaker.say("hours", hours=_named(speaker, explanation)))
    return said + _filled_in(speaker, explanation.query.definition, row)


def _filled_in(speaker: _Speaker, kpi: Kpi, row: KpiRow) -> list[str]:
    """Hours that were spread over a gap, and what silent counters are taken to have missed."""
    inputs, estimate = set(kpi.inputs), row.number("footfall_imputed")
    spread = int(row.number("imputed_s") or 0)
    said = [speaker.say("imputed", time=speaker.long(spread))] if spread else []
    people = speaker.told("people", estimate, row.currency)
    if inputs & ESTIMATED:
        said.append(speaker.say("no_estimate" if estimate is None else "estimate_in", count=people))
        return said
    said = said or [speaker.say("not_imputed")]
    if "footfall" in inputs and estimate:
        said.append(speaker.say("estimate_beside", count=people))
    return said


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
    if explanation.hour_count > len(explanation.hours):
        shown.append(speaker.say("more_hours", count=explanation.hour_count))
    elif len(stretches) > _MAX_STRETCHES:
        shown.append(speaker.say("more", count=len(stretches) - _MAX_STRETCHES))
    return ", ".join(shown)


def _history(speaker: _Speaker, kpi: Kpi, explanation: Explanation) -> list[str]:
    """What changed once a day was over; what came in while it was running is one sentence."""
    if not explanation.figures:
        return []
    later = [change for change in explanation.changes if change.revision > 1]
    early = [change for change in later if change.is_early and change.is_move]
    late = [change for change in later if not (early and change.is_early)]
    moved = [change for change in late if change.is_move]
    said = [_moved(speaker, kpi, explanation, change) for change in moved]
    hidden = explanation.change_count - len(explanation.changes)
    lost = any(not change.has_before for change in late)
    if not (moved or early or hidden or lost):
        said.append(speaker.say("unchanged"))
    if others := sum(change.has_before for change in late) - len(moved):
        said.append(speaker.say("other", count=others))
    if early:
        said.append(_running(speaker, explanation))
        hidden = 0 if _one(explanation) else hidden
    if lost:
        said.append(speaker.say("not_kept"))
    return [*said, speaker.say("older", count=hidden)] if hidden else said


def _running(speaker: _Speaker, explanation: Explanation) -> str:
    count = sum(change.is_early for change in explanation.changes)
    if _one(explanation):  # what is older than an early revision is one, too
        hidden = explanation.change_count - len(explanation.changes)
        return speaker.say("early", count=count + hidden)
    return speaker.say("early_days", count=count)


def _one(explanation: Explanation) -> bool:
    query = explanation.query
    return len(query.stores) == 1 and query.first == query.last


def _moved(speaker: _Speaker, kpi: Kpi, explanation: Explanation, change: Change) -> str:
    when = f"{change.published_at.astimezone(change.clock.tz):%Y-%m-%d %H:%M %Z}"
    if not _one(explanation):
        when += f" ({change.store_id}, {change.business_date})"
    old, new = (
        speaker.told(kpi.unit, value, change.currency) for value in (change.old, change.new)
    )
    cause = speaker.pick(cause_words(change.cause, kpi))
    return speaker.say("changed", when=when, old=old, new=new, cause=cause)
