"""The state that the records make: spaces, names and the identity log, in memory.

The same `apply` serves a running database and its recovery, so that what a restart brings
back is what was acknowledged. One thread applies; others read.
"""

from __future__ import annotations

from collections.abc import Iterable

from tenpo.errors import InputError, UnknownReference
from video_analyzer.feature_db.identity import Identity
from video_analyzer.feature_db.records import (
    Added,
    Deleted,
    Erased,
    Ids,
    Named,
    Record,
    Told,
)
from video_analyzer.feature_db.space import Space


class State:
    """Everything of one tenant that can be asked for.

    Args:
        key: the tenant's data key.
    """

    def __init__(self, key: bytes) -> None:
        self.identity = Identity(key)
        self.spaces: list[Space] = []
        self.stores: list[str] = []
        self.store_numbers: dict[str, int] = {}
        self.by_model: dict[str, Space] = {}
        self.next_feature = 1
        #: Persons whose bytes may still be in files: a checkpoint that purges clears it.
        self.to_purge: set[int] = set()

    def space(self, model: str) -> Space:
        """The space of a model version.

        Raises:
            UnknownReference: nothing was ever added under it.
        """
        found = self.by_model.get(model)
        if found is None:
            raise UnknownReference(
                f"there are no features of the model {model!r}",
                remedy=f"Known: {', '.join(sorted(self.by_model)) or 'none'}.",
            )
        return found

    def check_dimension(self, model: str, dimension: int) -> None:
        """Refuse another dimension under a known model version.

        Raises:
            InputError: it has another.
        """
        found = self.by_model.get(model)
        if found is not None and found.dimension != dimension:
            raise InputError(
                f"vectors of {model!r} have the dimension {found.dimension}, not {dimension}",
                remedy="Give another model version a name of its own.",
            )

    def apply(self, records: Iterable[Record]) -> None:
        """Let durable records take effect."""
        for record in records:
            self._apply(record)

    def _apply(self, record: Record) -> None:
        match record:
            case Named():
                self.name_stores(record.stores)
                for model, dimension in record.spaces:
                    self.make_space(model, dimension)
            case Added():
                self.spaces[record.space].view.deltas[-1].add(record.rows, record.vectors)
                last = int(record.rows["feature"].max(initial=0))
                self.next_feature = max(self.next_feature, last + 1)
            case Deleted():
                self._kill(record.features)
            case Told():
                self.identity.apply(record.events)
            case Erased():
                self._erase(record.persons)

    def make_space(self, model: str, dimension: int) -> Space:
        """A new, empty space."""
        made = Space(len(self.spaces), model, dimension)
        self.spaces.append(made)
        self.by_model[model] = made
        return made

    def name_stores(self, names: Iterable[str]) -> None:
        """Number more stores."""
        for name in names:
            self.store_numbers[name] = len(self.stores)
            self.stores.append(name)

    def _kill(self, features: Ids) -> None:
        for space in self.spaces:
            space.kill(features)

    def _erase(self, persons: Ids) -> None:
        for space in self.spaces:
            space.kill(space.rows_where(person=persons)["feature"])
        self.to_purge |= {int(person) for person in persons}
        self.identity.forget(persons)

    def living(self) -> int:
        """Features alive in all spaces."""
        return sum(space.living() for space in self.spaces)
