"""The broker acknowledges to the publisher only what a subscriber has acknowledged."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tenpo.settings import local_secret
from tenpo.stack.addresses import MQTT_USER
from tenpo.stack.health import is_healthy
from tenpo.stack.ports import HOST, OWNER, choose_ports
from tenpo.stack.process import Health

WITHIN_S = 30.0


class Broker:
    """A broker process that can be killed and started again on the same port."""

    def __init__(self, home: Path) -> None:
        wanted = frozenset(OWNER.values())
        found = choose_ports({"mqtt": 21883}, {}, alive=frozenset(), wanted=wanted)
        self.port = found.ports["mqtt"]
        self.home = home
        self.password = local_secret(home, "mqtt_password")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tenpo.stack.mqtt_broker", str(self.port)],
            env=os.environ | {"TENPO_HOME": str(self.home)},
        )
        health = Health("tcp", f"{HOST}:{self.port}")
        wait_for(lambda: is_healthy(health, uptime_s=0))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def client(self, name: str, password: str | None = None) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, name, clean_session=False)
        client.username_pw_set(MQTT_USER, password or self.password)
        client.reconnect_delay_set(1, 1)
        return client


class Subscriber:
    """A client that acknowledges by hand, like the gateway."""

    def __init__(self, broker: Broker, *, acknowledge: bool) -> None:
        self.got: list[bytes] = []
        self.acknowledge = acknowledge
        self.subscribed = threading.Event()
        self.client = broker.client("subscriber")
        self.client.manual_ack_set(True)
        self.client.on_connect = lambda client, *_: client.subscribe("counters/#", 1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = self._receive
        self.client.connect(HOST, broker.port)
        self.client.loop_start()
        assert self.subscribed.wait(WITHIN_S)

    def _receive(self, client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        self.got.append(bytes(message.payload))
        if self.acknowledge:
            client.ack(message.mid, message.qos)


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.kill()


@pytest.fixture
def publisher(broker: Broker) -> Iterator[mqtt.Client]:
    client = broker.client("publisher")
    client.connect(HOST, broker.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def test_message_is_acknowledged_once_the_subscriber_has(
    broker: Broker, publisher: mqtt.Client
) -> None:
    subscriber = Subscriber(broker, acknowledge=True)
    sent = [publisher.publish("counters/a", str(n), qos=1) for n in range(50)]
    wait_for(lambda: all(info.is_published() for info in sent))
    assert {int(payload) for payload in subscriber.got} == set(range(50))
    subscriber.client.disconnect()


def test_message_waits_with_its_publisher_until_somebody_takes_it(
    broker: Broker, publisher: mqtt.Client
) -> None:
    unwilling = Subscriber(broker, acknowledge=False)
    sent = publisher.publish("counters/a", "1", qos=1)
    wait_for(lambda: unwilling.got)
    assert not sent.is_published()
    unwilling.client.disconnect()
    willing = Subscriber(broker, acknowledge=True)
    wait_for(sent.is_published)
    assert willing.got
    willing.client.disconnect()


def test_message_survives_the_death_of_the_broker(broker: Broker, publisher: mqtt.Client) -> None:
    sent = publisher.publish("counters/a", "kept", qos=1)
    time.sleep(0.5)  # nobody is there to take it
    assert not sent.is_published()
    broker.kill()
    broker.start()
    subscriber = Subscriber(broker, acknowledge=True)
    wait_for(sent.is_published)
    assert subscriber.got[0] == b"kept"
    subscriber.client.disconnect()


def test_wrong_password_is_refused(broker: Broker) -> None:
    refused = threading.Event()
    client = broker.client("stranger", "guess")
    client.on_connect = lambda _c, _u, _f, reason, _p: refused.set() if reason.is_failure else None
    client.connect(HOST, broker.port)
    client.loop_start()
    assert refused.wait(WITHIN_S)
    client.loop_stop()
