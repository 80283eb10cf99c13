"""The parts of a multipart body whose boundary no header tells, as cameras post and stream them.

The first line is the boundary. Not for forms of browsers: parts are returned in their order
with their media types, nothing of them is interpreted. https://www.rfc-editor.org/rfc/rfc2046
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_PARTS = 1_000
_BOUNDARY = re.compile(rb"--[^\r\n]{1,200}")
_TYPE = re.compile(rb"(?im)^content-type:[ \t]*([^;\s]+)")


@dataclass(frozen=True)
class BodyPart:
    """One part: its media type in lower case (empty where none is named) and its content."""

    media_type: str
    content: bytes


def parts_of(body: bytes) -> list[BodyPart] | None:
    """The parts; None where the body is not multipart, or has more than `MAX_PARTS`."""
    start = body.lstrip(b"\r\n")
    boundary = _BOUNDARY.match(start)
    if boundary is None:
        return None
    pieces = (b"\n" + start).split(b"\n" + boundary.group().rstrip())
    if len(pieces) > MAX_PARTS + 2:
        return None
    found = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            break
        head, blank, content = _split(piece)
        named = _TYPE.search(head) if blank else None
        kind = named.group(1).decode("ascii", "replace").lower() if named else ""
        found.append(BodyPart(kind, (content if blank else piece).strip(b"\r\n")))
    return found


def _split(piece: bytes) -> tuple[bytes, bytes, bytes]:
    """Head, blank line and content, with whichever line ends the sender has."""
    halves = [piece.partition(end * 2) for end in (b"\r\n", b"\n")]
    return min(halves, key=lambda half: len(half[0]))
