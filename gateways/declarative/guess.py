"""A draft of a spec from a sample of CSV: what can be seen is filled in, the rest says TODO.

Not a reader: a guess is for a person to correct, and never carried out unseen.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateways.normalize.instants import parse_date
from tenpo.errors import PayloadError

_SAMPLE = 200
_ENCODINGS = ("utf-8-sig", "cp932", "cp1252")
_DELIMITERS = (",", "\t", ";", "|")
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m/%d/%y",
          "%d-%m-%Y", "%Y年%m月%d日")  # fmt: skip
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_NUMBER = re.compile(r"[-+(▲¥$€£]?\s?\d[\d.,]*\s?[-)€円]?")
#: Words of headers, the surest first.
_WORDS = {
    "receipt_id": ("receipt", "invoice", "ticket", "レシート番号", "伝票", "取引"),
    "quantity": ("quantity", "qty", "pieces", "units", "数量", "点数"),
    "unit_price": ("unitprice", "unit_price", "unit price", "price", "単価"),
    "amount": ("amount", "total", "金額"),
    "sku": ("sku", "stockcode", "article", "item", "product", "商品コード", "jan"),
    "register_id": ("register", "terminal", "till", "レジ"),
    "customer": ("customer", "member", "会員"),
    "category": ("category", "department", "部門"),
    "tax_rate": ("taxrate", "tax_rate", "vat", "税率"),
}
_STORE = ("store", "shop", "country", "branch", "店舗")


@dataclass(frozen=True)
class Sample:
    """The first lines of a file, taken apart."""

    encodings: Sequence[str]
    delimiter: str
    header: Sequence[str]
    has_header: bool
    rows: Sequence[Sequence[str]]

    @property
    def todo(self) -> str:
        """What stands where a column was not found; without header it has to be a name."""
        return "TODO" if self.has_header else self.header[0]

    def column(self, name: str) -> list[str]:
        """The values of a column that are not empty."""
        place = self.header.index(name)
        values = (row[place].strip() for row in self.rows if place < len(row))
        return [value for value in values if value]


def take_sample(body: bytes) -> Sample:
    """Encoding, delimiter and header of a file.

    Raises:
        PayloadError: it is no text of a known encoding, or has no lines.
    """
    encodings = _fitting(body)
    text = body.decode(encodings[0])
    lines = [line for line in text.splitlines()[:_SAMPLE] if line.strip()]
    if not lines:
        raise PayloadError("the sample has no lines", remedy="Give a file with some records.")
    delimiter = max(_DELIMITERS, key=lambda mark: _evenness(lines, mark))
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    has_header = not any(_NUMBER.fullmatch(cell.strip()) for cell in rows[0])
    names = rows[0] if has_header else [f"column_{n}" for n in range(1, len(rows[0]) + 1)]
    return Sample(encodings, delimiter, names, has_header, rows[1:] if has_header else rows)


def _fitting(body: bytes) -> list[str]:
    """Encodings that all the bytes fit, the likeliest first; of plain ASCII one is enough."""
    marked = body.startswith((b"\xff\xfe", b"\xfe\xff"))
    found = []
    for encoding in ("utf-16",) if marked else _ENCODINGS:
        try:
            body.decode(encoding)
        except UnicodeError:
            continue
        found.append(encoding)
    if not found:
        remedy = "Save it as UTF-8."
        raise PayloadError("the sample is of no encoding that can be told", remedy=remedy)
    return found[:1] if found[0] in ("utf-8-sig", "utf-16") else found


def _evenness(lines: Sequence[str], mark: str) -> tuple[int, int]:
    """How many lines have as many marks as the first, and how many marks those are."""
    first = lines[0].count(mark)
    same = sum(line.count(mark) == first for line in lines)
    return (same if first else 0), first


def draft(body: bytes, name: str) -> str:
    """The draft as YAML; it loads, and every TODO is a place to look at.

    Raises:
        PayloadError: the sample cannot be taken apart.
    """
    sample = take_sample(body)
    found = _mapping(sample.header)
    store = _named(sample.header, _STORE)
    receipt = found.setdefault("receipt_id", sample.todo)
    found.setdefault("quantity", sample.todo)
    if not {"unit_price", "amount"} & found.keys():
        found["unit_price"] = sample.todo
    document = [column for column in (store, receipt) if column]
    lines = [
        f"# A draft made from {len(sample.rows)} lines. Look at every TODO, then: tenpo spec check",
        f"name: {name}",
        "event: sale_line  # TODO: or count_interval, which has other keys",
        _file(sample),
        f"store: {{column: {_quoted(store)}}}" if store
        else "# TODO: no column of the store was found; without, name it with --store",
        *_time(sample),
        *_numbers(sample, [found[key] for key in ("quantity", "unit_price", "amount")
                           if found.get(key) in sample.header]),
        f"document: [{', '.join(map(_quoted, document))}]  # TODO: what makes a receipt unique",
        "columns:  # TODO: compare with docs/adapters.md",
        *(f"  {key}: {_quoted(column)}" for key, column in found.items()),
        "tax: {mode: unknown}  # TODO: included, excluded or none, with rate",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _file(sample: Sample) -> str:
    parts = [f"encoding: {sample.encodings[0]}"]
    doubt = ""
    if len(sample.encodings) > 1:
        doubt = f"  # TODO: or {', '.join(sample.encodings[1:])}"
    if sample.delimiter != ",":
        parts.append(
            f"delimiter: {'tab' if sample.delimiter == chr(9) else _quoted(sample.delimiter)}"
        )
    if not sample.has_header:
        names = ", ".join(map(_quoted, sample.header))
        return f"file: {{{', '.join(parts)}, header: false, names: [{names}]}}  # TODO: name them"
    return f"file: {{{', '.join(parts)}}}{doubt}"


def _named(header: Sequence[str], words: Sequence[str]) -> str | None:
    for word in words:
        for name in header:
            if word in name.lower():
                return name
    return None


def _mapping(header: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, words in _WORDS.items():
        free = [name for name in header if name not in found.values()]
        column = _named(free, words)
        if column is not None:
            found[key] = column
    return found


def _time(sample: Sample) -> list[str]:
    clock = next((n for n in sample.header if _all(sample.column(n), _CLOCK)), None)
    for name in sample.header:
        values = sample.column(name)
        fits = [form for form in _dates_of(values) if form]
        if not fits:
            continue
        times = {value.partition(" ")[2] or value.partition("T")[2] for value in values} - {""}
        told = sample.column(clock) if clock else sorted(times)
        mark = "T" if not clock and "T" in values[0] else " "
        ending = ("%H:%M:%S" if told[0].count(":") == 2 else "%H:%M") if told else "%H:%M"
        columns = [name, clock] if clock and not times else [name]
        doubt = "" if len(fits) == 1 else f"  # TODO: or {', '.join(fits[1:])}"
        doubt += "" if told else "  # TODO: no clock was found"
        listed = ", ".join(map(_quoted, columns))
        return [f'time: {{columns: [{listed}], formats: ["{fits[0]}{mark}{ending}"]}}{doubt}']
    column = _quoted(sample.todo)
    return [
        f'time: {{columns: [{column}], formats: ["%Y-%m-%d %H:%M"]}}  # TODO: no date was found'
    ]


def _dates_of(values: Sequence[str]) -> list[str]:
    """Formats that all the dates fit."""
    days = {re.split(r"[ T]", value)[0] for value in values}
    return [form for form in _DATES if days and all(parse_date(day, [form]) for day in days)]


def _all(values: Sequence[str], pattern: re.Pattern[str]) -> bool:
    return bool(values) and all(pattern.fullmatch(value) for value in values)


def _numbers(sample: Sample, columns: Sequence[str]) -> list[str]:
    values = [value for name in columns for value in sample.column(name)]
    joined = " ".join(values)
    parts = []
    if re.search(r"\d\.\d{3},\d|\d,\d{1,2}(?!\d)", joined):
        parts = ["thousands: '.'", 'decimal: ","']
    elif re.search(r"\d,\d{3}(?!\d)", joined):
        parts = ['thousands: ","']
    symbols = sorted(set(re.findall("[¥$€£円]", joined)))
    parts += [f"symbols: [{', '.join(map(_quoted, symbols))}]"] if symbols else []
    marks = {"parentheses": r"\(\d", "trailing_minus": r"\d-(?!\d)", "triangle": "[▲△]"}
    signs = [name for name, pattern in marks.items() if re.search(pattern, joined)]
    parts += [f"negatives: [{', '.join(signs)}]"] if signs else []
    return [f"numbers: {{{', '.join(parts)}}}"] if parts else []
