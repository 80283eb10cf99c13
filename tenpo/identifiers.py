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
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tenpo.errors import InputError

Column: TypeAlias = "pa.Array[Any]"
Coded: TypeAlias = "pa.DictionaryArray[Any]"
Numbers = npt.NDArray[np.int64]

_SEPARATOR = b"\x1f"
_ID_BYTES = 16
_HEX_PAIRS = np.array([f"{byte:02x}".encode() for byte in range(256)], dtype="S2")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def digest(*parts: str) -> str:
    """128 bits over the parts, as 32 hex digits; parts cannot run into each other."""
    state = blake2b(digest_size=16)
    for part in parts:
        data = part.encode()
        state.update(str(len(data)).encode() + _SEPARATOR + data)
    return state.hexdigest()


def event_ids(
    tenant_id: str,
    source: str,
    document_keys: Column,
    line_keys: Column,
    deliveries: Numbers | None = None,
) -> Column:
    """The ids of many lines, in order.

    Args:
        tenant_id: the tenant.
        source: adapter or spec name.
        document_keys: document of each line; text without nulls.
        line_keys: what tells lines of one document apart, e.g. the line number or the
            line's own content; equal keys are numbered in order of appearance.
        deliveries: which delivery each line came with, where they came with several:
            equal lines are numbered within one.

    Returns:
        One 32-digit hex id a line.
    """
    prefix = blake2b(digest_size=_ID_BYTES)
    for part in (tenant_id.encode(), source.encode()):
        prefix.update(str(len(part)).encode() + _SEPARATOR + part)
    documents, lines = document_keys.dictionary_encode(), line_keys.dictionary_encode()
    again = _occurrences([_codes(documents), _codes(lines)], deliveries)
    parts = (*map(_framed, (documents, lines)), pa.array(again).cast(pa.string()))
    rest = pc.binary_join_element_wise(*parts, "").cast(pa.binary())
    begun = prefix.copy
    digests = bytearray()
    for data in rest.to_pylist():
        state = begun()
        state.update(data)
        digests += state.digest()
    return _hex(digests)


def _framed(keys: Coded) -> Column:
    """Each key behind its number of characters, so that keys cannot run into each other."""
    lengths = pc.utf8_length(keys.dictionary).cast(pa.string())
    return pc.binary_join_element_wise(lengths, keys.dictionary, "\x1f").take(keys.indices)


def _occurrences(keys: Sequence[Numbers], deliveries: Numbers | None) -> Numbers:
    """Order of each line among those with the same keys and delivery, from 0."""
    pairs = np.zeros(len(keys[0]), dtype=np.int64)
    for codes in keys if deliveries is None else [*keys, deliveries]:
        pairs = pairs * (int(codes.max(initial=0)) + 1) + codes
    order = np.argsort(pairs, kind="stable")
    ordered = pairs[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    found = np.zeros(len(pairs), dtype=np.int64)
    if len(starts) < len(pairs):
        lengths = np.diff(np.r_[starts, len(pairs)])
        found[order] = np.arange(len(pairs)) - np.repeat(starts, lengths)
    return found


def _codes(keys: Coded) -> Numbers:
    return np.asarray(keys.indices.to_numpy(), dtype=np.int64)


def _hex(digests: bytearray) -> Column:
    """Digests, one after the other, as a column of hex text."""
    text = _HEX_PAIRS[np.frombuffer(digests, np.uint8)].tobytes()
    digits = 2 * _ID_BYTES
    offsets = np.arange(0, len(text) + 1, digits, dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)


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
