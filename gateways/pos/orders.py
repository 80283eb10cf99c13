"""The base of registers that send whole orders: lines that add up to the order's own total.

What the vendors have in common lives here: a discount is a line of its own with its share
of the tax, fees and tips are no turnover. What the lines leave of the order's own total is
shown as an `adjustment` line, so that the lines of a document always add up: of category
`difference` where it is rounding, a smallest unit a line; else of category `unexplained`,
and the total itself is a rejection (`total_mismatch`), so that nothing is made to fit unseen.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateways.formats.json_text import read_objects, text_columns
from gateways.normalize import columns
from gateways.normalize.adapter import Kind
from gateways.normalize.columns import Column, missing
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.instants import iso_times
from gateways.normalize.json_adapter import JsonAdapter, Rows
from gateways.normalize.records import Records
from gateways.pos.figures import PRECISION, ZERO, Fault, plain, share
from tenpo.contracts import SaleKind

_TEXTS = ("store_code", "register_id", "receipt_id", "currency", "customer", "staff",
          "original_receipt_id", "sku", "category", "kind", "line_key")  # fmt: skip
_NUMBERS = ("quantity", "unit_price", "amount", "tax_rate", "tax_amount")
_OTHERS = ("document", "occurred_at", "version", "revision", "line_number")
DIFFERENCE, UNEXPLAINED, ROUNDING, TIP = "difference", "unexplained", "rounding", "tip"


@dataclass(frozen=True)
class Goods:
    """What a vendor states of one line of goods, all in the sign of the line.

    Args:
        price: of all pieces before discounts, as labelled: with the tax that is in it.
        discount: taken off that price.
        tax: of the line after the discount.
        included: the part of the tax that lies within the price.
    """

    price: Decimal
    discount: Decimal
    tax: Decimal
    included: Decimal

    def split(self, unit: Decimal) -> tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]]:
        """Net and tax of the goods before the discount, and of the discount.

        The discount has the tax that its part of the price would have had; both together
        are exactly what was stated.
        """
        after = self.price - self.discount
        tax = share(self.tax, self.discount, after, unit)
        within = share(self.included, self.discount, after, unit)
        net = self.discount - within
        return (after - self.included + net, self.tax + tax), (-net, -tax)


@dataclass
class Basket:
    """The lines of one document on their way to rows.

    Args:
        position: of the document in its payload.
        head: what all its lines have in common, in canonical names.
        unit: the currency's smallest unit.
        is_void: whether the whole document was voided.
        mismatch: the vendor's name of a total that the lines do not explain.
    """

    position: str
    head: Mapping[str, Any]
    unit: Decimal
    is_void: bool = False
    lines: list[dict[str, Any]] = field(default_factory=list)
    gross: Decimal = ZERO
    tax: Decimal = ZERO
    mismatch: str | None = None

    def add(
        self, kind: SaleKind, key: str, net: Decimal, tax: Decimal = ZERO, **facts: Any
    ) -> None:
        """A line; `quantity` is nothing on what is no piece of goods."""
        self.gross += net + tax
        self.tax += tax
        told = {"quantity": "0"} | facts
        amounts = {"amount": plain(net), "tax_amount": plain(tax)}
        kind = SaleKind.VOID if self.is_void else kind
        self.lines.append({"kind": kind.value, "line_key": key, **told, **amounts})

    def goods(
        self, kind: SaleKind, key: str, goods: Goods, discount: SaleKind = SaleKind.DISCOUNT,
        **facts: Any,
    ) -> None:  # fmt: skip
        """A line of goods, and its discount as a line of its own."""
        (net, tax), (less, less_tax) = goods.split(self.unit)
        self.add(kind, key, net, tax, **facts)
        if goods.discount:
            keep = ("sku", "category", "tax_rate", "original_receipt_id", "fault")
            kept = {name: facts[name] for name in keep if name in facts}
            self.add(discount, f"{key}:discount", less, less_tax, **kept)

    def balance(
        self, gross: Decimal | None, tax: Decimal | None, named: str,
        less: SaleKind = SaleKind.ADJUSTMENT, cash: Decimal = ZERO,
    ) -> None:  # fmt: skip
        """Show what the lines leave of the document's own totals.

        Where a line is at fault the sum cannot be right, and nothing is shown.

        Args:
            gross: the total; None where it is not stated.
            tax: the tax in it, likewise.
            named: what the vendor calls the total.
            less: what it is when the document costs less than its lines; any other kind than
                `adjustment` explains it.
            cash: what the total may be off by the rounding of cash, where nothing states that.
        """
        if gross is None or any(line.get("fault") for line in self.lines):
            return
        more_tax = ZERO if tax is None else tax - self.tax
        net = gross - self.gross - more_tax
        if not net and not more_tax:
            return
        kind = less if net < 0 else SaleKind.ADJUSTMENT
        units = len(self.lines) * self.unit
        rounding = abs(more_tax) <= units and abs(net + more_tax) <= max(units, cash)
        explained = rounding or kind is not SaleKind.ADJUSTMENT
        category = DIFFERENCE if explained else UNEXPLAINED
        self.add(kind, DIFFERENCE, net, more_tax, category=category)
        self.mismatch = None if explained else named

    def into(self, rows: Rows, fault: Fault | None, empty: str) -> None:
        """The lines as rows.

        Args:
            rows: of the payload.
            fault: of the document as a whole, which all its lines share.
            empty: the field that should have held the lines.
        """
        if not self.lines:
            reason, name = fault or (Reason.MISSING_FIELD, empty)
            rows.faults.append((self.position, reason, name))
        if self.mismatch and not fault:
            rows.faults.append((self.position, Reason.TOTAL_MISMATCH, self.mismatch))
        for number, line in enumerate(self.lines, start=1):
            at_fault = fault or line.get("fault")
            place = {"line_number": str(number), "fault": at_fault}
            rows.values.append({**self.head, **line, **place})
            rows.positions.append(f"{self.position}.{number}")


class OrderAdapter(JsonAdapter):
    """One vendor of whole orders as JSON. Implement `collect`."""

    kind: Kind = "pos"
    #: The vendor's own names of canonical columns, for messages.
    fields: Mapping[str, str]

    @abstractmethod
    def collect(self, document: Mapping[str, Any], rows: Rows, position: str) -> None:
        """Add what one object of the payload holds; `position` is its number."""

    def rows(self, body: bytes) -> Rows:
        """One row a line of an order."""
        found = Rows()
        with localcontext() as exact:
            exact.prec = PRECISION
            for number, document in enumerate(read_objects(body, "order"), start=1):
                self.collect(document, found, str(number))
        return found

    def records(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Columns in canonical names."""
        return sale_records(rows, faults, self.fields)


