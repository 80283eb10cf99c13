"""Corrections: what became of a document when it comes again, with fewer lines or other figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from gateways.conformance.card import Finding
from gateways.conformance.corpus import Payload, Subject
from gateways.conformance.versions import current, rows
from gateways.normalize.normalized import Normalized
from tenpo.errors import PayloadError

_MOST_SHORTENED = 20


def corrections(subject: Subject) -> Finding:
    """A document that comes again with fewer lines leaves nothing of the former behind."""
    faults: list[str] = []
    stated = 0
    found = {one.name: result for one, result in subject.results}
    for one, _ in subject.results:
        if one.expected.replaces is not None:
            stated += 1
            faults += _stated(subject, one, found[one.expected.replaces])
    checked = 0
    for one, first in subject.results:
        for second in _shortened_results(subject, one, first):
            checked += 1
            if not _leaves_nothing(first, second):
                faults.append(f"{one.name}: a shortened document leaves a ghost")
    seen = f"{stated} of the corpus, {checked} made by leaving a record out"
    return Finding.of("corrections leave no ghosts", faults, seen, stated + checked)


def _stated(subject: Subject, one: Payload, first: Normalized) -> Iterator[str]:
    """Faults of a correction that the corpus holds."""
    second = subject.adapter.normalize(one.body, subject.context(later=1))
    before, after = rows(first), rows(second)
    former, newer = _versions(first), _versions(second)
    corrected = {key for key, version in newer.items() if version > former.get(key, version)}
    if not corrected or not newer.keys() <= former.keys():
        yield f"{one.name}: no newer version of a document of {one.expected.replaces}"
        return
    lines = [sum(row["document_key"] in corrected for row in side) for side in (before, after)]
    if lines[1] > lines[0]:
        yield f"{one.name}: it has more lines than {one.expected.replaces}"
    left = {key: row for key, row in current([first]).items() if row["document_key"] not in newer}
    if current([first, second]) != left | current([second]):
        yield f"{one.name}: the corrected document leaves a ghost"


def _shortened_results(
    subject: Subject, one: Payload, first: Normalized
) -> Iterator[Normalized]:  # fmt: skip
    """What comes of the payload with a record less, where that is a correction."""
    former = _versions(first)
    for shorter in islice(_shortened(one.body), _MOST_SHORTENED):
        try:
            second = subject.adapter.normalize(shorter, subject.context(later=1))
        except PayloadError:
            continue
        moved = all(version > former.get(key, -1) for key, version in _versions(second).items())
        # Damaged, not shortened; or a revision that only the vendor raises.
        if not second.rejected and second.accepted < first.accepted and moved:
            yield second


def _leaves_nothing(first: Normalized, second: Normalized) -> bool:
    newer = _versions(second)
    left = {key: row for key, row in current([first]).items() if row["document_key"] not in newer}
    # Only a document that is gone whole stays: no other has a reason to keep its lines.
    stays = len(left) in (0, first.accepted - second.accepted)
    return stays and current([first, second]) == left | current([second])


def _versions(result: Normalized) -> dict[str, int]:
    return {row["document_key"]: row["document_version"] for row in rows(result)}


def _shortened(body: bytes) -> Iterator[bytes]:
    """The payload with one record less: an object of a list, or a line."""
    try:
        document = json.loads(body)
    except ValueError:
        lines = body.split(b"\n")
        for place in range(1, len(lines)):
            if lines[place].strip():
                yield b"\n".join(lines[:place] + lines[place + 1 :])
        return
    text = json.dumps(document)
    count = sum(1 for _ in _long_lists(document))
    for which in range(count):
        for place in range(_MOST_SHORTENED):
            copy = json.loads(text)
            found = list(_long_lists(copy))[which]
            if place >= len(found):
                break
            del found[place]
            yield json.dumps(copy).encode()


def _long_lists(document: Any) -> Iterator[list[Any]]:
    """Lists of at least two objects, the outer first."""
    objects = isinstance(document, list) and all(isinstance(item, dict) for item in document)
    if objects and len(document) > 1:
        yield document
    values = document.values() if isinstance(document, dict) else document
    for value in values if isinstance(document, dict | list) else ():
        yield from _long_lists(value)
