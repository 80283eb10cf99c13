"""What an erased person's events were made of: sealed payloads, findings in recordings, recordings.

In the first two the id gives place to one that nobody has (`NOBODY`), of the same length, so that
every other byte stays and a replay comes out as before: `without_erased` takes it out again. A
recording cannot be changed; it is named until its time is over.

Not for canonical objects and tables (`unlink`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

from gateways.intake.archive import read_archive, write_archive
from tenpo.erasure import NOBODY
from tenpo.errors import IntegrityError
from tenpo.identifiers import micros
from tenpo.keys import TenantKeys
from tenpo.lake import Lake
from tenpo.warehouse.unlink import Sighting
from video_analyzer.record.names import chunk_start

_SEALED = ".sealed"
#: A chunk is an hour long at most, and ends with a key frame: an older one was followed by a gap.
_LONGEST = timedelta(hours=2)


def forget_in_payloads(
    lake: Lake, keys: TenantKeys, names: Iterable[str], raw_ids: Sequence[str]
) -> list[str]:
    """Seal payloads anew without these persons.

    Args:
        lake: where they lie.
        keys: the tenant's.
        names: of the sealed objects; one that is gone names nobody.
        raw_ids: the persons.

    Returns:
        Those that may name them still: they do not open, or hold them in a form that is not text.

    Raises:
        LakeError: the lake does not answer; do it again.
    """
    return [
        name for name in names if lake.exists(name) and not _forgotten(lake, keys, name, raw_ids)
    ]


def _forgotten(lake: Lake, keys: TenantKeys, name: str, raw_ids: Sequence[str]) -> bool:
    try:
        deliveries = read_archive(lake, keys, name)
    except IntegrityError:
        return False
    changed = [replace(one, body=_without(one.body, raw_ids)) for one in deliveries]
    if changed != deliveries:
        write_archive(lake, keys, name, changed)
    return any(NOBODY.encode() in one.body for one in changed)


def forget_in_findings(lake: Lake, tenant_id: str, raw_ids: Sequence[str]) -> int:
    """Take these persons out of what was found in recordings. Returns of how many chunks."""
    count = 0
    for name in lake.names(f"artifact/{tenant_id}/video"):
        held = lake.get(name)
        changed = _without(held, raw_ids)
        if changed != held:
            lake.put(name, changed)
            count += 1
    return count


def recordings_of(lake: Lake, tenant_id: str, sightings: Iterable[Sighting]) -> list[str]:
    """The sealed recordings that are there and show somebody."""
    found: set[str] = set()
    cameras = groupby(sorted(sightings), lambda one: (one.store_id, one.camera_id))
    for (store_id, camera_id), seen in cameras:
        chunks = sorted(
            (chunk_start(name.rsplit("/", 1)[-1].removesuffix(_SEALED)), name)
            for name in lake.names(f"video/{tenant_id}/{store_id}/{camera_id}")
        )
        starts = [start for start, _ in chunks]
        for one in seen:
            first = max(0, bisect_right(starts, micros(one.from_at)) - 1)
            last = bisect_right(starts, micros(one.to_at))
            oldest = micros(one.from_at - _LONGEST)
            found |= {name for start, name in chunks[first:last] if start > oldest}
    return sorted(found)


def _without(data: bytes, raw_ids: Sequence[str]) -> bytes:
    for raw_id in raw_ids:
        data = data.replace(raw_id.encode(), NOBODY.encode())
    return data
