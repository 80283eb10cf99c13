"""CSV bytes of any encoding as columns of text, with the lines that did not fit set aside.

Not for what the text means: that is the adapter's part.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from gateways.normalize.columns import Column, flags
from gateways.normalize.faults import Faults, Mask, Reason
from tenpo.errors import PayloadError

_PIECE = 1 << 16
_LOOK = 1 << 20
_BLOCK = 4 << 20
_MOST = (1 << 31) - 1
_BLANK = re.compile(rb"(?<=\n)\r?\n")
_NEWLINE = b"\n"
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV file is written.

    Args:
        encoding: any codec Python knows, e.g. `cp932`.
        delimiter: one character.
        quote: one character, or None where values are never quoted.
        header: whether a line with the column names comes first.
        names: the column names where there is no header.
        skip_lines: lines before the header or the data.
        totals: texts that begin the lines which are no records, whatever their columns.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str | None = '"'
    header: bool = True
    names: tuple[str, ...] = ()
    skip_lines: int = 0
    totals: tuple[str, ...] = ()


@dataclass(frozen=True)
class CsvText:
    """The columns asked for, as text, with the faults of lines that could not be columns.

    Args:
        columns: by name.
        faults: over the lines that are columns; the others have theirs already.
        blank_lines: lines that are no records: blank ones and totals.
    """

    columns: dict[str, Column]
    faults: Faults
    blank_lines: int


def read_csv(body: bytes, form: CsvFormat, wanted: Sequence[str]) -> CsvText:
    """Split CSV bytes into columns of text.

    Args:
        body: the file.
        form: how it is written.
        wanted: the columns that must be there; others are left out.

    Raises:
        PayloadError: encoding, quoting or header make the whole file unreadable.
    """
    data = utf8(body, form.encoding)
    start = _after_lines(data, form.skip_lines)
    if form.quote:
        _check_quotes(data, start, form.quote, form.delimiter)
    names = list(form.names) if not form.header else _header(data, form)
    _check_header(names, wanted)
    skipped, totals = _SetAside(form), 0
    needed = list(dict.fromkeys([*wanted, *names[: len(form.totals)][:1]]))
    table = _parse(data, form, needed, skipped)
    columns = {name: _one(table.column(name)) for name in wanted}
    faults = _faults(table.num_rows, skipped, form.skip_lines + form.header)
    if form.totals:
        held = _begins(_one(table.column(names[0])), form.totals)
        totals = int(held.sum()) + len(skipped.totals)
        kept = pa.array(~held)
        columns = {name: column.filter(kept) for name, column in columns.items()}
        faults = faults.kept(~held)
    return CsvText(columns, faults, _blank_lines(data, start, form) + totals)


def _after_lines(data: bytes, count: int) -> int:
    """Where the line after so many begins; quotes mean nothing in those, as to Arrow."""
    start = 0
    for _ in range(count):
        found = _LINE_END.search(data, start)
        if found is None:
            return len(data)
        start = found.end()
    return start


@lru_cache(maxsize=64)
def _quoting(quote: str, delimiter: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """A quoted value, and as much as there is up to a quoted value without end.

    As to Arrow, a quote opens a value only at its beginning: in 5" pipe it is an inch. Nothing
    is tried twice, so the time grows with the file alone.
    """
    mark, between = re.escape(quote).encode(), re.escape(delimiter).encode()
    value = b"Q[^Q]*+(?:QQ[^Q]*+)*+Q".replace(b"Q", mark)
    begins = rb"(?:\A|(?<=[%b\r\n]))" % between
    within = rb"(?!\A)(?<![%b\r\n])%b" % (between, mark)
    closed = rb"(?:[^%b]++|%b|%b)*+" % (mark, within, value)
    return re.compile(begins + value), re.compile(closed)


def _check_quotes(data: bytes, start: int, quote: str, delimiter: str) -> None:
    if data.find(quote.encode(), start) < 0:
        return
    whole = _quoting(quote, delimiter)[1].match(data, start)
    end = whole.end() if whole else start
    if end < len(data):
        raise PayloadError(
            "a quoted value has no end",
            where=f"line {data.count(_NEWLINE, 0, end) + 1}",
            remedy="The file may be cut off: send it again whole, with quotes doubled in values.",
        )


class _SetAside:
    """Numbers of lines that are no columns: the bad ones, and those of totals."""

    def __init__(self, form: CsvFormat) -> None:
        self.bad: list[int] = []
        self.totals: list[int] = []
        self._beginnings = form.totals
        self._quote = form.quote or ""

    def __call__(self, row: pa_csv.InvalidRow) -> str:
        text = row.text.lstrip().removeprefix(self._quote)
        found = self.totals if text.startswith(self._beginnings) else self.bad
        found.append(row.number or 0)
        return "skip"

    def clear(self) -> None:
        """Begin again."""
        self.bad.clear()
        self.totals.clear()


def _begins(column: Column, beginnings: Sequence[str]) -> Mask:
    trimmed = pc.utf8_ltrim_whitespace(column)
    held = np.zeros(len(column), np.bool_)
    for beginning in beginnings:
        held |= flags(pc.starts_with(trimmed, beginning))
    return held


def utf8(body: bytes, encoding: str) -> bytes:
    """The file as UTF-8 without byte order mark.

    Raises:
        PayloadError: it is not of that encoding; says where.
    """
    try:
        text, mark = _transcoded(body, encoding)
    except (UnicodeDecodeError, UnicodeError):
        start = _undecodable(body, encoding)
        line = body.count(b"\n", 0, start) + 1
        raise PayloadError(
            f"the file is not {encoding}",
            where=f"line {line}, byte {start}",
            remedy=f"Save it as {encoding}, or use the adapter or spec of its real encoding.",
        ) from None
    return text[len(mark) :] if mark else text


def _transcoded(body: bytes, encoding: str) -> tuple[bytes, bytes]:
    """The file as UTF-8, and the byte order mark it begins with.

    Piece by piece, because a decoded file takes up to four times its bytes.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    is_utf8 = codecs.lookup(encoding).name == "utf-8"
    pieces = io.BytesIO()
    for start in range(0, len(body), _PIECE):
        last = start + _PIECE >= len(body)
        text = decoder.decode(body[start : start + _PIECE], last)
        if not is_utf8:
            pieces.write(text.encode())
    whole = body if is_utf8 else pieces.getvalue()
    return whole, codecs.BOM_UTF8 if whole.startswith(codecs.BOM_UTF8) else b""


