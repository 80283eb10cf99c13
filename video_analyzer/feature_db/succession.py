"""From one version of a model to the next, while both are live.

Features of two models cannot be compared, and no picture of a face is kept to make the new
ones from. A person comes to the new model in one of two ways, and keeps the raw id in both:

    seen again     a camera that uses both models meets them (`identify_or_create` with `former`)
    looked up      a recording that still lies in the lake shows the very picture (`take_over`)

Who comes by neither way leaves with the former model's features, which expire by the store's
retention: so it is done by then at the latest. Not for reading recordings (`beam_jobs.reembed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tenpo.errors import InputError
from tenpo.identifiers import micros
from video_analyzer.feature_db.answers import Former, Match, moment
from video_analyzer.feature_db.identity import person_number
from video_analyzer.feature_db.records import Floats, Ids, Rows
from video_analyzer.feature_db.store import FeatureStore

#: Features near a face that may be the one of that very picture.
_NEAR = 64


@dataclass(frozen=True)
class Progress:
    """How far a tenant is.

    Args:
        former: version of the model that goes, and
        model: of the one that comes.
        persons: who have features of the former, and
        waiting: of these, who have none of the new one.
        over_at: when the last feature expires that somebody waits with; None if nobody waits.
    """

    former: str
    model: str
    persons: int
    waiting: int
    over_at: datetime | None


@dataclass(frozen=True)
class Sighting:
    """Where and when somebody was seen who waits; nothing says who."""

    store_id: str
    observed_at: datetime


def progress(store: FeatureStore, former: str, model: str) -> Progress:
    """How far it is.

    Raises:
        UnknownReference: there are no features of the former model.
        InputError: both are one.
    """
    rows = _rows(store, former, model)
    persons, waiting = _waiting(store, rows, model)
    expires = rows["expires"][waiting]
    over_at = moment(int(expires.max())) if len(expires) else None
    left = np.unique(persons[waiting])
    return Progress(former, model, len(np.unique(persons)), len(left), over_at)


def sightings(
    store: FeatureStore, former: str, model: str, store_id: str, *, after: datetime, limit: int
) -> list[Sighting]:
    """Where the features of those come from who wait, oldest first.

    Args:
        store: the tenant's features.
        former: version of the model that goes.
        model: of the one that comes.
        store_id: the shop.
        after: only what was seen later; the last moment of the answer before.
        limit: of moments.

    Raises:
        UnknownReference: there are no features of the former model.
        InputError: both are one.
    """
    rows = _rows(store, former, model)
    rows = rows[rows["store"] == store.state.store_numbers.get(store_id, -1)]
    _, waiting = _waiting(store, rows, model)
    found = np.unique(rows["observed"][waiting])
    found = found[found > micros(after)][:limit]
    return [Sighting(store_id, moment(at)) for at in found.tolist()]


def take_over(
    store: FeatureStore, former: Former, model: str, vector: Sequence[float] | Floats, at: Sighting
) -> bool:
    """Give the new model's feature to whom the former one's belongs, made of the same picture.

    It expires with the feature that it follows, and is given once, however often it is offered
    one after the other.

    Args:
        store: the tenant's features, opened to write.
        former: the face as the former model sees it.
        model: version of the new model.
        vector: the same face as that sees it.
        at: where and when the picture was taken.

    Returns:
        Whether somebody who waits got it.

    Raises:
        UnknownReference: there are no features of the former model.
        InputError: a vector that cannot be used, or both models are one.
        FeatureWriteError: the disk refused; nothing was added.
    """
    _refuse_same(former.model, model)
    space = store.state.space(former.model)
    unit = space.units(np.asarray(former.vector, np.float32)[None])
    scores, rows = space.search(unit, _NEAR)
    number = store.state.store_numbers.get(at.store_id, -1)
    alike = (scores[0] >= former.threshold) & (rows[0]["feature"] > 0)
    there = (rows[0]["store"] == number) & (rows[0]["observed"] == micros(at.observed_at))
    chosen = rows[0][alike & there][:1]
    if not len(chosen) or not _waiting(store, chosen, model)[1].any():
        return False
    held = store.get(chosen["feature"].tolist())
    for feature in held:  # none, where it has expired meanwhile
        new = np.asarray(vector, np.float32)[None]
        store.add(model, new, feature.seen, persons=[feature.raw_id])
    return bool(held)


def search_both(
    store: FeatureStore,
    model: str,
    vector: Sequence[float] | Floats,
    former: Former,
    *,
    k: int,
    threshold: float,
) -> list[Match]:
    """The features most like a face: the new model's, then those of whom it does not know yet.

    Scores of two models do not compare, so nobody is in both parts.

    Args:
        store: the tenant's features.
        model: version of the new model.
        vector: the face as that sees it.
        former: the same as the former model sees it, with the cosine that its features have at
            least.
        k: how many at most.
        threshold: cosine that features of the new model have at least.

    Raises:
        UnknownReference: there are no features of the former model.
        InputError: a vector that cannot be used, or `k` out of bounds.
    """
    _refuse_same(former.model, model)
    found = list[Match]()
    if model in store.state.by_model:
        [found] = store.search(
            model, np.asarray(vector, np.float32)[None], k=k, threshold=threshold
        )
    query = np.asarray(former.vector, np.float32)[None]
    [before] = store.search(former.model, query, k=k, threshold=former.threshold)
    persons = np.array([person_number(one.feature.person) for one in before], np.int64)
    left = ~np.isin(persons, _known(store, model, persons))
    waiting = [one for one, is_left in zip(before, left.tolist(), strict=True) if is_left]
    return (found + waiting)[:k]


def _rows(store: FeatureStore, former: str, model: str) -> Rows:
    _refuse_same(former, model)
    return store.state.space(former).rows_where()


def _refuse_same(former: str, model: str) -> None:
    if former == model:
        raise InputError("a model cannot replace itself", where="former", remedy="Name another.")


def _waiting(store: FeatureStore, rows: Rows, model: str) -> tuple[Ids, NDArray[np.bool_]]:
    """The current person of each row, and whether the model knows none of theirs."""
    persons = store.identity.current_of(rows["person"])
    return persons, ~np.isin(persons, _known(store, model, persons))


def _known(store: FeatureStore, model: str, persons: Ids) -> Ids:
    """Those of these current persons who have a living feature of a model."""
    space = store.state.by_model.get(model)
    if space is None:
        return np.empty(0, np.int64)
    members = [raw for person in np.unique(persons).tolist()
               for raw in store.identity.members(person)]  # fmt: skip
    rows = space.rows_where(person=np.array(members, np.int64))
    return np.unique(store.identity.current_of(rows["person"]))
