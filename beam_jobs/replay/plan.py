"""Which raw objects a replay opens."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile

from tenpo.errors import InputError
from tenpo.lake import Lake

KINDS = ("pos", "iot")


@dataclass(frozen=True)
class Request:
    """What is to be replayed.

    Args:
        tenant_id: whose deliveries.
        first: first UTC date of receiving.
        last: last one, included.
        sources: only these adapters and specs; none means all.
        dry_run: compare only, write nothing.
    """

    tenant_id: str
    first: date
    last: date
    sources: tuple[str, ...] = ()
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise InputError(
                "the range ends before it begins",
                where=f"--from {self.first} --to {self.last}",
                remedy="Exchange the two dates.",
            )

    def wants(self, source: str) -> bool:
        """Whether deliveries of this adapter or spec are replayed."""
        return not self.sources or source in self.sources


def raw_objects(lake: Lake, request: Request) -> list[str]:
    """Names of the raw objects that were received in the range, oldest first."""
    found: list[str] = []
    for kind in KINDS:
        root = f"raw/{request.tenant_id}/{kind}"
        for folder in lake.folders(root):
            if _is_within(folder, request):
                found += lake.names(f"{root}/{folder}")
    return sorted(found, key=lambda name: name.rsplit("/", 1)[-1])


def _is_within(folder: str, request: Request) -> bool:
    return str(request.first) <= folder <= str(request.last)


def stem_of(raw_object: str) -> str:
    """What the canonical objects of a raw object are named after: `<date>/<stamp>-<worker>`."""
    *_, day, name = raw_object.split("/")
    return f"{day}/{name.removesuffix('.sealed')}"


def canonical_objects(
    names_in: Callable[[str], Sequence[str]], tenant_id: str, event: str, stem: str
) -> Sequence[str]:
    """The canonical objects that were made of a raw object, replayed ones included.

    Args:
        names_in: sorted names of a folder of the lake; a busy day's holds very many, so they
            are better not listed for each raw object.
        tenant_id: whose.
        event: of its rows.
        stem: of the raw object.
    """
    day, name = stem.split("/")
    folder = f"canonical/{tenant_id}/{event}/{day}"
    names = names_in(folder)
    first = bisect_left(names, f"{folder}/{name}")
    rest = (names[place] for place in range(first, len(names)))
    return list(takewhile(lambda one: one.startswith(f"{folder}/{name}"), rest))
