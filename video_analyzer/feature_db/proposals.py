"""Proposals for merges: people whose features are so alike that they may be one.

Made at night, kept sealed until the next time, decided by a person (`people.merge` or
`people.part`): nobody is merged by this. An erasure deletes them all, so that they name nobody who
was forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson
from numpy.typing import NDArray

from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.document import draft_of, read_document, told, write_document
from video_analyzer.feature_db.identity import Identity, person_text
from video_analyzer.feature_db.space import Space

if TYPE_CHECKING:
    from video_analyzer.feature_db.store import FeatureStore

PROPOSALS_FILE = "proposals"
MAX_PROPOSALS = 1_000
_BLOCK = 1_024
#: Features that are looked at near each one; more of one person's hide others behind them.
_NEAR = 16
_PAIR = np.dtype([("a", "<i8"), ("b", "<i8"), ("one", "<i8"), ("other", "<i8"), ("score", "<f4")])


@dataclass(frozen=True)
class Proposal:
    """Two people who may be one.

    Args:
        a: current person, the older one.
        b: likewise.
        score: the largest cosine between a feature of one and a feature of the other.
        pairs: pairs of features at or above the threshold.
    """

    a: str
    b: str
    score: float
    pairs: int


@dataclass(frozen=True)
class Proposals:
    """The proposals of one night, best first."""

    made_at: datetime
    model: str
    threshold: float
    proposals: tuple[Proposal, ...]


def propose(store: FeatureStore, model: str, threshold: float) -> Proposals:
    """Compare all living features with those near them, and keep what comes of it.

    Args:
        store: the tenant's features, opened to write.
        model: version of the model.
        threshold: cosine from which on two may be one (`calibration`).

    Raises:
        UnknownReference: there are no features of this model.
    """
    space = store.state.space(model)
    found = list(_alike(space, store.identity, threshold))
    pairs = np.unique(np.concatenate([np.empty(0, _PAIR), *found]))
    with store.copying:  # who is erased from here on is not in it, or deletes it
        best = _best(pairs, store.identity)
        made = Proposals(datetime.now(UTC), model, threshold, tuple(best))
        path = store.folder / PROPOSALS_FILE
        write_document(store.disk, path, store.key, orjson.dumps(asdict(made)))
    return made


def read_proposals(folder: Path, key: bytes) -> Proposals | None:
    """The newest proposals; None where there are none.

    Raises:
        FeatureDamage: they are not as they were written.
    """
    try:
        head = orjson.loads(read_document(folder / PROPOSALS_FILE, key))
    except FileNotFoundError:
        return None
    proposals = tuple(Proposal(**each) for each in head["proposals"])
    made_at = datetime.fromisoformat(head["made_at"])
    return Proposals(made_at, head["model"], head["threshold"], proposals)


def forget_proposals(disk: Disk, folder: Path) -> None:
    """Delete them."""
    with told(PROPOSALS_FILE):
        disk.remove([folder / PROPOSALS_FILE, folder / draft_of(PROPOSALS_FILE)])


def _alike(space: Space, identity: Identity, threshold: float) -> Iterator[NDArray[np.void]]:
    """Pairs of features of two people, block by block."""
    numbers = np.sort(space.rows_where()["feature"])
    for start in range(0, len(numbers), _BLOCK):
        rows, vectors = space.get(numbers[start : start + _BLOCK])
        if not len(rows):
            continue
        scores, near = space.search(vectors, _NEAR)
        places, columns = np.nonzero((scores >= threshold) & (near["feature"] > 0))
        one, other = rows[places], near[places, columns]
        made = np.zeros(len(places), _PAIR)
        # each pair one way round, however it was met
        first, last = one["feature"] < other["feature"], one["feature"] >= other["feature"]
        made["one"] = np.where(first, one["feature"], other["feature"])
        made["other"] = np.where(last, one["feature"], other["feature"])
        a, b = identity.current_of(one["person"]), identity.current_of(other["person"])
        made["a"], made["b"] = np.minimum(a, b), np.maximum(a, b)
        made["score"] = np.round(scores[places, columns], 6)
        yield made[made["a"] != made["b"]]


def _best(pairs: NDArray[np.void], identity: Identity) -> Iterator[Proposal]:
    """People, from pairs of their features; those noted as different are left out."""
    people, groups = np.unique(pairs[["a", "b"]], return_inverse=True)
    _, once = np.unique(pairs[["one", "other"]], return_index=True)
    counts = np.bincount(groups[once], minlength=len(people))
    scores = np.full(len(people), -np.inf, np.float32)
    np.maximum.at(scores, groups, pairs["score"])
    left = MAX_PROPOSALS
    for place in np.argsort(-scores, kind="stable").tolist():
        a, b = (int(person) for person in people[place])
        known = identity.knows(a) and identity.knows(b)
        if not known or not left or identity.are_apart(a, b):
            continue
        left -= 1
        older, newer = sorted((a, b), key=identity.order)
        yield Proposal(
            person_text(older), person_text(newer), float(scores[place]), int(counts[place])
        )