def _undecodable(body: bytes, encoding: str) -> int:
    """The first byte that cannot be read."""
    try:
        body.decode(encoding).encode()
    except UnicodeDecodeError as error:
        return error.start
    except UnicodeError:
        pass
    return 0


def _header(data: bytes, form: CsvFormat) -> list[str]:
    start = io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")
    for _ in range(form.skip_lines):
        start.readline()
    rows = csv.reader(
        start,
        delimiter=form.delimiter,
        quotechar=form.quote,
        quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
    )
    try:
        return next((row for row in rows if row), [])
    except csv.Error as error:
        raise PayloadError(
            f"the header cannot be read: {error}",
            where=f"line {form.skip_lines + 1}",
            remedy="Send a header line of plain column names.",
        ) from error


def _parse(data: bytes, form: CsvFormat, wanted: Sequence[str], skipped: _SetAside) -> pa.Table:
    """Block by block; whole where a line is longer than a block."""
    try:
        try:
            return _parse_blocks(data, form, wanted, skipped, _BLOCK)
        except pa.ArrowInvalid:
            if len(data) <= _BLOCK:
                raise
            skipped.clear()
            return _parse_blocks(data, form, wanted, skipped, min(len(data) + 1, _MOST))
    except pa.ArrowInvalid as error:
        raise PayloadError(
            "the file is no CSV of the agreed form",
            where="line 1",
            remedy=f"Send lines of values delimited by {form.delimiter!r}.",
        ) from error


def _parse_blocks(
    data: bytes, form: CsvFormat, wanted: Sequence[str], skipped: _SetAside, block: int
) -> pa.Table:
    return pa_csv.read_csv(
        pa.BufferReader(data),
        read_options=pa_csv.ReadOptions(
            use_threads=False,
            block_size=block,
            skip_rows=form.skip_lines,
            column_names=None if form.header else list(form.names),
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=form.delimiter,
            quote_char=form.quote or False,
            newlines_in_values=True,
            invalid_row_handler=skipped,
        ),
        convert_options=pa_csv.ConvertOptions(
            include_columns=list(wanted),
            column_types=dict.fromkeys(wanted, pa.string()),
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )


def _check_header(names: Sequence[str], wanted: Sequence[str]) -> None:
    absent = [name for name in wanted if name not in names]
    double = sorted({name for name in wanted if list(names).count(name) > 1})
    if absent:
        raise PayloadError(
            f"the file lacks the column{'s' if len(absent) > 1 else ''} {', '.join(absent)}",
            where="line 1",
            remedy="Send the columns under exactly these names.",
        )
    if double:
        raise PayloadError(
            f"the column {', '.join(double)} comes twice",
            where="line 1",
            remedy="Send each column once.",
        )


def _faults(rows: int, skipped: _SetAside, ahead: int) -> Faults:
    """Faults over the rows that parsed, each with its record number counted from 1."""
    numbers = np.arange(1, rows + len(skipped.bad) + len(skipped.totals) + 1)
    gone = np.asarray(skipped.bad + skipped.totals, dtype=np.int64) - ahead
    kept = np.delete(numbers, gone - 1)
    faults = Faults(pa.array(kept).cast(pa.string()))
    for number in skipped.bad:
        faults.add(str(number - ahead), Reason.BAD_COLUMNS, "")
    return faults


def _one(column: pa.ChunkedArray[Any]) -> Column:
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else combined.chunk(0)


def _blank_lines(data: bytes, start: int, form: CsvFormat) -> int:
    if not _has_blank_line(data):
        return 0
    told = data[start:]
    outside = _quoting(form.quote, form.delimiter)[0].split(told) if form.quote else [told]
    return sum(len(_BLANK.findall(part)) for part in outside)


def _has_blank_line(data: bytes) -> bool:
    """Whether a line end follows another; several times as fast as searching text."""
    codes = np.frombuffer(data, np.uint8)
    for start in range(0, len(codes), _LOOK):
        piece = codes[start : start + _LOOK + 1]
        after = piece[1:]
        if ((piece[:-1] == ord("\n")) & ((after == ord("\n")) | (after == ord("\r")))).any():
            return True
    return False
