"""Looks for a person in every byte that is on the disk: the proof that an erasure is one.

Each file in the tenant's folder, whatever its name, is opened with the tenant's key where
it is sealed and read as it is where not. Its bytes are then searched without regard to any
format: ids as text and as numbers; vectors at every byte offset, as 64-, 32- and 16-bit
floats, bfloat16, and as bytes on any linear scale, by their cosine (for bytes: correlation).
Scales that differ from one dimension to the next would not be seen; nothing here makes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_analyzer.feature_db.declared import DECLARED_FILE
from video_analyzer.feature_db.document import draft_of
from video_analyzer.feature_db.identity import person_number
from video_analyzer.feature_db.keyring import KEY_FILE
from video_analyzer.feature_db.manifest import DRAFT_FILE, MANIFEST_FILE
from video_analyzer.feature_db.proposals import PROPOSALS_FILE
from video_analyzer.feature_db.records import Floats
from video_analyzer.feature_db.sealed import MAGIC, FeatureDamage, SealedReader
from video_analyzer.feature_db.writer import LOCK_FILE

#: Two vectors with a larger cosine are the same.
SAME = 0.999
EXPORT_FOLDER = "export"
EXPORT_CONTEXT = "export"

#: Components of two equal vectors differ by less than this; see `_pairs`.
_MAX_DIFFERENCE = (2 * (1 - SAME)) ** 0.5
_PAIRS = 10
_BLOCK = 2**22
_FORMS: dict[str, np.dtype[Any]] = {
    "float64": np.dtype("<f8"),
    "float32": np.dtype("<f4"),
    "float16": np.dtype("<f2"),
    "bfloat16": np.dtype("<u2"),
    "int8": np.dtype("i1"),
    "uint8": np.dtype("u1"),
}

#: Files that are being written, and under which name they were sealed.
_DRAFTS = {
    DRAFT_FILE: MANIFEST_FILE,
    draft_of(PROPOSALS_FILE): PROPOSALS_FILE,
    draft_of(DECLARED_FILE): DECLARED_FILE,
}


@dataclass(frozen=True)
class Finding:
    """A place where something was found.

    Args:
        file: relative to the tenant's folder.
        what: `id` or `vector`.
        form: how it was written.
    """

    file: str
    what: str
    form: str


@dataclass(frozen=True)
class ScanReport:
    """What a scan found.

    Args:
        findings: each file, thing and form once.
        unreadable: files of which some bytes could not be opened; nothing is proved then.
        files: how many were read.
        bytes_read: of their contents.
    """

    findings: tuple[Finding, ...]
    unreadable: tuple[str, ...]
    files: int
    bytes_read: int

    @property
    def clean(self) -> bool:
        """Whether everything was read and nothing found."""
        return not self.findings and not self.unreadable


def scan(folder: Path, key: bytes, ids: Sequence[str], vectors: Floats) -> ScanReport:
    """Look for persons in all files of a tenant.

    Args:
        folder: the tenant's.
        key: its data key.
        ids: raw ids.
        vectors: of length 1, (n, dimension); none looks for ids alone.
    """
    needles = _needles(ids)
    targets = [_Target(vector) for vector in vectors]
    overlap = max([len(n) for n, _ in needles] + [8 * t.dimension for t in targets], default=1)
    findings: set[tuple[str, str, str]] = set()
    unreadable: set[str] = set()
    files = size = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        if name in (KEY_FILE, LOCK_FILE):
            continue
        files += 1
        try:
            for block in _blocks(_contents(path, key), overlap - 1):
                size += len(block)
                findings |= {(name, "id", form) for n, form in needles if n in block}
                findings |= {(name, "vector", form) for form in _forms_found(block, targets)}
        except (FeatureDamage, OSError):
            unreadable.add(name)
    found = tuple(Finding(*each) for each in sorted(findings))
    return ScanReport(found, tuple(sorted(unreadable)), files, size)


def _needles(ids: Sequence[str]) -> list[tuple[bytes, str]]:
    found: list[tuple[bytes, str]] = []
    for text in ids:
        number = person_number(text)
        digits = text[2:]
        found += [
            (digits.encode(), "hex"),
            (digits.upper().encode(), "hex"),
            (str(number).encode(), "decimal"),
            (number.to_bytes(8, "little"), "integer"),
            (number.to_bytes(8, "big"), "integer"),
        ]
    return found


def _contents(path: Path, key: bytes) -> Iterator[bytes]:
    """A file's contents in pieces: opened if it is sealed."""
    with path.open("rb") as file:
        sealed = file.read(len(MAGIC)) == MAGIC
        if not sealed:
            file.seek(0)
            while piece := file.read(_BLOCK):
                yield piece
            return
    context = _DRAFTS.get(path.name, path.name)
    if path.parent.name == EXPORT_FOLDER:
        context = EXPORT_CONTEXT
    reader = SealedReader(path, key, context, whole=False)
    for frame in reader:
        yield frame.plain
    if reader.torn_at is not None:
        raise FeatureDamage("a torn frame", file=context, at=reader.torn_at)


