"""Strangers hold no room of genuine webhooks: the application in this process, kept waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from starlette.types import ASGIApp, Message

import gateways.web.webhook_routes
from gateways.intake.parcels import Intake
from gateways.intake.shares import Shares
from gateways.web.app import create_app
from gateways.web.hook_room import HookRoom, network_of
from gateways.web.patience import Waits, within
from tenpo.errors import Overloaded, SenderStalled
from tenpo.settings import Settings
from tests.gateways.conftest import SEND, new_gateway
from tests.gateways.payloads import ROOT, TENANT
from tests.gateways.register_payloads import SHOPIFY_ORDER
from tests.gateways.signed import SECRETS, signature, webhook_secrets

MIB = 1024**2
SQUARE, SHOPIFY = "x-square-hmacsha256-signature", "x-shopify-hmac-sha256"
STRANGERS = 48
VENDOR = "192.0.2.1"
ROW = webhook_secrets()[0]


class Request:
    """A POST whose body ends only if it is told to."""

    def __init__(
        self, path: str, address: str, headers: dict[str, str], body: bytes, *, ends: bool
    ) -> None:
        told = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
                      "query_string": b"", "headers": told, "client": (address, 5000),
                      "server": ("gateway", 80), "scheme": "http", "http_version": "1.1",
                      "root_path": ""}  # fmt: skip
        self._pieces: list[Message] = [
            {"type": "http.request", "body": body, "more_body": not ends}
        ]
        self.taken = asyncio.Event()
        self.status = 0

    async def receive(self) -> Message:
        if self._pieces:
            return self._pieces.pop()
        self.taken.set()
        await asyncio.Event().wait()
        raise AssertionError("nothing more comes")

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        self.taken.set()

    async def through(self, app: ASGIApp) -> int:
        await app(self.scope, self.receive, self.send)
        return self.status


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path]:
    home = new_gateway(tmp_path_factory.mktemp("hooks")).home
    settings = Settings(
        home=home, secret_key=SecretStr(ROOT.hex()), max_body_bytes=MIB, max_bodies_bytes=8 * MIB,
        body_idle_s=60, rate_burst=1_000,
    )  # fmt: skip
    return settings, home


@contextmanager
def running(intake: Intake, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    committing = loop.create_task(intake.committer.run())
    try:
        yield
    finally:
        committing.cancel()
        loop.run_until_complete(asyncio.gather(committing, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_default_executor())
        intake.workroom.close()


def genuine() -> Request:
    body = orjson.dumps(SHOPIFY_ORDER | {"id": 7001, "location_id": None, "refunds": []})
    told = {SHOPIFY: signature(SECRETS["shopify"], body)}
    return Request(f"/v1/hooks/{TENANT}/shopify", VENDOR, told, body, ends=True)


@pytest.mark.parametrize("spread", ["one address", "many addresses of one network", "no signature"])
def test_idle_strangers_do_not_keep_a_genuine_webhook_out(
    made: tuple[Settings, Path], spread: str
) -> None:
    settings, _ = made

    def stranger(number: int) -> Request:
        address = {"one address": "198.51.100.7"}.get(spread, f"2001:db8::{number:x}")
        told = {} if spread == "no signature" else {SQUARE: "made-up"}
        body = b"x" * (MIB // 2)
        return Request(f"/v1/hooks/{TENANT}/square", address, told, body, ends=False)

    async def attack(app: ASGIApp, intake: Intake) -> tuple[list[int], int, int]:
        strangers = [stranger(number) for number in range(STRANGERS)]
        tasks = [asyncio.create_task(one.through(app)) for one in strangers]
        await asyncio.gather(*(one.taken.wait() for one in strangers))
        held = intake.held_bodies.total
        status = await genuine().through(app)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert intake.held_bodies.total == 0
        return [one.status for one in strangers], held, status

    intake, loop = Intake(settings), asyncio.new_event_loop()
    app = create_app(settings, intake, with_mqtt=False)
    with running(intake, loop):
        refused, held, status = loop.run_until_complete(attack(app, intake))
    loop.close()
    assert status == 200
    if spread == "no signature":
        assert (set(refused), held) == ({401}, 0)  # and nothing of them was read
    else:
        assert 0 < held <= MIB


def test_a_body_that_comes_by_drops_is_given_up(
    made: tuple[Settings, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, _ = made
    monkeypatch.setattr(gateways.web.webhook_routes, "BODY_S", 0.01)
    short = settings.model_copy(update={"body_total_s": 0.01})
    sale = {"authorization": f"Bearer {SEND}", "x-tenpo-tenant": TENANT}

    async def send(app: ASGIApp) -> list[int]:
        requests = [
            Request(f"/v1/hooks/{TENANT}/square", VENDOR, {SQUARE: "x"}, b"{", ends=False),
            Request("/v1/pos/posa", VENDOR, sale, b"{", ends=False),
            Request("/v1/pos/posb", VENDOR, sale | {"content-length": "9"}, b"{", ends=False),
        ]
        return list(await asyncio.gather(*(one.through(app) for one in requests)))

    intake, loop = Intake(short), asyncio.new_event_loop()
    app = create_app(short, intake, with_mqtt=False)
    with running(intake, loop):
        assert loop.run_until_complete(send(app)) == [408] * 3
    loop.close()
    assert intake.held_bodies.total == 0


@pytest.mark.parametrize(("total_s", "what"), [(0.01, "not there after"), (60, "nothing of")])
def test_which_wait_was_too_long_is_told(total_s: float, what: str) -> None:
    async def wait() -> Any:
        began = asyncio.get_running_loop().time()
        return await within(asyncio.Event().wait, Waits(0.02, total_s), began)  # type: ignore[arg-type]

    with pytest.raises(SenderStalled, match=what):
        asyncio.run(wait())


def test_many_addresses_that_name_one_tenant_leave_room_to_the_others() -> None:
    bodies = Shares(64 * MIB, "full")
    room = HookRoom(Settings(max_body_bytes=MIB, max_bodies_bytes=64 * MIB), bodies, MIB)
    held = []
    for number in range(64):
        hold = room.hold(f"198.51.100.{number}", "acme", ROW)
        try:
            hold.__enter__().add(MIB // 2)
        except Overloaded:
            hold.__exit__(None, None, None)
        else:
            held.append(hold)
    assert len(held) * MIB // 2 == 12 * MIB  # three quarters of the fourth of all room
    with room.hold(VENDOR, "other", ROW) as genuine, room.hold("::1", "nobody", None) as unknown:
        genuine.add(MIB)
        unknown.add(MIB // 8)
        before = bodies.total
        with pytest.raises(Overloaded):
            unknown.add(64 * MIB)
        assert bodies.total == before - MIB // 8  # nothing of it is held any more
    for hold in held:
        hold.__exit__(None, None, None)
    assert bodies.total == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_whose_an_address_is(address: str, network: str) -> None:
    assert network_of(address) == network
