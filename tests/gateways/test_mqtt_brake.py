"""A broker that sends more than can be taken is left waiting, and old connections get no answer."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from gateways import mqtt
from gateways.intake.brake import Brake
from gateways.intake.parcels import Intake, Parcel
from gateways.mqtt import MqttIntake
from gateways.normalize.adapter import Adapter, Kind
from tenpo.errors import ConfigError
from tenpo.masters import TenantMasters
from tenpo.settings import Settings
from tests.gateways.payloads import MASTERS, TENANT

TOPIC = f"tenpo/{TENANT}/iot/milesight/d"
PLACES = 2


class Shelf:
    """The intake's access: one tenant."""

    async def masters(self, tenant_id: str) -> TenantMasters:
        assert tenant_id == TENANT
        return MASTERS


class SlowIntake(Intake):
    """An intake whose lake answers when it is told to."""

    def __init__(self) -> None:
        self.access = Shelf()  # type: ignore[assignment]
        self.open = asyncio.Event()
        self.bodies: list[bytes] = []
        self.asked = 1

    async def form(self, tenant_id: str, kind: Kind, name: str) -> tuple[str | None, Adapter]:
        self.asked += 1
        if self.asked == 1:
            raise ConfigError("a master cannot be read")
        return await super().form(tenant_id, kind, name)

    async def receive(self, parcel: Parcel) -> dict[str, Any]:
        self.bodies.append(parcel.body)
        await self.open.wait()
        return {"rejected": 0}


class Acknowledging(paho.Client):
    """A client that keeps what it acknowledged."""

    def __init__(self) -> None:
        super().__init__(CallbackAPIVersion.VERSION2)
        self.acknowledged: list[int] = []

    def ack(self, mid: int, qos: int) -> MQTTErrorCode:
        assert qos == 1
        self.acknowledged.append(mid)
        return MQTTErrorCode.MQTT_ERR_SUCCESS


def message(mid: int) -> paho.MQTTMessage:
    found = paho.MQTTMessage(mid, TOPIC.encode())
    found.payload, found.qos = b"%d" % mid, 1
    return found


@pytest.fixture
def client() -> Acknowledging:
    return Acknowledging()


def made(client: Acknowledging, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> MqttIntake:
    monkeypatch.setattr(mqtt, "MAX_UNDER_WAY", PLACES)
    settings = Settings(mqtt_url="mqtt://127.0.0.1:1")
    found = MqttIntake(settings, intake, asyncio.get_running_loop())
    monkeypatch.setattr(found, "_client", client)
    return found


async def reaches(counted: list[Any], count: int) -> None:
    async with asyncio.timeout(30):
        while len(counted) < count:
            await asyncio.sleep(0.01)


async def test_no_more_is_read_than_may_be_under_way(
    client: Acknowledging, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowIntake()
    taking = made(client, slow, monkeypatch)
    handed: list[int] = []

    def broker() -> None:
        for mid in range(1, 6):
            taking._on_message(client, None, message(mid))
            handed.append(mid)

    sending = threading.Thread(target=broker)
    sending.start()
    await reaches(slow.bodies, PLACES)
    await asyncio.sleep(0.2)
    assert handed == [1, 2]
    assert slow.bodies == [b"1", b"2"]
    slow.open.set()
    await reaches(client.acknowledged, 5)
    sending.join(30)
    assert client.acknowledged == [1, 2, 3, 4, 5]


async def test_what_came_on_an_old_connection_is_acknowledged_on_the_new_one_only_if_sent_again(
    client: Acknowledging, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowIntake()
    taking = made(client, slow, monkeypatch)
    first, again = message(7), message(7)
    again.mid = 9
    taking._on_message(client, None, first)
    await reaches(slow.bodies, 1)
    taking._connection += 1
    taking._on_message(client, None, again)
    slow.open.set()
    await reaches(client.acknowledged, 1)
    assert client.acknowledged == [9]
    assert slow.bodies == [b"7"]


async def test_a_wrong_master_of_ours_costs_no_message(
    client: Acknowledging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_FIRST_RETRY_S", 0.01)
    slow = SlowIntake()
    slow.asked = 0
    slow.open.set()
    taking = made(client, slow, monkeypatch)
    taking._on_message(client, None, message(3))
    await reaches(client.acknowledged, 1)
    assert (slow.asked, slow.bodies) == (2, [b"3"])


def test_few_large_messages_are_as_many_as_many_small_ones() -> None:
    brake = Brake(3, 100)
    assert [brake.enter(size, 0) for size in (1_000, 1)] == [True, False]
    brake.leave(1, 1_000)
    assert [brake.enter(size, 0) for size in (60, 50, 40, 0, 0)] == [True, False, True, True, False]
    brake.leave(2, 100)
    assert brake.enter(100, 0)


@pytest.mark.parametrize(("granted", "is_good"), [(1, True), (0, False), (0x80, False)])
async def test_a_broker_that_grants_less_is_none(
    client: Acknowledging, monkeypatch: pytest.MonkeyPatch, granted: int, is_good: bool
) -> None:
    taking = made(client, SlowIntake(), monkeypatch)
    monkeypatch.setattr(client, "is_connected", lambda: True)
    assert not taking.connected
    reason = ReasonCode(PacketTypes.SUBACK, identifier=granted)
    taking._on_subscribe(client, None, 1, [reason], None)
    assert taking.connected == is_good
