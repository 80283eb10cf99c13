"""Who may read the metrics."""

from __future__ import annotations

import pytest

from tenpo.errors import AuthError
from tenpo.operators_token import require_operator


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("", "Bearer "), ("", None), ("s", None), ("s", ""), ("s", "s"), ("s", "Bearer "),
        ("s", "Bearer ss"), ("s", "Bearer \u00e9"),
    ],
)  # fmt: skip
def test_nobody_but_the_operator(secret: str, shown: str | None) -> None:
    with pytest.raises(AuthError) as caught:
        require_operator(secret, shown)
    assert caught.value.status == 401


def test_the_operator() -> None:
    require_operator("s", "Bearer s")
