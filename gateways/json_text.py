"""JSON bytes as columns of text, so that JSON and CSV go the same way from there on.

Numbers stay the text they were sent as: nothing passes through float.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from gateways import columns
from gateways.columns import Column
from tenpo.errors import PayloadError

#: Stands for a list or object where one value was expected; no text field accepts it.
NOT_A_VALUE = "\x01"


def read_json(body: bytes) -> Any:
    """The document, every number as its text.

    Raises:
        PayloadError: not UTF-8, cut off, or no JSON; says line and column.
    """
    try:
        document = json.loads(
            body.decode("utf-8-sig"), parse_float=str, parse_int=str, parse_constant=_refuse
        )
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


def _refuse(name: str) -> None:
    raise json.JSONDecodeError(f"{name} is no JSON number", name, 0)


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
