"""Keys: what one tenant seals, nobody else opens; pseudonyms are stable and apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenpo.errors import ConfigError, IntegrityError
from tenpo.keys import TenantKeys, wrapping_key

ROOT = bytes(range(32))


@given(st.binary(max_size=300), st.text(max_size=20))
def test_what_is_sealed_opens_again(plain: bytes, name: str) -> None:
    keys = TenantKeys(ROOT, "a")
    sealed = keys.seal(plain, name)
    assert keys.open(sealed, name) == plain
    assert keys.seal(plain, name) != sealed
    assert len(plain) < 8 or plain not in sealed


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    keys = TenantKeys(ROOT, "a")
    sealed = bytearray(keys.seal(b"payload", "name"))
    sealed[place % len(sealed)] ^= change
    with pytest.raises(IntegrityError):
        keys.open(bytes(sealed), "name")


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (TenantKeys(ROOT, "b"), "name"),
        (TenantKeys(ROOT[::-1], "a"), "name"),
        (TenantKeys(ROOT, "a"), "renamed"),
    ],
)
def test_another_tenant_key_or_name_does_not_open(keys: TenantKeys, name: str) -> None:
    with pytest.raises(IntegrityError):
        keys.open(TenantKeys(ROOT, "a").seal(b"payload", "name"), name)


@pytest.mark.parametrize("sealed", [b"", b"TENPO", b"TENPO1", b"TENPO1short", b"plain text"])
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(IntegrityError):
        TenantKeys(ROOT, "a").open(sealed, "name")


def test_pseudonyms_are_stable_and_keep_people_kinds_and_tenants_apart() -> None:
    keys = TenantKeys(ROOT, "a")
    assert keys.pseudonym("customer", "1") == TenantKeys(ROOT, "a").pseudonym("customer", "1")
    others = {
        keys.pseudonym("customer", "1"),
        keys.pseudonym("customer", "2"),
        keys.pseudonym("staff", "1"),
        TenantKeys(ROOT, "b").pseudonym("customer", "1"),
        TenantKeys(ROOT[::-1], "a").pseudonym("customer", "1"),
    }
    assert len(others) == 5


def test_wrapping_keys_differ_by_root_room_and_tenant() -> None:
    made = {
        wrapping_key(ROOT, "features", "a"),
        wrapping_key(ROOT, "features", "b"),
        wrapping_key(ROOT, "other", "a"),
        wrapping_key(ROOT[::-1], "features", "a"),
    }
    assert len(made) == 4
    assert {len(key) for key in made} == {32}


def test_a_short_root_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match="has 5 bytes"):
        TenantKeys(b"short", "a")
