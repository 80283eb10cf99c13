"""The part of a spec that only sales have: documents, kinds, signs, tax rates, cancellations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from gateways.declarative.conditions import Rows
from gateways.declarative.spec import Spec
from gateways.normalize import columns
from gateways.normalize.columns import (
    NUMERIC,
    Column,
    flags,
    joined,
    missing,
    ranks,
)
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.records import FINAL
from gateways.normalize.signs import check_signs
from tenpo.contracts import SaleKind
from tenpo.identifiers import micros

#: Kinds of lines that need no rate: what counts nowhere, and what was paid.
_UNTAXED = pa.array([SaleKind.VOID.value, SaleKind.TENDER.value])


class SaleReader:
    """The rows of one payload as lines of receipts.

    Args:
        spec: how they are written.
        text: the columns of the payload.
        rows: the same for conditions.
        received_at: when the payload came.
    """

    def __init__(
        self, spec: Spec, text: Mapping[str, Column], rows: Rows, received_at: datetime
    ) -> None:
        self._spec = spec
        self._text = text
        self._rows = rows
        self._length = rows.length
        self._final = micros(received_at + FINAL)

    def columns(self, values: Mapping[str, Column]) -> dict[str, Column]:
        """What sales have besides the mapped columns; some of those are replaced."""
        spec = self._spec
        document = joined([self._text[name] for name in spec.document])
        sale = {"document": document, "kind": self._kinds()}
        if spec.cancel is not None:
            sale |= self._cancelled(document, sale["kind"], values)
        sale |= self._line(sale["document"], values)
        for rule in spec.negate:
            mask = self._rows.all(rule.when)
            for name in rule.columns:
                if name in values:
                    sale[name] = columns.negated(sale.get(name, values[name]), mask)
        if spec.currency is not None:
            sale["currency"] = pa.repeat(spec.currency, self._length)
        return sale | self._rate(values)

    def check(self, values: Mapping[str, Column], faults: Faults) -> None:
        """What makes a line that would count without an amount, or with the wrong sign.

        Lines that are void count nothing, so a cancellation need not tell a price.
        """
        spec, counts = self._spec, flags(pc.not_equal(values["kind"], SaleKind.VOID.value))
        price = "amount" if "amount" in values else "unit_price"
        empty = missing(values[price]) & counts
        faults.mark(empty, Reason.MISSING_FIELD, spec.columns.get(price, price))
        check_signs(values, faults, spec.columns)
        if spec.tax.mode in ("excluded", "included"):
            self._check_rates(values, faults)

    def _check_rates(self, values: Mapping[str, Column], faults: Faults) -> None:
        """Without a rate nobody knows net or gross; that is meant only where no line has one."""
        rules, named = self._spec.tax.rates, self._spec.columns
        column = named.get("tax_rate") or (None if rules else named.get("tax_amount"))
        unknown = missing(values["tax_rate"])
        unknown &= ~flags(pc.is_in(values["kind"], value_set=_UNTAXED))
        if "tax_amount" in values:
            unknown &= missing(values["tax_amount"])
        if column is not None:
            faults.mark(unknown, Reason.MISSING_FIELD, column)
        elif rules:
            told = sorted({name for rule in rules for name in rule.when})
            faults.mark(unknown, Reason.BAD_VALUE, ", ".join(told))

    def _line(self, document: Column, values: Mapping[str, Column]) -> dict[str, Column]:
        """Line number (the order within the document unless mapped) and line key."""
        number = values.get("line_number")
        if number is None:
            number = pa.array(ranks(document) + 1, pa.int64())
        key = joined([self._text[name] for name in self._spec.line]) if self._spec.line else None
        return {
            "line_number": number,
            "line_key": key if key is not None else number.cast(pa.string()),
        }

    def _rate(self, values: Mapping[str, Column]) -> dict[str, Column]:
        """The rate of each line: the first rule's that holds, else the mapped, else the one."""
        tax = self._spec.tax
        rate = values.get("tax_rate")
        if rate is not None and tax.rate_is_percent:
            rate = columns.times(rate, self._number(Decimal("0.01")))
        if tax.rate is not None:
            one = self._number(tax.rate)
            rate = one if rate is None else pc.coalesce(rate, one)
        if rate is None:
            rate = pa.nulls(self._length, NUMERIC)
        for rule in reversed(tax.rates):
            held = pa.array(self._rows.all(rule.when))
            rate = pc.if_else(held, self._number(rule.rate), rate)
        return {"tax_rate": rate}

    def _number(self, value: Decimal) -> Column:
        return pa.repeat(pa.scalar(value).cast(NUMERIC), self._length)

    def _kinds(self) -> Column:
        """The kind of each row: the first rule that holds, else the default."""
        kind = pa.repeat(self._spec.default_kind.value, self._length)
        for rule in reversed(self._spec.kinds):
            held = self._rows.all(rule.when)
            if held.any():
                kind = pc.if_else(pa.array(held), rule.kind.value, kind)
        return kind

    def _cancelled(
        self, document: Column, kind: Column, values: Mapping[str, Column]
    ) -> dict[str, Column]:
        """Rows that cancel become void lines of the document that they name.

        Where the earlier document is of the same payload its lines are void too; elsewhere
        the final version replaces them, whenever they come and however often.
        """
        rule = self._spec.cancel
        if rule is None:
            return {}
        held = self._rows.all(rule.when)
        if not held.any():
            return {}
        mask = pa.array(held)
        place = self._spec.document.index(self._spec.columns["receipt_id"])
        earlier = joined([self._text[name] for name in rule.document])
        named = pc.if_else(mask, earlier, document)
        void = held | flags(pc.is_in(named, value_set=earlier.filter(mask)))
        version = values.get("version", pa.nulls(self._length, pa.int64()))
        return {
            "version": pc.if_else(pa.array(void), self._final, version),
            "document": named,
            "receipt_id": pc.if_else(mask, self._text[rule.document[place]], values["receipt_id"]),
            "kind": pc.if_else(pa.array(void), SaleKind.VOID.value, kind),
        }
