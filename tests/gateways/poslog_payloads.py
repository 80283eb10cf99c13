"""POSLog made after its specification and the ways of registers in the field. No test of its own.

`V2` adds the tax to the prices (NCR's manner, times of the store), `V6` has it within them
(prefixed namespace, times with their offset). Personal values are planted to be looked for.
"""

from __future__ import annotations

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


WEIGHED = '<Quantity Units="0.42" UnitOfMeasureCode="KGM">1</Quantity>'
#: 1.26 + 2 x 3.00 - 0.50 = 6.76, 20 % of 5.50 = 1.10 of tax on top; one line voided by a second.
SALE_V2 = transaction(
    retail(
        item(1, "APPLE", "2.99", WEIGHED, "1.26", "<Tax><Amount>0.00</Amount></Tax>")
        + item(2, "TEA", "3.00", pieces("2"), "6.00",
               "<RetailPriceModifier><Amount Action='Subtract'>0.50</Amount></RetailPriceModifier>"
               "<Tax><TaxableAmount>5.50</TaxableAmount><Amount>1.10</Amount><Percent>20</Percent>"
               "</Tax>")
        + item(3, "JAM", "2.00", pieces("1"), "2.00")
        + item(4, "JAM", "2.00", pieces("-1"), "-2.00", attributes='VoidFlag="true"')
        + "<LineItem><SequenceNumber>5</SequenceNumber><Tender TenderType='Cash'>"
          "<Amount>10.00</Amount><TenderChange><Amount>2.14</Amount></TenderChange>"
          "<Card>5500005555555559</Card></Tender></LineItem>"
        + "<LineItem><SequenceNumber>6</SequenceNumber><acs:Loyalty>LOYAL-5550001</acs:Loyalty>"
          "</LineItem>"
        + "<LoyaltyAccount><CustomerID>LOYAL-5550001</CustomerID></LoyaltyAccount>",
        "7.86", "1.10",
    )
)  # fmt: skip
CONTROL = transaction(
    "<ControlTransaction><ReasonCode>SignOn</ReasonCode></ControlTransaction>", 160
)
V2 = v2(CONTROL, SALE_V2)

#: Prices with 20 % of tax in them; one piece comes back the same day.
V6 = f"""<p:POSLog xmlns:p="{NAMESPACE}" MajorVersion="6"><p:Transaction>
<p:BusinessUnit><p:UnitID Name="Soho">9</p:UnitID></p:BusinessUnit>
<p:WorkstationID TypeCode="POS">10001</p:WorkstationID><p:SequenceNumber>3570</p:SequenceNumber>
<p:OperatorID OperatorName="Tanaka">OP-77 Tanaka</p:OperatorID>
<p:ReceiptNumber>R-3570</p:ReceiptNumber><p:RetailTransaction>
<p:LineItem><p:SequenceNumber>1</p:SequenceNumber><p:Sale><p:ItemID>MUG</p:ItemID>
<p:RegularSalesUnitPrice Currency="GBP">12.00</p:RegularSalesUnitPrice>
<p:ActualSalesUnitPrice Currency="GBP">10.80</p:ActualSalesUnitPrice>
<p:ExtendedAmount Currency="GBP">10.80</p:ExtendedAmount>
<p:ExtendedDiscountAmount Currency="GBP">1.20</p:ExtendedDiscountAmount>
<p:Quantity UnitOfMeasureCode="EA">1.0000</p:Quantity>
<p:Tax><p:Amount>1.80</p:Amount><p:Percent>20.00</p:Percent></p:Tax></p:Sale></p:LineItem>
<p:LineItem><p:SequenceNumber>2</p:SequenceNumber><p:Return><p:ItemID>TEA</p:ItemID>
<p:RegularSalesUnitPrice Currency="GBP">6.00</p:RegularSalesUnitPrice>
<p:ExtendedAmount Currency="GBP">6.00</p:ExtendedAmount><p:Quantity>1</p:Quantity>
<p:TransactionLink><p:SequenceNumber>3569</p:SequenceNumber></p:TransactionLink>
<p:Tax><p:Amount>1.00</p:Amount><p:Percent>20.00</p:Percent></p:Tax></p:Return></p:LineItem>
<p:Total TotalType="TransactionGrandAmount" CurrencyCode="GBP">4.80</p:Total>
<p:Total TotalType="TransactionTaxAmount" CurrencyCode="GBP">0.80</p:Total>
<p:Customer><p:CustomerID>LOYAL-5550001</p:CustomerID><p:Name>Erika Mustermann</p:Name></p:Customer>
</p:RetailTransaction><p:BusinessDayDate>2026-11-01</p:BusinessDayDate>
<p:EndDateTime>2026-11-01T12:27:02.649Z</p:EndDateTime></p:Transaction></p:POSLog>""".encode()

LINK = (
    "<TransactionLink><RetailStoreID>9</RetailStoreID><WorkstationID>34</WorkstationID>"
    "<BusinessDayDate>2026-10-31</BusinessDayDate><SequenceNumber>161</SequenceNumber>"
    "</TransactionLink>"
)
