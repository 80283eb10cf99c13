"""MQTT with a real broker and a real client: acknowledged only when durable."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateways.intake.spec_shelf import SpecShelf
from tenpo.settings import local_secret
from tenpo.stack.addresses import MQTT_USER
from tests.gateways.conftest import Gateway, new_gateway
from tests.gateways.payloads import MILESIGHT, SERIAL, TENANT

pytestmark = pytest.mark.stack

TOPIC = f"tenpo/{TENANT}/iot/milesight/{SERIAL}"
PATIENCE_S = 40
BEAM = f"""
name: beam
event: count_reading
json: {{}}
constants: {{device_id: {SERIAL}}}
time: {{received: true}}
counts: {{in: n}}
""".encode()


def until(holds: Callable[[], bool]) -> bool:
    """Whether it comes true within patience."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


class Broker:
    """The local stack's broker, killed and started at will."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.password = local_secret(gateway.home, "mqtt_password")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tenpo.stack.mqtt_broker", str(self.gateway.mqtt_port)],
            env=self.gateway.settings(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if not until(self._listens):
            raise RuntimeError("the broker does not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.gateway.mqtt_port)) == 0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Broker]]:
    """A gateway and its broker."""
    gateway = new_gateway(tmp_path_factory.mktemp("mqtt"))
    broker = Broker(gateway)
    user = f"{MQTT_USER}:{broker.password}@"
    gateway.environment["TENPO_MQTT_URL"] = f"mqtt://{user}127.0.0.1:{gateway.mqtt_port}"
    gateway.start()
    assert until(lambda: mqtt_state(gateway) == "connected")
    yield gateway, broker
    if gateway.process is not None and gateway.process.poll() is None:
        gateway.stop()
    broker.kill()


def mqtt_state(gateway: Gateway) -> str:
    state: str = httpx.get(f"{gateway.url}/health", trust_env=False).json()["mqtt"]
    return state


@pytest.fixture
def device(site: tuple[Gateway, Broker]) -> Iterator[paho.Client]:
    """A device connected to the broker."""
    gateway, broker = site
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(MQTT_USER, broker.password)
    client.connect("127.0.0.1", gateway.mqtt_port)
    client.loop_start()
    assert until(client.is_connected)
    yield client
    client.disconnect()
    client.loop_stop()


def at(minute: int) -> bytes:
    """A report of another quarter of an hour, so that every test has its own document."""
    hour, rest = divmod(minute, 60)
    start = b"T%02d:%02d:00" % (hour, rest)
    end = b"T%02d:%02d:30" % (hour, rest)
    return MILESIGHT.replace(b"T10:00:00", start).replace(b"T10:15:00", end)


def documents(gateway: Gateway) -> set[str]:
    return set(gateway.events("count_interval")["document_key"].to_pylist())


def test_an_acknowledged_report_is_in_the_lake(
    site: tuple[Gateway, Broker], device: paho.Client
) -> None:
    gateway, _ = site
    before = documents(gateway)
    device.publish(TOPIC, at(0), qos=1).wait_for_publish(PATIENCE_S)
    assert len(documents(gateway) - before) == 1
    SpecShelf(gateway.lake).put(TENANT, "beam", BEAM)
    device.publish(f"tenpo/{TENANT}/iot/beam/1", b'{"n": 7}', qos=1).wait_for_publish(PATIENCE_S)
    rows = gateway.events("count_reading")
    read = zip(rows["source"].to_pylist(), rows["in_total"].to_pylist(), strict=True)
    assert list(read) == [("beam", 7)]


def test_what_can_never_be_accepted_does_not_block_the_rest(
    site: tuple[Gateway, Broker], device: paho.Client
) -> None:
    gateway, _ = site
    before = documents(gateway)
    for topic, body in (
        ("tenpo/nobody/iot/milesight/x", at(1)),
        (f"tenpo/{TENANT}/iot/nobody/x", at(1)),
        (f"tenpo/{TENANT}/iot/x", at(1)),
        (TOPIC, at(1)[:80]),
        (TOPIC, at(1).replace(SERIAL.encode(), b"NEW")),
    ):
        info = device.publish(topic, body, qos=1)
        info.wait_for_publish(PATIENCE_S)
        assert info.is_published(), topic
    device.publish(TOPIC, at(2), qos=1).wait_for_publish(PATIENCE_S)
    assert len(documents(gateway) - before) == 1
    reasons = set(gateway.events("rejection")["reason_code"].to_pylist())
    assert reasons == {"unreadable_payload", "unknown_device"}


def test_a_failing_lake_is_waited_for_without_acknowledgement(
    site: tuple[Gateway, Broker], device: paho.Client
) -> None:
    gateway, _ = site
    before = documents(gateway)
    raw, away = gateway.home / "lake" / "raw", gateway.home / "lake" / "away"
    raw.rename(away)
    raw.write_text("a file where a folder must be")
    info = device.publish(TOPIC, at(3), qos=1)
    assert until(lambda: "mqtt_waits" in gateway.log.read_text())
    assert not info.is_published()
    raw.unlink()
    Path(away).rename(raw)
    info.wait_for_publish(PATIENCE_S)
    assert info.is_published()
    assert len(documents(gateway) - before) == 1


def test_a_broker_that_dies_stops_neither_http_nor_later_messages(
    site: tuple[Gateway, Broker], device: paho.Client
) -> None:
    gateway, broker = site
    before = documents(gateway)
    broker.kill()
    assert gateway.post("/v1/iot/milesight", at(4)).json()["accepted"] == 2
    broker.start()
    assert until(lambda: mqtt_state(gateway) == "connected")
    assert until(device.is_connected)
    device.publish(TOPIC, at(5), qos=1).wait_for_publish(PATIENCE_S)
    assert until(lambda: len(documents(gateway) - before) == 2)


def test_a_gateway_killed_before_the_acknowledgement_gets_the_report_again(
    site: tuple[Gateway, Broker], device: paho.Client
) -> None:
    gateway, _ = site
    gateway.stop()
    gateway.start(TENPO_FAILPOINT="intake.after_raw")
    assert until(lambda: mqtt_state(gateway) == "connected")
    before = documents(gateway)
    info = device.publish(TOPIC, at(6), qos=1)
    assert gateway.died() == -signal.SIGKILL
    assert not info.is_published()
    gateway.start()
    info.wait_for_publish(PATIENCE_S)
    assert info.is_published()
    assert len(documents(gateway) - before) == 1
