"""Paths of a spec into JSON: where a value stands, told from the record, around it or the root.

    In                          a member of the record
    total.in                    deeper
    items[direction=in].count   in the first object of a list whose member says so
    values[0]                   by place in a list
    ^.RuleName                  in the object around the list that the record is of
    $.Source.MacAddress         from the root of the payload

`records` alone may hold `[]`, all objects of a list: `Data[].CountingInfo[]`. There are no
wildcards and no expressions, so following a path takes as many steps as it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

MAX_STEPS = 16
_STEP = re.compile(r"(?P<name>[^.\[\]]+)(?:\[(?P<pick>[^\[\]]*)\])?")
_ROOT, _UP = "$", "^"


@dataclass(frozen=True)
class Step:
    """A member, and what of it is meant where it is a list.

    Args:
        name: of the member.
        place: in the list; None: the member itself.
        says: name and text of a member of the object that is meant.
        each: every object of the list.
    """

    name: str
    place: int | None = None
    says: tuple[str, str] | None = None
    each: bool = False


@dataclass(frozen=True)
class JsonPath:
    """A path, taken apart.

    Args:
        steps: from where it starts.
        up: so many objects around the record; None: from the root.
    """

    steps: tuple[Step, ...]
    up: int | None = 0


def parse_path(text: str) -> JsonPath:
    """A path of its text.

    Raises:
        ValueError: it is none; says what is wrong.
    """
    parts = _split(text)
    up: int | None = 0
    while parts and parts[0] in (_ROOT, _UP):
        if up is None or (parts[0] == _ROOT and up):
            raise ValueError(f"{text!r}: $ and ^ do not go together")
        up = None if parts.pop(0) == _ROOT else up + 1
    if not parts or len(parts) > MAX_STEPS:
        raise ValueError(f"{text!r} is no path: give 1 to {MAX_STEPS} names with dots between")
    return JsonPath(tuple(_step(part, text) for part in parts), up)


def records_of(root: Any, path: JsonPath | None) -> Iterator[tuple[Any, ...]]:
    """Each record with the objects around it, from the root on; the record is the last.

    A path that leads nowhere gives none. Without a path the root is the only record.
    """
    if path is None:
        yield (root,)
        return
    yield from _each((root,), root, path.steps)


def value_at(scopes: Sequence[Any], path: JsonPath) -> Any:
    """What stands at a path of a record; None where the path ends early."""
    if path.up is not None and path.up >= len(scopes):
        return None
    value = scopes[0] if path.up is None else scopes[-1 - path.up]
    for step in path.steps:
        value = _follow(value, step)
    return value


def text_of(value: Any) -> str | None:
    """A value as the text that a spec compares it with; None for lists, objects and null."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else None


def _split(text: str) -> list[str]:
    """Parts between dots that stand outside of brackets."""
    parts, inside = [""], False
    for character in text:
        inside = character == "[" or (inside and character != "]")
        if character == "." and not inside:
            parts.append("")
        else:
            parts[-1] += character
    return [] if parts == [""] else parts


def _step(part: str, text: str) -> Step:
    found = _STEP.fullmatch(part)
    if found is None:
        raise ValueError(f"{text!r}: {part!r} is no name, name[], name[0] or name[member=text]")
    name, pick = found["name"], found["pick"]
    if pick is None:
        return Step(name)
    if pick == "":
        return Step(name, each=True)
    if pick.isascii() and pick.isdigit() and len(pick) <= 4:
        return Step(name, place=int(pick))
    member, equals, said = pick.partition("=")
    if not equals or not member:
        raise ValueError(f"{text!r}: {pick!r} is no place and no member=text")
    return Step(name, says=(member, said))


def _follow(value: Any, step: Step) -> Any:
    found = value.get(step.name) if isinstance(value, dict) else None
    if step.place is not None:
        inside = isinstance(found, list) and step.place < len(found)
        return found[step.place] if inside and isinstance(found, list) else None
    if step.says is not None:
        name, said = step.says
        listed = found if isinstance(found, list) else []
        objects = (one for one in listed if isinstance(one, dict))
        return next((one for one in objects if text_of(one.get(name)) == said), None)
    return found


def _each(scopes: tuple[Any, ...], value: Any, steps: Sequence[Step]) -> Iterator[tuple[Any, ...]]:
    for place, step in enumerate(steps):
        value = _follow(value, step)
        if step.each:
            for one in value if isinstance(value, list) else ():
                yield from _each((*scopes, one), one, steps[place + 1 :])
            return
    if value is scopes[-1]:
        yield scopes
    elif isinstance(value, dict):
        yield (*scopes, value)
