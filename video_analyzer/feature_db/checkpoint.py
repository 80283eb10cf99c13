"""Checkpoints: the delta becomes a part, the log's old segments go, the dead are cleared out.

    begin   (committing thread)  end the log segment, put an empty delta on top
    build   (this thread)        new parts and identity files, durable; searches and writes go on
    swap    (committing thread)  write the manifest, put the new view in place
    clear   (this thread)        delete the files that no longer count

A crash leaves the manifest before or after, each with all the files it names. Parts get
larger by a factor, as in a log-structured merge tree
(https://doi.org/10.1007/s002360050048), so that every feature is indexed a few times only.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tenpo.failpoint import failpoint
from video_analyzer.feature_db import indexes, memory
from video_analyzer.feature_db.commit import Committer, Draft
from video_analyzer.feature_db.delta import Delta
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.indexes import Tuning
from video_analyzer.feature_db.log import Log, segment_numbers, segment_path
from video_analyzer.feature_db.manifest import Manifest
from video_analyzer.feature_db.part import Part, Written
from video_analyzer.feature_db.records import ROW, Events, Floats, Rows
from video_analyzer.feature_db.recovery import Recovered, write_events
from video_analyzer.feature_db.space import Space, View
from video_analyzer.feature_db.state import State

#: A part is taken into a new one if it is less than this many times larger.
_GROWTH = 8
#: A part with more dead than this share is built anew.
_MAX_DEAD = 0.1


@dataclass(frozen=True)
class _Begun:
    """The state at which a checkpoint is made."""

    segment: int
    lsn: int
    next_feature: int
    stores: list[str]
    spaces: list[Space]
    views: list[View]
    events: list[Events]
    to_purge: set[int]


class Checkpoints:
    """Makes the checkpoints of one tenant, one at a time.

    Args:
        folder: the tenant's.
        key: its data key.
        disk: where to.
        tuning: of the indexes.
        recovered: what the database began from.
        committer: runs the short steps.
        log: that is cut.
    """

    def __init__(
        self,
        folder: Path,
        key: bytes,
        disk: Disk,
        tuning: Tuning,
        recovered: Recovered,
        committer: Committer,
        log: Log,
    ) -> None:
        self._folder, self._key, self._disk, self._tuning = folder, key, disk, tuning
        self._state: State = recovered.state
        self._committer, self._log = committer, log
        self._manifest = recovered.manifest
        self._identity = recovered.identity
        self._next_file = recovered.manifest.next_file
        #: Whoever holds it can read the files: none goes away.
        self.files_kept = threading.Lock()

    def run(self, *, purge: bool = False, whole: bool = False) -> None:
        """Make a checkpoint.

        Args:
            purge: leave nothing of the dead in any file.
            whole: put all parts into one.

        Raises:
            OSError: the disk refuses; the state before goes on, and its files.
        """
        with self.files_kept:
            replaced = self._replace(purge, whole)
            failpoint("features.swapped")
            self.clear()
        if replaced >= memory.WORTH_BYTES:
            memory.give_back()

    def _replace(self, purge: bool, whole: bool) -> int:
        """Put new parts in the place of old ones. Returns the size of those that went."""
        begun = self._committer.commit(self._begin, alone=True)
        try:
            parts, identity = self._build(begun, purge or bool(begun.to_purge), whole)
            failpoint("features.built")
            self._committer.commit(lambda draft: self._swap(begun, parts, identity), alone=True)
        finally:
            for space in begun.spaces:
                space.deaths = None
        kept = {id(part) for made in parts for part in made}
        old = [part for view in begun.views for part in view.parts if id(part) not in kept]
        return sum(4 * part.index.d * len(part) for part in old)

    def clear(self) -> None:
        """Delete files that the manifest does not name: old ones, and those of a crash."""
        counted = self._manifest.files()
        files = [*self._folder.glob("part-*"), *self._folder.glob("identity-*")]
        gone = [path for path in files if path.name not in counted]
        gone += [
            segment_path(self._folder, number)
            for number in segment_numbers(self._folder)
            if number < self._manifest.segment
        ]
        self._disk.remove(gone)

    def _begin(self, draft: Draft) -> _Begun:
        del draft
        state = self._state
        segment = self._log.rotate()
        views = []
        for space in state.spaces:
            view = space.view
            space.deaths = []
            views.append(view)
            space.view = View(view.parts, (*view.deltas, Delta(space.dimension)))
        return _Begun(
            segment, self._log.lsn, state.next_feature, list(state.stores), list(state.spaces),
            views, state.identity.gather(), set(state.to_purge),
        )  # fmt: skip

    def _swap(
        self, begun: _Begun, parts: list[list[Part]], identity: list[tuple[Events, Written]]
    ) -> None:
        for space, made in zip(begun.spaces, parts, strict=True):
            for features in space.deaths or ():
                for part in made:
                    part.kill(features)
        manifest = Manifest(
            segment=begun.segment,
            lsn=begun.lsn,
            next_feature=begun.next_feature,
            next_file=self._next_file,
            stores=begun.stores,
            spaces=[(space.model, space.dimension) for space in begun.spaces],
            parts=[[part.written for part in made] for made in parts],
            identity=[written for _, written in identity],
            alive=[part.alive for made in parts for part in made],
        )
        manifest.write(self._disk, self._folder, self._key)
        self._manifest, self._identity = manifest, identity
        for space, made, old in zip(begun.spaces, parts, begun.views, strict=True):
            space.view = View(tuple(made), space.view.deltas[len(old.deltas) :])
        self._state.to_purge -= begun.to_purge

    def _build(
        self, begun: _Begun, purge: bool, whole: bool
    ) -> tuple[list[list[Part]], list[tuple[Events, Written]]]:
        try:
            parts = [self._parts(view, purge, whole) for view in begun.views]
            return parts, [self._events(events) for events in begun.events]
        except OSError:
            self.clear()  # a full disk needs the room of what was half built
            raise

    # ---- building -------------------------------------------------------------------

    def _parts(self, view: View, purge: bool, whole: bool) -> list[Part]:
        """The parts that take the place of a view's; those that are new have their files."""
        parts = [part for old in view.parts if (part := _cleared(old, purge)) is not None]
        rows, vectors = _joined([delta.living() for delta in view.deltas])
        parts = self._folded(parts, rows, vectors, whole)
        for part in parts:
            if not part.written.file:
                part.write(self._disk, self._folder / self._name("part"), self._key)
        return parts

    def _folded(self, parts: list[Part], rows: Rows, vectors: Floats, whole: bool) -> list[Part]:
        kept, total = len(parts), len(rows)
        while kept and (whole or len(parts[kept - 1]) < _GROWTH * total):
            kept -= 1
            total += len(parts[kept])
        if not total or (kept == len(parts) - 1 and not len(rows)):
            return parts
        if kept == len(parts):
            index = indexes.build(self._tuning.kind(len(rows)), vectors, self._tuning)
            return [*parts, Part(index, rows, self._tuning)]
        base, *others = parts[kept:]
        rows, vectors = _joined([*(_living(part) for part in others), (rows, vectors)])
        return [*parts[:kept], base.extended(rows, vectors)]

    def _events(self, events: Events) -> tuple[Events, Written]:
        """The file of a chunk of events: the one it has, or a new one."""
        for known, written in self._identity:
            if known is events:
                return known, written
        path = self._folder / self._name("identity")
        return events, write_events(self._disk, path, self._key, events)

    def _name(self, kind: str) -> str:
        number, self._next_file = self._next_file, self._next_file + 1
        return f"{kind}-{number:08d}"


def _cleared(part: Part, purge: bool) -> Part | None:
    """A part without its dead, if that is asked for or worth it."""
    if part.dead > _MAX_DEAD * len(part):
        return part.rebuilt()
    return part.purged() if purge and part.dead else part


def _living(part: Part) -> tuple[Rows, Floats]:
    places = part.living()
    return part.rows[places], part.vectors()[places]


def _joined(found: Sequence[tuple[Rows, Floats]]) -> tuple[Rows, Floats]:
    if not found:
        return np.empty(0, ROW), np.empty((0, 0), np.float32)
    return np.concatenate([rows for rows, _ in found]), np.concatenate([v for _, v in found])
