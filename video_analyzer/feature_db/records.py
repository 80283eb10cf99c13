"""What the log holds: batches of records, each batch one sealed frame.

    batch = header length u32 · header (JSON) · the records' columns, one after the other

The header tells the kind and the number of rows of each record; the columns are
little-endian arrays. Not for what a record means (`state`).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
#: Structured arrays of `ROW` and `EVENT`.
Rows = NDArray[np.void]
Events = NDArray[np.void]

#: A feature beside its vector. Times are microseconds since 1970, `store` is a number of
#: the tenant's list of names. A row without a person (0) was erased or has expired.
ROW = np.dtype(
    [
        ("feature", "<i8"),
        ("person", "<i8"),
        ("store", "<i4"),
        ("observed", "<i8"),
        ("expires", "<i8"),
    ]
)
#: An event of the identity log (`identity`); `a` and `b` are persons, or a link's number.
EVENT = np.dtype([("seq", "<i8"), ("at", "<i8"), ("kind", "u1"), ("a", "<i8"), ("b", "<i8")])

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True)
class Named:
    """New names, numbered on from those there are: stores, and spaces with their dimension."""

    stores: tuple[str, ...] = ()
    spaces: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Added:
    """Features of one space: `rows` and `vectors` (n, dimension) belong together."""

    space: int
    rows: Rows
    vectors: Floats


@dataclass(frozen=True)
class Deleted:
    """Features, by number, that are no longer there."""

    features: Ids


@dataclass(frozen=True)
class Told:
    """Events of the identity log."""

    events: Events


@dataclass(frozen=True)
class Erased:
    """Persons who are to be forgotten, with all their features."""

    persons: Ids


Record = Named | Added | Deleted | Told | Erased


def encode(lsn: int, records: Sequence[Record]) -> bytes:
    """A batch as bytes.

    Args:
        lsn: the batch's number in the log.
        records: in the order in which they take effect.
    """
    heads: list[dict[str, Any]] = []
    columns: list[bytes] = []
    for record in records:
        head, blobs = _encode(record)
        heads.append(head)
        columns += blobs
    header = orjson.dumps({"lsn": lsn, "records": heads})
    return b"".join([_LENGTH.pack(len(header)), header, *columns])


def _encode(record: Record) -> tuple[dict[str, Any], list[bytes]]:
    match record:
        case Named():
            return {"kind": "named", "stores": record.stores, "spaces": record.spaces}, []
        case Added():
            head = {"kind": "added", "space": record.space, "rows": len(record.rows)}
            head["dimension"] = record.vectors.shape[1]
            return head, [record.rows.tobytes(), record.vectors.tobytes()]
        case Deleted():
            return {"kind": "deleted", "rows": len(record.features)}, [record.features.tobytes()]
        case Told():
            return {"kind": "told", "rows": len(record.events)}, [record.events.tobytes()]
        case Erased():
            return {"kind": "erased", "rows": len(record.persons)}, [record.persons.tobytes()]


def decode(data: bytes) -> tuple[int, list[Record]]:
    """A batch from its bytes, which must be authentic.

    Returns:
        Its number and its records.

    Raises:
        ValueError: the bytes are no batch.
    """
    (length,) = _LENGTH.unpack_from(data)
    header = orjson.loads(data[_LENGTH.size : _LENGTH.size + length])
    columns = _Columns(data, _LENGTH.size + length)
    records = [_decode(head, columns) for head in header["records"]]
    columns.end()
    return header["lsn"], records


def _decode(head: dict[str, Any], columns: _Columns) -> Record:
    match head["kind"]:
        case "named":
            spaces = tuple((model, dimension) for model, dimension in head["spaces"])
            return Named(tuple(head["stores"]), spaces)
        case "added":
            n, dimension = head["rows"], head["dimension"]
            rows = columns.take(n, ROW)
            vectors = columns.take(n * dimension, np.dtype("<f4")).reshape(n, dimension)
            return Added(head["space"], rows, vectors)
        case "deleted":
            return Deleted(columns.take(head["rows"], np.dtype("<i8")))
        case "told":
            return Told(columns.take(head["rows"], EVENT))
        case "erased":
            return Erased(columns.take(head["rows"], np.dtype("<i8")))
        case _:
            raise ValueError("a record of an unknown kind")


class _Columns:
    """Takes arrays from the rest of a batch."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data, self._at = data, start

    def take(self, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """The next `count` values; a copy, so that the batch can go."""
        found = np.frombuffer(self._data, dtype, count, self._at).copy()
        self._at += count * dtype.itemsize
        return found

    def end(self) -> None:
        """Nothing may be left."""
        if self._at != len(self._data):
            raise ValueError("a batch is longer than its records")
