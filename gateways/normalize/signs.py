"""Signs of the lines of sales: a return is below zero, and a tax on the side of its amount.

For adapters that take kinds and signs as their vendor states them. No sign is guessed: what
would count on the wrong side is rejected. Not for all: registers that send whole orders
have returns of disposals, whose amounts are rightly above zero.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow.compute as pc

from gateways.normalize.columns import Column, flags, negative, positive
from gateways.normalize.faults import Faults, Reason
from tenpo.contracts import SaleKind


def check_signs(values: Mapping[str, Column], faults: Faults, fields: Mapping[str, str]) -> None:
    """Reject returns that would count as sales, and taxes of another sign than their amount.

    Args:
        values: `kind`, and what there is of `quantity`, `amount` and `tax_amount`, with the
            signs that they would count with.
        faults: of these rows; what is wrong is marked.
        fields: the vendor's names, for messages.
    """
    returned = flags(pc.equal(values["kind"], SaleKind.RETURN.value))
    for name in ("quantity", "amount", "tax_amount"):
        if name in values:
            above = positive(values[name]) & returned
            faults.mark(above, Reason.POSITIVE_RETURN, fields.get(name, name))
    if "amount" in values and "tax_amount" in values:
        amount, tax = values["amount"], values["tax_amount"]
        other = (positive(amount) & negative(tax)) | (negative(amount) & positive(tax))
        other &= flags(pc.not_equal(values["kind"], SaleKind.VOID.value))
        faults.mark(other, Reason.WRONG_SIGN, fields.get("tax_amount", "tax_amount"))
