"""Whether a challenger becomes champion, and why, in words. Not for making it one (`publish`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Decision:
    """What becomes of a challenger.

    Args:
        is_promoted: readers shall see it.
        reason: in words, without any figure of a store.
    """

    is_promoted: bool
    reason: str


def decide(verdicts: Sequence[Mapping[str, Any]], margin: float) -> Decision:
    """The decision over all chains of a run.

    Args:
        verdicts: of `judge`, one a chain.
        margin: share of the champion's error by which the challenger's must be smaller.
    """
    kinds = {str(one["kind"]) for one in verdicts}
    met = [one for one in verdicts if one.get("challenger")]
    if not met:
        return Decision(is_promoted=True, reason=_unmet(kinds))
    ours, theirs = _mean(met, "challenger"), _mean(met, "champion_scores")
    # One that errs just as much says the same of newer data: its champion would grow old.
    is_same = [one["challenger"] for one in met] == [one["champion_scores"] for one in met]
    promoted = is_same or ours <= theirs * (1 - margin)
    words = (
        f"WAPE {ours:.4f} against {theirs:.4f} of champion {met[0]['champion']} on the same folds"
    )
    asked = f", asked for {margin:.1%} less" if margin and not promoted else ""
    return Decision(is_promoted=promoted, reason=words + asked)


def _mean(verdicts: Sequence[Mapping[str, Any]], whose: str) -> float:
    """The mean WAPE over chains and measures."""
    found = [score["wape"] for one in verdicts for score in one[whose].values()]
    return float(sum(found) / len(found))


def _unmet(kinds: set[str]) -> str:
    if kinds == {"first"}:
        return "the first run"
    if "no_common_days" in kinds:
        return "too little history to compare with the champion"
    return "newer data, made as the champion was"