def sale_records(
    rows: Sequence[Mapping[str, Any]], faults: Faults, fields: Mapping[str, str]
) -> Records:
    """Rows in canonical names as records of sale lines, their amounts without tax.

    Args:
        rows: one a line, as `Basket.into` makes them.
        faults: of these rows.
        fields: the vendor's own names.
    """
    _mark_known(rows, faults)
    text = text_columns(rows, (*_TEXTS, *_NUMBERS, *_OTHERS))
    at, local, day, bad = iso_times(text["occurred_at"])
    faults.mark(bad, Reason.BAD_TIME, fields["occurred_at"])
    numbers: dict[str, Column] = {}
    for name in _NUMBERS:
        numbers[name], bad = columns.decimals(text[name])
        faults.mark(bad, Reason.BAD_NUMBER, fields.get(name, name))
    line_number, _ = columns.integers(text["line_number"])
    values = (
        {name: text[name] for name in _TEXTS}
        | numbers
        | {
            "at": at,
            "local": local,
            "day": day,
            "version": _versions(text, faults, fields),
            "document": pc.fill_null(text["document"], ""),
            "line_number": line_number,
        }
    )
    return Records("sale_line", values, faults, fields, "excluded")


def _versions(text: Mapping[str, Column], faults: Faults, fields: Mapping[str, str]) -> Column:
    """The time of the last change, else the vendor's running number."""
    changed, _, _, bad = iso_times(text["version"])
    unzoned = missing(changed) & ~missing(text["version"])
    faults.mark(bad | unzoned, Reason.BAD_TIME, fields.get("version", "version"))
    revision, bad = columns.integers(text["revision"])
    faults.mark(bad, Reason.BAD_NUMBER, fields.get("revision", "revision"))
    return pc.coalesce(changed.cast(pa.int64()), revision)


def _mark_known(rows: Sequence[Mapping[str, Any]], faults: Faults) -> None:
    """The faults that were found while the rows were made."""
    places: dict[Fault, list[int]] = {}
    for place, row in enumerate(rows):
        if row.get("fault"):
            places.setdefault(row["fault"], []).append(place)
    for (reason, name), found in places.items():
        mask = np.zeros(len(rows), np.bool_)
        mask[found] = True
        faults.mark(mask, reason, name)
