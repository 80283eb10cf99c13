"""Damage to payloads: bytes turned, parts dropped, values replaced by what nobody expects.

Seeded: the same number always makes the same damage, so that a finding can be repeated.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

#: A value that must not appear in what senders and logs are told.
PLANTED = "Planted-Value-7391"
_DEEP = 3_000
_ODD: tuple[Any, ...] = (
    None, True, [], {}, "", " ", "-", "12", "1e5", "1,5", "-0", "٣", "\u0000", "\ud800", "NaN",
    "9" * 60, "x" * 600, 10**40, -1, 0.1, 1e308, "0001-01-01", "9999-12-31T23:59:59Z", "=1+1",
    "2026-11-01T10:00:00+99:00", [[]], {"a": []}, PLANTED, PLANTED, PLANTED,
)  # fmt: skip
_VALUE = re.compile(rb'(?<=[>"])[^<>"]{1,80}(?=[<"])')


def mutated(body: bytes, number: int) -> bytes:
    """The payload with the damage of that number."""
    chance = random.Random(number)  # noqa: S311 - repeatable, not secret
    document = _document(body)
    kinds: list[Callable[[], bytes]] = [lambda: _bytes_turned(body, chance)] * 2
    kinds += [lambda: _slice_gone(body, chance)]
    if document is not None:
        kinds += [lambda: _member(document, chance)] * 4
    elif body.lstrip().startswith((b"<", b"--")):
        kinds += [lambda: _value(body, chance)] * 3 + [lambda: _element(body, chance)]
    else:
        kinds += [lambda: _cell(body, chance)] * 3 + [lambda: _line(body, chance)]
    return chance.choice(kinds)()


def _document(body: bytes) -> Any:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _bytes_turned(body: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(body)
    for _ in range(chance.randint(1, 6)):
        damaged[chance.randrange(len(damaged))] = chance.choice(
            b'0123456789,;"-/:{}[]<> \nxZ\x82\xff'
        )
    return bytes(damaged)


def _slice_gone(body: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(body) + 1) for _ in range(2))
    return chance.choice((body[:start] + body[end:], body[:start], body[:end] + body[start:]))


def _member(document: Any, chance: random.Random) -> bytes:
    """One or two members of a JSON document dropped, doubled or replaced."""
    document = json.loads(json.dumps(document))
    for _ in range(chance.randint(1, 2)):
        container, key = chance.choice(_places(document) or [(None, None)])
        if container is None:
            break
        what = chance.random()
        if what < 0.2:
            del container[key]
        elif what < 0.3 and isinstance(container, list):
            container.append(deepcopy(container[key]))
        elif what < 0.4 and isinstance(container[key], int | float):
            container[key] = str(container[key])
        else:
            container[key] = deepcopy(chance.choice(_ODD))  # or the next damage is done to it
    text = json.dumps(document)
    if chance.random() < 0.03:
        text = "[" * _DEEP + text + "]" * _DEEP
    return text.encode()


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Every member of a document: its container and its key."""
    found: list[tuple[Any, Any]] = []
    open_ = [document]
    while open_:
        container = open_.pop()
        keys = container if isinstance(container, dict) else range(len(container))
        for key in list(keys):
            found.append((container, key))
            if isinstance(container[key], dict | list):
                open_.append(container[key])
    return found


def _odd_bytes(chance: random.Random) -> bytes:
    return str(chance.choice(_ODD)).encode("utf-8", "surrogatepass")


def _value(body: bytes, chance: random.Random) -> bytes:
    """A text or an attribute of XML replaced."""
    spans = [match.span() for match in _VALUE.finditer(body)]
    if not spans:
        return _bytes_turned(body, chance)
    start, end = chance.choice(spans)
    return body[:start] + _odd_bytes(chance) + body[end:]


def _element(body: bytes, chance: random.Random) -> bytes:
    """Tags lost, nested deeply, or entities that would grow."""
    tags = [match.span() for match in re.finditer(rb"<[^<>]{1,200}>", body)]
    if not tags or chance.random() < 0.2:
        entity = b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;">]>'
        return entity + body + b"<a>&c;</a>"
    start, end = chance.choice(tags)
    if chance.random() < 0.2:
        return body[:end] + b"<d>" * _DEEP + b"</d>" * _DEEP + body[end:]
    return body[:start] + body[end:]


def _line(body: bytes, chance: random.Random) -> bytes:
    lines = body.split(b"\n")
    place = chance.randrange(len(lines))
    change = chance.choice(([], [lines[place]] * 2, [b""], [lines[place][::-1]]))
    return b"\n".join([*lines[:place], *change, *lines[place + 1 :]])


def _cell(body: bytes, chance: random.Random) -> bytes:
    """A value of a delimited line dropped or replaced."""
    lines = body.split(b"\n")
    place = chance.randrange(len(lines))
    delimiter = max((b",", b";", b"\t"), key=body.count)
    cells = lines[place].split(delimiter)
    cell = chance.randrange(len(cells))
    if chance.random() < 0.2:
        del cells[cell]
    else:
        cells[cell] = _odd_bytes(chance)
    lines[place] = delimiter.join(cells)
    return b"\n".join(lines)
