"""Names that must come out the same wherever and however often they are made.

`event_id` = BLAKE2b-128 over tenant, source, document key, line key and the
occurrence of that line key within its document, so a resend or replay makes the
same id while two equal lines of one receipt stay two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b

from tenpo.errors import InputError

_SEPARATOR = b"\x1f"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def digest(*parts: str) -> str:
    """128 bits over the parts, as 32 hex digits; parts cannot run into each other."""
    state = blake2b(digest_size=16)
    for part in parts:
        data = part.encode()
        state.update(str(len(data)).encode() + _SEPARATOR + data)
    return state.hexdigest()


def event_ids(
    tenant_id: str, source: str, document_keys: Sequence[str], line_keys: Sequence[str]
) -> list[str]:
    """The ids of many lines, in order.

    Args:
        tenant_id: the tenant.
        source: adapter or spec name.
        document_keys: document of each line.
        line_keys: what tells lines of one document apart, e.g. the line number or the
            line's own content; equal keys are numbered in order of appearance.

    Returns:
        One 32-digit hex id a line.
    """
    prefix = blake2b(digest_size=16)
    for part in (tenant_id.encode(), source.encode()):
        prefix.update(str(len(part)).encode() + _SEPARATOR + part)
    seen: dict[tuple[str, str], int] = {}
    ids: list[str] = []
    for pair in zip(document_keys, line_keys, strict=True):
        occurrence = seen.get(pair, 0)
        seen[pair] = occurrence + 1
        document, line = pair
        state = prefix.copy()
        state.update(f"{len(document)}\x1f{document}{len(line)}\x1f{line}{occurrence}".encode())
        ids.append(state.hexdigest())
    return ids


def is_name(value: str) -> bool:
    """Whether it is safe in paths, topics and SQL."""
    return _NAME.fullmatch(value) is not None


def checked_name(kind: str, value: str) -> str:
    """A tenant, vendor, spec or device name that is safe in paths, topics and SQL.

    Raises:
        InputError: it is not lower-case letters, digits, `_` and `-`.
    """
    if not is_name(value):
        raise InputError(
            f"{value!r} is no {kind} name",
            where=kind,
            remedy="Use 1 to 63 lower-case letters, digits, '_' or '-', first a letter or digit.",
        )
    return value


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exact. The moment must be aware."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
