"""Numbers as people write them, made plain: 1.234,50 € and (1,200) and ▲500 and 100-.

What does not fit the style, e.g. a thousands separator out of its place, is left
unreadable on purpose: a guess would change amounts silently.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from gateways.normalize.columns import Column

_UNREADABLE = pa.scalar("?")
#: Full-width forms of ASCII and of the signs of currencies that have one.
_WIDE = {plain: plain + 0xFEE0 for plain in range(0x21, 0x7F)} | {
    ord("¢"): "￠", ord("£"): "￡", ord("¥"): "￥", ord("₩"): "￦",
}  # fmt: skip
#: Shift_JIS writes the yen as the byte that ASCII has for the backslash.
_YEN, _YEN_OF_SHIFT_JIS = "¥", "\\"
_SIGNS = {
    "parentheses": (r"^\((.*)\)$", r"-\1"),
    "trailing_minus": (r"^(.*)-$", r"-\1"),
    "triangle": (r"^[▲△](.*)$", r"-\1"),
}


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written.

    Args:
        thousands: what groups digits by three (or by two before the last three).
        decimal: what the decimals come after.
        symbols: texts that may stand beside the number, e.g. `¥`; they mean nothing, and stand
            for their full-width forms, too.
        negatives: how a number below zero may be marked, besides a leading minus.
    """

    thousands: str | None = None
    decimal: str = "."
    symbols: Sequence[str] = ()
    negatives: Sequence[str] = ()

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to do."""
        return self == NumberStyle()

    def plain(self, column: Column) -> Column:
        """The numbers with a leading minus, without separators and with a decimal point."""
        for symbol in dict.fromkeys(form for one in self.symbols for form in forms_of(one)):
            column = pc.replace_substring(column, symbol, "")
        column = pc.utf8_trim_whitespace(column)
        for mark in self.negatives:
            pattern, put = _SIGNS[mark]
            column = pc.replace_substring_regex(column, pattern, put)
        column = pc.utf8_trim_whitespace(column)
        fits = pc.match_substring_regex(column, self._pattern)
        if self.thousands:
            column = pc.replace_substring(column, self.thousands, "")
        column = pc.replace_substring(column, self.decimal, ".")
        return pc.if_else(fits, column, _UNREADABLE)

    @property
    def _pattern(self) -> str:
        point = re.escape(self.decimal)
        whole = r"\d*"
        if self.thousands:
            group = re.escape(self.thousands)
            whole = rf"(\d{{1,3}}({group}\d{{2,3}})*{group}\d{{3}}|\d*)"
        return rf"^[+-]?\s*{whole}({point}\d*)?$"


def forms_of(symbol: str) -> Iterator[str]:
    """A symbol as it may be written: as it is, in plain characters and in full-width ones."""
    plain = unicodedata.normalize("NFKC", symbol)
    yield from (symbol, plain, plain.translate(_WIDE))
    if plain == _YEN:
        yield _YEN_OF_SHIFT_JIS
