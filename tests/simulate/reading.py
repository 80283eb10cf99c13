"""A second reading of the payloads, in plain Python; it shares nothing with the books."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from tenpo.simulate import Chain, Payload

Key = tuple[str, date, int]
Books = dict[Key, Counter[str]]
TURNOVER = ("sale", "return", "discount")
POSA_KINDS = {"1": "sale", "2": "return", "3": "discount", "9": "void"}


@dataclass(frozen=True)
class Line:
    kind: str
    quantity: int
    net: int
    gross: int


def read_books(payloads: Iterable[Payload], chain: Chain) -> Books:
    """Totals by store, business date and local hour of what the payloads say in the end."""
    in_order = list(payloads)
    books: Books = defaultdict(Counter)
    for key, lines in final_receipts(in_order, chain).values():
        _book_receipt(books[key], lines)
    for key, values in _intervals(in_order, chain):
        books[key].update(values)
    return books


def final_receipts(payloads: list[Payload], chain: Chain) -> dict[object, tuple[Key, list[Line]]]:
    """Every receipt's last version."""
    last: dict[object, tuple[Any, Key, list[Line]]] = {}
    codes = {row.code: row.store_id for row in chain.store_codes}
    for order, payload in enumerate(payloads):
        if payload.route == "/v1/pos/posa/stores":
            codes |= {row["店舗コード"]: row["店舗ID"] for row in _csv(payload)}
        elif payload.route == "/v1/pos/posa":
            for document, key, lines in _posa(payload, codes):
                last[document] = (order, key, lines)
        elif payload.route == "/v1/pos/posb":
            for document, updated, key, lines in _posb(payload, codes):
                if document not in last or updated >= last[document][0]:
                    last[document] = (updated, key, lines)
    return {document: (key, lines) for document, (_, key, lines) in last.items()}


def _csv(payload: Payload) -> list[dict[str, str]]:
    text = payload.body.decode("cp932")
    assert text.count("\n") == text.count("\r\n") > 0
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _posa(payload: Payload, codes: dict[str, str]) -> Iterator[tuple[object, Key, list[Line]]]:
    receipts: dict[tuple[str, str, str, str], list[dict[str, str]]] = defaultdict(list)
    for row in _csv(payload):
        document = (row["店舗コード"], row["営業日"], row["レジ番号"], row["レシート番号"])
        receipts[document].append(row)
    for document, rows in receipts.items():
        assert [int(row["行番号"]) for row in rows] == list(range(1, len(rows) + 1))
        day = date(*map(int, document[1].split("/")))
        key = (codes[document[0]], day, int(rows[0]["時刻"].split(":")[0]))
        yield document, key, [_posa_line(row) for row in rows]


def _posa_line(row: dict[str, str]) -> Line:
    kind = POSA_KINDS[row["取引区分"]]
    gross, rate = int(row["金額(税込)"]), int(row["税率(%)"])
    assert rate in (8, 10)
    if kind in ("sale", "return"):
        assert gross == int(row["数量"]) * int(row["単価"]) > 0
    tax = int(abs(gross) * Fraction(rate, 100 + rate))
    net = gross - tax if gross >= 0 else gross + tax
    sign = -1 if kind == "return" else 1
    return Line(kind, sign * int(row["数量"]), sign * net, sign * gross)


def _posb(payload: Payload, codes: dict[str, str]) -> Iterator[tuple[object, str, Key, list[Line]]]:
    content = json.loads(payload.body)
    for receipt in content.get("receipts", [content]):
        issued = datetime.fromisoformat(receipt["issued_at"])
        key = (codes[receipt["shop"]], issued.date(), issued.hour)
        lines = [_posb_line(receipt, line) for line in receipt["lines"]]
        yield (receipt["shop"], receipt["number"]), receipt["updated_at"], key, lines


def _posb_line(receipt: dict[str, Any], line: dict[str, Any]) -> Line:
    net, tax, quantity = int(line["amount"]), int(line["tax"]), int(line["qty"])
    assert abs(tax) == int(abs(net) * Fraction(line["tax_rate"]))
    kind = line["type"]
    if kind == "item":
        assert net == quantity * int(line["unit_price"])
        kind = "return" if receipt["refund_of"] else "sale"
    if receipt["status"] == "voided":
        kind = "void"
    return Line(kind, quantity, net, net + tax)


def _book_receipt(book: Counter[str], lines: list[Line]) -> None:
    turnover = [line for line in lines if line.kind in TURNOVER]
    sold = [line for line in lines if line.kind == "sale"]
    returned = [line for line in lines if line.kind == "return"]
    net = sum(line.net for line in turnover)
    book["sale_lines"] += len(lines)
    book["transactions"] += bool(sold) and net > 0
    book["return_receipts"] += bool(returned)
    book["net_sales_amount"] += net
    book["gross_sales_amount"] += sum(line.gross for line in turnover)
    book["sold_net_amount"] += sum(line.net for line in sold)
    book["returned_net_amount"] -= sum(line.net for line in returned)
    book["merchandise_net_amount"] += sum(line.net for line in [*sold, *returned])
    book["units"] += sum(line.quantity for line in [*sold, *returned])


def _intervals(payloads: list[Payload], chain: Chain) -> Iterator[tuple[Key, dict[str, int]]]:
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    for payload in payloads:
        if payload.route == "/v1/iot/milesight":
            content = json.loads(payload.body)
            for report in content if isinstance(content, list) else [content]:
                serial = report["device_info"]["device_sn"]
                seen[serial, report["time_info"]["start_time"]] = report
    stores = {shop.store.store_id: shop.store for shop in chain.shops}
    store_of = {row.device_id: row.store_id for row in chain.devices}
    for (serial, start_time), report in seen.items():
        store = stores[store_of[serial]]
        start = datetime.fromisoformat(start_time)
        early = timedelta(hours=5 if store.day_cutover == "05:00" else 0)
        day = (start - early).date()
        hour = start.hour + 24 * (start.date() - day).days
        (line,) = report["line_periodic_data"]
        hours = store.opening_hours[0]
        assert hours is not None
        clock = f"{hour:02d}:{start.minute:02d}"
        is_open = hours[0] <= clock < hours[1]
        visitors = line["total"]["in"] - line["staff"]["in"]
        values = {
            "in_count": line["total"]["in"],
            "out_count": line["total"]["out"],
            "footfall": visitors if is_open else 0,
        }
        yield (store.store_id, day, hour), values
