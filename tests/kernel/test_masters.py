"""Masters: append-only lists by origin, merged; tenants and their tokens."""

from __future__ import annotations

import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from pydantic import ValidationError

from tenpo.errors import ConfigError, InputError, UnknownReference
from tenpo.lake import Lake
from tenpo.masters import Device, MasterBook, Store, StoreCode, TenantMasters, token_digest
from tenpo.settings import Settings
from tenpo.tenants import create_tenant, issue_token, revoke_token, share_benchmarks

STORE = Store(store_id="tokyo", name="Tokyo", timezone="Asia/Tokyo", currency="JPY")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def book(settings: Settings) -> MasterBook:
    return MasterBook(Lake(settings.lake_url), max_age_s=0)


def _device(device_id: str, store_id: str = "tokyo") -> Device:
    return Device(device_id=device_id, store_id=store_id, source="milesight")


def test_the_newest_list_of_each_origin_counts_and_the_console_wins(book: MasterBook) -> None:
    book.put("acme", "device", [_device("A"), _device("B")], origin="vendor")
    book.put("acme", "device", [_device("B"), _device("C")], origin="vendor")
    book.put("acme", "device", [_device("C", "osaka")])
    devices = book.get("acme").devices
    assert {key: row.store_id for key, row in devices.items()} == {"B": "tokyo", "C": "osaka"}
    assert book.own("acme", "device", "vendor") == [_device("B"), _device("C")]
    assert book.own("acme", "device", "nobody") == []


def test_benchmarks_are_joined_and_left_and_nothing_else_changes(
    settings: Settings, book: MasterBook
) -> None:
    create_tenant(settings, "acme", "Acme", [STORE], calendar="retail_454")
    assert not book.get("acme").shares_benchmarks
    share_benchmarks(settings, "acme", shares=True)
    create_tenant(settings, "acme", "Acme & Sons", [STORE])
    masters = book.get("acme")
    assert (masters.shares_benchmarks, masters.calendar) == (True, "retail_454")
    share_benchmarks(settings, "acme", shares=False)
    assert not book.get("acme").shares_benchmarks
    assert book.get("acme").tenant[-1].name == "Acme & Sons"
    with pytest.raises(UnknownReference):
        share_benchmarks(settings, "nobody", shares=True)


def test_another_process_sees_a_change(settings: Settings, book: MasterBook) -> None:
    book.put("acme", "store", [STORE])
    other = MasterBook(Lake(settings.lake_url), max_age_s=0)
    assert list(other.get("acme").stores) == ["tokyo"]
    book.put("acme", "store", [])
    assert not other.get("acme").stores


def test_store_codes_hold_while_they_are_valid(book: MasterBook) -> None:
    book.put("acme", "store", [STORE])
    old = StoreCode(source="posa", code="1", store_id="old", valid_to=date(2026, 3, 31))
    new = StoreCode(source="posa", code="1", store_id="tokyo", valid_from=date(2026, 4, 1))
    book.put("acme", "store_code", [old, new])
    masters = book.get("acme")
    assert masters.store_for("posa", "1", date(2026, 3, 31)) == "old"
    assert masters.store_for("posa", "1", date(2026, 4, 1)) == "tokyo"
    assert masters.store_for("posb", "1", date(2026, 4, 1)) is None
    assert masters.store_for("posb", "tokyo", date(2026, 4, 1)) == "tokyo"


def test_an_unknown_tenant_and_a_broken_list_are_named(
    settings: Settings, book: MasterBook
) -> None:
    with pytest.raises(UnknownReference, match="nobody"):
        book.get("nobody")
    name = "master/acme/store/console/1.json"
    Lake(settings.lake_url).put(name, orjson.dumps([{"store_id": "x", "nmae": "typo"}]))
    with pytest.raises(ConfigError, match="nmae") as caught:
        book.get("acme")
    assert caught.value.where == name


@pytest.mark.parametrize(
    "change",
    [
        {"timezone": "Asia/Edo"},
        {"currency": "yen"},
        {"day_cutover": "5 am"},
        {"opening_hours": (("10:00", "20:00"),) * 6},
        {"opening_hours": (("20:00", "10:00"),)},
        {"opening_hours": (("10:00", "26:00"),)},  # without a cut-over past midnight
        {"sales_area_m2": 0},
        {"colour": "blue"},
    ],
)
def test_a_store_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    with pytest.raises((ValidationError, ConfigError, InputError)):
        Store.model_validate(STORE.model_dump() | change)


def test_opening_hours_by_weekday_and_past_midnight() -> None:
    hours = (("10:00", "26:00"),) * 5 + (("09:00", "20:00"), None)
    store = STORE.model_copy(update={"day_cutover": "05:00", "opening_hours": hours})
    friday = store.open_between(date(2026, 11, 20))
    assert friday == (
        datetime(2026, 11, 20, 1, tzinfo=UTC), datetime(2026, 11, 20, 17, tzinfo=UTC),
    )  # fmt: skip
    assert store.open_between(date(2026, 11, 22)) is None


