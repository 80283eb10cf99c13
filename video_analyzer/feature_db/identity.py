"""The identity log: who is whom, as append-only events, each of which can be taken back.

Analyzers give every unknown face a new *raw id*; visits carry raw ids and never change.
`merge` links two raw ids, `split` takes one such link away again, `part` notes that two are
different people (a merge that would join them is refused), `rejoin` takes that note back.
The *current person* of a raw id is the oldest raw id that it is linked with, so past visits
follow every correction.

Erasing replaces a person's ids everywhere in the log by a keyed digest, a negative number:
the log keeps its length and order, an erased id can be recognised when it is asked for
again, and nobody without the tenant's key can tell whose it was.

Not for features (`space`), nor for writing (`store`).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Sequence
from enum import IntEnum

import numpy as np

from tenpo.errors import InputError, UnknownReference
from video_analyzer.feature_db.records import EVENT, Events, Ids

_PREFIX = "p_"
_DIGITS = 16
_TEXT = re.compile(rf"{_PREFIX}[0-9a-f]{{{_DIGITS}}}")
_SMALL_CHUNK = 1_024


class Kind(IntEnum):
    """Kinds of events; the numbers are on disk."""

    CREATE = 1
    MERGE = 2
    SPLIT = 3
    PART = 4
    REJOIN = 5
    ERASE = 6


def person_text(person: int) -> str:
    """A raw id as others see it: `p_` and 16 hex digits."""
    return f"{_PREFIX}{person:0{_DIGITS}x}"


def person_number(text: str) -> int:
    """A raw id from its text.

    Raises:
        InputError: it is none; the message does not repeat it.
    """
    found = int(text.removeprefix(_PREFIX), 16) if _TEXT.fullmatch(text) else 0
    if not 0 < found < 2**63:
        raise InputError("this is no person's id", remedy="Give p_ and 16 hex digits.")
    return found


class Identity:
    """The state that the events make.

    Args:
        key: the tenant's data key, for the digests of erased ids.
    """

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"tenpo/features/erased", "sha256")
        self._chunks: list[Events] = []
        self._created: dict[int, int] = {}
        self._known: tuple[Ids, Ids] = (np.empty(0, np.int64), np.empty(0, np.int64))
        self._links: dict[int, tuple[int, int]] = {}
        self._touching: dict[int, set[int]] = {}
        self._apart: set[tuple[int, int]] = set()
        self._current: dict[int, int] = {}
        self._members: dict[int, frozenset[int]] = {}
        self._erased: set[int] = set()
        self.next_seq = 1

    def digest(self, person: int) -> int:
        """What stands for an erased id: negative, 63 bits, keyed."""
        made = hmac.digest(self._key, person.to_bytes(8, "big"), "sha256")
        return -(int.from_bytes(made[:8], "big") >> 1) - 1

    # ---- questions ------------------------------------------------------------------

    def knows(self, person: int) -> bool:
        """Whether it was created and not erased."""
        return self._order(person) is not None

    def is_erased(self, person: int) -> bool:
        """Whether it was erased."""
        return bool(self._erased) and self.digest(person) in self._erased

    def was_erased(self, digest: int) -> bool:
        """Whether an id with this digest was erased."""
        return digest in self._erased

    def current(self, person: int) -> int:
        """The current person of a raw id; itself if it is linked with none."""
        return self._current.get(person, person)

    def current_of(self, persons: Ids) -> Ids:
        """The current person of each of many raw ids."""
        known, places = np.unique(persons, return_inverse=True)
        return np.array([self.current(raw) for raw in known.tolist()], np.int64)[places]

    def moved(self) -> dict[int, int]:
        """All raw ids whose current person is another raw id, each with that person."""
        current = dict(self._current)  # at once: the committing thread changes it meanwhile
        return {raw: person for raw, person in current.items() if raw != person}

    def members(self, person: int) -> frozenset[int]:
        """All raw ids of the person that this raw id belongs to now."""
        return self._members.get(self.current(person), frozenset((person,)))

    def links_of(self, person: int) -> dict[int, tuple[int, int]]:
        """The links that hold this person together, by number."""
        seqs = [s for m in self.members(person) for s in tuple(self._touching.get(m, ()))]
        found = {seq: self._links.get(seq) for seq in seqs}
        # Links come and go meanwhile, on the committing thread.
        return {seq: pair for seq, pair in found.items() if pair is not None}

    def has_link(self, seq: int) -> bool:
        """Whether there is such a link now."""
        return seq in self._links

    def are_apart(self, a: int, b: int) -> bool:
        """Whether any two of their raw ids were noted as different people."""
        one, other = self.members(a), self.members(b)
        return any((x in one and y in other) or (x in other and y in one) for x, y in self._apart)

    def require(self, person: int) -> None:
        """Refuse ids that cannot be used.

        Raises:
            UnknownReference: it was never created, or it was erased.
        """
        if not self.knows(person):
            erased = self.is_erased(person)
            raise UnknownReference(
                "this person was erased" if erased else "there is no such person",
                remedy="An erased id stays erased." if erased else "Check tenant and id.",
            )

    def order(self, person: int) -> int:
        """Its place in the order of creation; 0 for one that was never created, or erased."""
        return self._order(person) or 0

    def count(self) -> int:
        """Raw ids that were created and not erased."""
        return len(self._created) + len(self._known[0])

    # ---- events ---------------------------------------------------------------------

    @property
    def chunks(self) -> Sequence[Events]:
        """All events in order, in the chunks in which they were applied."""
        return self._chunks

    def gather(self) -> list[Events]:
        """Join small chunks with their neighbours, so that there are few of them.

        A chunk that is not joined stays the same object.
        """
        left, total = list(self._chunks), 0
        while left and len(left[-1]) <= 2 * total + _SMALL_CHUNK:
            total += len(left.pop())
        joined = self._chunks[len(left) :]
        if len(joined) > 1:
            self._chunks = [*left, np.concatenate(joined)]
        return list(self._chunks)

    def load(self, events: Events) -> None:
        """Apply the events of a snapshot: many creations at once, cheaply."""
        creates = events[events["kind"] == Kind.CREATE]
        creates = creates[creates["a"] > 0]
        ids = np.concatenate([self._known[0], creates["a"]])
        order = np.argsort(ids, kind="stable")
        seqs = np.concatenate([self._known[1], creates["seq"]])
        self._known = (ids[order], seqs[order])
        self._keep(events)
        for event in events[events["kind"] != Kind.CREATE].tolist():
            self._apply(*event)

    def apply(self, events: Events) -> None:
        """Apply new events."""
        self._keep(events)
        for event in events.tolist():
            self._apply(*event)

    def _keep(self, events: Events) -> None:
        if len(events):
            self._chunks.append(events)
            self.next_seq = max(self.next_seq, int(events["seq"][-1]) + 1)

    def _apply(self, seq: int, at: int, kind: int, a: int, b: int) -> None:
        del at
        match kind:
            case Kind.CREATE if a > 0:
                self._created[a] = seq
            case Kind.MERGE if a > 0 and b > 0:
                self._links[seq] = (a, b)
                for person in (a, b):
                    self._touching.setdefault(person, set()).add(seq)
                self._relink((a, b))
            case Kind.SPLIT if a in self._links:
                pair = self._links.pop(a)
                for person in pair:
                    self._touching[person].discard(a)
                self._relink(pair)
            case Kind.PART if a > 0 and b > 0:
                self._apart.add((min(a, b), max(a, b)))
            case Kind.REJOIN:
                self._apart.discard((min(a, b), max(a, b)))
            case Kind.ERASE:
                self._erased.add(a)

    def _relink(self, touched: Iterable[int]) -> None:
        """Compute anew the persons that these raw ids belong to."""
        todo: set[int] = set()
        for person in touched:
            todo |= self.members(person)
        for person in todo:
            self._members.pop(person, None)
        while todo:
            group = self._reachable(todo.pop())
            todo -= group
            oldest = min(group, key=lambda person: (self._order(person) or 0, person))
            for person in group:
                self._current[person] = oldest
            self._members[oldest] = frozenset(group)
            if len(group) == 1:
                del self._current[oldest], self._members[oldest]  # alone: nothing to look up

    def _reachable(self, start: int) -> set[int]:
        group, edge = {start}, [start]
        while edge:
            for seq in self._touching.get(edge.pop(), ()):
                fresh = set(self._links[seq]) - group
                group |= fresh
                edge += fresh
        return group

    def _order(self, person: int) -> int | None:
        """The number of its creation."""
        if person in self._created:
            return self._created[person]
        ids, seqs = self._known
        place = int(np.searchsorted(ids, person))
        return int(seqs[place]) if place < len(ids) and ids[place] == person else None

    # ---- forgetting -----------------------------------------------------------------

    def forget(self, persons: Ids) -> None:
        """Replace these ids by their digests, in every event and in all that is derived."""
        gone = {int(person): self.digest(int(person)) for person in persons}
        self._chunks = [_redacted(chunk, gone) for chunk in self._chunks]
        self._erased |= set(gone.values())
        kept = ~np.isin(self._known[0], persons)
        self._known = (self._known[0][kept], self._known[1][kept])
        for person in gone:
            self._created.pop(person, None)
            self._current.pop(person, None)
            self._members.pop(person, None)
            self._touching.pop(person, None)
        self._links = {s: p for s, p in self._links.items() if not gone.keys() & set(p)}
        self._apart = {p for p in self._apart if not gone.keys() & set(p)}


def _redacted(chunk: Events, gone: dict[int, int]) -> Events:
    """A chunk with the ids replaced; itself if it holds none of them."""
    ids = np.fromiter(gone, np.int64, len(gone))
    persons = chunk["kind"] != Kind.SPLIT  # a split names a link, not a person
    hits = {name: np.flatnonzero(persons & np.isin(chunk[name], ids)) for name in ("a", "b")}
    if not any(len(places) for places in hits.values()):
        return chunk
    made = chunk.copy()
    for name, places in hits.items():
        made[name][places] = [gone[int(person)] for person in chunk[name][places]]
    return made


def event(seq: int, at: int, kind: Kind, a: int, b: int = 0) -> Events:
    """One event as an array."""
    return np.array([(seq, at, kind, a, b)], EVENT)


def creations(seq: int, at: int, persons: Sequence[int]) -> Events:
    """The events that create these persons."""
    made = np.zeros(len(persons), EVENT)
    made["seq"] = np.arange(seq, seq + len(persons))
    made["at"], made["kind"], made["a"] = at, Kind.CREATE, persons
    return made
