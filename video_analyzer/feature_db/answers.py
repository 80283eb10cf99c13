"""What the feature database takes and gives; ids and vectors stay out of what is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from video_analyzer.feature_db.records import Floats

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    """Where and when features were seen.

    Args:
        store_id: the store.
        observed_at: aware.
        expires_at: aware; from then on they are no longer found, by the store's retention.
    """

    store_id: str
    observed_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Former:
    """The same face as the model sees it that is being replaced (`succession`).

    Args:
        model: version of that model.
        vector: (dimension,).
        threshold: cosine from which on two of its features are of one person.
    """

    model: str
    vector: Sequence[float] | Floats = field(repr=False)
    threshold: float


@dataclass(frozen=True)
class Feature:
    """One feature, alive.

    Args:
        feature: its number.
        raw_id: of the person that it was given to.
        person: who that is now.
        model: version of the model that made it.
        seen: where and when.
        vector: of length 1, (dimension,); None where it was not asked for.
    """

    feature: int
    raw_id: str = field(repr=False)
    person: str = field(repr=False)
    model: str
    seen: Seen
    vector: Floats | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Match:
    """A feature like the one that was searched for.

    Args:
        feature: that was found.
        score: cosine, -1…1.
    """

    feature: Feature
    score: float


@dataclass(frozen=True)
class Identified:
    """Who someone is.

    Args:
        raw_id: for the visit: of the feature that was like this one, or new.
        person: who that is now.
        score: cosine with the nearest feature; None if there is none.
        is_new: whether the person was created.
    """

    raw_id: str = field(repr=False)
    person: str = field(repr=False)
    score: float | None
    is_new: bool


@dataclass(frozen=True)
class SpaceStats:
    """One space in numbers; `parts` are kind and length."""

    model: str
    dimension: int
    living: int
    dead: int
    in_delta: int
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Stats:
    """A tenant's features in numbers."""

    tenant_id: str
    persons: int
    log_segments: int
    bytes_on_disk: int
    spaces: tuple[SpaceStats, ...]


def moment(micros: int) -> datetime:
    """Microseconds since 1970 as an aware time."""
    return _EPOCH + timedelta(microseconds=micros)
