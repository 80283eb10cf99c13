"""Which documents come out of a replay otherwise than they are held, and which no more.

What is the same is not written again: raw grows by what changed, and nothing else is
looked at twice.

Of a document dwh holds the highest version, whatever was loaded last. So what comes out with a
lower version than the same raw object has given before (a mended adapter reads the version
otherwise, or one of two deliveries makes the document no more) keeps the higher one.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

#: Where a row came from and what read it; a difference there alone changes no figure.
LINEAGE = frozenset(
    {"source_object", "source_position", "adapter_version", "received_at", "is_retraction"}
)
_DOCUMENT = ["source", "document_key"]
_VERSION = "document_version"
#: Stands between the raw object's name and a replay's stamp; sorts after all of its name.
STAMP_MARK = "@"


@dataclass(frozen=True)
class Difference:
    """What a replay changes of one event.

    Args:
        rows: canonical rows to be written: changed documents whole, and a retraction for
            each document that comes out no more.
        changed: how many documents are new or otherwise.
        retracted: how many come out no more.
        same: how many are as they were.
    """

    rows: pa.Table
    changed: int
    retracted: int
    same: int


def difference(before: pa.Table, after: pa.Table, source_object: str) -> Difference:
    """Compare what is held of a raw object with what the adapters make of it now.

    Args:
        before: canonical rows of it, all replays included.
        after: canonical rows as they come out now.
        source_object: what the rows to be written are said to be of: the raw object's name
            with this replay's stamp, so that they win over all that was made of it before.
    """
    if not before.num_rows and not after.num_rows:
        return Difference(after, 0, 0, 0)
    held, after = in_force(before), _raised(after, before)
    old, new = _prints(held), _prints(after)
    same = set(old.items()) & set(new.items())
    gone = set(old) - set(new)
    unchanged = {document for document, _ in same}
    changed = after.filter(_among(after, set(new) - unchanged))
    gone_rows = _raised(_retractions(held, gone), before)
    rows = pa.concat_tables([changed, gone_rows.cast(after.schema)])
    return Difference(
        _of(rows, source_object), len(new) - len(unchanged), len(gone), len(unchanged)
    )


def in_force(rows: pa.Table) -> pa.Table:
    """Of each document the rows that the last replay left."""
    if not rows.num_rows:
        return rows
    frame = rows.select([*_DOCUMENT, "source_object"]).to_pandas()
    newest = frame.groupby(_DOCUMENT, dropna=False)["source_object"].transform("max")
    last = pa.array((frame["source_object"] == newest).to_numpy())
    return rows.filter(pc.and_(last, pc.invert(pc.fill_null(rows["is_retraction"], False))))


def _prints(rows: pa.Table) -> dict[tuple[str, str], int]:
    """A fingerprint of each document's content, whatever the order of its rows."""
    if not rows.num_rows:
        return {}
    names = [name for name in rows.column_names if name not in LINEAGE]
    texts = pa.table({name: _text(rows[name]) for name in names})
    hashes = pd.util.hash_pandas_object(texts.to_pandas(), index=False).to_numpy()
    frame = texts.select(_DOCUMENT).to_pandas().assign(print=hashes)
    sums = frame.groupby(_DOCUMENT, dropna=False)["print"].sum()
    return {(source, key): int(value) for (source, key), value in sums.items()}


def _raised(rows: pa.Table, before: pa.Table) -> pa.Table:
    """Rows of which each document's highest version is as high as any before."""
    if not rows.num_rows or not before.num_rows:
        return rows
    held = _versions(before).groupby(_DOCUMENT, dropna=False).max()
    frame = _versions(rows)
    highest = frame.groupby(_DOCUMENT, dropna=False)[_VERSION].transform("max")
    floor = frame[_DOCUMENT].join(held, on=_DOCUMENT)[_VERSION].fillna(highest)
    is_low = (frame[_VERSION] == highest) & (highest < floor)
    raised = frame[_VERSION].where(~is_low, floor).to_numpy("int64")
    return _with(rows, _VERSION, pa.array(raised))


def _versions(rows: pa.Table) -> pd.DataFrame:
    """Documents and versions; of 64 bits, which no float may touch."""
    frame: pd.DataFrame = rows.select([*_DOCUMENT, _VERSION]).to_pandas()
    return frame.astype({_VERSION: "Int64"})


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def _among(rows: pa.Table, documents: set[tuple[str, str]]) -> pa.Array:
    keys = zip(rows["source"].to_pylist(), rows["document_key"].to_pylist(), strict=True)
    return pa.array([key in documents for key in keys], pa.bool_())


def _retractions(held: pa.Table, gone: set[tuple[str, str]]) -> pa.Table:
    """One row a document that comes out no more: one of its lines, marked."""
    lines = held.filter(_among(held, gone))
    first = ~lines.select(_DOCUMENT).to_pandas().duplicated().to_numpy()
    lines = lines.filter(pa.array(first, pa.bool_()))
    return _with(lines, "is_retraction", pa.repeat(pa.scalar(True), lines.num_rows))


def _of(rows: pa.Table, source_object: str) -> pa.Table:
    return _with(rows, "source_object", pa.repeat(source_object, rows.num_rows))


def _with(rows: pa.Table, name: str, column: pa.Array) -> pa.Table:
    place = rows.schema.get_field_index(name)
    return rows.set_column(place, rows.schema.field(place), column)
