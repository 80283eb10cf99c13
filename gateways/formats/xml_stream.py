"""XML files read one record at a time, bounded, without anything that points outside.

Documents with a DTD are refused, so there are no entities of their own, no expansion and
no external ones. What a record does not need is freed as it goes by, so the memory is that
of the largest record.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError  # names only, no parsing

from defusedxml.ElementTree import iterparse

from tenpo.errors import PayloadError

MAX_DEPTH = 64


def records(body: bytes, name: str) -> Iterator[Element]:
    """The outermost elements of a name, in order, whatever their namespace.

    Args:
        body: in any encoding that XML declares.
        name: local name of a record.

    Raises:
        PayloadError: not well-formed, a DTD, or nested too deeply; says where.
    """
    path: list[Element] = []
    inside: Element | None = None
    try:
        for event, element in iterparse(io.BytesIO(body), ("start", "end"), forbid_dtd=True):
            if event == "start":
                path.append(element)
                if len(path) > MAX_DEPTH:
                    raise _refused("nests too deeply", "Send the documented form.")
                if inside is None and local_name(element) == name:
                    inside = element
                continue
            path.pop()
            if inside is not None and element is inside:
                yield inside
                inside = None
            if inside is None:
                _free(element, path)
    except ParseError as error:
        line, column = error.position
        where, what = f"line {line}, column {column}", "is no well-formed XML"
        raise _refused(what, "It may be cut off: send it again whole.", where) from error
    except (ValueError, LookupError) as error:
        what = "has a document type or an encoding that is not taken"
        raise _refused(what, "Send plain XML as UTF-8, without DOCTYPE.") from error


def local_name(element: Element) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def namespace(element: Element) -> str:
    """The namespace in the form that tags begin with; empty without one."""
    head, brace, _ = str(element.tag).rpartition("}")
    return head + brace


def _free(element: Element, path: list[Element]) -> None:
    element.clear()
    if path:
        path[-1].remove(element)


def _refused(what: str, remedy: str, where: str = "") -> PayloadError:
    return PayloadError(f"the payload {what}", where=where, remedy=remedy)
