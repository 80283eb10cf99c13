"""Group commit: one thread decides, writes and applies; many wait for it together.

A *plan* looks at the state and puts records into the draft; whoever committed before it,
in the same batch too, it can see. The batch is written with one fsync, then it takes
effect, then all who had a part in it are answered. So every plan is one atomic step.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from tenpo.errors import ServiceError
from video_analyzer.feature_db.identity import Kind, creations, event
from video_analyzer.feature_db.log import Log
from video_analyzer.feature_db.records import Added, Floats, Named, Record, Rows, Told
from video_analyzer.feature_db.space import Space
from video_analyzer.feature_db.state import State

T = TypeVar("T")

_MAX_JOBS = 512
#: Of one batch; a frame may hold more.
_MAX_BYTES = 16 * 1024**2


class Draft:
    """A batch in the making.

    Args:
        state: as it is before the batch.
    """

    def __init__(self, state: State) -> None:
        self.records: list[Record] = []
        self.next_feature = state.next_feature
        self.next_seq = state.identity.next_seq
        self._created: set[int] = set()
        self._spaces = len(state.spaces)
        self._state = state

    def knows(self, person: int) -> bool:
        """Whether a person is there, or is created in this batch."""
        return person in self._created or self._state.identity.knows(person)

    def create(self, persons: list[int], at: int) -> None:
        """Create persons."""
        self.records.append(Told(creations(self.next_seq, at, persons)))
        self.next_seq += len(persons)
        self._created |= set(persons)

    def tell(self, at: int, kind: Kind, a: int, b: int = 0) -> int:
        """Note an event of the identity log. Returns its number."""
        seq, self.next_seq = self.next_seq, self.next_seq + 1
        self.records.append(Told(event(seq, at, kind, a, b)))
        return seq

    def store(self, name: str) -> int:
        """The number of a store, new or known."""
        known = self._state.store_numbers.get(name)
        if known is not None:
            return known
        fresh = [store for r in self.records if isinstance(r, Named) for store in r.stores]
        if name not in fresh:
            self.records.append(Named(stores=(name,)))
            fresh.append(name)
        return len(self._state.stores) + fresh.index(name)

    def space(self, model: str, dimension: int) -> int:
        """The number of a space, new or known."""
        self._state.check_dimension(model, dimension)
        known = self._state.by_model.get(model)
        if known is not None:
            return known.number
        fresh = [space for r in self.records if isinstance(r, Named) for space in r.spaces]
        if (model, dimension) not in fresh:
            self.records.append(Named(spaces=((model, dimension),)))
            fresh.append((model, dimension))
        return self._spaces + fresh.index((model, dimension))

    def add(self, space: int, rows: Rows, vectors: Floats) -> None:
        """Add features; their numbers are given here."""
        rows["feature"] = np.arange(self.next_feature, self.next_feature + len(rows))
        self.next_feature += len(rows)
        self.records.append(Added(space, rows, vectors))

    def best(self, space: Space, query: Floats) -> tuple[float, Rows]:
        """The best feature for one query (1, dimension), those of this batch included."""
        scores, rows = space.search(query, 1)
        score, row = float(scores[0, 0]), rows[0, 0]
        for record in self.records:
            if isinstance(record, Added) and record.space == space.number:
                found = record.vectors @ query[0]
                place = int(found.argmax())
                if found[place] > score:
                    score, row = float(found[place]), record.rows[place]
        return score, row


Plan = Callable[[Draft], T]


@dataclass
class _Job:
    plan: Plan[Any]
    alone: bool
    size: int
    done: Future[Any] = field(default_factory=Future)
    found: Any = None


class Committer:
    """The thread that commits.

    Args:
        state: that the batches change.
        log: where they are written.
        applied: is called after each batch, on the committing thread.
    """

    def __init__(self, state: State, log: Log, applied: Callable[[], None]) -> None:
        self._state, self._log, self._applied = state, log, applied
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._broken: Exception | None = None
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="feature-commit", daemon=True)
        self._thread.start()

    def commit(self, plan: Plan[T], *, alone: bool = False, size: int = 0) -> T:
        """Run a plan as one atomic step; returns when it is durable.

        Args:
            plan: decides; it may raise, and then nothing of it counts.
            alone: whether its records must not share a batch, because plans beside it could
                not see what they change.
            size: bytes that it is going to add, about.

        Raises:
            FeatureWriteError: the disk refused.
        """
        job = _Job(plan, alone, size)
        with self._closing:
            if self._closed:
                raise ServiceError("the feature database is closed", remedy="Open it again.")
            self._jobs.put(job)
        found: T = job.done.result()
        return found

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        job = self._jobs.get()
        while job is not None:
            jobs = [job]
            following = None if job.alone else self._gather(jobs)
            self._commit(jobs)
            del job, jobs  # keeps no vector alive while waiting
            job = following if following is not None else self._jobs.get()
            if job is _STOP:
                return

    def _gather(self, jobs: list[_Job]) -> _Job | None:
        """Take what waits, up to a limit. Returns a job that must come after, if any."""
        size = jobs[0].size
        while len(jobs) < _MAX_JOBS and size < _MAX_BYTES:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return None
            if job is None:
                return _STOP
            if job.alone:
                return job
            jobs.append(job)
            size += job.size
        return None

    def _commit(self, jobs: list[_Job]) -> None:
        draft = Draft(self._state)
        planned = [job for job in jobs if self._plan(job, draft)]
        try:
            if self._broken is not None:
                raise self._broken
            if draft.records:
                self._log.append(draft.records)
                self._take_effect(draft)
        except Exception as error:  # whatever it is, it belongs to those who wait
            for job in planned:
                job.done.set_exception(error)
            return
        for job in planned:
            job.done.set_result(job.found)
        if draft.records:
            self._applied()

    def _plan(self, job: _Job, draft: Draft) -> bool:
        mark = len(draft.records), draft.next_feature, draft.next_seq
        try:
            job.found = job.plan(draft)
        except Exception as error:  # one caller's mistake must not cost the others their batch
            del draft.records[mark[0] :]
            draft.next_feature, draft.next_seq = mark[1:]
            job.done.set_exception(error)
            return False
        return True

    def _take_effect(self, draft: Draft) -> None:
        try:
            self._state.apply(draft.records)
        except Exception as error:
            self._broken = ServiceError(
                "memory and log have come apart",
                remedy="Restart the process: what was acknowledged is in the log.",
            )
            raise self._broken from error


_STOP = _Job(lambda draft: None, alone=True, size=0)
