"""Errors: what, where, remedy; and they survive the way between processes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest

from tenpo import errors
from tenpo.errors import AuthError, LakeError, TenpoError


def _tree(root: type[TenpoError]) -> Iterator[type[TenpoError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child)


@pytest.mark.parametrize("kind", list(_tree(TenpoError)), ids=lambda kind: kind.__name__)
def test_every_error_carries_its_parts_through_pickle_and_copy(kind: type[TenpoError]) -> None:
    error = kind("it broke", where="line 3", remedy="Mend it.")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own
        assert type(twin) is kind
        assert (twin.what, twin.where, twin.remedy) == ("it broke", "line 3", "Mend it.")
        assert str(twin) == "it broke (line 3). Mend it."
    assert kind.__name__ in (errors.__doc__ or "")


def test_only_services_are_worth_another_try() -> None:
    retryable = {kind.__name__ for kind in _tree(TenpoError) if kind.retryable}
    assert retryable == {"ServiceError", "LakeError", "WarehouseError", "DatamartError",
                         "StackError", "RateLimited", "Overloaded", "VendorError"}  # fmt: skip
    assert LakeError.http_status == 503


def test_exit_codes_tell_the_branches_apart() -> None:
    branches = TenpoError.__subclasses__()
    codes = [kind.exit_code for kind in branches if kind.__module__ == errors.__name__]
    assert len(codes) >= 5
    assert 0 not in codes


def test_forbidden_is_not_unauthorized() -> None:
    assert AuthError("who are you").status == 401
    forbidden = AuthError("not here", forbidden=True)
    assert forbidden.status == 403
    assert pickle.loads(pickle.dumps(forbidden)).status == 403  # noqa: S301 - our own