def _blocks(pieces: Iterator[bytes], overlap: int) -> Iterator[bytes]:
    """Pieces joined to blocks that overlap, so that nothing hides on a border."""
    block = bytearray()
    fresh = False
    for piece in pieces:
        block += piece
        fresh = True
        if len(block) >= _BLOCK:
            yield bytes(block)
            del block[: max(0, len(block) - overlap)]
            fresh = False
    if fresh:
        yield bytes(block)


class _Target:
    """A vector to look for."""

    def __init__(self, vector: Floats) -> None:
        self.dimension = len(vector)
        self.unit = vector.astype(np.float64) / np.linalg.norm(vector)
        centred = self.unit - self.unit.mean()
        self.centred = centred / (np.linalg.norm(centred) or 1.0)
        order = np.argsort(self.unit)
        pairs = zip(order[::-1][:_PAIRS].tolist(), order[:_PAIRS].tolist(), strict=True)
        #: Places whose order cannot turn round in a vector that is the same.
        self.pairs = [
            (high, low)
            for high, low in pairs
            if self.unit[high] - self.unit[low] > 2 * _MAX_DIFFERENCE
        ]

    def is_in(self, samples: NDArray[np.number], *, centred: bool) -> bool:
        """Whether any window of the samples is this vector."""
        count = len(samples) - self.dimension + 1
        if count <= 0:
            return False
        maybe = np.ones(count, np.bool_)
        for high, low in self.pairs:
            maybe &= samples[high : high + count] > samples[low : low + count]
        places = np.flatnonzero(maybe)
        for start in range(0, len(places), 2**14):
            windows = samples[places[start : start + 2**14, None] + np.arange(self.dimension)]
            if self._same(windows.astype(np.float64), centred):
                return True
        return False

    def _same(self, windows: NDArray[np.float64], centred: bool) -> bool:
        windows = windows[np.isfinite(windows).all(axis=1)]
        windows = windows[np.abs(windows).max(axis=1, initial=0) < 1e100]
        if centred:
            windows = windows - windows.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(windows, axis=1)
        dots = windows @ (self.centred if centred else self.unit)
        return bool((dots > SAME * np.maximum(lengths, 1e-30)).any())


def _forms_found(block: bytes, targets: Sequence[_Target]) -> set[str]:
    found: set[str] = set()
    for form, dtype in _FORMS.items():
        for offset in range(dtype.itemsize if targets else 0):
            count = (len(block) - offset) // dtype.itemsize
            samples = np.frombuffer(block, dtype, max(0, count), min(offset, len(block)))
            if form == "bfloat16":
                samples = (samples.astype(np.uint32) << 16).view(np.float32)
            with np.errstate(invalid="ignore", over="ignore"):
                if any(t.is_in(samples, centred=dtype.itemsize == 1) for t in targets):
                    found.add(form)
    return found
