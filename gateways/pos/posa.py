"""POS vendor A ("Regi-A"): a cp932 CSV a store and day, tax included, 30-hour clock.

What the vendor does: quantities and amounts of returns are positive and the kind
says that they are returns; one with a minus of its own is rejected. A voided receipt is sent
again whole with kind 9. It stays void, in whatever order its files arrive.
The store codes are the vendor's own; its store master arrives as a file of its
own (`gateways.pos.posa_stores`).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateways.formats.csv_text import CsvFormat, read_csv
from gateways.normalize import columns
from gateways.normalize.adapter import Adapter, Kind
from gateways.normalize.columns import NUMERIC, Column, flags, joined, missing
from gateways.normalize.context import Context
from gateways.normalize.faults import Mask, Reason
from gateways.normalize.instants import LOCAL, clocks, dates
from gateways.normalize.records import FINAL, Records
from gateways.normalize.signs import check_signs
from tenpo.contracts import SaleKind
from tenpo.identifiers import micros

CSV = CsvFormat(encoding="cp932")
FIELDS = {
    "store_code": "店舗コード",
    "day": "営業日",
    "occurred_at": "時刻",
    "register_id": "レジ番号",
    "receipt_id": "レシート番号",
    "line_number": "行番号",
    "kind": "取引区分",
    "sku": "商品コード",
    "category": "部門",
    "name": "商品名",
    "quantity": "数量",
    "unit_price": "単価",
    "amount": "金額(税込)",
    "tax_rate": "税率(%)",
    "customer": "会員番号",
    "staff": "担当者",
    "original_receipt_id": "元レシート番号",
}
KINDS = {
    "1": SaleKind.SALE,
    "2": SaleKind.RETURN,
    "3": SaleKind.DISCOUNT,
    "9": SaleKind.VOID,
}
#: The names of articles are in the file and in no event.
_READ = {key: name for key, name in FIELDS.items() if key != "name"}
_TEXTS = ("store_code", "register_id", "receipt_id", "sku", "category", "customer", "staff",
          "original_receipt_id")  # fmt: skip


class PosA(Adapter):
    """Regi-A's daily sales file."""

    name = "posa"
    version = "4"
    kind: Kind = "pos"
    media_type = "text/csv; charset=windows-31j"

    def read(self, body: bytes, context: Context) -> Records:
        """Columns of the file, in canonical names; see `FIELDS` for the vendor's."""
        found = read_csv(body, CSV, list(_READ.values()))
        text = {key: columns.text(found.columns[name]) for key, name in _READ.items()}
        mark = found.faults.mark

        day, bad_day = dates(text["day"], ["%Y/%m/%d"])
        clock, bad_clock = clocks(text["occurred_at"])
        mark(bad_day, Reason.BAD_TIME, FIELDS["day"])
        mark(missing(text["day"]), Reason.MISSING_FIELD, FIELDS["day"])
        mark(bad_clock, Reason.BAD_TIME, FIELDS["occurred_at"])

        numbers: dict[str, Column] = {}
        for key in ("quantity", "unit_price", "amount", "tax_rate"):
            numbers[key], bad = columns.decimals(text[key])
            mark(bad, Reason.BAD_NUMBER, FIELDS[key])
        mark(missing(numbers["amount"]), Reason.MISSING_FIELD, FIELDS["amount"])
        line_number, bad = columns.integers(text["line_number"])
        mark(bad, Reason.BAD_NUMBER, FIELDS["line_number"])

        kind, returned = _kinds(text["kind"])
        mark(missing(kind), Reason.BAD_VALUE, FIELDS["kind"])
        voided = flags(pc.equal(kind, SaleKind.VOID.value))
        mark(missing(numbers["tax_rate"]) & ~voided, Reason.MISSING_FIELD, FIELDS["tax_rate"])
        register, receipt = text["register_id"], text["receipt_id"]
        document = joined([text["store_code"], day, register, receipt])
        values = {key: text[key] for key in _TEXTS} | {
            "day": day,
            "version": _final(document, voided, context),
            "local": pc.add(day.cast(LOCAL), clock),
            "document": document,
            "line_number": line_number,
            "line_key": line_number.cast(pa.string()),
            "kind": kind,
            "quantity": columns.negated(numbers["quantity"], returned),
            "unit_price": numbers["unit_price"],
            "amount": columns.negated(numbers["amount"], returned),
            "tax_rate": _per_cent(numbers["tax_rate"]),
        }
        check_signs(values, found.faults, FIELDS)
        return Records("sale_line", values, found.faults, FIELDS, "included", (found.blank_lines,))


def _kinds(code: Column) -> tuple[Column, Mask]:
    """Canonical kinds, and which rows are returns."""
    places = pc.index_in(code, value_set=pa.array(list(KINDS)))
    kind = pa.array([k.value for k in KINDS.values()]).take(places)
    return kind, flags(pc.equal(kind, SaleKind.RETURN.value))


def _final(document: Column, voided: Mask, context: Context) -> Column:
    """The version of receipts of which all lines are void, which outranks every sending of them."""
    if not voided.any():
        return pa.nulls(len(document), pa.int64())
    codes = columns.codes_of(document)
    is_void = np.bincount(codes, weights=~voided)[codes] == 0
    final = pa.scalar(micros(context.received_at + FINAL), pa.int64())
    return pc.if_else(pa.array(is_void), final, None)


def _per_cent(rate: Column) -> Column:
    hundredth = pa.scalar("0.01").cast(NUMERIC)
    return columns.times(rate, pa.repeat(hundredth, len(rate)))
