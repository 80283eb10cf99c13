"""The model of a spec: how one CSV form becomes sale lines, count intervals or running totals.

A spec is checked when it is loaded, not when data arrives; see `docs/adapters.md`
for every key with an example. How it is carried out is `gateways.declarative.engine`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import AfterValidator, Field, model_validator

from gateways.declarative.checks import check_marks
from gateways.declarative.parts import (
    CancelRule,
    Conditions,
    CountRule,
    FileForm,
    KindRule,
    NumberForm,
    OneCharacter,
    Part,
    SignRule,
    SkipRule,
    StoreForm,
    TaxForm,
    TimeForm,
    nearest,
    spec_name,
)
from gateways.declarative.typed import typed
from gateways.formats.number_style import NumberStyle
from gateways.normalize.currencies import CURRENCIES
from tenpo.contracts import SaleKind
from tenpo.located_yaml import AtKeyError

SALE_COLUMNS = (
    "receipt_id", "register_id", "line_number", "original_receipt_id", "sku", "category",
    "quantity", "unit_price", "amount", "tax_rate", "tax_amount", "customer", "staff", "version",
)  # fmt: skip
COUNT_COLUMNS = ("device_id", "line_id", "version")
_PRICES = ("unit_price", "amount")


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError(f"ISO 4217 has no {code}: {nearest(code, sorted(CURRENCIES))}")
    return code


class Spec(Part):
    """One form of one sender's files."""

    name: Annotated[str, AfterValidator(spec_name)]
    event: Literal["sale_line", "count_interval", "count_reading"]
    description: str = ""
    file: FileForm = FileForm()
    missing: tuple[str, ...] = ("",)
    skip: tuple[SkipRule, ...] = ()
    nfkc: tuple[str, ...] = ()
    thousands: OneCharacter | None = None
    numbers: NumberForm = NumberForm()
    store: StoreForm = StoreForm()
    time: TimeForm
    document: tuple[str, ...] = ()
    line: tuple[str, ...] = ()
    columns: dict[str, str] = Field(default={})
    constants: dict[str, str] = Field(default={})
    # sales
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency)] | None = None
    tax: TaxForm = TaxForm()
    kinds: tuple[KindRule, ...] = ()
    default_kind: SaleKind = SaleKind.SALE
    negate: tuple[SignRule, ...] = ()
    cancel: CancelRule | None = None
    # counts
    interval_s: int | None = Field(default=None, ge=1, le=86_400)
    counts: dict[Literal["in", "out", "pass"], CountRule] = Field(default={})

    @model_validator(mode="after")
    def _fits_event(self) -> Spec:
        known = SALE_COLUMNS if self.event == "sale_line" else COUNT_COLUMNS
        given = {**self.columns, **self.constants}
        for key in given:
            if key not in known:
                path = ("columns" if key in self.columns else "constants", key)
                raise AtKeyError(path, f"{self.event} has no {key}: {nearest(key, known)}")
            if key in self.columns and key in self.constants:
                raise AtKeyError(("constants", key), "stands in columns already")
        needed = self._lacking(given)
        if needed:
            raise ValueError(f"{self.event} needs {', '.join(needed)}")
        if self.event == "sale_line" and not self.document:
            raise ValueError("document is missing: name the columns that make a receipt unique")
        return self

    def _lacking(self, given: dict[str, str]) -> list[str]:
        if self.event == "sale_line":
            needed = [key for key in ("receipt_id", "quantity") if key not in given]
            return needed if given.keys() & set(_PRICES) else [*needed, " or ".join(_PRICES)]
        needed = [key for key in ("device_id", "line_id") if key not in given]
        told = ("interval_s", "counts") if self.event == "count_interval" else ("counts",)
        return needed + [key for key in told if not getattr(self, key)]

    @model_validator(mode="after")
    def _totals_are_whole(self) -> Spec:
        if self.event != "count_reading":
            return self
        if not {"in"} <= set(self.counts) <= {"in", "out"}:
            raise AtKeyError(("counts",), "count_reading has in, and out if there is any")
        for name, rule in self.counts.items():
            if rule.when:  # a reading with half of its totals would look like a device begun anew
                raise AtKeyError(("counts", name), "totals of one moment stand in one row: no when")
        if self.interval_s is not None:
            raise AtKeyError(("interval_s",), "running totals have a moment and no length")
        return self

    @model_validator(mode="after")
    def _cancel_names_a_document(self) -> Spec:
        if self.cancel is None:
            return self
        if len(self.cancel.document) != len(self.document):
            told = f"give {len(self.document)} columns, in the order of document"
            raise AtKeyError(("cancel", "document"), told)
        if self.columns.get("receipt_id") not in self.document:
            told = "document lacks the column of receipt_id, so the earlier one cannot be named"
            raise AtKeyError(("cancel",), told)
        return self

    @model_validator(mode="after")
    def _tax_is_kept(self) -> Spec:
        """A tax that is mapped counts, so the mode must have a use for it."""
        mode = self.tax.mode
        unused = {"none": ("tax_amount", "tax_rate"), "unknown": ("tax_amount",)}.get(mode, ())
        told = f"tax.mode {mode} leaves it out: say included or excluded"
        for key, given in (("columns", self.columns), ("constants", self.constants)):
            for name in unused:
                if name in given:
                    raise AtKeyError((key, name), told)
        for name in ("rate", "rates"):
            if mode == "none" and getattr(self.tax, name):
                raise AtKeyError(("tax", name), told)
        return self

    @model_validator(mode="after")
    def _one_thousands(self) -> Spec:
        if self.thousands and self.numbers != NumberForm():
            raise AtKeyError(("thousands",), "stands beside numbers: write it there")
        if self.thousands:
            check_marks(self.thousands, NumberForm().decimal, ())
        return self

    @model_validator(mode="after")
    def _constants_are_of_their_types(self) -> Spec:
        style = self.number_style
        for name, text in self.constants.items():
            _, bad = typed(self.event, name, pa.array([text]), style.plain)
            if bad is not None and bad.any():
                raise AtKeyError(("constants", name), "is no number as the spec writes them")
        return self

    @model_validator(mode="after")
    def _named_columns_exist(self) -> Spec:
        if not self.file.header:
            names = self.file.names
            absent = [name for name in self.source_columns if name not in names]
            if absent:
                told = f"file.names lacks {', '.join(absent)}: {nearest(absent[0], names)}"
                raise ValueError(told)
        return self

    @property
    def number_style(self) -> NumberStyle:
        """How numbers are written."""
        return NumberStyle(self.thousands) if self.thousands else self.numbers.style

    @property
    def unknown_amounts(self) -> str | None:
        """Which amounts no line of these sales has; None where both net and gross are known."""
        tax, given = self.tax, {**self.columns, **self.constants}
        if self.event != "sale_line" or tax.mode == "none":
            return None
        if tax.mode == "unknown":
            return "net and gross amounts"
        told = tax.rate is not None or tax.rates or given.keys() & {"tax_amount", "tax_rate"}
        return None if told else {"included": "net", "excluded": "gross"}[tax.mode] + " amounts"

    @property
    def source_columns(self) -> list[str]:
        """Every column of the file that the spec reads, once."""
        found = [*self.time.columns, *self.document, *self.line, *self.columns.values()]
        found += [self.store.column] if self.store.column else []
        found += [rule.column for rule in self.counts.values()]
        found += self.cancel.document if self.cancel else ()
        found += self.nfkc
        found += [name for when in self._conditions() for name in when]
        return list(dict.fromkeys(found))

    def _conditions(self) -> Iterator[Conditions]:
        yield from (rule.when for rule in self.kinds)
        yield from (rule.when for rule in self.negate)
        yield from (rule.when for rule in self.skip)
        yield from (rule.when for rule in self.tax.rates)
        yield from (rule.when for rule in self.counts.values())
        if self.cancel:
            yield self.cancel.when
