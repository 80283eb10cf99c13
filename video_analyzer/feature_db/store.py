"""The features of one tenant: add, search, identify, delete, expire; durable and sealed.

Every change is one atomic step, durable when the call returns. Searches never wait for
changes. One process at a time may write (`open_store`); others read the files as they are
(`read_store`). Not for who is whom (`people`), nor for erasing (`erasure`).
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tenpo.errors import InputError
from tenpo.identifiers import micros
from video_analyzer.feature_db import indexes
from video_analyzer.feature_db.answers import (
    Feature,
    Former,
    Identified,
    Match,
    Seen,
    SpaceStats,
    Stats,
    moment,
)
from video_analyzer.feature_db.commit import Draft, Plan, T
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.identity import Identity, person_number, person_text
from video_analyzer.feature_db.log import segment_numbers
from video_analyzer.feature_db.part import Part
from video_analyzer.feature_db.records import ROW, Deleted, Floats, Ids, Rows
from video_analyzer.feature_db.space import MAX_DIMENSION, Space
from video_analyzer.feature_db.state import State
from video_analyzer.feature_db.writer import Writer

#: Of one call; more is sent in several.
MAX_CALL_BYTES = 8 * 1024**2
MAX_K = 1_000
#: Features of one record that lets them die.
_DELETE_CHUNK = 2**18

Vectors = Sequence[Sequence[float]] | Floats


class _Face(NamedTuple):
    """A face as one model sees it."""

    model: str
    unit: Floats
    threshold: float


class FeatureStore:
    """The features of one tenant.

    Args:
        tenant_id: the tenant.
        folder: its files.
        key: its data key.
        state: as recovered.
        writer: that makes changes; None where the files are only read.
    """

    def __init__(
        self, tenant_id: str, folder: Path, key: bytes, state: State, writer: Writer | None
    ) -> None:
        self.tenant_id, self.folder, self.key = tenant_id, folder, key
        self._state, self._writer = state, writer
        #: Held while a copy is written or a person erased, so that no copy keeps the person.
        self.copying = threading.Lock()

    @property
    def identity(self) -> Identity:
        """Who is whom, to look at."""
        return self._state.identity

    @property
    def state(self) -> State:
        """What is in memory, to look at."""
        return self._state

    @property
    def writer(self) -> Writer:
        """What makes changes.

        Raises:
            InputError: the files were opened to be read.
        """
        if self._writer is None:
            raise InputError("these features were opened to be read", remedy="Open them to write.")
        return self._writer

    @property
    def disk(self) -> Disk:
        """What writes.

        Raises:
            InputError: the files were opened to be read.
        """
        return self.writer.disk

    def close(self) -> None:
        """Finish what is under way; others may write then."""
        if self._writer is not None:
            self._writer.close()

    def __enter__(self) -> FeatureStore:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def commit(self, plan: Plan[T], *, alone: bool = False, size: int = 0) -> T:
        """Run one atomic step (see `Committer.commit`)."""
        return self.writer.commit(plan, alone=alone, size=size)

    # ---- changes --------------------------------------------------------------------

    def add(
        self, model: str, vectors: Vectors, seen: Seen, *, persons: Sequence[str] | None = None
    ) -> list[Feature]:
        """Add features, all or none.

        Args:
            model: version of the model that made them; a new one makes a new space.
            vectors: (n, dimension), of any length but zero.
            seen: where and when.
            persons: a raw id for each; without them each becomes a new person.

        Returns:
            The features as kept, without their vectors.

        Raises:
            InputError: vectors that cannot be used, or too many at once.
            UnknownReference: a person that is not there, or was erased.
            FeatureWriteError: the disk refused; nothing was added.
        """
        units = self._units(model, vectors)
        if persons is not None and len(persons) != len(units):
            raise InputError(f"{len(units)} vectors but {len(persons)} persons")
        given = None if persons is None else [person_number(person) for person in persons]

        def plan(draft: Draft) -> Rows:
            who = given
            if who is None:
                who = self._new_persons(draft, len(units), seen)
            else:
                for person in set(who):
                    self.identity.require(person)
            return self._add(draft, model, units, seen, who)

        rows = self.commit(plan, size=units.nbytes)
        return [self._feature(model, row) for row in rows.tolist()]

    def identify_or_create(
        self,
        model: str,
        vector: Sequence[float] | Floats,
        seen: Seen,
        *,
        threshold: float,
        former: Former | None = None,
        admit: Callable[[], None] = lambda: None,
    ) -> Identified:
        """The person whose feature is most like this one, or a new person with this feature.

        One atomic step: of two unknown, alike vectors at once, one makes a person and the
        other is recognised.

        Args:
            model: version of the model.
            vector: (dimension,).
            seen: where and when.
            threshold: cosine from which on two are the same person.
            former: while another model is being replaced, what that one sees. Whom only it
                knows gets this feature, too; a new person gets both.
            admit: called before somebody new is made; what it raises is raised, and nobody made.

        Raises:
            InputError: a vector that cannot be used.
            FeatureWriteError: the disk refused; nobody was created.
        """
        faces = [_Face(model, self._unit(model, vector), threshold)]
        if former is not None:
            if former.model == model:
                raise InputError("a model cannot replace itself", where="former")
            before = self._unit(former.model, former.vector)
            faces.append(_Face(former.model, before, former.threshold))
        space = self._state.by_model.get(model)
        if space is not None:
            scores, rows = space.search(faces[0].unit, 1)
            if scores[0, 0] >= threshold:
                return self._known(float(scores[0, 0]), rows[0, 0])

        # The first of a space goes alone: beside it, others could not see its features yet.
        alone = any(face.model not in self._state.by_model for face in faces)
        size = sum(face.unit.nbytes for face in faces)

        def plan(draft: Draft) -> Identified:
            return self._identify(draft, faces, seen, admit)

        return self.commit(plan, alone=alone, size=size)

    def delete(self, features: Sequence[int]) -> int:
        """Let features die; their bytes go with the next purge. Returns how many were alive."""
        wanted = np.unique(np.asarray(features, np.int64))

        def plan(draft: Draft) -> int:
            found = np.concatenate(
                [np.empty(0, np.int64)]
                + [space.rows_of(wanted)["feature"] for space in self._state.spaces]
            )
            _let_die(draft, found)
            return len(found)

        return self.commit(plan, alone=True)

    def expire(self, now: datetime, retention: Mapping[str, timedelta] | None = None) -> int:
        """Let the features die whose time is over. Returns how many.

        Args:
            now: aware.
            retention: how long stores keep features now, by store: what is older dies, also
                where it was taken up under a longer one. A longer one brings nothing back.
        """
        limit = micros(now)

        def plan(draft: Draft) -> int:
            stores = enumerate(self._state.stores)
            kept = {n: retention[name] for n, name in stores if retention and name in retention}
            before = np.full(len(self._state.stores), np.iinfo(np.int64).min)
            before[list(kept)] = [micros(now - period) for period in kept.values()]
            found = [
                space.rows_where(expired_at=limit, seen_before=before)["feature"]
                for space in self._state.spaces
            ]
            for features in found:
                _let_die(draft, features)
            return sum(len(features) for features in found)

        return self.commit(plan, alone=True)

    def checkpoint(self, *, purge: bool = False, whole: bool = False) -> None:
        """Make a checkpoint now (see `Checkpoints.run`)."""
        self.writer.checkpoint(purge=purge, whole=whole)

    # ---- questions ------------------------------------------------------------------

    def search(
        self, model: str, vectors: Vectors, *, k: int = 1, threshold: float = -1.0
    ) -> list[list[Match]]:
        """The living features most like each vector, best first.

        Args:
            model: version of the model.
            vectors: (n, dimension).
            k: how many at most.
            threshold: cosine that they have at least.

        Raises:
            UnknownReference: there are no features of this model.
            InputError: vectors that cannot be used, or `k` out of bounds.
        """
        if not 1 <= k <= MAX_K:
            raise InputError(f"k is {k}", remedy=f"Choose 1 to {MAX_K}.")
        space = self._state.space(model)
        scores, rows = space.search(self._units(model, vectors), k)
        return [
            [
                Match(self._feature(model, row), score)
                for score, row in zip(line_scores, line_rows, strict=True)
                if row[0] and score >= threshold
            ]
            for line_scores, line_rows in zip(scores.tolist(), rows.tolist(), strict=True)
        ]

    def get(self, features: Sequence[int]) -> list[Feature]:
        """The living ones of these features, with their vectors."""
        return [found for space in self._state.spaces for found in self._get(space, features)]

    def features_of(self, person: str) -> list[Feature]:
        """All living features of who this person is now, without their vectors."""
        number = person_number(person)
        self.identity.require(number)
        members = np.fromiter(self.identity.members(number), np.int64)
        return [
            self._feature(space.model, row)
            for space in self._state.spaces
            for row in space.rows_where(person=members).tolist()
        ]

    def stats(self) -> Stats:
        """Numbers for people."""
        return Stats(
            self.tenant_id,
            self.identity.count(),
            len(segment_numbers(self.folder)),
            sum(_size(path) for path in self.folder.rglob("*")),
            tuple(_space_stats(space) for space in self._state.spaces),
        )

    # ---- inside ---------------------------------------------------------------------

    def _units(self, model: str, vectors: Vectors) -> Floats:
        space = self._state.by_model.get(model)
        if space is None:
            shape = np.shape(vectors)
            dimension = shape[1] if len(shape) == 2 else 0
            if not 1 <= dimension <= MAX_DIMENSION:
                raise InputError(
                    f"the vectors have the shape {shape}",
                    remedy=f"Give (n, dimension), the dimension at most {MAX_DIMENSION}.",
                )
            space = Space(-1, model, dimension)
        units = space.units(vectors)
        if units.nbytes > MAX_CALL_BYTES:
            raise InputError(
                f"{len(units):,} vectors at once are too many",
                remedy=f"Send at most {MAX_CALL_BYTES // (4 * space.dimension):,}.",
            )
        return units

    def _unit(self, model: str, vector: Sequence[float] | Floats) -> Floats:
        return self._units(model, np.asarray(vector, np.float32)[None])

    def _identify(
        self, draft: Draft, faces: Sequence[_Face], seen: Seen, admit: Callable[[], None]
    ) -> Identified:
        """Whom the first of these models knows that knows anybody; those before learn it, too."""
        scores = list[float]()
        for face in faces:
            space = self._state.by_model.get(face.model)
            score, row = draft.best(space, face.unit) if space else (-np.inf, np.zeros((), ROW))
            if row["feature"] and score >= face.threshold:
                for other in faces[: len(scores)]:
                    self._add(draft, other.model, other.unit, seen, [int(row["person"])])
                return self._known(score, row)
            scores.append(score)
        admit()
        who = self._new_persons(draft, 1, seen)
        for face in faces:
            self._add(draft, face.model, face.unit, seen, who)
        text, nearest = person_text(who[0]), scores[0]
        return Identified(text, text, nearest if np.isfinite(nearest) else None, is_new=True)

    def _new_persons(self, draft: Draft, count: int, seen: Seen) -> list[int]:
        made: dict[int, None] = {}
        while len(made) < count:
            person = secrets.randbits(63)
            if person and not draft.knows(person) and not self.identity.is_erased(person):
                made[person] = None
        draft.create(list(made), micros(seen.observed_at))
        return list(made)

    def _add(self, draft: Draft, model: str, units: Floats, seen: Seen, who: Sequence[int]) -> Rows:
        rows = np.zeros(len(units), ROW)
        rows["person"], rows["store"] = who, draft.store(seen.store_id)
        rows["observed"], rows["expires"] = micros(seen.observed_at), micros(seen.expires_at)
        draft.add(draft.space(model, units.shape[1]), rows, units)
        return rows

    def _known(self, score: float, row: Rows) -> Identified:
        raw = int(row["person"])
        current = self.identity.current(raw)
        return Identified(person_text(raw), person_text(current), score, is_new=False)

    def _feature(self, model: str, row: tuple[int, ...], vector: Floats | None = None) -> Feature:
        number, raw, store, observed, expires = row
        seen = Seen(self._state.stores[store], moment(observed), moment(expires))
        person = person_text(self.identity.current(raw))
        return Feature(number, person_text(raw), person, model, seen, vector)

    def _get(self, space: Space, features: Sequence[int]) -> list[Feature]:
        rows, vectors = space.get(np.unique(np.asarray(features, np.int64)))
        return [
            self._feature(space.model, r, v) for r, v in zip(rows.tolist(), vectors, strict=True)
        ]


def _let_die(draft: Draft, features: Ids) -> None:
    for start in range(0, len(features), _DELETE_CHUNK):
        draft.records.append(Deleted(features[start : start + _DELETE_CHUNK]))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # a checkpoint deletes files meanwhile
        return 0


def _space_stats(space: Space) -> SpaceStats:
    holders = list(space.view.holders())
    parts = [holder for holder in holders if isinstance(holder, Part)]
    return SpaceStats(
        space.model,
        space.dimension,
        space.living(),
        sum(holder.dead for holder in holders),
        sum(len(holder) for holder in holders) - sum(len(part) for part in parts),
        tuple((indexes.kind_of(part.index), len(part)) for part in parts),
    )
