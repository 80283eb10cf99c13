"""POSLog of ARTS / NRF (IXRetail), version 2 and 6: transactions of registers as XML.

A document is a transaction: store, business day, workstation, sequence number. Namespaces
vary; of a transaction, elements in its own namespace are read and extensions are not. Only
`RetailTransaction` holds sales. Control, tender control and other transactions, training,
and suspended transactions are ignored with a count. Cancelled ones (`CancelFlag`) are void.

A post-void (`PostVoidTransaction`, or `TransactionStatus` "PostVoided") voids the transaction
that its `TransactionLink` names, or its own number where there is no link: it becomes a
version of that document which outranks every sending of it, in whatever order they arrive.

https://www.omg.org/retail-depository/arts-odm-73/ (terms)
https://www.omg.org/cgi-bin/doc?retail/2017-07-13 (POSLog 6)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import localcontext
from typing import Any

from gateways.formats.xml_stream import records
from gateways.normalize.adapter import Adapter, Kind
from gateways.normalize.context import Context
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.json_adapter import Rows
from gateways.normalize.money import smallest_unit
from gateways.normalize.records import FINAL, Records
from gateways.pos.figures import PRECISION, ZERO, Reading
from gateways.pos.orders import Basket, sale_records
from gateways.pos.poslog_lines import add_lines
from gateways.pos.poslog_xml import Node
from tenpo.contracts import SaleKind
from tenpo.errors import PayloadError

FIELDS = {
    "store_code": "RetailStoreID",
    "register_id": "WorkstationID",
    "receipt_id": "SequenceNumber",
    "occurred_at": "EndDateTime",
    "currency": "CurrencyCode",
    "customer": "CustomerID",
    "staff": "OperatorID",
    "original_receipt_id": "TransactionLink.SequenceNumber",
    "line_key": "LineItem.SequenceNumber",
    "sku": "ItemID",
    "category": "MerchandiseHierarchy",
    "quantity": "Quantity",
    "unit_price": "RegularSalesUnitPrice",
    "amount": "ExtendedAmount",
    "tax_amount": "Tax.Amount",
    "tax_rate": "Tax.Percent",
}
#: Statuses of a transaction that is not finished: it comes again.
UNFINISHED = ("suspended", "failed", "inprocess", "inprogress", "totaled")
VOIDED = "postvoided"


class PosLog(Adapter):
    """Transactions of any register that writes POSLog."""

    name = "poslog"
    version = "4"
    kind: Kind = "pos"
    media_type = "application/xml"

    def read(self, body: bytes, context: Context) -> Records:
        """One row a line of a retail transaction."""
        found = Rows()
        final = (context.received_at + FINAL).isoformat()
        count = 0
        with localcontext() as exact:
            exact.prec = PRECISION
            for count, element in enumerate(records(body, "Transaction"), start=1):
                _transaction(Node(element), found, str(count), final)
        if not count:
            raise PayloadError(
                "the payload has no transaction",
                where="POSLog",
                remedy="Send a POSLog with Transaction elements.",
            )
        faults = Faults(found.positions)
        for fault in found.faults:
            faults.add(*fault)
        made = sale_records(found.values, faults, FIELDS)
        made.ignored = (found.ignored,)
        return made


@dataclass(frozen=True)
class _Key:
    """What names a transaction."""

    store: str | None
    day: str | None
    register: str | None
    number: str | None

    @property
    def document(self) -> str | None:
        """The document's key; None where the number is missing."""
        if self.number is None:
            return None
        parts = (self.store, self.day, self.register, self.number)
        return "|".join((part or "").replace("|", "%7C") for part in parts)


def _transaction(node: Node, rows: Rows, position: str, final: str) -> None:
    retail, voiding = node.child("RetailTransaction"), node.child("PostVoidTransaction")
    status, training = _status(node, retail), "TrainingModeFlag"
    if node.flag(training) or (retail and retail.flag(training)) or status.startswith(UNFINISHED):
        rows.ignored += 1
    elif voiding or (retail and status == VOIDED):
        _post_void(node, voiding or retail, rows, position, final)
    elif retail:
        basket = _basket(node, retail, position)
        reading = Reading()
        rows.ignored += add_lines(basket, retail, reading)
        basket.into(rows, reading.fault, "LineItem")
    elif any(name.endswith("Transaction") for name in node.names()):
        rows.ignored += 1
    else:
        rows.faults.append((position, Reason.MISSING_FIELD, "RetailTransaction"))


def _status(node: Node, retail: Node | None) -> str:
    """The status that the transaction declares, in small letters; registers differ on where."""
    name = "TransactionStatus"
    for one in (retail, node):
        stated = one and (one.attribute(name) or one.text(name))
        if stated:
            return stated.rpartition(":")[2].lower()
    return ""


def _link(node: Node, voiding: Node | None) -> Node | None:
    """What names the voided transaction; links within lines name what these return."""
    name = "TransactionLink"
    beside = node.child("PostVoidTransaction")
    if beside is not None:
        return beside.descend(name)
    return (voiding.child(name) if voiding else None) or node.child(name)


def _key(node: Node) -> _Key:
    unit = node.child("BusinessUnit")
    store = node.text("RetailStoreID") or (unit.text("UnitID") or unit.own if unit else None)
    day = node.child("BusinessDayDate")
    return _Key(
        store,
        (day.text("Date") or day.own) if day else None,
        node.text("WorkstationID"),
        node.text("SequenceNumber"),
    )


def _head(node: Node, retail: Node | None, key: _Key) -> dict[str, Any]:
    times = ("EndDateTime", "POSLogDateTime", "ReceiptDateTime", "BeginDateTime")
    stated = [node.text(name) for name in times] + [
        retail.text("ReceiptDateTime") if retail else None
    ]
    return {
        "document": key.document,
        "store_code": key.store,
        "register_id": key.register,
        "receipt_id": node.text("ReceiptNumber") or key.number,
        "occurred_at": next((moment for moment in stated if moment), None),
        "currency": node.text("CurrencyCode") or (retail.currency() if retail else None),
        "customer": next(_customers(retail), None) if retail else None,
        "staff": node.text("OperatorID"),
    }


def _customers(retail: Node) -> Iterator[str]:
    for name in ("Customer", "LoyaltyAccount"):
        for one in retail.children(name):
            number = one.text("CustomerID")
            if number:
                yield number


def _basket(node: Node, retail: Node, position: str) -> Basket:
    head = _head(node, retail, _key(node))
    is_void = node.flag("CancelFlag") or node.flag("VoidFlag")
    return Basket(position, head, smallest_unit(head["currency"]), is_void)


def _post_void(node: Node, voiding: Node | None, rows: Rows, position: str, final: str) -> None:
    """One void line in place of all lines of the transaction that is voided."""
    own = _key(node)
    link = _link(node, voiding)
    named = _key(link) if link else own
    voided = _Key(
        named.store or own.store, named.day or own.day, named.register or own.register,
        named.number,
    )  # fmt: skip
    head = _head(node, voiding, voided) | {"version": final}
    basket = Basket(position, head, smallest_unit(head["currency"]), is_void=True)
    reading = Reading()
    if voided.number is None:
        reading.wrong(Reason.MISSING_FIELD, "TransactionLink.SequenceNumber")
    basket.add(
        SaleKind.VOID, "post_void", ZERO, original_receipt_id=voided.number, category="post_void"
    )
    basket.into(rows, reading.fault, "TransactionLink")
