"""XML bytes as nested dictionaries of text, so that XML and JSON go the same way from there on.

Documents with a DTD are refused, so there are no entities of their own, no expansion and
nothing that points outside. For messages of a few kilobytes, not for files: the tree is in memory.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError  # names only, no parsing

from defusedxml.ElementTree import fromstring

from tenpo.errors import PayloadError

MAX_DEPTH = 32
_DEEP = "Send the documented form."


def read_xml(body: bytes, what: str) -> tuple[str, dict[str, Any]]:
    """The root's name, and its children by name.

    Namespaces and attributes are left out. A child with children is a dictionary, one without is
    its trimmed text or None, and one that comes again makes a list of all.

    Args:
        body: in any encoding that XML declares.
        what: what the document is, for messages.

    Raises:
        PayloadError: not well-formed, a DTD, or nested too deeply; says where.
    """
    try:
        root = fromstring(body, forbid_dtd=True)
    except ParseError as error:
        line, column = error.position
        raise PayloadError(
            f"the {what} is no well-formed XML",
            where=f"line {line}, column {column}",
            remedy="It may be cut off: send it again whole.",
        ) from error
    except (ValueError, LookupError) as error:
        raise PayloadError(
            f"the {what} has a document type or an encoding that is not taken",
            remedy="Send plain XML as UTF-8, without DOCTYPE.",
        ) from error
    value = _value(root, what, 1)
    return _name(root), value if isinstance(value, dict) else {}


def _value(element: Element, what: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise PayloadError(f"the {what} nests too deeply", remedy=_DEEP)
    if not len(element):
        return (element.text or "").strip() or None
    found: dict[str, Any] = {}
    for child in element:
        name, value = _name(child), _value(child, what, depth + 1)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
