"""Who is whom: merging, splitting and keeping apart, each one durable step that can be undone."""

from __future__ import annotations

from datetime import datetime

from tenpo.errors import InputError, UnknownReference
from tenpo.identifiers import micros
from video_analyzer.feature_db.commit import Draft
from video_analyzer.feature_db.identity import Kind, person_number, person_text
from video_analyzer.feature_db.store import FeatureStore


class People:
    """The persons of one tenant.

    Args:
        store: the tenant's features.

    Raises:
        UnknownReference: from every method, for an id that is not there or was erased.
    """

    def __init__(self, store: FeatureStore) -> None:
        self._store, self._identity = store, store.identity

    def current(self, raw_id: str) -> str:
        """Who a raw id is now: the oldest raw id that it is linked with."""
        return person_text(self._identity.current(self._number(raw_id)))

    def members(self, person: str) -> list[str]:
        """All raw ids of who this is now."""
        return sorted(map(person_text, self._identity.members(self._number(person))))

    def links(self, person: str) -> dict[int, tuple[str, str]]:
        """The links that hold this person together, by number, to split them."""
        found = self._identity.links_of(self._number(person))
        return {seq: (person_text(a), person_text(b)) for seq, (a, b) in found.items()}

    def moved(self) -> dict[str, str]:
        """The current person of each raw id that has another one."""
        return {person_text(a): person_text(b) for a, b in self._identity.moved().items()}

    def merge(self, a: str, b: str, at: datetime) -> int:
        """Note that two raw ids are one person. Returns the link's number.

        Raises:
            InputError: they are one already, or were noted as different people.
        """
        one, other = person_number(a), person_number(b)

        def plan(draft: Draft) -> int:
            self._require_two(one, other)
            if self._identity.are_apart(one, other):
                raise InputError(
                    "these were noted as different people",
                    remedy="Take that note back first (rejoin).",
                )
            return draft.tell(micros(at), Kind.MERGE, one, other)

        return self._store.commit(plan, alone=True)

    def split(self, link: int, at: datetime) -> None:
        """Take a link away again.

        Raises:
            UnknownReference: there is no such link.
        """

        def plan(draft: Draft) -> None:
            if not self._identity.has_link(link):
                raise UnknownReference(
                    "there is no such link", remedy="List the person's links first."
                )
            draft.tell(micros(at), Kind.SPLIT, link)

        self._store.commit(plan, alone=True)

    def part(self, a: str, b: str, at: datetime) -> None:
        """Note that two raw ids are different people: no merge may join them.

        Raises:
            InputError: they are one person now.
        """
        self._note(Kind.PART, a, b, at)

    def rejoin(self, a: str, b: str, at: datetime) -> None:
        """Take back that two raw ids are different people."""
        self._note(Kind.REJOIN, a, b, at)

    def _note(self, kind: Kind, a: str, b: str, at: datetime) -> None:
        one, other = person_number(a), person_number(b)

        def plan(draft: Draft) -> None:
            self._require_two(one, other)
            draft.tell(micros(at), kind, one, other)

        self._store.commit(plan, alone=True)

    def _require_two(self, one: int, other: int) -> None:
        for person in (one, other):
            self._identity.require(person)
        if self._identity.current(one) == self._identity.current(other):
            raise InputError("these are one person now", remedy="Split them first.")

    def _number(self, text: str) -> int:
        person = person_number(text)
        self._identity.require(person)
        return person
