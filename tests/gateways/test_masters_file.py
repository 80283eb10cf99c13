"""The masters file: what it gives, and how it complains."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenpo.errors import ConfigError
from tenpo.masters import Device, Store, StoreCode
from tenpo.masters_file import load_masters_file, parse_masters

GOOD = """
stores:
  - store_id: oslo-1
    name: Oslo 1
    timezone: Europe/Oslo
    currency: NOK
    day_cutover: 05:00
    opening_hours: [[10:00, 21:00], [10:00, 21:00], null, [10:00, 26:00], null, null, null]
store_codes:
  - {source: posa, code: 0001, store_id: oslo-1, valid_from: 2026-04-01}
devices:
  - {device_id: 6384E16179950009, store_id: oslo-1, source: milesight, interval_s: 900}
"""


def test_text_stays_what_people_wrote() -> None:
    masters = parse_masters(GOOD, "stores.yaml")
    (store,), (code,), (device,) = masters["store"], masters["store_code"], masters["device"]
    assert isinstance(store, Store)
    assert isinstance(code, StoreCode)
    assert isinstance(device, Device)
    assert store.opening_hours[0] == ("10:00", "21:00")
    assert store.opening_hours[2] is None
    assert code.code == "0001"
    assert device.device_id == "6384E16179950009"


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("Europe/Oslo", "Europe/Olso", "line 5, key stores.0.timezone", "Olso"),
        ("currency: NOK", "currency: kr", "line 6, key stores.0.currency", "pattern"),
        ("currency: NOK", "currencyy: NOK", "line 6, key stores.0.currencyy", "Extra"),
        ("interval_s: 900", "interval_s: x", "line 12, key devices.0.interval_s", "integer"),
        ("store_id: oslo-1, valid", "store_id: oslo-2, valid",
         "key store_codes.0.store_id", "no such"),
        ("devices:", "device:", "line 11, key device", "no section"),
        ("stores:\n", "stores: x\nmore:\n", "line 2, key stores", "no list"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_key(old: str, new: str, where: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what) as caught:
        parse_masters(GOOD.replace(old, new), "stores.yaml")
    assert where in caught.value.what or where in caught.value.where


def test_a_store_that_comes_twice_is_refused() -> None:
    row = "  - {store_id: oslo-1, name: b, timezone: Europe/Oslo, currency: NOK}\n"
    with pytest.raises(ConfigError, match="twice"):
        parse_masters(GOOD.replace("store_codes:", row + "store_codes:"), "stores.yaml")


@pytest.mark.parametrize("text", ["", "x", "- a", "a: [", "\ta: b"])
def test_what_is_no_masters_file_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"stores\.yaml|no section|empty"):
        parse_masters(text, "stores.yaml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_masters_file(tmp_path / "none.yaml")
