"""Checks a tenant's files against each other: every byte is opened, every count compared.

Reads only, beside the process that writes. Problems name files and numbers, never a person
or a value. Not for looking for a person (`scan`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tenpo.errors import IntegrityError
from video_analyzer.feature_db.declared import read_declared
from video_analyzer.feature_db.erasure import read_proofs
from video_analyzer.feature_db.identity import Kind
from video_analyzer.feature_db.indexes import Tuning
from video_analyzer.feature_db.manifest import Manifest
from video_analyzer.feature_db.part import Part
from video_analyzer.feature_db.proposals import read_proposals
from video_analyzer.feature_db.records import Ids
from video_analyzer.feature_db.recovery import Recovered, recover
from video_analyzer.feature_db.space import Space

_SAMPLE = 256
_LENGTH_TOLERANCE = 1e-3


@dataclass(frozen=True)
class VerifyReport:
    """What was found.

    Args:
        problems: what is wrong; nothing may be trusted until it is mended.
        notes: what is no fault, e.g. the torn end of a crash.
        features: alive.
        batches: read from the log.
        events: of the identity log.
    """

    problems: tuple[str, ...]
    notes: tuple[str, ...]
    features: int = 0
    batches: int = 0
    events: int = 0


def verify(folder: Path, key: bytes) -> VerifyReport:
    """Check log, snapshot, index and identity log of a tenant against each other."""
    try:
        found = recover(folder, key, Tuning())
    except IntegrityError as error:
        return VerifyReport((f"{error.what} ({error.where})",), ())
    problems = [*_spaces(found), *_identity(found), *_persons(found), *_documents(folder, key)]
    notes = [*_torn(found), *_left_behind(folder, found.manifest)]
    state = found.state
    events = sum(len(chunk) for chunk in state.identity.chunks)
    return VerifyReport(tuple(problems), tuple(notes), state.living(), found.replayed, events)


def _spaces(found: Recovered) -> Iterator[str]:
    seen: list[Ids] = []
    for space in found.state.spaces:
        for part in space.view.parts:
            yield from _part(space, part)
        seen += [holder.rows["feature"] for holder in space.view.holders()]
    numbers = np.concatenate(seen) if seen else np.empty(0, np.int64)
    if len(np.unique(numbers)) != len(numbers):
        yield "a feature's number comes twice"
    if len(numbers) and numbers.max() >= found.state.next_feature:
        yield "a feature's number is above the next one"


def _part(space: Space, part: Part) -> Iterator[str]:
    name = part.written.file
    if part.index.d != space.dimension:
        yield f"{name}: the index has another dimension than its space"
        return
    if (np.diff(part.rows["feature"]) <= 0).any():
        yield f"{name}: the features are out of order"
    living = part.living()
    if (part.rows["person"][living] <= 0).any():
        yield f"{name}: a living feature has no person"
    vectors = part.vectors()[living]
    if (np.abs(np.linalg.norm(vectors, axis=1) - 1) > _LENGTH_TOLERANCE).any():
        yield f"{name}: a living vector is not of length 1"
    sample = np.linspace(0, len(living) - 1, min(_SAMPLE, len(living))).astype(np.intp)
    if len(sample):
        scores, places = part.search(vectors[sample], 1)
        lost = int((scores[:, 0] < 1 - _LENGTH_TOLERANCE).sum())
        if lost > len(sample) // 100:  # a graph may miss a few
            yield f"{name}: the index does not find {lost} of {len(sample)} of its own vectors"
        if not part.is_alive(places[places >= 0]).all():
            yield f"{name}: a search found the dead"


def _identity(found: Recovered) -> Iterator[str]:
    chunks = found.state.identity.chunks
    seqs = np.concatenate([chunk["seq"] for chunk in chunks]) if chunks else np.empty(0)
    if not np.array_equal(seqs, np.arange(1, len(seqs) + 1)):
        yield "the identity log has gaps"


def _persons(found: Recovered) -> Iterator[str]:
    created = [np.empty(0, np.int64)]
    for chunk in found.state.identity.chunks:
        created.append(chunk["a"][chunk["kind"] == Kind.CREATE])
    known = np.concatenate(created)
    for space in found.state.spaces:
        if not np.isin(space.rows_where()["person"], known).all():
            yield f"a feature of space {space.number} has a person that was never created"


def _documents(folder: Path, key: bytes) -> Iterator[str]:
    reads: tuple[Callable[[], object], ...] = (
        lambda: read_declared(folder, key),
        lambda: read_proposals(folder, key),
        lambda: read_proofs(folder),
    )
    for read in reads:
        try:
            read()
        except IntegrityError as error:
            yield f"{error.what} ({error.where})"


def _torn(found: Recovered) -> Iterator[str]:
    for name, at in found.torn:
        yield f"{name} ends in a write that never finished, at {at}"


def _left_behind(folder: Path, manifest: Manifest) -> Iterator[str]:
    counted = manifest.files()
    for path in sorted([*folder.glob("part-*"), *folder.glob("identity-*")]):
        if path.name not in counted:
            yield f"{path.name} is being written, or left over until the next opening to write"
