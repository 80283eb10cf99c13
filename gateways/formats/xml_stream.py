"""XML files read one record at a time, bounded, without anything that points outside.

Documents with a DTD are refused, so there are no entities of their own, no expansion and
no external ones. East Asian encodings, which the parser does not know, are decoded piece by
piece before it, so that it judges the same text. What a record does not need is freed as it
goes by, so the memory is that of the largest record.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError  # names only, no parsing

from defusedxml.ElementTree import iterparse

from tenpo.errors import PayloadError

MAX_DEPTH = 64
_DECLARED = re.compile(rb"<\?xml[^>]{0,100}?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
#: Encodings of more than one byte besides UTF-8 and UTF-16, as they are named, and what reads them.
#: What calls itself Shift_JIS is Microsoft's superset of it.
_DECODED = (
    dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j", "ms932", "cp932"),
                  "cp932")
    | {"euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp", "big5": "big5", "euc-kr": "euc_kr"}
    | dict.fromkeys(("gb2312", "gbk", "gb18030"), "gb18030")
)  # fmt: skip
_SLICE_BYTES = 64 * 1024


def records(body: bytes, name: str) -> Iterator[Element]:
    """The outermost elements of a name, in order, whatever their namespace.

    Args:
        body: in UTF-8, UTF-16, an encoding of one byte, or an East Asian one that it declares.
        name: local name of a record.

    Raises:
        PayloadError: not well-formed, a DTD, nested too deeply, or not in the encoding that it
            declares; says where.
    """
    path: list[Element] = []
    inside: Element | None = None
    try:
        for event, element in iterparse(_source(body), ("start", "end"), forbid_dtd=True):
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
    except UnicodeDecodeError as error:
        raise _belied() from error
    except (ValueError, LookupError) as error:
        what = "has a document type or an encoding that is not taken"
        raise _refused(what, "Send plain XML as UTF-8, without DOCTYPE.") from error


def _source(body: bytes) -> IO[Any]:
    """What the parser reads: bytes, or text where it does not know the encoding."""
    declared = _DECLARED.match(body)
    codec = _DECODED.get(declared[1].decode().lower()) if declared else None
    if codec is None:
        return io.BytesIO(body)
    if not body.isascii() and _is_utf8(body):  # another encoding would read it, as other text
        raise _belied()
    return io.TextIOWrapper(io.BytesIO(body), encoding=codec, newline="")


def _is_utf8(body: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(body), _SLICE_BYTES):
            decoder.decode(body[start : start + _SLICE_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


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


def _belied() -> PayloadError:
    remedy = "Declare the encoding in which it is written, or send it as UTF-8."
    return _refused("is not in the encoding that it declares", remedy)


def _refused(what: str, remedy: str, where: str = "") -> PayloadError:
    return PayloadError(f"the payload {what}", where=where, remedy=remedy)
