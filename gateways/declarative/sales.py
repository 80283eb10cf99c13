"""The part of a spec that only sales have: documents, kinds, signs, tax rates, cancellations."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateways.declarative.conditions import Rows
from gateways.declarative.spec import Spec
from gateways.normalize import columns
from gateways.normalize.columns import NUMERIC, Column, flags, joined, ranks
from tenpo.contracts import SaleKind


class SaleReader:
    """The rows of one payload as lines of receipts.

    Args:
        spec: how they are written.
        text: the columns of the payload.
        rows: the same for conditions.
        length: how many rows there are.
    """

    def __init__(self, spec: Spec, text: Mapping[str, Column], rows: Rows, length: int) -> None:
        self._spec = spec
        self._text = text
        self._rows = rows
        self._length = length

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

        Where the earlier document is of the same payload its lines are void too; where it
        came before, the newer version replaces them.
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
        return {
            "document": named,
            "receipt_id": pc.if_else(mask, self._text[rule.document[place]], values["receipt_id"]),
            "kind": pc.if_else(pa.array(np.asarray(void)), SaleKind.VOID.value, kind),
        }
