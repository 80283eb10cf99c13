"""What may stand anywhere in a payload, and that money stays exact.

Damaged payloads of every adapter are read by the conformance kit, see `test_contract`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.pos.posa import PosA
from tests.gateways.payloads import context, posa

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=12)
    | st.sampled_from(["2026-11-01T10:00:00+09:00", "1e5", "-0", "٣", "9" * 40, "0001-01-01"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner,
                                                                max_size=2),
    max_leaves=4,
)  # fmt: skip


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every member of a JSON document: its container and its key."""
    found: list[tuple[Any, Any]] = []
    keys = document if isinstance(document, dict) else range(len(document))
    for key in keys:
        found.append((document, key))
        if isinstance(document[key], dict | list):
            found += places(document[key])
    return found


def check(adapter: Any, document: Any) -> None:
    body = json_of(document)
    result = adapter.normalize(body, context())
    assert result.received == result.accepted + len(result.rejected)


def json_of(document: Any) -> bytes:
    import json

    return json.dumps(document).encode()


@settings(max_examples=100, deadline=None)
@given(
    amount=st.integers(0, 10**9),
    rate=st.sampled_from([8, 10]),
    kind=st.sampled_from(["1", "2"]),
)
def test_net_and_tax_add_up_to_gross_and_a_return_mirrors_its_sale(
    amount: int, rate: int, kind: str
) -> None:
    line = f"0001,2026/11/01,10:00:00,1,1,1,{kind},,,,1,{amount},{amount},{rate},,,"
    (row,) = PosA().normalize(posa(line), context()).events["sale_line"].to_pylist()
    sign = -1 if kind == "2" else 1
    assert row["net_amount"] + row["tax_amount"] == row["gross_amount"] == sign * amount
    assert row["tax_amount"] == sign * (amount * rate // (100 + rate))
    assert isinstance(row["net_amount"], Decimal)
