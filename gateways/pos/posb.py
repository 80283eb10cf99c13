"""POS vendor B: receipts as JSON, tax excluded, times with their offset.

A body is one receipt, `{"receipts": [...]}`, or several of either. A record is one line;
its position is `receipt.line`, both from 1. Amounts of refunds are negative already; one that
is not is rejected, and so is a tax with another sign than its amount.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gateways.formats.json_text import objects, read_objects, text_columns
from gateways.normalize import columns
from gateways.normalize.adapter import Kind
from gateways.normalize.columns import Column, joined, missing
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.instants import iso_times
from gateways.normalize.json_adapter import JsonAdapter, Rows
from gateways.normalize.records import Records
from gateways.normalize.signs import check_signs
from tenpo.contracts import SaleKind

HEAD = ("shop", "terminal", "number", "updated_at", "issued_at", "status", "currency",
        "customer_id", "clerk", "refund_of")  # fmt: skip
LINE = ("no", "type", "sku", "dept", "qty", "unit_price", "amount", "tax_rate", "tax")
FIELDS = {
    "store_code": "shop",
    "register_id": "terminal",
    "receipt_id": "number",
    "occurred_at": "issued_at",
    "currency": "currency",
    "customer": "customer_id",
    "staff": "clerk",
    "original_receipt_id": "refund_of",
    "line_number": "no",
    "kind": "type",
    "sku": "sku",
    "category": "dept",
    "quantity": "qty",
    "unit_price": "unit_price",
    "amount": "amount",
    "tax_rate": "tax_rate",
    "tax_amount": "tax",
}
KINDS = {
    "item": SaleKind.SALE,
    "discount": SaleKind.DISCOUNT,
    "shipping": SaleKind.SHIPPING,
    "fee": SaleKind.FEE,
    "gift_card": SaleKind.GIFT_CARD,
}
STATUSES = ("completed", "voided")
_TEXTS = ("store_code", "register_id", "receipt_id", "currency", "customer", "staff",
          "original_receipt_id", "sku", "category")  # fmt: skip
_NUMBERS = ("quantity", "unit_price", "amount", "tax_rate", "tax_amount")


class PosB(JsonAdapter):
    """Receipts of vendor B."""

    name = "posb"
    version = "3"
    kind: Kind = "pos"

    def rows(self, body: bytes) -> Rows:
        """One row a line of a receipt, with the head of its receipt."""
        receipts: list[Mapping[str, Any]] = []
        found = Rows()
        for document in read_objects(body, "receipt"):
            batch = document.get("receipts", [document])
            if not isinstance(batch, list):
                found.faults.append((str(len(receipts) + 1), Reason.BAD_VALUE, "receipts"))
            found.ignored += batch == []
            receipts += objects(batch)
        for number, receipt in enumerate(receipts, start=1):
            head = {name: receipt.get(name) for name in HEAD}
            lines = objects(receipt.get("lines"))
            found.values += [{name: line.get(name) for name in LINE} | head for line in lines]
            found.positions += [f"{number}.{place}" for place in range(1, len(lines) + 1)]
            if not lines:
                found.faults.append((str(number), Reason.MISSING_FIELD, "lines"))
        return found

    def records(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Columns in canonical names; see `FIELDS` for the vendor's."""
        text = text_columns(rows, (*HEAD, *LINE))
        at, local, day, bad_time = iso_times(text["issued_at"])
        faults.mark(bad_time, Reason.BAD_TIME, "issued_at")
        version, _, _, bad_time = iso_times(text["updated_at"])
        unzoned = missing(version) & ~missing(text["updated_at"])
        faults.mark(bad_time | unzoned, Reason.BAD_TIME, "updated_at")

        numbers: dict[str, Column] = {}
        for key in _NUMBERS:
            numbers[key], bad = columns.decimals(text[FIELDS[key]])
            faults.mark(bad, Reason.BAD_NUMBER, FIELDS[key])
        faults.mark(missing(numbers["amount"]), Reason.MISSING_FIELD, "amount")
        untaxed = missing(numbers["tax_amount"]) & missing(numbers["tax_rate"])
        counts = columns.flags(pc.not_equal(text["status"], "voided"))
        faults.mark(untaxed & counts, Reason.MISSING_FIELD, "tax_rate")
        line_number, bad = columns.integers(text["no"])
        faults.mark(bad, Reason.BAD_NUMBER, "no")

        kind = _kinds(text, faults)
        values = (
            {key: text[FIELDS[key]] for key in _TEXTS}
            | numbers
            | {
                "at": at,
                "local": local,
                "day": day,
                "version": version.cast(pa.int64()),
                "document": joined([text["shop"], text["number"]]),
                "line_number": line_number,
                "line_key": line_number.cast(pa.string()),
                "kind": kind,
            }
        )
        check_signs(values, faults, FIELDS)
        return Records("sale_line", values, faults, FIELDS, "excluded")


def _kinds(text: Mapping[str, Column], faults: Faults) -> Column:
    places = pc.index_in(text["type"], value_set=pa.array(list(KINDS)))
    kind = pa.array([k.value for k in KINDS.values()]).take(places)
    faults.mark(missing(kind), Reason.BAD_VALUE, "type")
    known = pc.is_in(text["status"], value_set=pa.array(STATUSES))
    faults.mark(columns.flags(pc.invert(known)), Reason.BAD_VALUE, "status")
    refunded = pc.and_(pc.equal(kind, SaleKind.SALE.value), pc.is_valid(text["refund_of"]))
    kind = pc.if_else(refunded, SaleKind.RETURN.value, kind)
    return pc.if_else(pc.equal(text["status"], "voided"), SaleKind.VOID.value, kind)
