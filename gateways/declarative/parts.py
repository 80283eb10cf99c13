"""The parts a spec is made of; `gateways.declarative.spec` puts them together.

Everything is checked as it is loaded: an unknown key is told with the nearest known one, and
a pattern must be one that RE2 takes, so that no text can make it slow.
RE2's syntax: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from gateways.declarative.checks import check_format, check_marks, csv_mark
from gateways.formats.csv_text import CsvFormat
from gateways.formats.number_style import NumberStyle
from gateways.normalize.records import TaxMode
from tenpo.contracts import SaleKind
from tenpo.errors import InputError
from tenpo.identifiers import checked_name
from tenpo.located_yaml import AtKeyError

_NAMED = {"tab": "\t", "\\t": "\t", "space": " "}


def nearest(key: str, known: Iterable[str]) -> str:
    """A hint at the known key that an unknown one was probably meant to be."""
    names = list(known)
    close = get_close_matches(key, names, n=1)
    return f"did you mean {close[0]}?" if close else f"use {', '.join(names)}"


def spec_name(name: str) -> str:
    """A name that is safe in paths; for validators."""
    try:
        return checked_name("spec", name)
    except InputError as error:
        raise ValueError(str(error)) from error


def _encoding(name: str) -> str:
    try:
        if codecs.lookup(name)._is_text_encoding:
            return name
    except LookupError:
        pass
    raise ValueError(f"Python knows no text encoding {name!r}")


def _regex(pattern: str) -> str:
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        raise ValueError(f"no regular expression of RE2: {error}") from error
    return pattern


def _named(value: object) -> object:
    return _NAMED.get(value, value) if isinstance(value, str) else value


OneCharacter = Annotated[str, BeforeValidator(_named), Field(min_length=1, max_length=1)]
CsvMark = Annotated[OneCharacter, AfterValidator(csv_mark)]


class Part(BaseModel):
    """A part of a spec: unknown keys are an error, so that a typing mistake is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in data if isinstance(data, dict) else ():
            if key not in known:
                raise AtKeyError((key,), f"there is no key {key}: {nearest(key, known)}")
        return data


class FileForm(Part):
    """How the file is written."""

    format: Literal["csv", "ndjson"] = "csv"
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    delimiter: CsvMark = ","
    quote: CsvMark | None = '"'
    header: bool = True
    names: tuple[str, ...] = ()
    skip_lines: int = Field(default=0, ge=0)
    totals: tuple[Annotated[str, Field(min_length=1)], ...] = ()

    @model_validator(mode="after")
    def _names_without_header(self) -> FileForm:
        if self.format == "ndjson" and self.model_fields_set - {"format", "encoding"}:
            raise ValueError("ndjson has format and encoding only")
        if self.header == bool(self.names):
            raise ValueError("give names where header is false, and only there")
        return self

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> FileForm:
        if self.delimiter == self.quote:
            raise AtKeyError(("quote",), "delimiter and quote are the same mark")
        double = sorted({name for name in self.names if self.names.count(name) > 1})
        if double:
            raise AtKeyError(("names",), f"{', '.join(double)} comes twice")
        return self

    @property
    def csv(self) -> CsvFormat:
        """The same for the reader."""
        return CsvFormat(**self.model_dump(exclude={"format"}))


class NumberForm(Part):
    """How numbers are written where it is not plainly, as 1234.50 and -1."""

    thousands: OneCharacter | None = None
    decimal: OneCharacter = "."
    symbols: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    negatives: tuple[Literal["parentheses", "trailing_minus", "triangle"], ...] = ()

    @model_validator(mode="after")
    def _marks_differ(self) -> NumberForm:
        check_marks(self.thousands, self.decimal, self.symbols)
        return self

    @property
    def style(self) -> NumberStyle:
        """The same for the reader."""
        return NumberStyle(**self.model_dump())


class Condition(Part):
    """What a column must hold: one of some values, a pattern, a number, anything or nothing."""

    one_of: tuple[str, ...] | None = None
    matches: Annotated[str, AfterValidator(_regex)] | None = None
    equals: Decimal | None = None
    below: Decimal | None = None
    above: Decimal | None = None
    filled: bool | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Condition:
        if sum(value is not None for value in self.__dict__.values()) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}")
        return self


Conditions = dict[str, Condition]
SomeConditions = Annotated[Conditions, Field(min_length=1)]


class KindRule(Part):
    """A kind, and the columns that show it; all conditions must hold."""

    kind: SaleKind
    when: SomeConditions


class SignRule(Part):
    """Columns whose sign the file leaves out, and where."""

    columns: tuple[Literal["quantity", "amount", "unit_price", "tax_amount"], ...]
    when: SomeConditions


class SkipRule(Part):
    """Rows that are no records, e.g. totals; they are counted as ignored."""

    when: SomeConditions


class CancelRule(Part):
    """Rows that void an earlier document, which these columns name as `document` does."""

    document: tuple[str, ...] = Field(min_length=1)
    when: SomeConditions


class CountRule(Part):
    """Where a count stands; without `when` in every row."""

    column: str
    when: Conditions = {}


class TimeForm(Part):
    """When it happened: one column or date and clock, in the first format that fits.

    The clock is the store's own; hours above 23 (%H) belong to the day before.
    """

    columns: tuple[str, ...] = Field(min_length=1, max_length=2)
    formats: tuple[str, ...] = Field(min_length=1)

    @field_validator("formats")
    @classmethod
    def _can_be_read(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in formats:
            check_format(pattern)
            if "%z" in pattern or "%Z" in pattern:
                raise ValueError("times are the store's own: formats have no %z")
        return formats


class StoreForm(Part):
    """Which store: a column with its code, or one code for the file.

    Without either, the sender names the store (`tenpo send --store`).
    """

    column: str | None = None
    constant: str | None = None


Rate = Annotated[Decimal, Field(ge=0, lt=1)]


class RateRule(Part):
    """A tax rate, and the columns that show it, e.g. the mark of reduced rate."""

    rate: Rate
    when: SomeConditions


class TaxForm(Part):
    """Whether amounts hold tax, at which rate, and how tax is rounded.

    The rate is the first rule's that holds, else the mapped `tax_rate`, else `rate`.
    """

    mode: TaxMode = "unknown"
    rate: Rate | None = None
    rates: tuple[RateRule, ...] = ()
    rate_is_percent: bool = False
    rounding: Literal["floor", "half_up", "half_even"] | None = None
    per: Literal["line", "receipt"] = "line"
