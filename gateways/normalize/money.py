"""Amounts of a receipt line: gross, net and tax from what the vendor states. Never float."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pyarrow as pa
import pyarrow.compute as pc

from gateways.normalize.columns import NUMERIC, Column, distinct, flags, for_distinct, spread, times
from gateways.normalize.context import Batch
from gateways.normalize.faults import Mask
from gateways.normalize.records import Records
from gateways.normalize.stores import per_store
from tenpo.contracts import SaleKind

#: Tax is rounded by its size and then given the line's sign, so a return cancels its sale.
_ROUNDING = {
    "floor": ROUND_DOWN,
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
}
#: Currencies that do not have two decimals (ISO 4217).
_DECIMALS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
     "XAF", "XOF", "XPF"), 0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)  # fmt: skip
_NO_PART = pa.array([SaleKind.VOID.value, SaleKind.TENDER.value])
#: Numbers of fourteen digits, and products of two, leave room for the sum's carry.
_TERM = pa.decimal128(37, 9)


def amounts(records: Records, store_ids: Column, batch: Batch) -> dict[str, Column]:
    """The columns gross_amount, net_amount, tax_amount and tax_rate of sale lines."""
    rate = records.column("tax_rate")
    amount = records.columns.get("amount")
    if amount is None:
        amount = times(records.column("quantity"), records.column("unit_price"))
    nothing = pa.nulls(len(records), NUMERIC)
    known = {
        "tax_rate": rate,
        "tax_amount": nothing,
        "gross_amount": nothing,
        "net_amount": nothing,
    }
    match records.tax_mode:
        case "unknown":
            return known
        case "none":
            zero = pc.if_else(pc.is_valid(amount), pa.scalar(Decimal(0), NUMERIC), nothing)
            return known | {"tax_amount": zero, "gross_amount": amount, "net_amount": amount}
        case "included":
            tax = _tax(records, amount, store_ids, batch)
            return known | {
                "tax_amount": tax,
                "gross_amount": amount,
                "net_amount": _sum(amount, pc.negate(tax)),
            }
        case "excluded":
            tax = _tax(records, amount, store_ids, batch)
            return known | {
                "tax_amount": tax,
                "gross_amount": _sum(amount, tax),
                "net_amount": amount,
            }


def smallest_unit(currency: str | None) -> Decimal:
    """The smallest amount of a currency, e.g. 0.01; of an unknown one likewise."""
    return Decimal(1).scaleb(-_DECIMALS.get(currency or "", 2))


def strange_rates(rate: Column) -> Mask:
    """Which tax rates are no part of the price: below nothing, or above all of it."""
    return flags(pc.or_(pc.less(rate, Decimal(0)), pc.greater(rate, Decimal(1))))


def _sum(left: Column, right: Column) -> Column:
    return pc.add(left.cast(_TERM), right.cast(_TERM)).cast(NUMERIC)


def _tax(records: Records, amount: Column, store_ids: Column, batch: Batch) -> Column:
    """Tax as stated, else by the rate and the store's rounding; null where no rate is known."""
    stated, rate = records.column("tax_amount"), records.column("tax_rate")
    if rate.null_count == len(rate) or not stated.null_count:
        return stated
    stores = batch.masters.stores
    own = records.tax_rounding
    rounding = per_store(store_ids, lambda store: own or stores[store].tax_rounding)
    included = records.tax_mode == "included"

    def tax(
        value: Decimal | None, share: Decimal | None, how: str | None, code: str | None
    ) -> Decimal | None:
        if value is None or share is None or how is None or not 0 <= share <= 1:
            return None
        base = 1 + share if included else Decimal(1)
        unit = smallest_unit(code)
        return (value * share / base).quantize(unit, _ROUNDING[how])

    def rounded(values: Column) -> Column:
        taxes, inverse = for_distinct([values, rate, rounding, records.column("currency")], tax)
        return spread(taxes, inverse, NUMERIC)

    if records.tax_per == "line":
        return pc.coalesce(stated, rounded(amount))
    before, after = _running(records, amount, rate)
    return pc.coalesce(stated, _sum(rounded(after), pc.negate(rounded(before))))


def _running(records: Records, amount: Column, rate: Column) -> tuple[Column, Column]:
    """Sums of each receipt's amounts at one rate, without and with the line itself.

    The difference of their rounded taxes is the line's: within one unit of its exact tax,
    and all of them together are the rounded tax of the receipt.
    """
    # What was paid, or is void, is no part of what the receipt's tax is of.
    kinds = pc.is_in(records.column("kind"), value_set=_NO_PART)
    kind = pc.if_else(kinds, records.column("kind"), "")
    delivery = pa.array(records.faults.deliveries)
    _, receipts = distinct([delivery, records.column("document"), rate, kind])
    bad = records.faults.bad.tolist()
    sums: dict[int, Decimal] = {}
    before: list[Decimal | None] = []
    after: list[Decimal | None] = []
    for receipt, value, is_bad in zip(receipts.tolist(), amount.to_pylist(), bad, strict=True):
        if value is None or is_bad:
            before.append(None)
            after.append(None)
            continue
        before.append(sums.get(receipt, Decimal(0)))
        sums[receipt] = sums.get(receipt, Decimal(0)) + value
        after.append(sums[receipt])
    return pa.array(before, NUMERIC), pa.array(after, NUMERIC)
