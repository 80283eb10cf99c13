"""The deliveries of one group commit, normalised together as far as they go together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateways.intake.archive import Delivery
from gateways.normalize.adapter import Adapter, Kind
from gateways.normalize.context import Context
from gateways.normalize.json_adapter import JsonAdapter
from gateways.normalize.normalized import Normalized
from tenpo.telemetry import get_logger

log = get_logger(__name__)

#: Bounds the memory that one pass takes; far above it nothing is gained any more.
MAX_PASS_BYTES = 2 * 1024**2
#: JSON that is larger, or may have more records, is read in a child process, as files are:
#: a few bytes make a record, and its rejection takes a kilobyte and delays all other senders.
INLINE_BYTES, INLINE_ITEMS = 64 * 1024, 5_000


def goes_with_others(adapter: Adapter, body: bytes) -> bool:
    """Whether a payload is small JSON, which is read in this process with others of its group.

    No record is without a comma or a line's end.
    """
    few = body.count(b",") + body.count(b"\n") <= INLINE_ITEMS
    return isinstance(adapter, JsonAdapter) and few and len(body) <= INLINE_BYTES


@dataclass(frozen=True)
class Entry:
    """One payload on its way into the lake.

    Args:
        adapter: of its vendor or spec.
        context: of its delivery.
        body: as received.
        spec_object: the spec that the adapter comes from.
        normalized: None for a payload that is small enough to be read with the others
            of its group.
    """

    adapter: Adapter
    context: Context
    body: bytes
    spec_object: str | None = None
    normalized: Normalized | None = None

    @property
    def tenant_id(self) -> str:
        """The tenant."""
        return self.context.tenant_id

    @property
    def kind(self) -> Kind:
        """Sales or counts."""
        return self.adapter.kind

    @property
    def delivery(self) -> Delivery:
        """What the raw archive keeps of it."""
        return Delivery(
            received_at=self.context.received_at,
            source=self.adapter.name,
            adapter_version=self.adapter.version,
            content_type=self.adapter.media_type,
            body=self.body,
            spec_object=self.spec_object,
            store_hint=self.context.store_hint,
            allowed_store=self.context.allowed_store,
        )


@dataclass(frozen=True)
class Part:
    """Entries that were normalised together.

    Args:
        members: their places in the group, in the order of the results.
        normalized: what became of them.
    """

    members: Sequence[int]
    normalized: Normalized


@dataclass
class Group:
    """What became of a group.

    Args:
        parts: all entries but those with a defect.
        defects: errors of ours, by the entry's place; such an entry must not be acknowledged.
    """

    parts: list[Part] = field(default_factory=list)
    defects: dict[int, Exception] = field(default_factory=dict)


def normalize_group(entries: Sequence[Entry]) -> Group:
    """Normalise what is not yet, as few times as possible."""
    group = Group()
    for place, entry in enumerate(entries):
        if entry.normalized is not None:
            group.parts.append(Part([place], entry.normalized))
    for adapter, members in _alike(entries):
        _normalize(group, adapter, members, entries)
    return group


def _alike(entries: Sequence[Entry]) -> Iterator[tuple[JsonAdapter, list[int]]]:
    """Entries of one adapter under the same masters, in passes of bounded size."""
    found: dict[tuple[int, int], list[int]] = {}
    for place, entry in enumerate(entries):
        if entry.normalized is None:
            found.setdefault((id(entry.adapter), id(entry.context.masters)), []).append(place)
    for places in found.values():
        adapter = entries[places[0]].adapter
        if not isinstance(adapter, JsonAdapter):
            raise TypeError(f"{adapter.name} reads no small payloads together")
        members, size = [], 0
        for place in places:
            members.append(place)
            size += len(entries[place].body)
            if size >= MAX_PASS_BYTES:
                yield adapter, members
                members, size = [], 0
        if members:
            yield adapter, members


def _normalize(
    group: Group, adapter: JsonAdapter, members: Sequence[int], entries: Sequence[Entry]
) -> None:
    deliveries = [(entries[place].body, entries[place].context) for place in members]
    try:
        group.parts.append(Part(members, adapter.normalize_many(deliveries)))
    except Exception as error:  # a defect that one payload meets must not cost the others theirs
        if len(members) == 1:
            log.error("normalize_failed", source=adapter.name, error=type(error).__name__)
            if adapter.described:
                refusal = adapter.refusal(deliveries[0][0], adapter.broke(), deliveries[0][1])
                group.parts.append(Part(members, refusal))
            else:
                group.defects[members[0]] = error
            return
        for place in members:
            _normalize(group, adapter, [place], entries)
