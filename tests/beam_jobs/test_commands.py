"""What `tenpo ingest` and `tenpo aggregate` refuse before they do anything."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from beam_jobs.commands import _range, _tenants, ingest
from tenpo.errors import InputError, UnknownReference
from tenpo.lake import Lake
from tenpo.masters import MasterBook, Store


@pytest.fixture
def book(tmp_path: Path) -> MasterBook:
    """Two tenants, of which one has the store `soho`."""
    made = MasterBook(Lake(f"file://{tmp_path}"))
    for tenant, names in (("acme", ("soho", "ginza")), ("other", ("paris",))):
        stores = [Store(store_id=name, name=name, timezone="UTC", currency="EUR") for name in names]
        made.put(tenant, "store", stores)
    return made


def test_a_store_picks_the_tenants_that_have_it(book: MasterBook) -> None:
    assert _tenants(book, None, None) == ["acme", "other"]
    assert _tenants(book, None, "soho") == ["acme"]
    assert _tenants(book, ["acme"], "ginza") == ["acme"]


@pytest.mark.parametrize(
    ("tenants", "store", "remedy"),
    [
        (None, "sohho", "soho"),
        (["other"], "soho", "1 stores"),
        (["acme", "other"], "soho", "soho"),
        (["acmee"], None, "tenpo tenant create"),
        (["acmee"], "soho", "tenpo tenant create"),
    ],
)
def test_what_does_not_exist_is_refused_with_a_remedy(
    book: MasterBook, tenants: list[str] | None, store: str | None, remedy: str
) -> None:
    with pytest.raises(UnknownReference) as refused:
        _tenants(book, tenants, store)
    assert remedy in refused.value.remedy


@pytest.mark.parametrize("dates", [("2026-03-02", "2026-03-01"), ("2026-03-01", None), ("1", "2")])
def test_a_range_that_is_none_is_refused_with_a_remedy(dates: tuple[str, str | None]) -> None:
    with pytest.raises(InputError) as refused:
        _range(*dates, dirty=False)
    assert refused.value.remedy
    assert _range("2026-03-01", "2026-03-02", dirty=False) == (date(2026, 3, 1), date(2026, 3, 2))


def test_options_that_would_be_ignored_are_refused() -> None:
    with pytest.raises(InputError, match="--follow takes in what comes of all tenants"):
        ingest(follow=True, tenant=["acme"])
    with pytest.raises(InputError, match="--dirty is about all dates"):
        _range("2026-01-01", None, dirty=True)
