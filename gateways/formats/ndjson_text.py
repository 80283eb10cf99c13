"""Lines of JSON objects as columns of text; a line that is none is set aside alone.

Not for payloads that are one document: those are `gateways.formats.json_text`.
The format: https://github.com/ndjson/ndjson-spec
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateways.formats.csv_text import CsvText, utf8
from gateways.formats.json_text import member, text_columns
from gateways.normalize.faults import Faults, Reason

_Row = Mapping[str, Any]


def read_ndjson(body: bytes, encoding: str, wanted: Sequence[str]) -> CsvText:
    """Read one object a line.

    Args:
        body: the file.
        encoding: any codec Python knows.
        wanted: names of members; dots lead into objects. A member that is absent is empty.

    Raises:
        PayloadError: the file is not of that encoding.
    """
    rows: list[_Row] = []
    positions: list[str] = []
    bad: list[str] = []
    blank = 0
    lines = utf8(body, encoding).split(b"\n")
    for number, line in enumerate(lines if lines[-1] else lines[:-1], start=1):
        if not line.strip():
            blank += 1
            continue
        row = _object(line)
        if row is None:
            bad.append(str(number))
            continue
        rows.append({name: _found(row, name) for name in wanted})
        positions.append(str(number))
    faults = Faults(positions)
    for position in bad:
        faults.add(position, Reason.BAD_JSON, "")
    return CsvText(text_columns(rows, wanted), faults, blank)


def _object(line: bytes) -> _Row | None:
    try:
        found = json.loads(line, parse_float=str, parse_int=str, parse_constant=_refuse)
        if b"\\ud" in line.lower():  # half a surrogate pair is no text
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _found(row: _Row, name: str) -> Any:
    return row[name] if name in row else member(row, *name.split("."))
