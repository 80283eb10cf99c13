"""Signed webhooks: genuine ones land once, all others are refused alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import orjson
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from gateways.web.hook_gate import WRONG_BURST, WRONG_PER_S, HookGate
from gateways.web.webhooks import SCHEMES, Memory, check_age, check_signature
from tenpo.commands.tenant import tenant
from tenpo.errors import AuthError, InputError, IntegrityError, RateLimited
from tenpo.keys import TenantKeys
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.settings import Settings
from tenpo.tenants import create_tenant
from tenpo.webhook_secrets import (
    keep_webhook,
    open_token,
    open_webhook,
    revoke_webhook,
    seal_webhook,
)
from tests.gateways.conftest import SEND, Gateway
from tests.gateways.payloads import MASTERS, ROOT, TENANT
from tests.gateways.register_payloads import SHOPIFY_ORDER, SQUARE_EVENT
from tests.gateways.signed import SECRETS, URL, signature, webhook_secrets

SQUARE, SHOPIFY = SCHEMES["square"], SCHEMES["shopify"]
ROWS = {row.vendor: row for row in webhook_secrets()}


def order(number: int) -> bytes:
    """A Shopify order of its own number, without a location."""
    return orjson.dumps(SHOPIFY_ORDER | {"id": number, "location_id": None, "refunds": []})


def send(
    gateway: Gateway, vendor: str, body: bytes, given: str, to: str = TENANT
) -> httpx.Response:
    return httpx.post(
        f"{gateway.url}/v1/hooks/{to}/{vendor}", content=body,
        headers={SCHEMES[vendor].header: given}, timeout=60, trust_env=False,
    )  # fmt: skip


def test_the_vendors_own_ways_of_signing() -> None:
    """Worked out apart from the code under test, with `openssl dgst -sha256 -hmac`."""
    secret = SECRETS["shopify"].encode()
    given = "Wtm/TY/Edv2mbGymn/8TBmOl4abV4jcx+mxZf+qo1yE="
    assert check_signature(SHOPIFY, ROWS["shopify"], secret, given, b'{"id":1}') == given
    secret = SECRETS["square"].encode()
    given = "4S6mlkZGCAuUpqn1uWsBk4l4ErFU6TB/xd6IyxXeVPU="
    assert check_signature(SQUARE, ROWS["square"], secret, given, b'{"id":1}') == given


@pytest.mark.parametrize(
    ("given", "body"),
    [
        (signature(SECRETS["square"], b"{}"), b"{}"),  # without the address
        (signature(SECRETS["shopify"], URL.encode() + b"{}"), b"{}"),  # another secret
        (signature(SECRETS["square"], URL.encode() + b"{}"), b"{ }"),  # another body
        (signature(SECRETS["square"], URL.encode() + b"{}").lower(), b"{}"),
        ("", b"{}"),
        (None, b"{}"),
        ("\udcff\x00é", b"{}"),
    ],
)
def test_any_other_signature_is_refused(given: str | None, body: bytes) -> None:
    with pytest.raises(AuthError, match="not signed"):
        check_signature(SQUARE, ROWS["square"], SECRETS["square"].encode(), given, body)


def test_nothing_fits_where_there_is_no_secret() -> None:
    with pytest.raises(AuthError, match="not signed"):
        check_signature(SHOPIFY, None, None, signature("\x00" * 32, b"{}"), b"{}")


def test_a_sealed_secret_opens_for_its_tenant_and_vendor_alone() -> None:
    keys = TenantKeys(ROOT, TENANT)
    row = seal_webhook(keys, "square", "s3cret")
    assert open_webhook(keys, row) == b"s3cret"
    assert "s3cret" not in row.model_dump_json()
    assert row.sealed not in repr(row)
    for keys_, row_ in (
        (TenantKeys(ROOT, "other"), row),
        (keys, row.model_copy(update={"vendor": "shopify"})),
    ):
        with pytest.raises(IntegrityError):
            open_webhook(keys_, row_)


def test_an_event_is_refused_once_its_vendor_would_not_send_it_any_more() -> None:
    made = datetime(2026, 11, 1, 10, 0, 2, tzinfo=UTC)
    body = orjson.dumps(SQUARE_EVENT)
    check_age(SQUARE, body, made + timedelta(hours=71))
    with pytest.raises(AuthError, match="older") as caught:
        check_age(SQUARE, body, made + timedelta(hours=73))
    assert caught.value.status == 403
    for untold in (b"{}", b"no json", b"[]", b'{"created_at": 5}'):
        check_age(SQUARE, untold, made + timedelta(days=900))
    check_age(SHOPIFY, body, made + timedelta(days=900))  # nothing signed tells


def test_the_memory_is_bounded_and_forgets_after_the_window() -> None:
    now = [0.0]
    memory = Memory(limit=3, clock=lambda: now[0])
    for number in range(5):
        memory.remember(TENANT, "square", str(number), timedelta(seconds=10))
    assert len(memory) == 3
    known = [memory.knows(TENANT, "square", str(number)) for number in range(5)]
    assert known == [False, False, True, True, True]
    assert not memory.knows("other", "square", "4")
    assert not memory.knows(TENANT, "shopify", "4")
    now[0] = 10.0
    assert not memory.knows(TENANT, "square", "4")


def test_a_genuine_webhook_lands_in_its_store_and_again_it_adds_nothing(gateway: Gateway) -> None:
    body = order(9001)
    given = signature(SECRETS["shopify"], body)
    first, again = (send(gateway, "shopify", body, given) for _ in range(2))
    assert (first.status_code, first.json()["accepted"]) == (200, 5)
    assert (again.status_code, again.json()) == (200, {"duplicate": True})
    rows = [r for r in gateway.events("sale_line").to_pylist() if r["document_key"] == "order:9001"]
    assert len(rows) == 5
    assert {row["store_id"] for row in rows} == {"soho"}  # named with the secret


def test_a_webhook_that_only_names_an_order_is_acknowledged_and_has_it_fetched(
    gateway: Gateway,
) -> None:
    event = SQUARE_EVENT | {"created_at": datetime.now(UTC).isoformat()}
    body = orjson.dumps(event)
    answer = send(gateway, "square", body, signature(SECRETS["square"], URL.encode() + body))
    assert (answer.status_code, answer.json()["ignored"]) == (200, 1)
    assert fetched(gateway, answer) == ("queued", "square")


def fetched(gateway: Gateway, answer: httpx.Response) -> tuple[str, str]:
    """State and vendor of the job that a webhook was answered with."""
    told = {"authorization": f"Bearer {SEND}", "x-tenpo-tenant": TENANT}
    url = f"{gateway.url}/v1/receipts/{answer.json()['fetch']}"
    shown = httpx.get(url, headers=told, timeout=60, trust_env=False).json()
    return shown["state"], shown["source"]


def test_a_webhook_without_a_signature_is_known_by_its_secret_and_its_events_id(
    gateway: Gateway,
) -> None:
    body = orjson.dumps({"contractId": "sb_1", "event": "pos:transactions", "action": "edited",
                         "transactionHeadIds": ["25"]})  # fmt: skip

    def told(secret: str, event: str) -> httpx.Response:
        headers = {SCHEMES["smaregi"].header: secret, "Smaregi-Event-Id": event}
        return httpx.post(f"{gateway.url}/v1/hooks/{TENANT}/smaregi", content=body,
                          headers=headers, timeout=60, trust_env=False)  # fmt: skip

    first, again, edited = (told(SECRETS["smaregi"], one) for one in ("e1", "e1", "e2"))
    assert fetched(gateway, first) == ("queued", "smaregi")
    assert again.json() == {"duplicate": True}
    assert fetched(gateway, edited) == ("queued", "smaregi")
    assert first.json()["fetch"] != edited.json()["fetch"]
    assert [told(one, "e3").status_code for one in ("sm-headeR", "")] == [401, 401]


def test_who_signs_wrong_too_often_is_not_listened_to_and_a_vendor_has_its_rate() -> None:
    gate = HookGate(Settings(rate_burst=2, hook_rate_per_s=1))
    for tenant_id in (TENANT, None):
        for number in range(WRONG_BURST):
            vendor = "square" if tenant_id else ("square", "shopify")[number % 2]
            with pytest.raises(AuthError), gate.checking("192.0.2.1", tenant_id, vendor):
                raise AuthError("not signed")
        with (
            pytest.raises(RateLimited, match="wrong signatures") as told,
            gate.checking("192.0.2.1", tenant_id, "square"),
        ):
            pytest.fail("nothing is read")
        assert 0 < told.value.retry_after_s <= 1 / WRONG_PER_S
    with gate.checking("192.0.2.2", TENANT, "square"):
        pass  # another address is
    with gate.checking("192.0.2.1", "other", "square"):
        pass  # and so are other customers of the vendor, which sends from the same addresses
    for vendor in ("square", "shopify"):
        for _ in range(2):
            gate.pass_genuine(TENANT, vendor)
    with pytest.raises(RateLimited, match="too fast"):
        gate.pass_genuine(TENANT, "square")
    gate.pass_genuine("other", "square")


def test_what_cannot_be_read_is_kept_and_not_asked_for_again(gateway: Gateway) -> None:
    body = b'{"half": '
    answer = send(gateway, "shopify", body, signature(SECRETS["shopify"], body))
    assert (answer.status_code, answer.json()["rejected"]) == (200, 1)
    assert "unreadable_payload" in gateway.events("rejection")["reason_code"].to_pylist()


def test_every_refusal_tells_a_stranger_the_same(gateway: Gateway) -> None:
    body = order(9002)
    right = signature(SECRETS["shopify"], body)
    answers = [
        send(gateway, "shopify", body, "wrong"),
        send(gateway, "shopify", body, right, to="nobody"),
        send(gateway, "shopify", body, right, to="other"),
        send(gateway, "shopify", body + b" ", right),
    ]
    assert [one.status_code for one in answers] == [401] * 4
    assert len({one.text for one in answers}) == 1
    old = orjson.dumps(SQUARE_EVENT | {"created_at": "2026-01-01T00:00:00Z"})
    refused = send(gateway, "square", old, signature(SECRETS["square"], URL.encode() + old))
    assert refused.status_code == 403
    unsigned = httpx.post(f"{gateway.url}/v1/hooks/{TENANT}/posb", content=b"{}", trust_env=False)
    assert unsigned.status_code == 404
    assert "order:9002" not in gateway.events("sale_line")["document_key"].to_pylist()


def test_no_secret_lies_open_in_the_lake_or_the_log(gateway: Gateway) -> None:
    names = gateway.lake.names(f"master/{TENANT}/webhook")
    assert names
    shown = b"".join(gateway.lake.get(name) for name in names) + gateway.log.read_bytes()
    assert not [secret for secret in SECRETS.values() if secret.encode() in shown]


def test_secrets_are_kept_replaced_and_revoked(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, secret_key=SecretStr(ROOT.hex()))
    create_tenant(settings, TENANT, "Acme", MASTERS.store)
    keep_webhook(settings, TENANT, "shopify", "first")
    keep_webhook(settings, TENANT, "square", "another", URL)
    keep_webhook(settings, TENANT, "shopify", "second", store_id="soho")
    kept = {row.vendor: row for row in MasterBook(Lake(settings.lake_url)).get(TENANT).webhook}
    keys = TenantKeys(ROOT, TENANT)
    assert open_webhook(keys, kept["shopify"]) == b"second"
    assert (kept["shopify"].store_id, kept["square"].url) == ("soho", URL)
    revoke_webhook(settings, TENANT, "shopify")
    kept = {row.vendor: row for row in MasterBook(Lake(settings.lake_url)).get(TENANT).webhook}
    assert (kept["shopify"].revoked, kept["shopify"].sealed) == (True, "")
    assert not kept["square"].revoked
    for wrong in (
        lambda: keep_webhook(settings, TENANT, "shopify", ""),
        lambda: keep_webhook(settings, TENANT, "shopify", "x", store_id="nowhere"),
        lambda: keep_webhook(settings, "nobody", "shopify", "x"),
        lambda: revoke_webhook(settings, TENANT, "posb"),
    ):
        with pytest.raises(InputError):
            wrong()


def test_the_command_keeps_a_secret_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, secret_key=SecretStr(ROOT.hex()))
    create_tenant(settings, TENANT, "Acme", MASTERS.store)
    monkeypatch.setattr("tenpo.settings.get_settings", lambda: settings)
    file = tmp_path / "secret.txt"
    file.write_text("from-a-file\n")
    done = CliRunner().invoke(tenant, ["webhook", TENANT, "square", "--secret-file", str(file)])
    assert (done.exit_code, f"/v1/hooks/{TENANT}/square" in done.output) == (0, True)
    (row,) = MasterBook(Lake(settings.lake_url)).get(TENANT).webhook
    assert open_webhook(TenantKeys(ROOT, TENANT), row) == b"from-a-file"
    token = tmp_path / "token.txt"
    token.write_text("opens-the-api\n")
    with_token = ["--secret-file", str(file), "--token-file", str(token), "--account", "sb_1"]
    assert CliRunner().invoke(tenant, ["webhook", TENANT, "smaregi", *with_token]).exit_code == 0
    kept = MasterBook(Lake(settings.lake_url)).get(TENANT).webhook_of("smaregi")
    assert kept is not None
    assert (open_token(TenantKeys(ROOT, TENANT), kept), kept.account) == (b"opens-the-api", "sb_1")
    with pytest.raises(IntegrityError):  # what is sealed for the one does not open as the other
        open_webhook(
            TenantKeys(ROOT, TENANT), kept.model_copy(update={"sealed": kept.token_sealed})
        )
    token.write_text("")
    empty = CliRunner().invoke(tenant, ["webhook", TENANT, "smaregi", *with_token])
    assert isinstance(empty.exception, InputError)
    revoked = CliRunner().invoke(tenant, ["webhook", TENANT, "square", "--revoke"])
    assert revoked.exit_code == 0
    assert MasterBook(Lake(settings.lake_url)).get(TENANT).webhook_of("square") is None
    missing = CliRunner().invoke(tenant, ["webhook", TENANT, "square"])
    assert isinstance(missing.exception, InputError)
