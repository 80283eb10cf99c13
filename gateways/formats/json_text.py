"""JSON bytes as columns of text, so that JSON and CSV go the same way from there on.

Numbers stay the text they were sent as: nothing passes through float.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from gateways.normalize import columns
from gateways.normalize.columns import Column
from tenpo.errors import PayloadError

#: Stands for a list or object where one value was expected; no text field accepts it.
NOT_A_VALUE = "\x01"


def read_objects(body: bytes, what: str) -> list[dict[str, Any]]:
    """The objects of a payload, every number as its text.

    A body is one object, a list of objects, or one object a line (JSON Lines).

    Args:
        body: UTF-8 bytes.
        what: what one object is, for messages.

    Raises:
        PayloadError: not UTF-8, cut off, no JSON, or no objects; says line and column.
    """
    document = _read(body)
    found = document if isinstance(document, list) else [document]
    if not found or not all(isinstance(item, dict) for item in found):
        raise PayloadError(
            f"the payload is no {what}",
            where="line 1",
            remedy=f"Send one object a {what}, a list of them, or one a line.",
        )
    return found


def _read(body: bytes) -> Any:
    try:
        text = body.decode("utf-8-sig")
        try:
            document = _loads(text)
        except json.JSONDecodeError as error:
            if error.msg != "Extra data":
                raise
            document = _lines(text)
        if b"\\ud" in body.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise PayloadError(
            "the payload is not UTF-8", where=f"byte {error.start}", remedy="Send JSON as UTF-8."
        ) from error
    except UnicodeEncodeError as error:
        raise PayloadError(
            "the payload has half a surrogate pair", remedy="Escape characters in whole pairs."
        ) from error
    except json.JSONDecodeError as error:
        raise PayloadError(
            f"the payload is no JSON: {error.msg}",
            where=f"line {error.lineno}, column {error.colno}",
            remedy="It may be cut off: send it again whole.",
        ) from error
    except RecursionError as error:
        raise PayloadError(
            "the payload nests too deeply", remedy="Send the documented form."
        ) from error
    return document


def _lines(text: str) -> list[Any]:
    """JSON Lines; a fault is told by its place in the whole payload.

    Only a line feed ends a line: other separators may stand within a text.
    """
    found = []
    start = 0
    for line in text.split("\n"):
        if line.strip():
            try:
                found.append(_loads(line))
            except json.JSONDecodeError as error:
                raise json.JSONDecodeError(error.msg, text, start + error.pos) from error
        start += len(line) + 1
    return found


def _refuse(name: str) -> None:
    raise json.JSONDecodeError(f"{name} is no JSON number", name, 0)


#: Made once: `json.loads` makes one a call where it is told how to read numbers.
_loads = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse).decode


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; anything else in it becomes an empty object."""
    if not isinstance(value, list):
        return []
    return [item if isinstance(item, dict) else {} for item in value]


def member(value: Any, *path: str) -> Any:
    """What lies at a path of keys; None where the path ends early."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text_columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Column]:
    """One column of trimmed text a name; empty text is null."""
    return {
        name: columns.text(pa.array([_text(row.get(name)) for row in rows], pa.string()))
        for name in names
    }


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return NOT_A_VALUE
