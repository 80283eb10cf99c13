"""From which cosine on two features are one person: calibrated on a tenant's own features.

Features of two people taken at random are almost never of one person, so their cosines show
how alike strangers look, without any label: the threshold is the cosine that a wanted
share of strangers stays below (the false match rate of ISO/IEC 19795-1, https://www.iso.org/standard/73515.html).
How often one person is not recognised can only be told from features of people whom somebody
merged, or who were given to one raw id by hand; for raw ids that a threshold put together it
comes out too good. Groups are stores: light, camera and public differ there; nothing else is
kept of anybody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenpo.errors import InputError
from video_analyzer.feature_db.records import Floats, Rows
from video_analyzer.feature_db.store import FeatureStore

#: Features that are compared with each other: two million pairs.
MAX_SAMPLE = 2_000
#: So many strangers above the threshold make it more than chance.
_LEAST_ABOVE = 10
#: Of the normal distribution, two-sided 95 %.
_Z = 1.959964


@dataclass(frozen=True)
class GroupRates:
    """How a threshold does within one group.

    Args:
        store_id: the group; empty for all stores together.
        strangers: pairs of features of two people.
        false_match_ratio: share of them at or above the threshold, and
        false_match_at_most: its upper bound (Wilson's interval of 95 %; pairs that share a
            feature are not independent, so it is a little too low).
        pairs_of_one: pairs of features of one person.
        false_non_match_ratio: share of them below the threshold; None without such pairs.
    """

    store_id: str
    strangers: int
    false_match_ratio: float
    false_match_at_most: float
    pairs_of_one: int
    false_non_match_ratio: float | None


@dataclass(frozen=True)
class Calibration:
    """A threshold and what it does.

    Args:
        model: of the features.
        features: that were compared.
        threshold: cosine.
        groups: all together first, then the stores.
    """

    model: str
    features: int
    threshold: float
    groups: tuple[GroupRates, ...]


def calibrate(
    store: FeatureStore,
    model: str,
    *,
    false_match_ratio: float = 1e-4,
    threshold: float | None = None,
    seed: int = 0,
) -> Calibration:
    """Find a threshold, or look at one, on a sample of the living features.

    Args:
        store: the tenant's features.
        model: version of the model.
        false_match_ratio: wanted share of strangers at or above the threshold.
        threshold: to look at, in place of finding one.
        seed: of the sample.

    Raises:
        UnknownReference: there are no features of this model.
        InputError: too few features for that share.
    """
    rows, vectors = _sample(store, model, np.random.default_rng(seed))
    current = store.identity.current_of(rows["person"])
    one, other = np.triu_indices(len(rows), 1)
    scores = (vectors @ vectors.T)[one, other]
    same = current[one] == current[other]
    if threshold is None:
        threshold = _quantile(scores[~same], false_match_ratio)
    inside = rows["store"][one] == rows["store"][other]
    groups = [_rates("", scores, same, threshold)]
    for number in np.unique(rows["store"]).tolist():
        chosen = inside & (rows["store"][one] == number)
        name = store.state.stores[number]
        groups.append(_rates(name, scores[chosen], same[chosen], threshold))
    return Calibration(model, len(rows), threshold, tuple(groups))


def _sample(store: FeatureStore, model: str, rng: np.random.Generator) -> tuple[Rows, Floats]:
    space = store.state.space(model)
    numbers = np.sort(space.rows_where()["feature"])
    if len(numbers) > MAX_SAMPLE:
        numbers = np.sort(rng.choice(numbers, MAX_SAMPLE, replace=False))
    return space.get(numbers)


def _quantile(strangers: Floats, ratio: float) -> float:
    """The least cosine that at most this share of them reaches."""
    above = int(ratio * len(strangers))
    if above < _LEAST_ABOVE:
        raise InputError(
            f"{len(strangers):,} pairs of strangers are too few for a share of {ratio:g}",
            remedy=f"Wait for more features, or ask for {_LEAST_ABOVE / max(1, len(strangers)):.1g}"
            " at least.",
        )
    reached = float(np.partition(strangers, -above - 1)[-above - 1])
    return float(np.nextafter(np.float32(reached), np.float32(2)))


def _rates(name: str, scores: Floats, same: NDArray[np.bool_], threshold: float) -> GroupRates:
    strangers, pairs = scores[~same], scores[same]
    above = int((strangers >= threshold).sum())
    missed = float((pairs < threshold).mean()) if len(pairs) else None
    ratio = above / len(strangers) if len(strangers) else 0.0
    bound = _upper(above, len(strangers))
    return GroupRates(name, len(strangers), ratio, bound, len(pairs), missed)


def _upper(hits: int, count: int) -> float:
    """Wilson's upper bound (https://doi.org/10.1080/01621459.1927.10502953)."""
    if not count:
        return 1.0
    ratio, z2 = hits / count, _Z**2
    middle = ratio + z2 / (2 * count)
    spread = _Z * (ratio * (1 - ratio) / count + z2 / (4 * count**2)) ** 0.5
    return float((middle + spread) / (1 + z2 / count))
