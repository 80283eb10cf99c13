"""Vendor B's messages: JSON, tax excluded, hourly or daily batches, corrections one by one.

A correction or void is the whole receipt again with a later `updated_at`. Now and
then the old version arrives once more after it, as after a network failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson

from tenpo.simulate.payload import Payload, moment
from tenpo.simulate.register import Register
from tenpo.simulate.tables import Fate, Kind

Json = dict[str, Any]

ROUTE = "/v1/pos/posb"

_TYPE = {
    Kind.SALE: "item",
    Kind.RETURN: "item",
    Kind.DISCOUNT: "discount",
    Kind.SHIPPING: "shipping",
    Kind.GIFT_CARD: "gift_card",
}
_RATE = {0: "0", 8: "0.08", 10: "0.10"}
_HOUR_S = 3600
_BATCH_AFTER_S = 40
_DAY_AFTER_S = 900
_CORRECTED_AFTER_S = 2400
_OLD_AGAIN_EVERY = 9
_BATCH_TWICE_EVERY = 61


class Messages(Register):
    """Writes the messages of one shop."""

    def all(self) -> Iterator[Payload]:
        """Batches and corrections, not in order of time."""
        yield from self._batches()
        yield from self._corrections()

    def _batches(self) -> Iterator[Payload]:
        receipts = self._sales.receipts
        by_hour = receipts["second"] // _HOUR_S if self._shop.hourly else receipts["second"] * 0
        group = receipts["day"].astype(np.int64) * 48 + by_hour
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        for number, chosen in enumerate(np.split(np.arange(len(group)), starts[1:])):
            if not len(chosen):
                continue
            day, hour = divmod(int(group[chosen[0]]), 48)
            due = (hour + 1) * _HOUR_S + _BATCH_AFTER_S
            due = due if self._shop.hourly else self._closes + _DAY_AFTER_S
            part = f"T{hour:02d}" if self._shop.hourly else ""
            name = f"{self._shop.code}_{self._days[day]:%Y%m%d}{part}"
            receipts_of = [self._receipt(index) for index in chosen]
            yield self._payload(name, moment(self._days[day], due), receipts_of)
            if number % _BATCH_TWICE_EVERY == _BATCH_TWICE_EVERY - 1:
                again = moment(self._days[day], due + 30)
                yield self._payload(f"{name}_again", again, receipts_of)

    def _corrections(self) -> Iterator[Payload]:
        fates = self._sales.receipts["fate"]
        changed = np.flatnonzero((fates == Fate.VOIDED_LATER) | (fates == Fate.CORRECTED))
        for count, index in enumerate(changed, 1):
            settled = int(self._sales.receipts["settled_day"][index])
            at = moment(self._days[settled], self._closes + _CORRECTED_AFTER_S)
            at += timedelta(seconds=int(index) % 300)
            name = f"{self._shop.code}_{self._days[settled]:%Y%m%d}_{index:06d}"
            yield self._payload(f"{name}_changed", at, self._receipt(int(index), settled_at=at))
            if count % _OLD_AGAIN_EVERY == 0:
                old = self._receipt(int(index))
                yield self._payload(f"{name}_old", at + timedelta(seconds=20), old)

    def _payload(self, name: str, due_at: datetime, content: Json | list[Json]) -> Payload:
        receipts = content if isinstance(content, list) else [content]
        return Payload(
            name=f"pos/posb/{name}.json",
            due_at=due_at,
            route=ROUTE,
            body=orjson.dumps({"receipts": content} if content is receipts else content),
            records=sum(len(receipt["lines"]) for receipt in receipts),
            lane=self._shop.store.store_id,
        )

    def _receipt(self, index: int, settled_at: datetime | None = None) -> Json:
        row = self._sales.receipts[index]
        fate = Fate(int(row["fate"]))
        issued = moment(self._days[row["day"]], int(row["second"]))
        voided = fate is Fate.VOIDED_AT_ONCE or (
            fate is Fate.VOIDED_LATER and settled_at is not None
        )
        lines = self._sales.lines[self._ends[index] : self._ends[index + 1]]
        if settled_at is not None:
            lines = lines[~lines["dropped"]]
        updated = (settled_at or issued + timedelta(seconds=4)).astimezone(UTC)
        receipt = {
            "shop": self._shop.code,
            "terminal": str(row["register"]),
            "number": self._number(index),
            "updated_at": f"{updated:%Y-%m-%dT%H:%M:%SZ}",
            "issued_at": issued.isoformat(),
            "status": "voided" if voided else "completed",
            "currency": self._shop.store.currency,
            "clerk": f"S{row['clerk']:02d}",
            "refund_of": None if row["original"] < 0 else self._number(int(row["original"])),
            "lines": [self._line(line) for line in lines],
        }
        if row["customer"]:
            receipt["customer_id"] = f"C{row['customer']:06d}"
        return receipt

    def _number(self, index: int) -> str:
        row = self._sales.receipts[index]
        return f"B-{self._days[row['day']]:%Y%m%d}-{row['number']:05d}"

    def _line(self, line: np.void) -> Json:
        article = int(line["article"])
        goods = article >= 0
        net, rate = int(line["amount"]), int(line["rate"])
        return {
            "no": int(line["number"]),
            "type": _TYPE[Kind(int(line["kind"]))],
            "sku": self._catalogue.sku[article] if goods else None,
            "dept": self._catalogue.department[article] if goods else None,
            "qty": str(line["quantity"]),
            "unit_price": str(line["unit_price"]),
            "amount": str(net),
            "tax_rate": _RATE[rate],
            "tax": str(_tax_on_net(net, rate)),
        }


def _tax_on_net(net: int, rate: int) -> int:
    """Tax in whole yen, cut off; a return's mirrors its sale's."""
    tax = abs(net) * rate // 100
    return tax if net >= 0 else -tax