def test_creating_a_tenant_twice_changes_nothing(settings: Settings, book: MasterBook) -> None:
    first = create_tenant(settings, "acme", "Acme", [STORE], devices=[_device("A")])
    objects = Lake(settings.lake_url).names("master/acme")
    second = create_tenant(settings, "acme", "Acme", [STORE], devices=[_device("A")])
    assert (first.send, first.read) == (second.send, second.read)
    assert (first.new, second.new) == (("send", "read"), ())
    assert Lake(settings.lake_url).names("master/acme") == objects
    assert create_tenant(settings, "acme", "Acme").new == ()
    assert list(book.get("acme").stores) == ["tokyo"]


def test_secrets_stay_here_and_only_digests_go_to_the_lake(
    settings: Settings, book: MasterBook
) -> None:
    tokens = create_tenant(settings, "acme", "Acme", [STORE])
    lake = Lake(settings.lake_url)
    everything = b"".join(lake.get_many(lake.names("")))
    for secret in (tokens.send, tokens.read):
        assert secret.encode() not in everything
        assert token_digest(secret).encode() in everything
        assert secret not in repr(tokens)
    kept = settings.home / "secrets" / "token-acme"
    assert kept.read_text() == tokens.send
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    scopes = {row.scope: row.sha256 for row in book.get("acme").token}
    assert scopes == {"send": token_digest(tokens.send), "read": token_digest(tokens.read)}


def test_airflow_learns_of_every_tenant(settings: Settings) -> None:
    for tenant_id in ("b", "a"):
        create_tenant(settings, tenant_id, tenant_id.upper())
    assert orjson.loads((settings.home / "airflow" / "tenants.json").read_bytes()) == ["a", "b"]


def _valid(masters: TenantMasters) -> set[str]:
    return {row.sha256 for row in masters.token if not row.revoked}


def test_tokens_are_issued_replaced_and_revoked(settings: Settings, book: MasterBook) -> None:
    tokens = create_tenant(settings, "acme", "Acme", [STORE])
    for_store = issue_token(settings, "acme", "send", "tokyo")
    replaced = issue_token(settings, "acme", "send")
    digests = {token_digest(secret) for secret in (for_store, replaced, tokens.read)}
    assert _valid(book.get("acme")) == digests
    revoke_token(settings, "acme", "send", "tokyo")
    assert _valid(book.get("acme")) == digests - {token_digest(for_store)}
    revoke_token(settings, "acme", "send")
    again = create_tenant(settings, "acme", "Acme")
    assert again.new == ("send",)
    assert again.send != replaced


def test_tokens_of_nobody_and_nowhere_are_refused(settings: Settings) -> None:
    with pytest.raises(UnknownReference):
        issue_token(settings, "nobody", "send")
    create_tenant(settings, "acme", "Acme", [STORE])
    with pytest.raises(UnknownReference, match="osaka"):
        issue_token(settings, "acme", "send", "osaka")
    with pytest.raises(UnknownReference, match="send-tokyo"):
        revoke_token(settings, "acme", "send", "tokyo")
    with pytest.raises(InputError):
        create_tenant(settings, "Bad Name", "Bad")


@pytest.mark.parametrize("name", ["demo/../demo", "../demo", "", "Demo", "a" * 64])
def test_a_tenant_of_no_possible_name_is_unknown(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownReference):
        MasterBook(Lake(f"file://{tmp_path}")).get(name)


def test_a_rotated_token_works_on_for_its_grace_and_no_longer(
    settings: Settings, book: MasterBook
) -> None:
    create_tenant(settings, "acme", "Acme", [STORE])
    first = issue_token(settings, "acme", "send", "tokyo", rate_per_s=7)
    second = issue_token(settings, "acme", "send", "tokyo", grace=timedelta(hours=1))
    now = datetime.now(UTC)

    def valid(at: datetime) -> set[str]:
        rows = [row for row in book.get("acme").token if row.store_id == "tokyo"]
        return {row.sha256 for row in rows if row.is_valid(at)}

    digests = [token_digest(secret) for secret in (first, second)]
    assert valid(now) == set(digests)
    assert valid(now + timedelta(minutes=61)) == {digests[1]}
    assert {row.rate_per_s for row in book.get("acme").token if row.store_id} == {7}
    third = issue_token(settings, "acme", "send", "tokyo", grace=timedelta(hours=1))
    assert valid(now) == {digests[1], token_digest(third)}
    revoke_token(settings, "acme", "send", "tokyo")
    assert valid(now) == set()
    issue_token(settings, "acme", "send", "tokyo")
    last = issue_token(settings, "acme", "send", "tokyo")
    assert valid(now) == {token_digest(last)}
