"""Vendor A's files: Windows-31J CSV, one a shop and day, tax included, the vendor's own shop codes.

A receipt voided on the spot is on the day's file as voided; one voided later
comes again, voided, on a small file of its own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tenpo.simulate.catalogue import Catalogue
from tenpo.simulate.chain import Shop
from tenpo.simulate.payload import Payload, moment
from tenpo.simulate.register import Register
from tenpo.simulate.tables import Fate, Kind

Ints = NDArray[np.int64]

ENCODING = "cp932"
CONTENT_TYPE = "text/csv; charset=windows-31j"
ROUTE = "/v1/pos/posa"

HEADER = (
    "店舗コード", "営業日", "時刻", "レジ番号", "レシート番号", "行番号", "取引区分", "商品コード",
    "部門", "商品名", "数量", "単価", "金額(税込)", "税率(%)", "会員番号", "担当者",
    "元レシート番号",
)  # fmt: skip
STORE_HEADER = ("店舗コード", "店舗名", "店舗ID", "適用開始日", "適用終了日")

_CODES_SINCE = "2019/04/01"
_VOID = "9"
_CODE = {Kind.SALE: "1", Kind.RETURN: "2", Kind.DISCOUNT: "3"}
_AFTER_CLOSING_S = 1200
_VOIDS_AFTER_S = 2400


def store_file(shops: Sequence[Shop], first_day: date) -> Payload:
    """The vendor's store master, sent before any sales."""
    rows = [(s.code, s.store.name, s.store.store_id, _CODES_SINCE, "") for s in shops]
    return Payload(
        name="pos/posa/stores.csv",
        due_at=moment(first_day, 0),
        route=f"{ROUTE}/stores",
        body=_csv([STORE_HEADER, *rows]),
        records=len(rows),
        content_type=CONTENT_TYPE,
        first=True,
    )


class Files(Register):
    """Writes the files of one shop."""

    def all(self) -> Iterator[Payload]:
        """Each day's file, and after it the files of its receipts that were voided later."""
        receipts = self._sales.receipts
        for number in range(len(self._days)):
            chosen = np.flatnonzero(receipts["day"] == number)
            order = np.lexsort((receipts["second"][chosen], receipts["register"][chosen]))
            yield self._payload(number, chosen[order])
            later = chosen[receipts["fate"][chosen] == Fate.VOIDED_LATER]
            settled = receipts["settled_day"][later]
            for voided_on in np.unique(settled).tolist():
                yield self._payload(number, later[settled == voided_on], voided_on)

    def _payload(self, number: int, chosen: Ints, voided_on: int | None = None) -> Payload:
        name = f"{self._shop.code}_{self._days[number]:%Y%m%d}"
        due_at = moment(self._days[number], self._closes + _AFTER_CLOSING_S)
        if voided_on is not None:
            name += f"_void_{self._days[voided_on]:%Y%m%d}"
            due_at = moment(self._days[voided_on], self._closes + _VOIDS_AFTER_S)
        rows = [row for index in chosen for row in self._rows(index, void=voided_on is not None)]
        return Payload(
            name=f"pos/posa/{name}.csv",
            due_at=due_at,
            route=ROUTE,
            body=_csv([HEADER, *rows]),
            records=len(rows),
            content_type=CONTENT_TYPE,
            lane=self._shop.store.store_id,
        )

    def _rows(self, index: int, *, void: bool) -> Iterator[Sequence[object]]:
        receipt = self._sales.receipts[index]
        void = void or receipt["fate"] == Fate.VOIDED_AT_ONCE
        head = (self._shop.code, f"{self._days[receipt['day']]:%Y/%m/%d}",
                _clock(int(receipt["second"])), receipt["register"],
                f"{receipt['number']:04d}")  # fmt: skip
        tail = (_member(int(receipt["customer"])), f"S{receipt['clerk']:02d}",
                self._original(int(receipt["original"])))  # fmt: skip
        for line in self._sales.lines[self._ends[index] : self._ends[index + 1]]:
            yield (*head, line["number"], *_line(line, self._catalogue, void=void), *tail)

    def _original(self, index: int) -> str:
        if index < 0:
            return ""
        receipt = self._sales.receipts[index]
        day = self._days[receipt["day"]]
        return f"{day:%Y%m%d}-{receipt['register']}-{receipt['number']:04d}"


def _line(line: np.void, catalogue: Catalogue, *, void: bool) -> tuple[object, ...]:
    kind, article = Kind(int(line["kind"])), int(line["article"])
    code = _VOID if void else _CODE[kind]
    if kind is Kind.DISCOUNT:
        goods: tuple[object, ...] = ("", "", "値引", 0, 0, line["amount"])
    else:
        goods = (catalogue.sku[article], catalogue.department[article], catalogue.name[article],
                 abs(line["quantity"]), line["unit_price"], abs(line["amount"]))  # fmt: skip
    return (code, *goods, line["rate"])


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _member(customer: int) -> str:
    return f"M{customer:07d}" if customer else ""


def _csv(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode(ENCODING)
