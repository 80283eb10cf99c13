"""POSLog made after its specification and the ways of registers in the field. No test of its own.

`V2` adds the tax to the prices (NCR's manner, times of the store), `V6` has it within them
(prefixed namespace, times with their offset). Personal values are planted to be looked for.
"""

from __future__ import annotations

import re

from tests.gateways.recordings import recording

PLANTED = ("OP-77 Tanaka", "LOYAL-5550001", "Erika Mustermann", "5500005555555559")
NAMESPACE = "http://www.nrf-arts.org/IXRetail/namespace/"


def v2(*transactions: str) -> bytes:
    """A POSLog of version 2 with these transactions."""
    body = "".join(transactions)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><POSLog xmlns="{NAMESPACE}" '
        f'xmlns:acs="urn:example:extension">{body}</POSLog>'
    ).encode()


def transaction(content: str, number: int = 161, attributes: str = "", head: str = "") -> str:
    """A transaction of store 9."""
    return (
        f"<Transaction {attributes}><RetailStoreID>9</RetailStoreID>"
        f"<WorkstationID>34</WorkstationID><SequenceNumber>{number}</SequenceNumber>"
        "<BusinessDayDate>2026-10-31</BusinessDayDate>"
        "<EndDateTime>2026-11-01T02:02:54</EndDateTime>"
        '<OperatorID OperatorName="Tanaka">OP-77 Tanaka</OperatorID>'
        f"<CurrencyCode>GBP</CurrencyCode>{head}{content}</Transaction>"
    )


def item(number: int, sku: str, price: str, quantity: str, amount: str, more: str = "",
         attributes: str = "", kind: str = "Sale") -> str:  # fmt: skip
    """A line of goods."""
    return (
        f"<LineItem {attributes}><SequenceNumber>{number}</SequenceNumber>"
        f'<{kind} ItemType="Stock"><POSIdentity><POSItemID>{sku}</POSItemID></POSIdentity>'
        f"<MerchandiseHierarchy>dep-6</MerchandiseHierarchy>"
        f"<RegularSalesUnitPrice>{price}</RegularSalesUnitPrice>"
        f"<ExtendedAmount>{amount}</ExtendedAmount>{quantity}{more}</{kind}></LineItem>"
    )


def pieces(count: str) -> str:
    return f"<Quantity>{count}</Quantity>"


def retail(lines: str, grand: str = "", tax: str = "", attributes: str = "") -> str:
    totals = f'<Total TotalType="TransactionGrandAmount">{grand}</Total>' if grand else ""
    totals += f'<Total TotalType="TransactionTaxAmount">{tax}</Total>' if tax else ""
    return f"<RetailTransaction {attributes}>{lines}{totals}</RetailTransaction>"


#: 1.26 + 2 x 3.00 - 0.50 = 6.76, 20 % of 5.50 = 1.10 of tax on top; one line voided by a second.
V2 = recording("poslog", "ixretail-2.xml")
CONTROL, SALE_V2 = re.findall("<Transaction .*?</Transaction>", V2.decode())
#: Prices with 20 % of tax in them; one piece comes back the same day.
V6 = recording("poslog", "ixretail-6.xml")

LINK = (
    "<TransactionLink><RetailStoreID>9</RetailStoreID><WorkstationID>34</WorkstationID>"
    "<BusinessDayDate>2026-10-31</BusinessDayDate><SequenceNumber>161</SequenceNumber>"
    "</TransactionLink>"
)
