"""The model of a spec: how one CSV form becomes sale lines or count intervals.

A spec is checked when it is loaded, not when data arrives; see `docs/adapters.md`
for every key with an example. How it is carried out is `gateways.declarative.engine`.
"""

from __future__ import annotations

import codecs
import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from gateways.csv_text import CsvFormat
from gateways.records import TaxMode
from tenpo.contracts import SaleKind
from tenpo.errors import InputError
from tenpo.identifiers import checked_name
from tenpo.located_yaml import AtKeyError

SALE_COLUMNS = (
    "receipt_id", "register_id", "line_number", "original_receipt_id", "sku", "category",
    "quantity", "unit_price", "amount", "tax_rate", "tax_amount", "customer", "staff", "version",
)  # fmt: skip
COUNT_COLUMNS = ("device_id", "line_id", "version")


def _encoding(name: str) -> str:
    try:
        if codecs.lookup(name)._is_text_encoding:
            return name
    except LookupError:
        pass
    raise ValueError(f"Python knows no text encoding {name!r}")


def spec_name(name: str) -> str:
    """A name that is safe in paths; for validators."""
    try:
        return checked_name("spec", name)
    except InputError as error:
        raise ValueError(str(error)) from error


def check_day(pattern: str) -> None:
    """Whether a strptime format has a day.

    Raises:
        ValueError: it has not.
    """
    if "%d" not in pattern and "%j" not in pattern:
        raise ValueError(f"the format {pattern!r} has no day (%d)")


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    return pattern


OneCharacter = Annotated[str, Field(min_length=1, max_length=1)]


class Part(BaseModel):
    """A part of a spec: unknown keys are an error, so that a typing mistake is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FileForm(Part):
    """How the file is written."""

    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    delimiter: OneCharacter = ","
    quote: OneCharacter | None = '"'
    header: bool = True
    names: tuple[str, ...] = ()
    skip_lines: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _names_without_header(self) -> FileForm:
        if self.header == bool(self.names):
            raise ValueError("give names where header is false, and only there")
        return self

    @property
    def csv(self) -> CsvFormat:
        """The same for the reader."""
        return CsvFormat(**self.model_dump())


class Condition(Part):
    """What a column must hold: one of some values, a pattern, or a number."""

    one_of: tuple[str, ...] | None = None
    matches: Annotated[str, AfterValidator(_regex)] | None = None
    equals: Decimal | None = None
    below: Decimal | None = None
    above: Decimal | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Condition:
        if sum(value is not None for value in self.__dict__.values()) != 1:
            raise ValueError("give exactly one of one_of, matches, equals, below, above")
        return self


Conditions = dict[str, Condition]


class KindRule(Part):
    """A kind, and the columns that show it; all conditions must hold."""

    kind: SaleKind
    when: Conditions = Field(min_length=1)


class SignRule(Part):
    """Columns whose sign the file leaves out, and where."""

    columns: tuple[Literal["quantity", "amount"], ...]
    when: Conditions = Field(min_length=1)


class CountRule(Part):
    """Where a count stands; without `when` in every row."""

    column: str
    when: Conditions = {}


class TimeForm(Part):
    """When it happened: one column or date and clock, in the first format that fits.

    The clock is the store's own; hours above 23 are those of the day before.
    """

    columns: tuple[str, ...] = Field(min_length=1, max_length=2)
    formats: tuple[str, ...] = Field(min_length=1)

    @field_validator("formats")
    @classmethod
    def _has_date(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in formats:
            check_day(pattern)
            if "%z" in pattern or "%Z" in pattern:
                raise ValueError("times are the store's own: formats have no %z")
        return formats


class StoreForm(Part):
    """Which store: a column with its code, or one code for the file.

    Without either, the sender names the store (`tenpo send --store`).
    """

    column: str | None = None
    constant: str | None = None


class TaxForm(Part):
    """Whether amounts hold tax, and its rate: one for all, or a column of the mapping."""

    mode: TaxMode = "unknown"
    rate: Decimal | None = Field(default=None, ge=0, lt=1)
    rate_is_percent: bool = False


class Spec(Part):
    """One CSV form of one sender."""

    name: Annotated[str, AfterValidator(spec_name)]
    event: Literal["sale_line", "count_interval"]
    description: str = ""
    file: FileForm = FileForm()
    missing: tuple[str, ...] = ("",)
    thousands: OneCharacter | None = None
    store: StoreForm = StoreForm()
    time: TimeForm
    document: tuple[str, ...] = ()
    line: tuple[str, ...] = ()
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    # sales
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    tax: TaxForm = TaxForm()
    kinds: tuple[KindRule, ...] = ()
    default_kind: SaleKind = SaleKind.SALE
    negate: tuple[SignRule, ...] = ()
    # counts
    interval_s: int | None = Field(default=None, ge=1, le=86_400)
    counts: dict[Literal["in", "out", "pass"], CountRule] = {}

    @model_validator(mode="after")
    def _fits_event(self) -> Spec:
        known = SALE_COLUMNS if self.event == "sale_line" else COUNT_COLUMNS
        given = {**self.columns, **self.constants}
        for key in given:
            if key not in known:
                path = ("columns" if key in self.columns else "constants", key)
                raise AtKeyError(path, f"{self.event} has no {key}; use {', '.join(known)}")
            if key in self.columns and key in self.constants:
                raise AtKeyError(("constants", key), "stands in columns already")
        if self.event == "sale_line":
            needed = [key for key in ("receipt_id", "quantity") if key not in given]
        else:
            needed = [key for key in ("device_id", "line_id") if key not in given]
            needed += [key for key in ("interval_s", "counts") if not getattr(self, key)]
        if needed:
            raise ValueError(f"{self.event} needs {', '.join(needed)}")
        if self.event == "sale_line" and not self.document:
            raise ValueError("document is missing: name the columns that make a receipt unique")
        return self

    @model_validator(mode="after")
    def _named_columns_exist(self) -> Spec:
        if not self.file.header:
            absent = [name for name in self.source_columns if name not in self.file.names]
            if absent:
                raise ValueError(f"file.names lacks {', '.join(absent)}")
        return self

    @property
    def source_columns(self) -> list[str]:
        """Every column of the file that the spec reads, once."""
        found = [*self.time.columns, *self.document, *self.line, *self.columns.values()]
        found += [self.store.column] if self.store.column else []
        found += [rule.column for rule in self.counts.values()]
        conditions = [rule.when for rule in self.kinds] + [rule.when for rule in self.negate]
        conditions += [rule.when for rule in self.counts.values()]
        found += [name for when in conditions for name in when]
        return list(dict.fromkeys(found))
